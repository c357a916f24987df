//! Ports of containers, and of the host.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Container, ContainerPort, PodSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use plimsoll_api::field::{Error, ErrorList, Path};
use plimsoll_api::names;

use crate::validation::object_meta::extend_invalid;
use crate::validation::{named, text};

/// What is wrong with the ports of one container.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateContainerPorts`)
pub(super) fn validate_container_ports(errors: &mut ErrorList, ports: &[ContainerPort], path: &Path<'_>) {
    let mut names_seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let path = path.index(index);
        let name = text(port.name.as_ref());
        if !name.is_empty() {
            let faults = names::port_name(name);
            if !faults.is_empty() {
                extend_invalid(errors, &path.child("name"), name, faults);
            } else if !names_seen.insert(name) {
                errors.push(Error::duplicate(&path.child("name"), name));
            }
        }
        if port.container_port == 0 {
            errors.push(Error::required(&path.child("containerPort"), ""));
        } else {
            validate_port_number(errors, port.container_port, &path.child("containerPort"));
        }
        if let Some(host_port) = port.host_port.filter(|port| *port != 0) {
            validate_port_number(errors, host_port, &path.child("hostPort"));
        }
        match text(port.protocol.as_ref()) {
            "TCP" | "UDP" | "SCTP" => {}
            "" => errors.push(Error::required(&path.child("protocol"), "")),
            other => {
                let supported = ["SCTP", "TCP", "UDP"];
                errors.push(Error::not_supported(&path.child("protocol"), named(other), &supported));
            }
        }
    }
}

/// What is wrong with a number of a port.
pub(super) fn validate_port_number(errors: &mut ErrorList, port: i32, path: &Path<'_>) {
    errors.extend(names::port_number(port).into_iter().map(|fault| Error::invalid(path, port, fault)));
}

/// What is wrong with a port that is given by number or name.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidatePortNumOrName`)
pub(super) fn validate_port(errors: &mut ErrorList, port: &IntOrString, path: &Path<'_>) {
    match port {
        IntOrString::Int(number) => validate_port_number(errors, *number, path),
        IntOrString::String(name) => extend_invalid(errors, path, name, names::port_name(name)),
    }
}

/// The ports of the host that some containers use, each of which may be used once.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`checkHostPortConflicts`)
pub(super) fn validate_host_port_conflicts(
    errors: &mut ErrorList,
    containers: &[Container],
    path: &Path<'_>,
) {
    let mut seen = BTreeSet::new();
    for (index, container) in containers.iter().enumerate() {
        for (port_index, port) in container.ports.iter().flatten().enumerate() {
            let Some(host_port) = port.host_port.filter(|port| *port != 0) else {
                continue;
            };
            let key = (text(port.protocol.as_ref()), text(port.host_ip.as_ref()), host_port);
            if !seen.insert(key) {
                let (protocol, address, host_port) = key;
                errors.push(Error::duplicate(
                    &path.index(index).child("ports").index(port_index).child("hostPort"),
                    format!("{protocol}/{address}/{host_port}"),
                ));
            }
        }
    }
}

/// On the network of the host, a port of a container is the same port of the host. In a template the API server does
/// not fill it in, so that it may be left out.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validatePodHostNetworkDeps`)
pub(super) fn validate_host_network(errors: &mut ErrorList, spec: &PodSpec, is_pod: bool, path: &Path<'_>) {
    if spec.host_network != Some(true) {
        return;
    }
    let path = path.child("containers");
    for (index, container) in spec.containers.iter().enumerate() {
        for (port_index, port) in container.ports.iter().flatten().enumerate() {
            let host_port = port.host_port.unwrap_or(0);
            if (is_pod || host_port != 0) && host_port != port.container_port {
                errors.push(Error::invalid(
                    &path.index(index).child("ports").index(port_index).child("hostPort"),
                    host_port,
                    "must match `containerPort` when `hostNetwork` is true",
                ));
            }
        }
    }
}
