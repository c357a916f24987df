//! NodeResourcesBalancedAllocation: a node is the better the more evenly its resources would be used, compared to how
//! evenly they are used now. Asked at PreScore and Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/noderesources/balanced_allocation.go`

use super::Registration;
use super::dynamic_resources::DeviceCounter;
use super::resource_allocation::{Counting, NodeResource, ResourceColumn, counts_devices, default_resources};
use crate::config::{PluginArgs, ResourceSpec};
use crate::framework::{ExtensionPoint, MAX_NODE_SCORE, Normalization, Plugin, PreScore, Score, ScorePlugin};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "NodeResourcesBalancedAllocation";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreScore, ExtensionPoint::Score],
    weight: 1,
    summary: "A node is the better the more evenly its cpu and memory are used with the pod than without.",
    new: |args| match args {
        Some(PluginArgs::NodeResourcesBalancedAllocation(typed)) => Ok(new(typed.args.resources.clone())),
        _ => Ok(new(default_resources())),
    },
};

/// The plugin, which looks at these resources; their weights don't count.
pub fn new(resources: Vec<ResourceSpec>) -> Plugin {
    let devices = DeviceCounter::default();
    Plugin { score: Some(Box::new(BalancedAllocation { resources, devices })), ..Plugin::new(NAME) }
}

struct BalancedAllocation {
    resources: Vec<ResourceSpec>,
    devices: DeviceCounter,
}

impl ScorePlugin for BalancedAllocation {
    fn node_local(&self, pod: &PodInfo<'_>, snapshot: &Snapshot) -> Option<Normalization> {
        let counts = counts_devices(&self.resources, &pod.accounted.amounts, snapshot);
        (!counts).then_some(Normalization::Identity)
    }

    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        let requests = &pod.accounted.amounts;
        if self.resources.iter().all(|spec| requests.amount(&spec.name) == 0) {
            return PreScore::Skip;
        }
        let columns =
            ResourceColumn::all(&self.resources, requests, snapshot, Counting::Requested, &self.devices);
        PreScore::run(BalancedAllocationScore { columns })
    }
}

struct BalancedAllocationScore<'a> {
    columns: Vec<ResourceColumn<'a>>,
}

impl Score for BalancedAllocationScore<'_> {
    /// Between 50 and 100: around 75 if the pod changes little, more if the node becomes more balanced.
    fn score(&self, node: NodeIndex) -> i64 {
        let half = MAX_NODE_SCORE / 2;
        let with_pod = self.balance(node, true);
        let without_pod = self.balance(node, false);
        half + (half + with_pod - without_pod) / 2
    }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    reason = "upstream computes in float64"
)]
impl BalancedAllocationScore<'_> {
    /// 100 if all resources of the node are used to the same part, less the more the parts deviate.
    fn balance(&self, node: NodeIndex, with_pod: bool) -> i64 {
        let part = |column: &ResourceColumn<'_>| {
            let NodeResource { allocatable, used } = column.on(node)?;
            let used = if with_pod { used.wrapping_add(column.pod_request) } else { used };
            Some((used as f64 / allocatable as f64).min(1.0))
        };
        let mut parts = self.columns.iter().filter_map(part);
        let deviation = match (parts.next(), parts.next(), parts.next()) {
            (Some(first), Some(second), None) => ((first - second) / 2.0).abs(),
            (Some(first), Some(second), Some(third)) => {
                let all: Vec<f64> = [first, second, third].into_iter().chain(parts).collect();
                standard_deviation(&all)
            }
            _ => 0.0,
        };
        ((1.0 - deviation) * MAX_NODE_SCORE as f64) as i64
    }
}

/// The square root of the mean of the squared distances from the mean.
#[expect(clippy::cast_precision_loss, reason = "upstream computes in float64")]
fn standard_deviation(parts: &[f64]) -> f64 {
    let count = parts.len() as f64;
    let mean = parts.iter().fold(0.0, |sum, part| sum + part) / count;
    let squares = parts.iter().fold(0.0, |sum, part| sum + (part - mean) * (part - mean));
    (squares / count).sqrt()
}
