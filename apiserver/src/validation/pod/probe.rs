//! Probes and lifecycle hooks of containers.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use k8s_openapi::api::core::v1::{
    Container, ExecAction, GRPCAction, HTTPGetAction, Lifecycle, LifecycleHandler, Probe, SleepAction,
    TCPSocketAction,
};
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use super::ports::{validate_port, validate_port_number};
use crate::validation::object_meta::extend_invalid;
use crate::validation::{IS_NEGATIVE, named, text};

/// What is wrong with the probes of a container that may have them.
pub(super) fn validate_probes(
    errors: &mut ErrorList,
    container: &Container,
    grace_period: Option<i64>,
    path: &Path<'_>,
) {
    if let Some(probe) = &container.liveness_probe {
        let path = path.child("livenessProbe");
        validate_probe(errors, probe, grace_period, &path);
        validate_success_threshold(errors, probe, &path);
    }
    if let Some(probe) = &container.readiness_probe {
        let path = path.child("readinessProbe");
        validate_probe(errors, probe, grace_period, &path);
        if let Some(seconds) = probe.termination_grace_period_seconds {
            let path = path.child("terminationGracePeriodSeconds");
            errors.push(Error::invalid(&path, seconds, "must not be set for readinessProbes"));
        }
    }
    if let Some(probe) = &container.startup_probe {
        let path = path.child("startupProbe");
        validate_probe(errors, probe, grace_period, &path);
        validate_success_threshold(errors, probe, &path);
    }
}

fn validate_success_threshold(errors: &mut ErrorList, probe: &Probe, path: &Path<'_>) {
    let threshold = probe.success_threshold.unwrap_or(0);
    if threshold != 1 {
        errors.push(Error::invalid(&path.child("successThreshold"), threshold, "must be 1"));
    }
}

fn validate_probe(errors: &mut ErrorList, probe: &Probe, grace_period: Option<i64>, path: &Path<'_>) {
    let handler = Handler {
        exec: probe.exec.as_ref(),
        http_get: probe.http_get.as_ref(),
        tcp_socket: probe.tcp_socket.as_ref(),
        grpc: probe.grpc.as_ref(),
        sleep: None,
    };
    handler.validate(errors, grace_period, path);
    for (field, value) in [
        ("initialDelaySeconds", probe.initial_delay_seconds),
        ("timeoutSeconds", probe.timeout_seconds),
        ("periodSeconds", probe.period_seconds),
        ("successThreshold", probe.success_threshold),
        ("failureThreshold", probe.failure_threshold),
    ] {
        if let Some(value) = value.filter(|value| *value < 0) {
            errors.push(Error::invalid(&path.child(field), value, IS_NEGATIVE));
        }
    }
    if let Some(seconds) = probe.termination_grace_period_seconds.filter(|seconds| *seconds <= 0) {
        let path = path.child("terminationGracePeriodSeconds");
        errors.push(Error::invalid(&path, seconds, "must be greater than 0"));
    }
}

/// What is wrong with the hooks of a container. Signals to stop with are dropped before.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateLifecycle`)
pub(super) fn validate_lifecycle(
    errors: &mut ErrorList,
    lifecycle: &Lifecycle,
    grace_period: Option<i64>,
    path: &Path<'_>,
) {
    for (field, handler) in [("postStart", &lifecycle.post_start), ("preStop", &lifecycle.pre_stop)] {
        if let Some(handler) = handler {
            Handler::from(handler).validate(errors, grace_period, &path.child(field));
        }
    }
}

/// What a probe or hook does; it has to be one thing.
struct Handler<'a> {
    exec: Option<&'a ExecAction>,
    http_get: Option<&'a HTTPGetAction>,
    tcp_socket: Option<&'a TCPSocketAction>,
    grpc: Option<&'a GRPCAction>,
    sleep: Option<&'a SleepAction>,
}

impl<'a> From<&'a LifecycleHandler> for Handler<'a> {
    fn from(handler: &'a LifecycleHandler) -> Self {
        Self {
            exec: handler.exec.as_ref(),
            http_get: handler.http_get.as_ref(),
            tcp_socket: handler.tcp_socket.as_ref(),
            grpc: None,
            sleep: handler.sleep.as_ref(),
        }
    }
}

impl Handler<'_> {
    fn validate(&self, errors: &mut ErrorList, grace_period: Option<i64>, path: &Path<'_>) {
        let mut seen = false;
        let mut is_first = |errors: &mut ErrorList, field: &str| {
            if seen {
                errors.push(Error::forbidden(&path.child(field), "may not specify more than 1 handler type"));
            }
            !std::mem::replace(&mut seen, true)
        };
        if let Some(action) = self.exec
            && is_first(errors, "exec")
            && action.command.as_ref().is_none_or(Vec::is_empty)
        {
            errors.push(Error::required(&path.child("exec").child("command"), ""));
        }
        if let Some(action) = self.http_get
            && is_first(errors, "httpGet")
        {
            validate_http_get(errors, action, &path.child("httpGet"));
        }
        if let Some(action) = self.tcp_socket
            && is_first(errors, "tcpSocket")
        {
            validate_port(errors, &action.port, &path.child("tcpSocket").child("port"));
        }
        if let Some(action) = self.grpc
            && is_first(errors, "grpc")
        {
            validate_port_number(errors, action.port, &path.child("grpc").child("port"));
        }
        if let Some(action) = self.sleep
            && is_first(errors, "sleep")
        {
            validate_sleep(errors, action, grace_period, &path.child("sleep"));
        }
        if !seen {
            errors.push(Error::required(path, "must specify a handler type"));
        }
    }
}

fn validate_http_get(errors: &mut ErrorList, action: &HTTPGetAction, path: &Path<'_>) {
    if text(action.path.as_ref()).is_empty() {
        errors.push(Error::required(&path.child("path"), ""));
    }
    validate_port(errors, &action.port, &path.child("port"));
    let scheme = text(action.scheme.as_ref());
    if !matches!(scheme, "HTTP" | "HTTPS") {
        errors.push(Error::not_supported(&path.child("scheme"), named(scheme), &["HTTP", "HTTPS"]));
    }
    for header in action.http_headers.iter().flatten() {
        let faults = names::http_header_name(&header.name);
        extend_invalid(errors, &path.child("httpHeaders"), &header.name, faults);
    }
}

fn validate_sleep(errors: &mut ErrorList, action: &SleepAction, grace_period: Option<i64>, path: &Path<'_>) {
    let Some(grace_period) = grace_period else {
        return;
    };
    if action.seconds < 0 || action.seconds > grace_period {
        let detail =
            format!("must be non-negative and less than terminationGracePeriodSeconds ({grace_period})");
        errors.push(Error::invalid(path, action.seconds, detail));
    }
}
