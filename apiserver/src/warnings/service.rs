//! Services.

use k8s_openapi::api::core::v1::{Service, ServiceSpec};
use plimsoll_api::field::Path;

use crate::validation::cidr::warning_for_cidr;
use crate::validation::ip::warning_for_ip;
use crate::validation::text;

const TOPOLOGY_AWARE_HINTS: &str = "service.kubernetes.io/topology-aware-hints";

/// The warnings that a new Service calls for.
///
/// # Source
/// kubernetes `pkg/api/service/warnings.go` (`GetWarningsForService`)
pub fn service(service: &Service) -> Vec<String> {
    let mut warnings = Vec::new();
    let annotations = service.metadata.annotations.as_ref();
    if annotations.is_some_and(|annotations| annotations.contains_key(TOPOLOGY_AWARE_HINTS)) {
        warnings.push(format!(
            "annotation {TOPOLOGY_AWARE_HINTS} is deprecated, please use service.kubernetes.io/topology-mode instead"
        ));
    }
    let Some(spec) = &service.spec else { return warnings };
    if !matches!(text(spec.cluster_ip.as_ref()), "" | NO_ADDRESS) {
        addresses(&mut warnings, spec.cluster_ips.as_deref(), "clusterIPs");
    }
    if is_headless(spec) {
        of_headless(&mut warnings, spec);
    }
    addresses(&mut warnings, spec.external_ips.as_deref(), "externalIPs");
    let has_external_addresses = spec.external_ips.as_ref().is_some_and(|list| !list.is_empty());
    let is_external_name = text(spec.type_.as_ref()) == EXTERNAL_NAME;
    if has_external_addresses && !is_headless(spec) && !is_external_name {
        let text = "spec.externalIPs is deprecated and may no longer be implemented in some clusters";
        warnings.push(text.to_owned());
    }
    of_load_balancer(&mut warnings, spec);
    if is_external_name && has_external_addresses {
        warnings.push(format!("spec.externalIPs is ignored when spec.type is \"{EXTERNAL_NAME}\""));
    }
    if !is_external_name && !text(spec.external_name.as_ref()).is_empty() {
        warnings.push(format!("spec.externalName is ignored when spec.type is not \"{EXTERNAL_NAME}\""));
    }
    if spec.traffic_distribution.as_deref() == Some("PreferClose") {
        let text = "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"";
        warnings.push(text.to_owned());
    }
    warnings
}

const NO_ADDRESS: &str = "None";
const EXTERNAL_NAME: &str = "ExternalName";

fn is_headless(spec: &ServiceSpec) -> bool {
    text(spec.type_.as_ref()) == "ClusterIP" && text(spec.cluster_ip.as_ref()) == NO_ADDRESS
}

fn of_headless(warnings: &mut Vec<String>, spec: &ServiceSpec) {
    let ignored = [
        (!text(spec.load_balancer_ip.as_ref()).is_empty(), "loadBalancerIP"),
        (spec.external_ips.as_ref().is_some_and(|list| !list.is_empty()), "externalIPs"),
        (text(spec.session_affinity.as_ref()) != "None", "SessionAffinity"),
    ];
    for (_, field) in ignored.iter().filter(|(is_set, _)| *is_set) {
        warnings.push(format!("spec.{field} is ignored for headless services"));
    }
}

fn of_load_balancer(warnings: &mut Vec<String>, spec: &ServiceSpec) {
    let path = Path::root("spec");
    let address = text(spec.load_balancer_ip.as_ref());
    warnings.extend(warning_for_ip(address, &path.child("loadBalancerIP")));
    let path = path.child("loadBalancerSourceRanges");
    for (index, range) in spec.load_balancer_source_ranges.iter().flatten().enumerate() {
        warnings.extend(warning_for_cidr(range, &path.index(index)));
    }
}

fn addresses(warnings: &mut Vec<String>, list: Option<&[String]>, field: &str) {
    let path = Path::root("spec");
    let path = path.child(field);
    for (index, address) in list.into_iter().flatten().enumerate() {
        warnings.extend(warning_for_ip(address, &path.index(index)));
    }
}
