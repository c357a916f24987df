//! The scores of all plugins for one pod.

use crate::framework::{ExtensionPoint, MAX_NODE_SCORE, MIN_NODE_SCORE, PreScore};
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
    each_plugin(pod, snapshot, profile, nodes, |plugin, raw, normalized, weight| {
        let weighted = normalized.iter().map(|score| score.wrapping_mul(weight)).collect();
        all.push(PluginScores { plugin, raw: raw.to_vec(), weighted });
    })?;
    Ok(all)
}

/// The sum of the weighted scores of each node.
///
/// # Errors
/// As [`score_nodes`].
pub(super) fn totals(
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    nodes: &[NodeIndex],
) -> Result<Vec<i64>, String> {
    let mut totals = vec![0_i64; nodes.len()];
    each_plugin(pod, snapshot, profile, nodes, |_, _, normalized, weight| {
        for (total, score) in totals.iter_mut().zip(normalized) {
            *total = total.wrapping_add(score.wrapping_mul(weight));
        }
    })?;
    Ok(totals)
}

fn each_plugin(
    pod: &PodInfo<'_>,
    snapshot: &Snapshot,
    profile: &Profile,
    nodes: &[NodeIndex],
    mut visit: impl FnMut(&'static str, &[i64], &[i64], i64),
) -> Result<(), String> {
    let mut scores = Vec::new();
    for (plugin, weight) in profile.at(ExtensionPoint::Score) {
        let name = plugin.name;
        let Some(part) = plugin.score.as_deref() else { continue };
        match part.pre_score(pod, snapshot, nodes) {
            PreScore::Skip => {}
            PreScore::Error(message) => return Err(format!("running PreScore plugin {name:?}: {message}")),
            PreScore::Run(score) => scores.push((name, score, weight)),
        }
    }
    for (name, score, weight) in scores {
        let raw = score.score_all(nodes);
        let mut normalized = raw.clone();
        score.normalize(&mut normalized);
        if let Some(bad) = normalized.iter().find(|score| !(MIN_NODE_SCORE..=MAX_NODE_SCORE).contains(*score))
        {
            return Err(format!(
                "applying score defaultWeights on Score plugins: plugin {name:?} returns an invalid score {bad}, it should in the range of [{MIN_NODE_SCORE}, {MAX_NODE_SCORE}] after normalizing"
            ));
        }
        visit(name, &raw, &normalized, weight);
    }
    Ok(())
}
