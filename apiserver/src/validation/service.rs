//! Services.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{Service, ServicePort, ServiceSpec};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::go_json_string;

use super::object_meta::{extend_invalid, name_is_dns_label, validate_labels, validate_object_meta};
use super::{cidr, distinct, int_or_percent, named, service_addresses, text};

const TOPOLOGY_MODE: &str = "service.kubernetes.io/topology-mode";
const TOPOLOGY_HINTS: &str = "service.kubernetes.io/topology-aware-hints";
const SOURCE_RANGES: &str = "service.beta.kubernetes.io/load-balancer-source-ranges";
const PROTOCOLS: [&str; 3] = ["SCTP", "TCP", "UDP"];
const TYPES: [&str; 4] = ["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const MAX_AFFINITY_SECONDS: i32 = 86_400;
const ONLY_LOAD_BALANCER: &str = "may only be used when `type` is 'LoadBalancer'";

/// What is wrong with a Service that is being created. Addresses and node ports are not handed out here, so that a
/// Service may go without.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateServiceCreate`)
pub fn validate_create(service: &Service) -> ErrorList {
    let early = service.spec.as_ref().map(validate_before_addresses_are_handed_out).unwrap_or_default();
    if !early.is_empty() {
        return early;
    }
    let mut errors =
        validate_object_meta(&service.metadata, true, name_is_dns_label, &Path::root("metadata"));
    let no_spec = ServiceSpec::default();
    let (spec, path) = (service.spec.as_ref().unwrap_or(&no_spec), Path::root("spec"));
    validate_topology_annotations(&mut errors, service);
    validate_for_type(&mut errors, spec, &path);
    validate_ports(&mut errors, spec, &path.child("ports"));
    errors.extend(validate_labels(spec.selector.as_ref(), &path.child("selector")));
    validate_session_affinity(&mut errors, spec, &path);
    service_addresses::validate_external_addresses(&mut errors, spec, &path.child("externalIPs"));
    let type_path = path.child("type");
    validate_choice(&mut errors, text(spec.type_.as_ref()), &TYPES, &type_path);
    validate_distinct_ports(&mut errors, spec, &path.child("ports"));
    validate_source_ranges(&mut errors, service, spec, &path);
    validate_load_balancer(&mut errors, spec, &path);
    validate_traffic(&mut errors, spec, &path);
    distinct(errors)
}

/// What keeps addresses from being handed out, which comes before everything else.
///
/// # Source
/// kubernetes `pkg/registry/core/service/storage/alloc.go` (`initIPFamilyFields`)
fn validate_before_addresses_are_handed_out(spec: &ServiceSpec) -> ErrorList {
    let mut errors = ErrorList::new();
    service_addresses::validate_cluster_addresses(&mut errors, spec, &Path::root("spec"));
    errors
}

/// Whether a Service has no address of its own.
pub(super) fn is_headless(spec: &ServiceSpec) -> bool {
    spec.cluster_ips.as_deref().is_some_and(|addresses| addresses == ["None"])
}

/// Adds an error for a word that is missing or none of the choices.
pub(super) fn validate_choice(errors: &mut ErrorList, word: &str, choices: &[&str], path: &Path<'_>) {
    if word.is_empty() {
        errors.push(Error::required(path, ""));
    } else if !choices.contains(&word) {
        errors.push(Error::not_supported(path, named(word), choices));
    }
}

fn annotation<'a>(service: &'a Service, key: &str) -> Option<&'a String> {
    service.metadata.annotations.as_ref().and_then(|annotations| annotations.get(key))
}

fn validate_topology_annotations(errors: &mut ErrorList, service: &Service) {
    let (mode, hints) = (annotation(service, TOPOLOGY_MODE), annotation(service, TOPOLOGY_HINTS));
    if let (Some(mode), Some(hints)) = (mode, hints)
        && mode != hints
    {
        let meta = Path::root("metadata");
        let path = meta.child("annotations");
        let detail = format!("must match annotations[{TOPOLOGY_HINTS}] when both are specified");
        errors.push(Error::invalid(&path.key(TOPOLOGY_MODE), mode, detail));
    }
}

fn validate_for_type(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    let type_ = text(spec.type_.as_ref());
    let has_ports = spec.ports.as_ref().is_some_and(|ports| !ports.is_empty());
    if !has_ports && !is_headless(spec) && type_ != "ExternalName" {
        errors.push(Error::required(&path.child("ports"), ""));
    }
    let addresses_path = path.child("clusterIPs");
    match type_ {
        "LoadBalancer" | "NodePort" if is_headless(spec) => {
            let detail = format!("may not be set to 'None' for {type_} services");
            errors.push(Error::invalid(&addresses_path.index(0), "None", detail));
        }
        "ExternalName" => validate_external_name(errors, spec, path),
        _ => {}
    }
}

