//! TaintToleration: nodes with taints that a pod doesn't tolerate don't take it, or are less welcome. Asked at PreFilter,
//! Filter, PreScore and Score.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/tainttoleration/taint_toleration.go`

mod queueing_hint;

use k8s_openapi::api::core::v1::{Taint, Toleration};
use plimsoll_matching::taints::{effect, tolerates};

use super::Registration;
use super::set_filter::SetFilter;
use crate::framework::{
    ExtensionPoint, FilterPlugin, Normalization, Plugin, PreFilter, PreScore, Score, ScorePlugin,
    default_normalize,
};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The plugin's name.
pub const NAME: &str = "TaintToleration";
/// The node has a taint that forbids the pod.
pub const REASON: &str = "node(s) had untolerated taint(s)";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[
        ExtensionPoint::PreFilter,
        ExtensionPoint::Filter,
        ExtensionPoint::PreScore,
        ExtensionPoint::Score,
    ],
    weight: 3,
    summary: "A node takes only pods that tolerate its `NoSchedule` and `NoExecute` taints; the fewer `PreferNoSchedule` taints aren't tolerated, the better the node.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin {
        filter: Some(Box::new(TaintToleration)),
        score: Some(Box::new(TaintToleration)),
        events: Some(queueing_hint::events()),
        ..Plugin::new(NAME)
    }
}

struct TaintToleration;

impl FilterPlugin for TaintToleration {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let allowed = snapshot.tolerated_taint_sets(pod.tolerations());
        if allowed.iter().all(|allowed| *allowed) {
            return PreFilter::Skip;
        }
        PreFilter::run(SetFilter {
            plugin: NAME,
            reason: REASON,
            allowed,
            set_of: snapshot.taint_set_of_nodes(),
            is_node_local: true,
        })
    }
}

impl ScorePlugin for TaintToleration {
    fn failure_without_pre_score(&self) -> Option<&'static str> {
        Some("failed to read \"PreScoreTaintToleration\" from cycleState: not found")
    }

    fn node_local(&self, _pod: &PodInfo<'_>, _snapshot: &Snapshot) -> Option<Normalization> {
        Some(Normalization::ByMaximum { less_is_better: true })
    }

    fn pre_score<'a>(
        &'a self,
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        _nodes: &'a [NodeIndex],
    ) -> PreScore<'a> {
        let tolerations: Vec<&Toleration> =
            pod.tolerations().iter().filter(|toleration| concerns_preference(toleration)).collect();
        let count = |taints: &Vec<Taint>| count_untolerated_preferences(taints, &tolerations);
        let counts = snapshot.taint_sets().iter().map(count).collect();
        PreScore::run(TaintScore { counts, snapshot })
    }
}

fn concerns_preference(toleration: &Toleration) -> bool {
    matches!(toleration.effect.as_deref().unwrap_or_default(), "" | effect::PREFER_NO_SCHEDULE)
}

fn count_untolerated_preferences(taints: &[Taint], tolerations: &[&Toleration]) -> i64 {
    let is_untolerated = |taint: &&Taint| {
        taint.effect == effect::PREFER_NO_SCHEDULE
            && !tolerations.iter().any(|toleration| tolerates(toleration, taint))
    };
    i64::try_from(taints.iter().filter(is_untolerated).count()).unwrap_or(i64::MAX)
}

/// For each set of taints, how many of them make the node less welcome.
struct TaintScore<'a> {
    counts: Vec<i64>,
    snapshot: &'a Snapshot,
}

impl Score for TaintScore<'_> {
    fn score(&self, node: NodeIndex) -> i64 {
        self.counts[self.snapshot.taint_set(node) as usize]
    }

    fn normalize(&self, scores: &mut [i64]) {
        default_normalize(scores, true);
    }
}
