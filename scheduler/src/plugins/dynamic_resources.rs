//! DynamicResources: a pod goes where the devices are that its claims have, or where there are devices for its claims. Asked at
//! PreEnqueue, PreFilter, Filter, PostFilter, Reserve and PreBind. Reserve gives the claims as PreBind is to write them.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go`

mod allocator;
mod claims;
mod constraints;
mod device_counts;
mod extended;
mod matching;
mod pod_devices;
mod pools;
mod postponed;
mod pre_bind;
mod queueing_hint;
mod release;
mod requests;
mod reserve;
mod result;
mod search;
mod selector;
mod taints;

use std::sync::Arc;

use plimsoll_api::duration::Duration;

use self::allocator::step_limit;
pub(super) use self::device_counts::{ClassDevices, DeviceCounter};
use self::pod_devices::PodDevices;
use self::selector::CompiledSelectors;
use super::Registration;
use crate::config::{DynamicResourcesArgs, PluginArgs};
use crate::framework::{
    Assumed, BindingCycle, Code, ExtensionPoint, Filter, FilterPlugin, Plugin, PreEnqueueRequest, PreFilter,
    ReservePlugin, Status, Write,
};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "DynamicResources";

/// How long a search on one node may take if nothing is said.
const DEFAULT_FILTER_TIMEOUT: Duration = Duration::from_secs(10);

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[
        ExtensionPoint::PreEnqueue,
        ExtensionPoint::PreFilter,
        ExtensionPoint::Filter,
        ExtensionPoint::PostFilter,
        ExtensionPoint::Reserve,
        ExtensionPoint::PreBind,
    ],
    weight: 2,
    summary: "The claims of a pod have to exist, and a node has to be one on which the devices that they have can be used, or on which there are devices for them: by class, count and selectors, with constraints, taints and the access of administrators. Extended resources that a class serves are claimed along the way. If no node takes a pod, a claim of its own that is in the way gives back its devices.",
    new: |args| match args {
        Some(PluginArgs::DynamicResources(typed)) => Ok(new(&typed.args)),
        _ => Ok(new(&DynamicResourcesArgs::default())),
    },
};

/// The plugin.
pub fn new(args: &DynamicResourcesArgs) -> Plugin {
    let made = DynamicResources {
        compiled: Arc::default(),
        step_limit: step_limit(args.filter_timeout.unwrap_or(DEFAULT_FILTER_TIMEOUT)),
    };
    Plugin {
        pre_enqueue: Some(pre_enqueue),
        filter: Some(Box::new(made.clone())),
        post_filter: Some(Box::new(made.clone())),
        reserve: Some(Box::new(made.clone())),
        pre_bind: Some(Box::new(made)),
        events: Some(queueing_hint::events()),
        ..Plugin::new(NAME)
    }
}

#[derive(Clone)]
struct DynamicResources {
    compiled: Arc<CompiledSelectors>,
    step_limit: Option<u64>,
}

impl DynamicResources {
    fn read<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
    ) -> Result<Option<PodDevices<'a>>, Status> {
        PodDevices::read(pod, snapshot, &self.compiled, self.step_limit)
    }
}

/// A pod waits until its claims are there.
fn pre_enqueue(request: &PreEnqueueRequest<'_>) -> Status {
    match claims::claims_of(request.pod, &request.listers.devices) {
        Ok(_) => Status::SUCCESS,
        Err(text) => Status::new(Code::UnschedulableAndUnresolvable, NAME, text),
    }
}

impl FilterPlugin for DynamicResources {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        match self.read(pod, snapshot) {
            Err(status) => PreFilter::Reject(status),
            Ok(None) => PreFilter::Skip,
            Ok(Some(devices)) => PreFilter::run(devices),
        }
    }
}

impl Filter for PodDevices<'_> {
    fn check(&self, node: NodeIndex) -> Status {
        self.judge(node)
    }

    fn can_fail(&self) -> bool {
        true
    }
}

impl ReservePlugin for DynamicResources {
    fn reserve(
        &self,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
        node: NodeIndex,
    ) -> Result<Vec<Assumed>, Status> {
        match self.read(pod, snapshot)? {
            None => Ok(Vec::new()),
            Some(devices) => devices.assumed_on(node),
        }
    }

    fn unreserve(&self, cycle: &BindingCycle<'_>) -> Vec<Write> {
        pre_bind::unreserve(cycle)
    }
}

#[cfg(test)]
mod test_claims;
#[cfg(test)]
mod tests;