fn validate_external_name(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    let has = |list: &Option<Vec<String>>| list.as_ref().is_some_and(|list| !list.is_empty());
    for (field, is_set) in [
        ("clusterIPs", has(&spec.cluster_ips)),
        ("ipFamilies", has(&spec.ip_families)),
        ("ipFamilyPolicy", spec.ip_family_policy.is_some()),
    ] {
        if is_set {
            errors.push(Error::forbidden(&path.child(field), "may not be set for ExternalName services"));
        }
    }
    let name = text(spec.external_name.as_ref());
    let name = name.strip_suffix('.').unwrap_or(name);
    let path = path.child("externalName");
    if name.is_empty() {
        errors.push(Error::required(&path, ""));
    } else {
        extend_invalid(errors, &path, name, names::dns_1123_subdomain(name));
    }
}

fn validate_ports(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    let ports = spec.ports.as_deref().unwrap_or_default();
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        validate_port(errors, port, ports.len() > 1, &mut seen, &path.index(index));
    }
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateServicePort`)
fn validate_port<'a>(
    errors: &mut ErrorList,
    port: &'a ServicePort,
    needs_name: bool,
    seen: &mut BTreeSet<&'a str>,
    path: &Path<'_>,
) {
    let (name, name_path) = (text(port.name.as_ref()), path.child("name"));
    if !name.is_empty() {
        extend_invalid(errors, &name_path, name, names::dns_1123_label(name));
        if !seen.insert(name) {
            errors.push(Error::duplicate(&name_path, name));
        }
    } else if needs_name {
        errors.push(Error::required(&name_path, ""));
    }
    let invalid = |path: &Path<'_>, value: BadValue, faults: Vec<String>| {
        faults.into_iter().map(|fault| Error::invalid(path, value.clone(), fault)).collect::<Vec<_>>()
    };
    errors.extend(invalid(&path.child("port"), port.port.into(), names::port_number(port.port)));
    validate_choice(errors, text(port.protocol.as_ref()), &PROTOCOLS, &path.child("protocol"));
    let target_path = path.child("targetPort");
    errors.extend(match port.target_port.as_ref().unwrap_or(&IntOrString::Int(0)) {
        IntOrString::Int(number) => invalid(&target_path, (*number).into(), names::port_number(*number)),
        IntOrString::String(name) => invalid(&target_path, name.into(), names::port_name(name)),
    });
    if let Some(protocol) = &port.app_protocol {
        extend_invalid(errors, &path.child("appProtocol"), protocol, names::qualified_name(protocol));
    }
}

fn validate_session_affinity(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    let affinity = text(spec.session_affinity.as_ref());
    validate_choice(errors, affinity, &["ClientIP", "None"], &path.child("sessionAffinity"));
    let path = path.child("sessionAffinityConfig");
    match (affinity, &spec.session_affinity_config) {
        ("None", Some(_)) => {
            errors.push(Error::forbidden(&path, "must not be set when session affinity is None"));
        }
        ("ClientIP", config) => {
            let detail = "when session affinity type is ClientIP";
            let client_path = path.child("clientIP");
            let timeout_path = client_path.child("timeoutSeconds");
            match config.as_ref().map(|config| &config.client_ip) {
                None => errors.push(Error::required(&path, detail)),
                Some(None) => errors.push(Error::required(&client_path, detail)),
                Some(Some(client)) => match client.timeout_seconds {
                    None => errors.push(Error::required(&timeout_path, detail)),
                    Some(seconds) if (1..=MAX_AFFINITY_SECONDS).contains(&seconds) => {}
                    Some(seconds) => {
                        let detail = format!("must be greater than 0 and less than {MAX_AFFINITY_SECONDS}");
                        errors.push(Error::invalid(&timeout_path, seconds, detail));
                    }
                },
            }
        }
        _ => {}
    }
}

fn validate_distinct_ports(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    let ports = spec.ports.as_deref().unwrap_or_default();
    let node_port = |port: &ServicePort| port.node_port.unwrap_or(0);
    if spec.type_.as_deref() == Some("ClusterIP") {
        for (index, _) in ports.iter().enumerate().filter(|(_, port)| node_port(port) != 0) {
            let path = path.index(index);
            let detail = "may not be used when `type` is 'ClusterIP'";
            errors.push(Error::forbidden(&path.child("nodePort"), detail));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate().filter(|(_, port)| node_port(port) != 0) {
        if !seen.insert((text(port.protocol.as_ref()), node_port(port))) {
            let path = path.index(index);
            errors.push(Error::duplicate(&path.child("nodePort"), node_port(port)));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, port) in ports.iter().enumerate() {
        let protocol = text(port.protocol.as_ref());
        if !seen.insert((protocol, port.port)) {
            let (protocol, number) = (go_json_string(protocol), port.port);
            let target = int_or_percent::json(None);
            let shown = format!(
                "{{\"Name\":\"\",\"Protocol\":{protocol},\"AppProtocol\":null,\"Port\":{number},\"TargetPort\":{target},\"NodePort\":0}}"
            );
            errors.push(Error::duplicate(&path.index(index), BadValue::Verbatim(shown)));
        }
    }
}

fn validate_source_ranges(errors: &mut ErrorList, service: &Service, spec: &ServiceSpec, path: &Path<'_>) {
    let is_balanced = spec.type_.as_deref() == Some("LoadBalancer");
    let ranges = spec.load_balancer_source_ranges.as_deref().unwrap_or_default();
    if !ranges.is_empty() {
        let path = path.child("LoadBalancerSourceRanges");
        if !is_balanced {
            errors.push(Error::forbidden(&path, ONLY_LOAD_BALANCER));
        }
        for (index, range) in ranges.iter().enumerate() {
            cidr::validate(errors, range.trim(), &path.index(index));
        }
    } else if let Some(ranges) = annotation(service, SOURCE_RANGES) {
        let meta = Path::root("metadata");
        let annotations = meta.child("annotations");
        let path = annotations.key(SOURCE_RANGES);
        if !is_balanced {
            errors.push(Error::forbidden(&path, ONLY_LOAD_BALANCER));
        }
        if !ranges.trim().is_empty() {
            for range in ranges.trim().split(',') {
                cidr::validate(errors, range.trim(), &path);
            }
        }
    }
}

fn validate_load_balancer(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    let is_balanced = spec.type_.as_deref() == Some("LoadBalancer");
    let field = "allocateLoadBalancerNodePorts";
    if spec.allocate_load_balancer_node_ports.is_some() && !is_balanced {
        errors.push(Error::forbidden(&path.child(field), ONLY_LOAD_BALANCER));
    }
    if spec.allocate_load_balancer_node_ports.is_none() && is_balanced {
        errors.push(Error::required(&Path::root(field), ""));
    }
    let path = path.child("loadBalancerClass");
    match &spec.load_balancer_class {
        Some(class) if is_balanced => {
            extend_invalid(errors, &path, class, names::qualified_name(class));
        }
        Some(_) => errors.push(Error::forbidden(&path, ONLY_LOAD_BALANCER)),
        None => {}
    }
}

fn validate_traffic(errors: &mut ErrorList, spec: &ServiceSpec, path: &Path<'_>) {
    let type_ = text(spec.type_.as_ref());
    let policy = text(spec.external_traffic_policy.as_ref());
    let policy_path = path.child("externalTrafficPolicy");
    if service_addresses::is_externally_accessible(spec) {
        validate_choice(errors, policy, &["Cluster", "Local"], &policy_path);
    } else if !policy.is_empty() {
        let detail = "may only be set for externally-accessible services";
        errors.push(Error::invalid(&policy_path, named(policy), detail));
    }
    validate_health_check_port(errors, spec, type_ == "LoadBalancer" && policy == "Local", path);
    let internal_path = path.child("internalTrafficPolicy");
    match spec.internal_traffic_policy.as_deref() {
        None if matches!(type_, "NodePort" | "LoadBalancer" | "ClusterIP") => {
            errors.push(Error::required(&internal_path, ""));
        }
        None | Some("Cluster" | "Local") => {}
        Some(other) => {
            errors.push(Error::not_supported(&internal_path, named(other), &["Cluster", "Local"]));
        }
    }
    let distributions = ["PreferClose", "PreferSameZone", "PreferSameNode"];
    if let Some(other) = spec.traffic_distribution.as_deref().filter(|word| !distributions.contains(word)) {
        errors.push(Error::not_supported(&path.child("trafficDistribution"), other, &distributions));
    }
}

/// A Service that needs a health check has its port handed out before upstream validates it, which we don't do: a port
/// that is missing is let pass.
fn validate_health_check_port(errors: &mut ErrorList, spec: &ServiceSpec, is_needed: bool, path: &Path<'_>) {
    let path = path.child("healthCheckNodePort");
    let port = spec.health_check_node_port.unwrap_or(0);
    if port == 0 {
        return;
    }
    if is_needed {
        let faults = names::port_number(port);
        errors.extend(faults.into_iter().map(|fault| Error::invalid(&path, port, fault)));
    } else {
        let detail = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
        errors.push(Error::invalid(&path, port, detail));
    }
}
