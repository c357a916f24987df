//! An explanation as text for people.

use super::{Amount, Cgroup, ContainerAmounts, Edit, Explanation};
use crate::output::tables::{Section, render_section};

/// The whole explanation, as wide as the terminal.
pub(super) fn render(explanation: &Explanation, width: Option<u16>) -> String {
    let sections = [
        Section {
            heading: "REQUESTS AND LIMITS",
            columns: &["container", "field", "resource", "given", "stored", "from"],
            rows: explanation
                .containers
                .iter()
                .flat_map(container_rows)
                .chain(pod_rows(explanation))
                .collect(),
        },
        Section {
            heading: "ON THE NODE",
            columns: &["cgroup", "cpu.weight", "cpu.max", "memory.max", "cpu.shares (v1)", "oom_score_adj"],
            rows: cgroup_rows(explanation),
        },
        Section {
            heading: "LIMITRANGES",
            columns: &["LimitRange", "type", "rule", "resource", "value", "met"],
            rows: explanation
                .limit_ranges
                .iter()
                .map(|bound| {
                    let met = bound.met.map_or("", |met| if met { "yes" } else { "NO" });
                    [&bound.limit_range, &bound.item_type, bound.rule, &bound.resource, &bound.value, met]
                        .map(str::to_owned)
                        .to_vec()
                })
                .collect(),
        },
        Section {
            heading: "QUOTAS THAT COUNT IT",
            columns: &["quota", "resource", "this pod", "used", "hard", "left"],
            rows: explanation
                .quotas
                .iter()
                .map(|room| {
                    [&room.quota, &room.resource, &room.pod, &room.used, &room.hard, &room.remaining]
                        .map(Clone::clone)
                        .to_vec()
                })
                .collect(),
        },
        Section {
            heading: "CHANGING IT WHILE IT RUNS",
            columns: &["container", "change", "by", "what happens"],
            rows: edit_rows(&explanation.edits),
        },
    ];
    let mut text = heading(explanation);
    for section in sections {
        render_section(section, width, &mut text);
    }
    text
}

fn heading(explanation: &Explanation) -> String {
    let Explanation { namespace, name, fate, qos_class, qos_reason, .. } = explanation;
    let (outcome, message) = (fate.outcome.as_str(), fate.message.as_deref());
    let because = message.map_or(String::new(), |message| format!(": {message}"));
    format!("Pod {namespace}/{name}: {outcome}{because}\n{qos_class}: {qos_reason}\n\n")
}

/// Changes of a container that meet with the same answer share a row.
fn edit_rows(edits: &[Edit]) -> Vec<Vec<String>> {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for edit in edits {
        let answer = match (&edit.message, edit.restart) {
            (Some(message), _) => format!("refused: {message}"),
            (None, true) => "done while the pod runs; the container restarts".to_owned(),
            (None, false) => "done while the container runs".to_owned(),
        };
        let container = edit.container.clone().unwrap_or_else(|| "any".to_owned());
        let row = vec![container, edit.change.clone(), edit.via.as_str().to_owned(), answer];
        match rows.last_mut().filter(|last| last[0] == row[0] && last[2..] == row[2..]) {
            Some(last) => last[1] = format!("{}; {}", last[1], row[1]),
            None => rows.push(row),
        }
    }
    rows
}

fn container_rows(container: &ContainerAmounts) -> Vec<Vec<String>> {
    let mut title = match container.kind {
        super::ContainerKind::Container => container.name.clone(),
        kind => format!("{} ({})", container.name, kind.as_str()),
    };
    if container.amounts.is_empty() {
        return vec![vec![title, "none".to_owned()]];
    }
    container.amounts.iter().map(|amount| amount_row(std::mem::take(&mut title), amount)).collect()
}

fn pod_rows(explanation: &Explanation) -> Vec<Vec<String>> {
    let mut title = "pod as a whole".to_owned();
    let mut rows: Vec<_> =
        explanation.pod_level.iter().map(|amount| amount_row(std::mem::take(&mut title), amount)).collect();
    let mut title = "total".to_owned();
    rows.extend(explanation.totals.iter().map(|amount| amount_row(std::mem::take(&mut title), amount)));
    rows
}

fn amount_row(title: String, amount: &Amount) -> Vec<String> {
    vec![
        title,
        amount.field.to_owned(),
        amount.resource.clone(),
        amount.given.clone().unwrap_or_default(),
        amount.stored.clone(),
        amount.from.clone().unwrap_or_default(),
    ]
}

fn cgroup_rows(explanation: &Explanation) -> Vec<Vec<String>> {
    let pod = cgroup_row("pod".to_owned(), &explanation.cgroup);
    let containers =
        explanation.containers.iter().map(|container| cgroup_row(container.name.clone(), &container.cgroup));
    std::iter::once(pod).chain(containers).collect()
}

fn cgroup_row(title: String, cgroup: &Cgroup) -> Vec<String> {
    let number = |value: Option<i64>| value.map_or_else(String::new, |value| value.to_string());
    let weight = match cgroup.older_cpu_weight {
        Some(older) => format!("{} (older runtimes {older})", cgroup.cpu_weight),
        None => cgroup.cpu_weight.to_string(),
    };
    vec![
        title,
        weight,
        cgroup.cpu_max.clone().unwrap_or_default(),
        number(cgroup.memory_max),
        cgroup.cpu_shares.to_string(),
        number(cgroup.oom_score_adj),
    ]
}
