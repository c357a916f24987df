//! Which pod of a run is meant by a name.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::Row;
use super::admit::text;

/// How many names a message lists.
const LISTED: usize = 10;

/// No pod of the run goes by a name, or more than one does.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PodNotFound {
    /// The manifests make no pod at all.
    #[error(
        "no pod {0:?}: there are no pods at all\n  hint: name manifests of pods, or of workloads that make pods"
    )]
    NoPods(String),
    /// No pod goes by that name.
    #[error("no pod {name:?}\n  hint: there are {}", .others.join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
        /// Pods that there are, those with a similar name first.
        others: Vec<String>,
    },
    /// Pods of several namespaces or workloads go by that name.
    #[error("more than one pod is called {name:?}\n  hint: say which: {}", .candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// What the pods are called in full.
        candidates: Vec<String>,
    },
}

/// The row of the pod that `wanted` means: a pod's name, with or without its namespace, or the name of what makes it, with
/// or without its kind (`web`, `shop/web`, `deployment/web`), which stands for its first pod.
pub(super) fn find(rows: &[Row], wanted: &str) -> Result<usize, PodNotFound> {
    let pods: Vec<usize> = (0..rows.len()).filter(|index| rows[*index].pod().is_some()).collect();
    if pods.is_empty() {
        return Err(PodNotFound::NoPods(wanted.to_owned()));
    }
    let by_name = |index: &usize| is_called(rows[*index].object.metadata(), wanted);
    let by_maker =
        |index: &usize| makers(rows, *index).into_iter().any(|maker| is_made_by(rows, maker, wanted));
    let mut found: Vec<usize> = pods.iter().copied().filter(by_name).collect();
    if found.is_empty() {
        found = first_of_each(rows, pods.iter().copied().filter(by_maker));
    }
    match found.as_slice() {
        [] => Err(PodNotFound::Unknown { name: wanted.to_owned(), others: similar(rows, &pods, wanted) }),
        [only] => Ok(*only),
        several => {
            let candidates = several.iter().take(LISTED).map(|index| full_name(&rows[*index])).collect();
            Err(PodNotFound::Ambiguous { name: wanted.to_owned(), candidates })
        }
    }
}

fn is_called(metadata: &ObjectMeta, wanted: &str) -> bool {
    let name = text(metadata.name.as_ref());
    match wanted.split_once('/') {
        Some((namespace, wanted)) => text(metadata.namespace.as_ref()) == namespace && name == wanted,
        None => name == wanted,
    }
}

/// The rows of what made an object, and of what made that.
fn makers(rows: &[Row], index: usize) -> Vec<usize> {
    let mut makers = Vec::new();
    let mut next = controller(rows, index);
    while let Some(maker) = next.filter(|maker| !makers.contains(maker)) {
        makers.push(maker);
        next = controller(rows, maker);
    }
    makers
}

fn controller(rows: &[Row], index: usize) -> Option<usize> {
    let metadata = rows[index].object.metadata();
    let owner = metadata.owner_references.iter().flatten().find(|owner| owner.controller == Some(true))?;
    let is_owner = |row: &Row| {
        let other = row.object.metadata();
        row.kind.kind == owner.kind
            && text(other.name.as_ref()) == owner.name
            && (other.namespace == metadata.namespace || !row.kind.namespaced)
    };
    rows.iter().position(is_owner)
}

fn is_made_by(rows: &[Row], maker: usize, wanted: &str) -> bool {
    let row = &rows[maker];
    let metadata = row.object.metadata();
    let of_kind = wanted.split_once('/').is_some_and(|(kind, name)| {
        let kind = kind.to_lowercase();
        let kinds = [row.kind.kind.to_lowercase(), row.kind.resource.resource.clone()];
        kinds.contains(&kind) && text(metadata.name.as_ref()) == name
    });
    of_kind || is_called(metadata, wanted)
}

/// One pod of each maker: its pods are alike.
fn first_of_each(rows: &[Row], pods: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut seen = Vec::new();
    pods.filter(|pod| {
        let last = makers(rows, *pod).pop();
        let is_new = !seen.contains(&last);
        seen.push(last);
        is_new
    })
    .collect()
}

fn full_name(row: &Row) -> String {
    let metadata = row.object.metadata();
    let name = text(metadata.name.as_ref());
    let name = if name.is_empty() { text(metadata.generate_name.as_ref()) } else { name };
    format!("{}/{name}", text(metadata.namespace.as_ref()))
}

/// Pods to name instead, those with a part in common first.
fn similar(rows: &[Row], pods: &[usize], wanted: &str) -> Vec<String> {
    let part = wanted.rsplit('/').next().unwrap_or(wanted);
    let mut names: Vec<String> = pods.iter().map(|index| full_name(&rows[*index])).collect();
    names.sort_by_key(|name| !name.contains(part));
    let rest = names.len().saturating_sub(LISTED);
    names.truncate(LISTED);
    if rest > 0 {
        names.push(format!("and {rest} more"));
    }
    names
}
