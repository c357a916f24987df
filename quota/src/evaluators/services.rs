//! Services, with their node ports and load balancers.
//!
//! # Source
//! kubernetes `pkg/quota/v1/evaluator/core/services.go`

use k8s_openapi::api::core::v1::{Service, ServicePort};
use plimsoll_resource_math::{Format, Quantity, ResourceList};

use super::object_count::one;

const COUNT_KEY: &str = "count/services";
const SERVICES: &str = "services";
const NODE_PORTS: &str = "services.nodeports";
const LOAD_BALANCERS: &str = "services.loadbalancers";

pub(super) fn matches(key: &str) -> bool {
    matches!(key, COUNT_KEY | SERVICES | NODE_PORTS | LOAD_BALANCERS)
}

/// What a service uses. Node ports are counted by intent, as they are allocated only after admission.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/services.go` (`Usage`)
pub(super) fn usage(service: &Service) -> ResourceList {
    let spec = service.spec.as_ref();
    let ports = spec.and_then(|spec| spec.ports.as_deref()).unwrap_or_default();
    let all_ports_allocated = spec.is_none_or(|spec| spec.allocate_load_balancer_node_ports.unwrap_or(true));
    let (node_ports, load_balancers) = match spec.and_then(|spec| spec.type_.as_deref()) {
        Some("NodePort") => (count(ports.iter()), 0),
        Some("LoadBalancer") if all_ports_allocated => (count(ports.iter()), 1),
        Some("LoadBalancer") => (count(ports.iter().filter(|port| asks_for_node_port(port))), 1),
        _ => (0, 0),
    };
    [
        (COUNT_KEY, one()),
        (SERVICES, one()),
        (NODE_PORTS, Quantity::from_units(node_ports, Format::DecimalSi)),
        (LOAD_BALANCERS, Quantity::from_units(load_balancers, Format::DecimalSi)),
    ]
    .into_iter()
    .map(|(key, amount)| (key.to_owned(), amount))
    .collect()
}

fn asks_for_node_port(port: &ServicePort) -> bool {
    port.node_port.unwrap_or_default() != 0
}

fn count<T>(items: impl Iterator<Item = T>) -> i64 {
    items.fold(0, |count, _| count + 1)
}
