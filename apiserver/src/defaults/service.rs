//! What the API server fills into a Service.

use k8s_openapi::api::core::v1::{ClientIPConfig, Service, ServicePort, ServiceSpec, SessionAffinityConfig};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::fill;

const CLUSTER_IP: &str = "ClusterIP";
const NODE_PORT: &str = "NodePort";
const LOAD_BALANCER: &str = "LoadBalancer";
const CLIENT_IP_SECONDS: i32 = 10_800;

/// Fills in the type, how sessions and outside traffic are handled, and the protocol and target of each port.
///
/// # Source
/// kubernetes `pkg/apis/core/v1/defaults.go` (`SetDefaults_Service`)
pub fn service(service: &mut Service) {
    let spec = service.spec.get_or_insert_default();
    fill(&mut spec.session_affinity, "None");
    match spec.session_affinity.as_deref() {
        Some("None") => spec.session_affinity_config = None,
        Some("ClientIP") => session_timeout(spec),
        _ => {}
    }
    fill(&mut spec.type_, CLUSTER_IP);
    spec.ports.iter_mut().flatten().for_each(port);
    if is_externally_accessible(spec) {
        fill(&mut spec.external_traffic_policy, "Cluster");
    }
    let service_type = spec.type_.as_deref().unwrap_or_default();
    if [CLUSTER_IP, NODE_PORT, LOAD_BALANCER].contains(&service_type) {
        spec.internal_traffic_policy.get_or_insert_with(|| "Cluster".to_owned());
    }
    if service_type == LOAD_BALANCER {
        spec.allocate_load_balancer_node_ports.get_or_insert(true);
        let balancer = service.status.as_mut().and_then(|status| status.load_balancer.as_mut());
        for ingress in balancer.and_then(|balancer| balancer.ingress.as_mut()).into_iter().flatten() {
            if ingress.ip.as_deref().is_some_and(|ip| !ip.is_empty()) {
                ingress.ip_mode.get_or_insert_with(|| "VIP".to_owned());
            }
        }
    }
}

fn session_timeout(spec: &mut ServiceSpec) {
    let config = spec.session_affinity_config.as_ref().and_then(|config| config.client_ip.as_ref());
    if config.and_then(|config| config.timeout_seconds).is_none() {
        let client_ip = ClientIPConfig { timeout_seconds: Some(CLIENT_IP_SECONDS) };
        spec.session_affinity_config = Some(SessionAffinityConfig { client_ip: Some(client_ip) });
    }
}

fn port(port: &mut ServicePort) {
    fill(&mut port.protocol, "TCP");
    let open = match &port.target_port {
        None | Some(IntOrString::Int(0)) => true,
        Some(IntOrString::String(name)) => name.is_empty(),
        Some(IntOrString::Int(_)) => false,
    };
    if open {
        port.target_port = Some(IntOrString::Int(port.port));
    }
}

/// # Source
/// kubernetes `pkg/api/v1/service` (`ExternallyAccessible`)
fn is_externally_accessible(spec: &ServiceSpec) -> bool {
    match spec.type_.as_deref() {
        Some(NODE_PORT | LOAD_BALANCER) => true,
        Some(CLUSTER_IP) => spec.external_ips.as_ref().is_some_and(|addresses| !addresses.is_empty()),
        _ => false,
    }
}
