//! Pods, and the pods in templates.
//!
//! # Source
//! kubernetes `pkg/apis/core/v1/{defaults,zz_generated.defaults}.go`

use k8s_openapi::api::core::v1::{Container, Pod, PodIP, PodSpec, PodStatus, PodTemplateSpec};
use plimsoll_api::field::Path;
use plimsoll_resource_math::defaulting;
use plimsoll_resource_math::pod_resources::ParsePodResourcesError;

use super::{container, fill, volume};
use crate::containers::visit_mut;

const DEFAULT_TERMINATION_GRACE_PERIOD_SECONDS: i64 = 30;

/// Fills in what a pod leaves open.
///
/// # Errors
/// The first amount that is no quantity; the pod may then be changed in part.
///
/// # Source
/// kubernetes `pkg/apis/core/v1` (`SetObjectDefaults_Pod`)
pub fn pod(pod: &mut Pod) -> Result<(), ParsePodResourcesError> {
    let spec = pod.spec.get_or_insert_default();
    // A template keeps a negative period; validation refuses it only in pods.
    if spec.termination_grace_period_seconds.is_some_and(|seconds| seconds < 0) {
        spec.termination_grace_period_seconds = Some(1);
    }
    spec.enable_service_links.get_or_insert(true);
    if spec.host_network == Some(true) {
        default_host_ports(&mut spec.containers);
        default_host_ports(spec.init_containers.as_deref_mut().unwrap_or_default());
    }
    pod_spec(spec);
    volume::round_claims(spec)?;
    defaulting::default_pod(pod)?;
    if let Some(status) = &mut pod.status {
        pod_status(status);
    }
    Ok(())
}

/// Fills in what the pod in a template leaves open: less than for a [`pod`].
///
/// # Errors
/// The first amount that is no quantity; the template may then be changed in part.
///
/// # Source
/// kubernetes `pkg/apis/core/v1` (`SetObjectDefaults_PodTemplate`)
pub fn pod_template(template: &mut PodTemplateSpec) -> Result<(), ParsePodResourcesError> {
    let spec = template.spec.get_or_insert_default();
    pod_spec(spec);
    volume::round_claims(spec)?;
    let root = Path::root("spec");
    let template = root.child("template");
    defaulting::round_pod_spec(&template.child("spec"), spec)
}

fn pod_spec(spec: &mut PodSpec) {
    default_service_account(spec);
    fill(&mut spec.dns_policy, "ClusterFirst");
    fill(&mut spec.restart_policy, "Always");
    spec.security_context.get_or_insert_default();
    spec.termination_grace_period_seconds.get_or_insert(DEFAULT_TERMINATION_GRACE_PERIOD_SECONDS);
    fill(&mut spec.scheduler_name, "default-scheduler");
    spec.volumes.iter_mut().flatten().for_each(volume::volume);
    visit_mut(spec, container::container);
}

/// The deprecated field is another name of the account; the two always say the same.
fn default_service_account(spec: &mut PodSpec) {
    let is_empty = |name: &Option<String>| name.as_ref().is_none_or(String::is_empty);
    if is_empty(&spec.service_account_name) && !is_empty(&spec.service_account) {
        spec.service_account_name.clone_from(&spec.service_account);
    }
    spec.service_account.clone_from(&spec.service_account_name);
}

/// On the network of the host, every port of a container is a port of the host.
fn default_host_ports(containers: &mut [Container]) {
    for port in containers.iter_mut().flat_map(|container| container.ports.iter_mut().flatten()) {
        if port.host_port.unwrap_or(0) == 0 && port.container_port != 0 {
            port.host_port = Some(port.container_port);
        }
    }
}

/// Keeps the one address and the list of addresses in step; the one address wins.
fn pod_status(status: &mut PodStatus) {
    let one = status.pod_ip.clone().filter(|address| !address.is_empty());
    let first = status.pod_ips.as_ref().and_then(|addresses| addresses.first()).map(|first| first.ip.clone());
    match (one, first) {
        (None, Some(first)) => status.pod_ip = Some(first),
        (Some(one), first) if first.as_ref() != Some(&one) => status.pod_ips = Some(vec![PodIP { ip: one }]),
        _ => {}
    }
}
