//! VolumeBinding: a pod goes where the volumes that it has can be used, and where the claims that wait for it find a volume or
//! can have one made. Asked at PreFilter, Filter, PreScore, Score, Reserve and PreBind. Reserve gives the objects as PreBind is to
//! write them.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumebinding/volume_binding.go`

mod binder;
mod bound_volumes;
mod claims;
mod csi_migration;
mod label_index;
mod pre_bind;
mod provisioning;
mod queueing_hint;
mod reserve;
mod score;
mod volume_search;

use fixedbitset::FixedBitSet;
use jiff::SignedDuration;

use self::binder::{Binder, Refusal};
pub use self::binder::{REASON_BIND_CONFLICT, REASON_MISSING, REASON_NODE_CONFLICT, REASON_NOT_ENOUGH_SPACE};
use self::claims::PodClaims;
pub use self::claims::REASON_UNBOUND;
use self::pre_bind::BindVolumes;
use self::score::CapacityScore;
pub use self::volume_search::find_matching_volume;
use super::Registration;
use super::function_shape::FunctionShape;
use crate::config::{PluginArgs, UtilizationShapePoint, VolumeBindingArgs};
use crate::framework::{
    Assumed, ExtensionPoint, Filter, FilterPlugin, Grouping, Plugin, PreFilter, PreScore, ReservePlugin,
    ScorePlugin, Status, retain,
};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "VolumeBinding";

/// The line that scores are on by default: the less would be used, the better.
pub(crate) const DEFAULT_SHAPE: [UtilizationShapePoint; 2] = [
    UtilizationShapePoint { utilization: 0, score: 10 },
    UtilizationShapePoint { utilization: 100, score: 0 },
];

/// How many seconds volumes may take to be bound.
pub(crate) const DEFAULT_BIND_TIMEOUT: i64 = 600;

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[
        ExtensionPoint::PreFilter,
        ExtensionPoint::Filter,
        ExtensionPoint::PreScore,
        ExtensionPoint::Score,
        ExtensionPoint::Reserve,
        ExtensionPoint::PreBind,
    ],
    weight: 1,
    summary: "A node has to be one on which the pod's volumes can be used, and on which claims that wait for the pod find a volume or can have one made; the less of the storage would be used, the better.",
    new: |args| match args {
        Some(PluginArgs::VolumeBinding(typed)) => Ok(new(&typed.args)),
        _ => Ok(new(&VolumeBindingArgs { shape: DEFAULT_SHAPE.to_vec(), ..VolumeBindingArgs::default() })),
    },
};

/// The plugin.
pub fn new(args: &VolumeBindingArgs) -> Plugin {
    let bind_timeout = SignedDuration::from_secs(args.bind_timeout_seconds.unwrap_or(DEFAULT_BIND_TIMEOUT));
    Plugin {
        filter: Some(Box::new(VolumeBinding)),
        score: Some(Box::new(VolumeBindingScore { shape: FunctionShape::new(&args.shape) })),
        reserve: Some(Box::new(VolumeBinding)),
        pre_bind: Some(Box::new(BindVolumes { bind_timeout })),
        events: Some(queueing_hint::events()),
        ..Plugin::new(NAME)
    }
}

struct VolumeBinding;

struct VolumeBindingScore {
    shape: FunctionShape,
}

/// What the claims of a pod have and want; none if it has no claims.
fn binder<'a>(pod: &PodInfo<'_>, snapshot: &'a Snapshot) -> Result<Option<Binder<'a>>, Status> {
    let claims = PodClaims::read(pod, &snapshot.listers().storage)?;
    claims.map(|claims| Binder::new(&claims, snapshot)).transpose()
}

impl FilterPlugin for VolumeBinding {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        match binder(pod, snapshot) {
            Err(status) => PreFilter::Reject(status),
            Ok(Some(binder)) if !binder.suits_every_node() => PreFilter::run(binder),
            Ok(_) => PreFilter::Skip,
        }
    }
}

impl Filter for Binder<'_> {
    fn check(&self, node: NodeIndex) -> Status {
        self.find(node).err().map_or(Status::SUCCESS, |refusal| refusal.status())
    }

    fn can_fail(&self) -> bool {
        self.has_malformed_claim()
    }

    fn narrow(&self, candidates: &mut FixedBitSet) {
        retain(candidates, |node| self.find(node).is_ok());
    }
}

impl ScorePlugin for VolumeBindingScore {
    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        // Upstream goes on and gives every node 0 if no claim waits for the pod.
        match binder(pod, snapshot) {
            Ok(Some(binder)) if binder.has_unbound() => {
                PreScore::run(CapacityScore { binder, shape: &self.shape })
            }
            _ => PreScore::Skip,
        }
    }

    fn grouping(&self, pod: &PodInfo<'_>, _snapshot: &Snapshot) -> Grouping {
        let has_claims = pod.volumes.as_deref().is_some_and(|volumes| volumes.all_claims().next().is_some());
        if has_claims { Grouping::EachNode } else { Grouping::Indifferent }
    }
}

impl ReservePlugin for VolumeBinding {
    fn reserve(
        &self,
        pod: &PodInfo<'_>,
        snapshot: &Snapshot,
        node: NodeIndex,
    ) -> Result<Vec<Assumed>, Status> {
        let Some(binder) = binder(pod, snapshot)? else { return Ok(Vec::new()) };
        let volumes = binder.find(node).map_err(|refusal: Refusal<'_>| refusal.status())?;
        Ok(reserve::assumed(&volumes, snapshot.name(node)))
    }
}

#[cfg(test)]
mod tests;
