//! Ports that containers of one pod name twice.
//!
//! # Source
//! kubernetes `pkg/api/pod/warnings.go`

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ContainerPort, PodSpec};
use plimsoll_api::field::Path;
use plimsoll_api::quote::go_quote;

use crate::containers::visit_with_path;
use crate::validation::text;

/// A port as its place and what it opens on the host.
struct Place {
    path: String,
    host_ip: String,
    host_port: i32,
}

/// Ports that stand there twice, or that open one port of the host in more than one way.
pub(super) fn ports(warnings: &mut Vec<String>, spec: &PodSpec, path: &Path<'_>) {
    let mut all: BTreeMap<(i32, String), Vec<Place>> = BTreeMap::new();
    visit_with_path(spec, path, |container, path| {
        for (index, port) in container.ports.iter().flatten().enumerate() {
            let place = Place {
                path: path.child("ports").index(index).to_string(),
                host_ip: text(port.host_ip.as_ref()).to_owned(),
                host_port: port.host_port.unwrap_or(0),
            };
            if !place.host_ip.is_empty() && place.host_port == 0 {
                warnings.push(format!("{}: hostIP set without hostPort: {}", place.path, go_struct(port)));
            }
            let others =
                all.entry((port.container_port, text(port.protocol.as_ref()).to_owned())).or_default();
            for other in others.iter() {
                if let Some(relation) = relation(&place, other) {
                    warnings.push(format!("{}: {relation} port definition with {}", place.path, other.path));
                }
            }
            others.push(place);
        }
    });
}

fn relation(place: &Place, other: &Place) -> Option<&'static str> {
    let same_host_port = place.host_port == other.host_port;
    if same_host_port && place.host_ip == other.host_ip {
        Some("duplicate")
    } else if place.host_port == 0 || other.host_port == 0 {
        Some("overlapping")
    } else if same_host_port && place.host_ip.is_empty() != other.host_ip.is_empty() {
        Some("dangerously ambiguous")
    } else {
        None
    }
}

/// A port as Go prints it with `%+v`.
fn go_struct(port: &ContainerPort) -> String {
    format!(
        "{{Name:{} HostPort:{} ContainerPort:{} Protocol:{} HostIP:{}}}",
        text(port.name.as_ref()),
        port.host_port.unwrap_or(0),
        port.container_port,
        text(port.protocol.as_ref()),
        text(port.host_ip.as_ref())
    )
}

/// Names of ports that stand there twice.
pub(super) fn port_names(warnings: &mut Vec<String>, spec: &PodSpec, path: &Path<'_>) {
    let mut names: BTreeMap<String, String> = BTreeMap::new();
    visit_with_path(spec, path, |container, path| {
        for (index, port) in container.ports.iter().flatten().enumerate() {
            let name = text(port.name.as_ref());
            if name.is_empty() {
                continue;
            }
            let place = path.child("ports").index(index).to_string();
            if let Some(other) = names.get(name) {
                let name = go_quote(name);
                warnings.push(format!(
                    "{place}: duplicate port name {name} with {other}, services and probes that select ports by name will use {other}"
                ));
            } else {
                names.insert(name.to_owned(), place);
            }
        }
    });
}
