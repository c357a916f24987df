//! A pod as the scheduler reads it: everything parsed once.

mod amounts;
pub(crate) mod fields;
mod volumes;

use std::sync::Arc;

pub use amounts::ResourceAmounts;
use amounts::bounded;
pub(crate) use amounts::is_scalar;
use k8s_openapi::api::core::v1::{Pod, PodSpec, Toleration};
use plimsoll_matching::label_selector::{Labels, labels_of};
use plimsoll_matching::node_affinity::{PreferredSchedulingTerms, RequiredNodeAffinity, node_affinity};
use plimsoll_resource_math::pod_resources::{
    ParsePodResourcesError, PodResources, PodResourcesOptions, StatusResources, non_zero_container_requests,
};
use plimsoll_resource_math::resource_list::ResourceList;
use plimsoll_resource_math::resource_name::{CPU, MEMORY};
pub use volumes::{Disk, PodVolume, PodVolumes, RbdImage};

use crate::affinity_term::PodAffinityTerms;
use crate::host_port::{HostPort, host_ports};

/// A pod with what the plugins read of it.
#[derive(Clone, Debug)]
pub struct PodInfo<'a> {
    /// The object.
    pub pod: &'a Pod,
    /// What it asks a node for, by its spec; never negative.
    pub requests: ResourceAmounts,
    /// What it counts for on its node, by its spec and status.
    pub accounted: AccountedResources,
    /// Its requests as the plugin NodeResourcesFit compares nodes by: without those of the pod as a whole (upstream's
    /// quirk), and with 100m cpu and 200 MiB for containers that ask for none.
    pub fit_score_requests: ResourceAmounts,
    /// What it requires of its node.
    pub required_node_affinity: RequiredNodeAffinity,
    /// What it prefers of its node; the text of the error if that is malformed.
    pub preferred_node_affinity: Option<Result<PreferredSchedulingTerms, String>>,
    /// Its terms of affinity and anti-affinity towards other pods.
    pub affinity_terms: PodAffinityTerms,
    /// What is wrong with those that are malformed; empty if nothing is.
    pub affinity_errors: Vec<String>,
    /// The ports of the node that it takes.
    pub host_ports: Vec<HostPort>,
    /// Its claims and disks; none if it has no such volume.
    pub volumes: Option<Arc<PodVolumes>>,
}

/// What a pod counts for on its node.
///
/// # Source
/// `pkg/scheduler/framework/types.go` (`PodInfo.CalculateResource`)
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct AccountedResources {
    /// The amounts.
    pub amounts: ResourceAmounts,
    /// Millicores, where a container that asks for none counts for 100.
    pub non_zero_cpu_millis: i64,
    /// Bytes of memory, where a container that asks for none counts for 200 MiB.
    pub non_zero_memory_bytes: i64,
}

impl<'a> PodInfo<'a> {
    /// Reads a pod.
    ///
    /// # Errors
    /// An amount in it is no quantity.
    pub fn new(pod: &'a Pod) -> Result<Self, ParsePodResourcesError> {
        let resources = PodResources::parse(pod)?;
        let spec = fields::spec(pod);
        let preferred = node_affinity(spec)
            .and_then(|affinity| affinity.preferred_during_scheduling_ignored_during_execution.as_ref());
        let (affinity_terms, affinity_errors) = PodAffinityTerms::new(fields::namespace(pod), spec);
        Ok(Self {
            pod,
            requests: ResourceAmounts::of(&resources.requests(&PodResourcesOptions::default()))
                .non_negative(),
            accounted: accounted(&resources),
            fit_score_requests: fit_score_requests(&resources),
            required_node_affinity: RequiredNodeAffinity::new(spec),
            preferred_node_affinity: preferred.map(|terms| {
                PreferredSchedulingTerms::new(terms).map_err(|errors| plimsoll_api::field::aggregate(&errors))
            }),
            affinity_terms,
            affinity_errors,
            host_ports: host_ports(spec),
            volumes: PodVolumes::new(pod).map(Arc::new),
        })
    }

    /// The pod's spec.
    pub fn spec(&self) -> &'a PodSpec {
        fields::spec(self.pod)
    }

    /// The name of its namespace; empty if it has none.
    pub fn namespace(&self) -> &'a str {
        fields::namespace(self.pod)
    }

    /// Its name; empty if it has none.
    pub fn name(&self) -> &'a str {
        fields::name(self.pod)
    }

    /// Its labels.
    pub fn labels(&self) -> &'a Labels {
        labels_of(&self.pod.metadata)
    }

    /// Its priority; 0 if none is set.
    pub fn priority(&self) -> i32 {
        fields::priority(self.pod)
    }

    /// Its tolerations.
    pub fn tolerations(&self) -> &'a [Toleration] {
        fields::tolerations(self.pod)
    }

    /// The node it is bound to or asks for by name; empty if there is none.
    pub fn node_name(&self) -> &'a str {
        fields::node_name(self.pod)
    }

    /// Its images: of init containers, containers and volumes.
    pub fn images(&self) -> impl Iterator<Item = &'a str> {
        let spec = self.spec();
        let containers = spec.init_containers.iter().flatten().chain(&spec.containers);
        let volumes = spec.volumes.iter().flatten().filter_map(|volume| volume.image.as_ref());
        containers
            .map(|container| container.image.as_deref().unwrap_or_default())
            .chain(volumes.map(|volume| volume.reference.as_deref().unwrap_or_default()))
    }

    /// The node that was set aside for it; empty if there is none.
    pub fn nominated_node_name(&self) -> &'a str {
        fields::nominated_node_name(self.pod)
    }
}

fn accounted(resources: &PodResources) -> AccountedResources {
    let mut options =
        PodResourcesOptions { status: StatusResources::ContainersAndPod, ..PodResourcesOptions::default() };
    let requests = resources.requests(&options);
    options.missing_container_requests = missing_requests(resources, &requests);
    let non_zero = if options.missing_container_requests.is_empty() {
        requests.clone()
    } else {
        resources.requests(&options)
    };
    AccountedResources {
        amounts: ResourceAmounts::of(&requests),
        non_zero_cpu_millis: bounded(non_zero.amount(CPU).milli_value()),
        non_zero_memory_bytes: bounded(non_zero.amount(MEMORY).value()),
    }
}

/// What counts for a container that asks for no cpu or memory. If the pod as a whole asks, then only what is missing there.
///
/// # Source
/// `pkg/scheduler/framework/types.go` (`getNonMissingContainerRequests`)
fn missing_requests(resources: &PodResources, requests: &ResourceList) -> ResourceList {
    let mut missing = non_zero_container_requests();
    if resources.is_pod_level_requests_set() {
        missing.retain(|name, _| !requests.contains_key(name));
    }
    missing
}

/// # Source
/// `pkg/scheduler/framework/plugins/noderesources/resource_allocation.go` (`calculatePodResourceRequest`)
fn fit_score_requests(resources: &PodResources) -> ResourceAmounts {
    ResourceAmounts::of(&resources.requests(&PodResourcesOptions {
        skip_pod_level: true,
        missing_container_requests: non_zero_container_requests(),
        ..PodResourcesOptions::default()
    }))
}
