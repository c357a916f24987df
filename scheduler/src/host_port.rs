//! Ports of the node that pods take for themselves.
//!
//! # Source
//! kube-scheduler `framework/types.go` (`HostPortInfo`), `pkg/scheduler/util/utils.go` (`GetHostPorts`)

use k8s_openapi::api::core::v1::{Container, PodSpec};

/// The address that stands for all addresses of a node.
const ALL_ADDRESSES: &str = "0.0.0.0";

/// A port of the node, on one address or on all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HostPort {
    /// The address; never empty.
    pub address: String,
    /// The protocol; never empty.
    pub protocol: String,
    /// The number; above 0.
    pub port: i32,
}

impl HostPort {
    /// Whether two pods can't have both ports on one node.
    pub fn conflicts_with(&self, other: &Self) -> bool {
        let everywhere = self.address == ALL_ADDRESSES || other.address == ALL_ADDRESSES;
        self.port == other.port
            && self.protocol == other.protocol
            && (everywhere || self.address == other.address)
    }
}

/// The ports of the node that a pod takes: those of sidecars, then those of its containers.
pub fn host_ports(pod: &PodSpec) -> Vec<HostPort> {
    let sidecars = pod.init_containers.iter().flatten().filter(|container| is_sidecar(container));
    sidecars.chain(&pod.containers).flat_map(container_ports).collect()
}

fn is_sidecar(container: &Container) -> bool {
    container.restart_policy.as_deref() == Some("Always")
}

fn container_ports(container: &Container) -> impl Iterator<Item = HostPort> {
    let or_default = |field: Option<&String>, default: &str| match field {
        Some(text) if !text.is_empty() => text.clone(),
        _ => default.to_owned(),
    };
    container.ports.iter().flatten().filter_map(move |port| {
        let number = port.host_port.filter(|number| *number > 0)?;
        Some(HostPort {
            address: or_default(port.host_ip.as_ref(), ALL_ADDRESSES),
            protocol: or_default(port.protocol.as_ref(), "TCP"),
            port: number,
        })
    })
}
