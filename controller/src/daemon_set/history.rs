//! The revisions of a DaemonSet's template, as ControllerRevisions.
//!
//! # Source
//! `pkg/controller/daemon/update.go`

use std::collections::BTreeSet;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_matching::label_selector::labels_of;
use serde::Deserialize;
use serde_json::{Value, json};

use super::CONTROLLER_REVISION_HASH_LABEL;
use super::new_pod::template_generation;
use super::pod::DaemonPod;

/// A ControllerRevision.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(from = "Received")]
pub struct Revision {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Its number; the current revision has the highest.
    pub revision: i64,
    /// What it stands for, [written](write_data) as upstream writes it.
    pub data: String,
}

#[derive(Deserialize)]
struct Received {
    #[serde(default)]
    metadata: ObjectMeta,
    #[serde(default)]
    revision: i64,
    #[serde(default)]
    data: Value,
}

impl From<Received> for Revision {
    fn from(Received { metadata, revision, data }: Received) -> Self {
        Self { metadata, revision, data: as_go_writes(&data) }
    }
}

impl Revision {
    /// Its name.
    pub fn name(&self) -> &str {
        self.metadata.name.as_deref().unwrap_or_default()
    }

    /// The hash that marks its pods; `None` for one of long ago, which has yet to get its own name as hash.
    pub fn hash(&self) -> Option<&str> {
        labels_of(&self.metadata).get(CONTROLLER_REVISION_HASH_LABEL).map(String::as_str)
    }
}

/// The data of a template's revision: a patch that replaces the template, byte by byte as upstream writes it, so that either
/// controller knows the other's revisions again. The template is taken as the API server sends it.
///
/// # Source
/// `pkg/controller/daemon/update.go` (`getPatch`)
pub fn write_data(template: &Value) -> String {
    let mut template = template.clone();
    template["$patch"] = "replace".into();
    as_go_writes(&json!({"spec": {"template": template}}))
}

/// JSON as Go's encoder writes a map: keys sorted, and what means something in HTML escaped.
fn as_go_writes(value: &Value) -> String {
    // Outside of strings none of these occurs.
    let escapes = [
        ('<', "\\u003c"),
        ('>', "\\u003e"),
        ('&', "\\u0026"),
        ('\u{2028}', "\\u2028"),
        ('\u{2029}', "\\u2029"),
    ];
    let mut text = value.to_string();
    for (character, escape) in escapes {
        if text.contains(character) {
            text = text.replace(character, escape);
        }
    }
    text
}

/// The revisions of a DaemonSet, told apart by what they stand for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History<'a> {
    /// The one that stands for the template; of several the one with the highest number.
    pub current: Option<&'a Revision>,
    /// Others that stand for the same template.
    pub duplicates: Vec<&'a Revision>,
    /// Those of other templates, from the lowest number to the highest.
    pub old: Vec<&'a Revision>,
}

impl<'a> History<'a> {
    /// Tells the revisions that a DaemonSet owns apart; `data` stands for its template.
    ///
    /// # Source
    /// `pkg/controller/daemon/update.go` (`constructHistory`, `dedupCurHistories`)
    pub fn new(data: &str, revisions: impl IntoIterator<Item = &'a Revision>) -> Self {
        let (mut current, mut old): (Vec<&Revision>, Vec<&Revision>) =
            revisions.into_iter().partition(|revision| revision.data == data);
        old.sort_by_key(|revision| revision.revision);
        // The last of equals is kept.
        current.sort_by_key(|revision| revision.revision);
        let kept = current.pop();
        Self { current: kept, duplicates: current, old }
    }

    /// The number of the current revision.
    pub fn number_of_current(&self) -> i64 {
        self.old.last().map_or(0, |revision| revision.revision.max(0)) + 1
    }

    /// The pods that carry the hash of a duplicate, which is about to go, and have to carry that of the one that is kept.
    ///
    /// DIFFERENCE: D-DaemonSet-9.
    pub fn to_relabel<'p>(&self, pods: impl IntoIterator<Item = &'p DaemonPod>) -> Vec<&'p DaemonPod> {
        let going: BTreeSet<&str> = self.duplicates.iter().filter_map(|revision| revision.hash()).collect();
        pods.into_iter().filter(|pod| pod.revision_hash().is_some_and(|hash| going.contains(hash))).collect()
    }

    /// The pods that carry the hash of the current revision but were made before there was one like it, each with the hash of the
    /// revision that it is of most likely. `generation` is that of the DaemonSet's template.
    ///
    /// When two controllers have written down the same new template, upstream's gives all pods the hash of one of them, those of the
    /// older template too; nobody would replace these any more.
    ///
    /// DIFFERENCE: D-DaemonSet-9.
    pub fn mislabelled<'p>(
        &self,
        generation: Option<i64>,
        pods: impl IntoIterator<Item = &'p DaemonPod>,
    ) -> Vec<(&'p DaemonPod, &'a str)> {
        let of_template = |revision: &&Revision| template_generation(&revision.metadata) == generation;
        // An older revision that has become current again has pods that are older than its last time.
        let Some((current, generation)) = self.current.filter(of_template).zip(generation) else {
            return Vec::new();
        };
        let marked = pods.into_iter().filter(|pod| pod.revision_hash() == current.hash());
        let older =
            marked.filter_map(|pod| Some((pod, pod.template_generation().filter(|of| *of < generation)?)));
        let with_hash = older.filter_map(|(pod, of_pod)| {
            let of_the_same = |old: &&&Revision| template_generation(&old.metadata) == Some(of_pod);
            let made_of = self.old.iter().rev().find(of_the_same).or_else(|| self.old.last())?;
            Some((pod, made_of.hash()?))
        });
        with_hash.collect()
    }

    /// The old revisions that go so that `limit` of them stay; those that still have pods stay anyway.
    ///
    /// # Source
    /// `pkg/controller/daemon/update.go` (`cleanupHistory`)
    pub fn to_delete<'p>(
        &self,
        limit: i32,
        pods: impl IntoIterator<Item = &'p DaemonPod>,
    ) -> Vec<&'a Revision> {
        let excess = self.old.len().saturating_sub(usize::try_from(limit).unwrap_or(0));
        if excess == 0 {
            return Vec::new();
        }
        let on_a_node = pods.into_iter().filter(|pod| pod.target.is_some());
        let live: BTreeSet<&str> = on_a_node.filter_map(DaemonPod::revision_hash).collect();
        let unused = self.old.iter().filter(|revision| {
            let hash = revision.hash().unwrap_or_default();
            hash.is_empty() || !live.contains(hash)
        });
        unused.take(excess).copied().collect()
    }
}
