//! The scores of all plugins for one pod.

use std::collections::BTreeMap;

use super::class_cache::ClassState;
use crate::framework::{
    ExtensionPoint, MAX_NODE_SCORE, MIN_NODE_SCORE, Normalization, Plugin, PreScore, Score, ScorePlugin,
};
use crate::pod_info::PodInfo;
use crate::profile::Profile;
use crate::snapshot::{NodeIndex, Snapshot};

/// What one plugin thinks of each feasible node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PluginScores {
    /// The plugin.
    pub plugin: &'static str,
    /// The scores as the plugin gave them, a node each.
    pub raw: Vec<i64>,
    /// The scores after they were normalized and multiplied by the plugin's weight.
    pub weighted: Vec<i64>,
}

/// A plugin's score for one pod, and what it counts for.
pub(super) struct Scorer<'a> {
    pub(super) plugin: &'static str,
    pub(super) weight: i64,
    pub(super) score: Box<dyn Score + 'a>,
    /// If nothing but a node decides about its score.
    pub(super) node_local: Option<Normalization>,
}

/// Which of a profile's scores are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    All,
    /// Those about which nothing but a node decides.
    NodeLocal,
    /// The others.
    Global,
}

/// The scores of plugins for one pod; plugins to which all nodes are the same are left out.
///
/// # Errors
/// A plugin couldn't decide; the message says which.
///
/// # Source
/// `pkg/scheduler/framework/runtime/framework.go` (`RunPreScorePlugins`, `RunScorePlugins`)
pub(super) fn scorers<'a>(
    pod: &'a PodInfo<'a>,
    snapshot: &'a Snapshot,
    profile: &'a Profile,
    nodes: &'a [NodeIndex],
    wanted: Wanted,
) -> Result<Vec<Scorer<'a>>, String> {
    let wanted_part = |plugin: &'a Plugin| {
        let part = plugin.score.as_deref()?;
        let node_local = part.node_local(pod, snapshot);
        let is_wanted = match wanted {
            Wanted::All => true,
            Wanted::NodeLocal => node_local.is_some(),
            Wanted::Global => node_local.is_none(),
        };
        is_wanted.then_some((part, node_local))
    };
    let mut looked = BTreeMap::new();
    for (plugin, _) in profile.at(ExtensionPoint::PreScore) {
        let Some((part, _)) = wanted_part(plugin) else { continue };
        let said = part.pre_score(pod, snapshot, nodes);
        if let PreScore::Error(message) = said {
            return Err(format!("running PreScore plugin {:?}: {message}", plugin.name));
        }
        looked.insert(plugin.name, said);
    }
    let mut scorers = Vec::new();
    for (plugin, weight) in profile.at(ExtensionPoint::Score) {
        let Some((part, node_local)) = wanted_part(plugin) else { continue };
        let plugin = plugin.name;
        match looked.remove(plugin).unwrap_or_else(|| without_pre_score(part, pod, snapshot, nodes)) {
            PreScore::Skip => {}
            PreScore::Error(message) => {
                return Err(format!("running Score plugins: plugin {plugin:?} failed with: {message}"));
            }
            PreScore::Run(score) => scorers.push(Scorer { plugin, weight, score, node_local }),
        }
    }
    Ok(scorers)
}

/// What a plugin says that is asked at Score only.
fn without_pre_score<'a>(
    part: &'a dyn ScorePlugin,
    pod: &'a PodInfo<'a>,
    snapshot: &'a Snapshot,
    nodes: &'a [NodeIndex],
) -> PreScore<'a> {
    match part.failure_without_pre_score() {
        Some(message) => PreScore::Error(message.to_owned()),
        None => match part.pre_score(pod, snapshot, nodes) {
            PreScore::Skip => PreScore::run(NoPreference),
            said => said,
        },
    }
}

/// All nodes are the same to a plugin that can't say so before it is asked about them.
struct NoPreference;

impl Score for NoPreference {
    fn score(&self, _node: NodeIndex) -> i64 {
        MIN_NODE_SCORE
    }
}

/// What each plugin thinks of nodes; plugins to which all are the same are left out.
///
/// # Errors
/// A plugin couldn't decide, or gave a score out of range; the message says which.
///
/// # Source
/// `pkg/scheduler/framework/runtime/framework.go` (`RunPreScorePlugins`, `RunScorePlugins`)
pub fn score_nodes(
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    nodes: &[NodeIndex],
) -> Result<Vec<PluginScores>, String> {
    let mut all = Vec::new();
    for scorer in scorers(pod, snapshot, profile, nodes, Wanted::All)? {
        let raw = scorer.score.score_all(nodes);
        let mut weighted = raw.clone();
        scorer.normalize(&mut weighted)?;
        for score in &mut weighted {
            *score = score.wrapping_mul(scorer.weight);
        }
        all.push(PluginScores { plugin: scorer.plugin, raw, weighted });
    }
    Ok(all)
}

/// The sum of the weighted scores of each node. What is kept of the pod's class needn't be computed.
///
/// # Errors
/// As [`score_nodes`].
pub(super) fn totals<'s, 'a: 's>(
    scorers: impl IntoIterator<Item = &'s Scorer<'a>>,
    nodes: &[NodeIndex],
    class: Option<&ClassState>,
) -> Result<Vec<i64>, String> {
    let mut totals = vec![0_i64; nodes.len()];
    for scorer in scorers {
        let kept = class.and_then(|class| class.column(scorer.plugin));
        let mut scores = match kept {
            Some(column) => nodes.iter().map(|node| column[*node]).collect(),
            None => scorer.score.score_all(nodes),
        };
        scorer.normalize(&mut scores)?;
        for (total, score) in totals.iter_mut().zip(scores) {
            *total = total.wrapping_add(score.wrapping_mul(scorer.weight));
        }
    }
    Ok(totals)
}

impl Scorer<'_> {
    fn normalize(&self, scores: &mut [i64]) -> Result<(), String> {
        self.score.normalize(scores);
        let is_bad = |score: &&i64| !(MIN_NODE_SCORE..=MAX_NODE_SCORE).contains(*score);
        match scores.iter().find(is_bad) {
            None => Ok(()),
            Some(bad) => Err(format!(
                "applying score defaultWeights on Score plugins: plugin {:?} returns an invalid score {bad}, it should in the range of [{MIN_NODE_SCORE}, {MAX_NODE_SCORE}] after normalizing",
                self.plugin
            )),
        }
    }
}
