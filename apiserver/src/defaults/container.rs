//! Containers of all kinds: image, ports, environment, probes, hooks.
//!
//! # Source
//! kubernetes `pkg/apis/core/v1/{defaults,zz_generated.defaults}.go`

use k8s_openapi::api::core::v1::{Container, EnvVar, HTTPGetAction, ObjectFieldSelector, Probe};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_resource_math::defaulting::normalize_quantity;

use super::{fill, fill_number, image};

/// Fills in what a container leaves open, except for amounts.
pub(super) fn container(container: &mut Container) {
    if container.image_pull_policy.as_ref().is_none_or(String::is_empty) {
        let reference = container.image.as_deref().unwrap_or_default();
        container.image_pull_policy = Some(image::pull_policy(reference).to_owned());
    }
    fill(&mut container.termination_message_path, "/dev/termination-log");
    fill(&mut container.termination_message_policy, "File");
    for port in container.ports.iter_mut().flatten() {
        fill(&mut port.protocol, "TCP");
    }
    container.env.iter_mut().flatten().for_each(environment_variable);
    let probes =
        [&mut container.liveness_probe, &mut container.readiness_probe, &mut container.startup_probe];
    probes.into_iter().flatten().for_each(probe);
    if let Some(lifecycle) = &mut container.lifecycle {
        let handlers = [&mut lifecycle.post_start, &mut lifecycle.pre_stop];
        handlers.into_iter().flatten().filter_map(|handler| handler.http_get.as_mut()).for_each(http_get);
    }
}

fn environment_variable(variable: &mut EnvVar) {
    let Some(source) = &mut variable.value_from else {
        return;
    };
    if let Some(field) = &mut source.field_ref {
        object_field_selector(field);
    }
    if let Some(key) = &mut source.file_key_ref {
        key.optional.get_or_insert(false);
    }
    if let Some(resource) = &mut source.resource_field_ref {
        divisor(&mut resource.divisor);
    }
}

pub(super) fn object_field_selector(selector: &mut ObjectFieldSelector) {
    fill(&mut selector.api_version, "v1");
}

/// The API server always writes a divisor, zero where there is none. A text that is no quantity stays: reading the
/// object finds it before this does.
pub(super) fn divisor(divisor: &mut Option<ApiQuantity>) {
    let quantity = divisor.get_or_insert_with(|| ApiQuantity("0".to_owned()));
    let _ = normalize_quantity(quantity);
}

fn probe(probe: &mut Probe) {
    fill_number(&mut probe.timeout_seconds, 1);
    fill_number(&mut probe.period_seconds, 10);
    fill_number(&mut probe.success_threshold, 1);
    fill_number(&mut probe.failure_threshold, 3);
    if let Some(action) = &mut probe.http_get {
        http_get(action);
    }
    if let Some(action) = &mut probe.grpc {
        action.service.get_or_insert_default();
    }
}

fn http_get(action: &mut HTTPGetAction) {
    fill(&mut action.path, "/");
    fill(&mut action.scheme, "HTTP");
}
