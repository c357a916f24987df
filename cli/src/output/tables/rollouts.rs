//! How DaemonSets followed their new templates.

use super::Section;
use crate::report::{Report, RolloutOutcome, RolloutReport, RolloutStep};

/// Of a long rollout so many steps are shown at the beginning, and as many at the end.
const SHOWN: usize = 6;
/// So many nodes of a step are named.
const NAMED: usize = 3;

pub(super) fn summary(report: &Report) -> Section {
    let rows = report.rollouts.iter().map(|rollout| {
        vec![title(rollout), outcome(rollout), lowest(rollout), rollout.message.clone().unwrap_or_default()]
    });
    Section {
        heading: "ROLLOUTS",
        columns: &["DaemonSet", "outcome", "lowest ready", "why"],
        rows: rows.collect(),
    }
}

pub(super) fn steps(report: &Report) -> Section {
    let rows = report.rollouts.iter().flat_map(steps_of);
    Section {
        heading: "ROLLOUT STEPS",
        columns: &["DaemonSet", "step", "pods deleted from", "pods created on", "updated", "ready"],
        rows: rows.collect(),
    }
}

fn title(rollout: &RolloutReport) -> String {
    format!("{}/{}", rollout.namespace, rollout.name)
}

fn outcome(rollout: &RolloutReport) -> String {
    let steps = rollout.steps.len();
    let steps = if steps == 1 { "1 step".to_owned() } else { format!("{steps} steps") };
    match rollout.outcome {
        RolloutOutcome::Complete => format!("complete after {steps}"),
        RolloutOutcome::Stalled => format!("stalled after {steps}"),
        RolloutOutcome::Unchanged => "nothing to do".to_owned(),
        RolloutOutcome::Refused => "refused".to_owned(),
    }
}

fn lowest(rollout: &RolloutReport) -> String {
    match rollout.outcome {
        RolloutOutcome::Complete | RolloutOutcome::Stalled => {
            format!("{} of {}", rollout.lowest_ready, rollout.desired)
        }
        RolloutOutcome::Unchanged | RolloutOutcome::Refused => String::new(),
    }
}

fn steps_of(rollout: &RolloutReport) -> impl Iterator<Item = Vec<String>> {
    let count = rollout.steps.len();
    let left_out = count.checked_sub(2 * SHOWN + 1).map_or(0..0, |_| SHOWN..count - SHOWN);
    let mut title = title(rollout);
    rollout.steps.iter().enumerate().filter_map(move |(place, step)| {
        let number = (place + 1).to_string();
        let row = if !left_out.contains(&place) {
            row(number, step)
        } else if place == left_out.start {
            vec![format!("{number} to {}", left_out.end), "and so on".to_owned()]
        } else {
            return None;
        };
        Some([vec![std::mem::take(&mut title)], row].concat())
    })
}

fn row(number: String, step: &RolloutStep) -> Vec<String> {
    let counts = [step.updated, step.ready].map(|count| count.to_string());
    [vec![number, names(&step.deleted_from), names(&step.created_on)], counts.to_vec()].concat()
}

fn names(nodes: &[String]) -> String {
    let named = nodes.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    match nodes.len().saturating_sub(NAMED) {
        0 => named,
        more => format!("{named} and {more} more"),
    }
}
