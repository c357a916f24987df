//! What is known of DaemonSets, their revisions, their pods and the nodes, and whom a change concerns.
//!
//! Plain data: what comes is passed in, and whom it wakes is asked for.
//!
//! # Source
//! `pkg/controller/daemon/daemon_controller.go` (the event handlers)

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Node;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use plimsoll_api::group::GroupResource;
use plimsoll_api::resource_version::Version;
use plimsoll_matching::label_selector::{Selector, SelectorError, labels_of};

use super::node::{SlimNode, taints_of};
use super::pods::Pods;
use crate::daemon_set::{DaemonPod, KIND, NodeDecision, Placement, ReceivedDaemonSet, Revision};
use crate::expectations::Expectations;
use crate::object_key::ObjectKey;
use crate::own_writes::{Behind, OwnWrites};
use crate::owner::controller_of;
use crate::server::follow::News;

/// A pod that has become Ready is looked at again so much later than it is to be available.
const SLACK: Duration = Duration::from_secs(1);

/// A DaemonSet, and what is read out of it once.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) received: ReceivedDaemonSet,
    pub(super) selector: Result<Selector, SelectorError>,
    pub(super) placement: Placement,
    /// What the revision of its template holds.
    pub(super) revision_data: String,
}

impl Known {
    fn new(received: ReceivedDaemonSet) -> Self {
        let spec = &received.object.spec;
        Self {
            selector: Selector::from_label_selector(Some(&spec.selector)),
            placement: Placement::new(&received.object),
            revision_data: received.revision_data(),
            received,
        }
    }

    pub(super) fn metadata(&self) -> &ObjectMeta {
        &self.received.object.metadata
    }

    pub(super) fn uid(&self) -> &str {
        self.metadata().uid.as_deref().unwrap_or_default()
    }

    /// Whether it would take an object of its namespace with these labels, were it nobody's.
    fn selects(&self, labelled: &ObjectMeta) -> bool {
        let labels = labels_of(labelled);
        let selects = |selector: &Selector| !selector.is_everything() && selector.matches(labels);
        !labels.is_empty() && self.selector.as_ref().is_ok_and(selects)
    }
}

/// Which DaemonSets have to be looked at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Wakes {
    pub(super) now: Vec<ObjectKey>,
    pub(super) later: Vec<(ObjectKey, Duration)>,
}

/// What is known.
#[derive(Debug, Default)]
pub(super) struct Caches {
    daemon_sets: BTreeMap<ObjectKey, Arc<Known>>,
    revisions: BTreeMap<ObjectKey, Arc<Revision>>,
    pods: Pods,
    nodes: BTreeMap<String, Arc<Node>>,
    versions: Versions,
    pub(super) expectations: Expectations,
    pub(super) own_writes: OwnWrites,
    wakes: Wakes,
}

/// Up to which version each resource is known; none before its first list.
#[derive(Debug, Default)]
struct Versions {
    daemon_sets: Option<Version>,
    revisions: Option<Version>,
    pods: Option<Version>,
    nodes: Option<Version>,
}

/// What a sync decides by.
pub(super) struct Snapshot {
    pub(super) known: Arc<Known>,
    pub(super) nodes: Vec<Arc<Node>>,
    /// Those that it controls and those that nobody does.
    pub(super) pods: Vec<Arc<DaemonPod>>,
    /// All of the namespace.
    pub(super) revisions: Vec<Arc<Revision>>,
}

/// The resource, as written versions are kept by.
pub(super) fn pods_resource() -> GroupResource {
    GroupResource::new("", "pods")
}

/// The resource, as written versions are kept by.
pub(super) fn revisions_resource() -> GroupResource {
    GroupResource::new("apps", "controllerrevisions")
}

/// The resource, as written versions are kept by.
pub(super) fn daemon_sets_resource() -> GroupResource {
    GroupResource::new("apps", "daemonsets")
}

impl Caches {
    /// Whether everything has been listed.
    pub(super) fn are_filled(&self) -> bool {
        let Versions { daemon_sets, revisions, pods, nodes } = &self.versions;
        [daemon_sets, revisions, pods, nodes].into_iter().all(Option::is_some)
    }

    /// Whom the changes since the last time concern.
    pub(super) fn take_wakes(&mut self) -> Wakes {
        std::mem::take(&mut self.wakes)
    }

    /// All DaemonSets.
    pub(super) fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.daemon_sets.keys()
    }

    /// What is known of a DaemonSet and around it, unless it is gone: then what is waited for on its account is forgotten.
    pub(super) fn snapshot(&mut self, key: &ObjectKey) -> Result<Option<Snapshot>, Behind> {
        let versions = &self.versions;
        self.own_writes.ensure_read(key, |resource| match resource.resource.as_str() {
            "pods" => versions.pods.clone(),
            "controllerrevisions" => versions.revisions.clone(),
            _ => versions.daemon_sets.clone(),
        })?;
        let Some(known) = self.daemon_sets.get(key).cloned() else {
            self.expectations.forget(key);
            self.own_writes.forget(key);
            return Ok(None);
        };
        let nodes = self.nodes.values().cloned().collect();
        let pods = self.pods.candidates(known.uid(), &key.namespace).cloned().collect();
        let revisions = self.revisions_in(&key.namespace).cloned().collect();
        Ok(Some(Snapshot { known, nodes, pods, revisions }))
    }

    fn revisions_in<'c>(&'c self, namespace: &'c str) -> impl Iterator<Item = &'c Arc<Revision>> {
        let revisions = self.revisions.range(ObjectKey::new(namespace, "")..);
        revisions.take_while(move |(key, _)| key.namespace == namespace).map(|(_, revision)| revision)
    }

    fn wake(&mut self, key: ObjectKey) {
        self.wakes.now.push(key);
    }

    /// The DaemonSet that a reference to a controller means.
    fn owner(&self, namespace: &str, reference: Option<&OwnerReference>) -> Option<(ObjectKey, &Known)> {
        let reference = reference.filter(|reference| reference.kind == KIND)?;
        let key = ObjectKey::new(namespace, &reference.name);
        let known = self.daemon_sets.get(&key)?;
        (known.uid() == reference.uid).then_some((key, known))
    }

    fn wake_owner(&mut self, metadata: &ObjectMeta) {
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        if let Some((key, _)) = self.owner(namespace, controller_of(metadata)) {
            self.wake(key);
        }
    }

    /// Wakes the DaemonSets that would take an object that is nobody's.
    fn wake_matching(&mut self, metadata: &ObjectMeta) {
        let namespace = metadata.namespace.as_deref().unwrap_or_default();
        let of_namespace = self.daemon_sets.range(ObjectKey::new(namespace, "")..);
        let of_namespace = of_namespace.take_while(|(key, _)| key.namespace == namespace);
        let matching = of_namespace.filter(|(_, known)| known.selects(metadata));
        self.wakes.now.extend(matching.map(|(key, _)| key.clone()));
    }
}

// DaemonSets.
impl Caches {
    /// Takes in what has become known of DaemonSets.
    pub(super) fn take_daemon_sets(&mut self, news: News<ReceivedDaemonSet>, version: Option<Version>) {
        let (come, gone) = news.into_changes(self.daemon_sets.keys().cloned(), |received| {
            ObjectKey::of(&received.object.metadata)
        });
        for received in come {
            self.apply_daemon_set(received);
        }
        for key in gone {
            self.delete_daemon_set(key);
        }
        advance(&mut self.versions.daemon_sets, version);
    }

    fn apply_daemon_set(&mut self, received: ReceivedDaemonSet) {
        let key = ObjectKey::of(&received.object.metadata);
        let known = Known::new(received);
        if self.daemon_sets.get(&key).is_some_and(|old| old.uid() != known.uid()) {
            self.delete_daemon_set(key.clone());
        }
        self.daemon_sets.insert(key.clone(), Arc::new(known));
        self.wake(key);
    }

    fn delete_daemon_set(&mut self, key: ObjectKey) {
        self.daemon_sets.remove(&key);
        self.expectations.forget(&key);
        self.own_writes.forget(&key);
        self.wake(key);
    }
}

// Revisions.
impl Caches {
    /// Takes in what has become known of ControllerRevisions.
    pub(super) fn take_revisions(&mut self, news: News<Revision>, version: Option<Version>) {
        let known = self.revisions.keys().cloned();
        let (come, gone) = news.into_changes(known, |revision| ObjectKey::of(&revision.metadata));
        for revision in come {
            self.apply_revision(revision);
        }
        for key in &gone {
            self.delete_revision(key);
        }
        advance(&mut self.versions.revisions, version);
    }

    fn apply_revision(&mut self, revision: Revision) {
        let revision = Arc::new(revision);
        let key = ObjectKey::of(&revision.metadata);
        let old = self.revisions.insert(key, Arc::clone(&revision));
        if old.as_ref().is_some_and(|old| same_version(&old.metadata, &revision.metadata)) {
            return;
        }
        self.wake_concerned(old.as_ref().map(|old| &old.metadata), &revision.metadata);
    }

    fn delete_revision(&mut self, key: &ObjectKey) {
        if let Some(revision) = self.revisions.remove(key) {
            self.wake_owner(&revision.metadata);
        }
    }

    /// Wakes whoever had an object, whoever has it now, and if it is nobody's, whoever would take it.
    fn wake_concerned(&mut self, old: Option<&ObjectMeta>, new: &ObjectMeta) {
        let moved = old.is_none_or(|old| controller_of(old) != controller_of(new));
        if let Some(old) = old.filter(|_| moved) {
            self.wake_owner(old);
        }
        if controller_of(new).is_some() {
            self.wake_owner(new);
        } else if moved || old.is_none_or(|old| labels_of(old) != labels_of(new)) {
            self.wake_matching(new);
        }
    }
}

// Pods.
impl Caches {
    /// Takes in what has become known of pods.
    pub(super) fn take_pods(&mut self, news: News<DaemonPod>, version: Option<Version>) {
        let (come, gone) = news.into_changes(self.pods.keys().cloned(), |pod| ObjectKey::of(&pod.metadata));
        for pod in come {
            self.apply_pod(pod);
        }
        for key in &gone {
            self.delete_pod(key);
        }
        advance(&mut self.versions.pods, version);
    }

    fn apply_pod(&mut self, pod: DaemonPod) {
        let key = ObjectKey::of(&pod.metadata);
        if self.pods.get(&key).is_some_and(|old| old.metadata.uid != pod.metadata.uid) {
            self.delete_pod(&key);
        }
        let old = self.pods.get(&key).cloned();
        if old.as_ref().is_some_and(|old| same_version(&old.metadata, &pod.metadata)) {
            return;
        }
        // DIFFERENCE: D-DaemonSet-7.
        if old.is_none() {
            let owner = self.owner(&key.namespace, controller_of(&pod.metadata)).map(|(key, _)| key);
            if let Some(owner) = owner {
                self.expectations.created(&owner, 1);
            }
        }
        if pod.is_being_deleted() {
            self.observe_deletion(&pod);
            self.wake_owner(&pod.metadata);
            self.pods.store(pod);
            return;
        }
        self.wake_concerned(old.as_ref().map(|old| &old.metadata), &pod.metadata);
        if old.is_some_and(|old| !old.is_ready()) && pod.is_ready() {
            self.wake_when_available(&key.namespace, &pod);
        }
        self.pods.store(pod);
    }

    /// Clocks may disagree by a bit, so not at the very moment.
    fn wake_when_available(&mut self, namespace: &str, pod: &DaemonPod) {
        let Some((key, known)) = self.owner(namespace, controller_of(&pod.metadata)) else { return };
        let seconds = known.received.object.spec.min_ready_seconds.unwrap_or(0);
        if seconds > 0 {
            let delay = Duration::from_secs(u64::from(seconds.unsigned_abs())) + SLACK;
            self.wakes.later.push((key, delay));
        }
    }

    fn delete_pod(&mut self, key: &ObjectKey) {
        if let Some(pod) = self.pods.remove(key) {
            self.observe_deletion(&pod);
            self.wake_owner(&pod.metadata);
        }
    }

    fn observe_deletion(&mut self, pod: &DaemonPod) {
        let namespace = pod.metadata.namespace.as_deref().unwrap_or_default();
        let owner = self.owner(namespace, controller_of(&pod.metadata)).map(|(key, _)| key);
        if let Some(owner) = owner {
            self.expectations.deleted(&owner, pod.metadata.uid.as_deref().unwrap_or_default());
        }
    }
}

// Nodes.
impl Caches {
    /// Takes in what has become known of nodes.
    pub(super) fn take_nodes(&mut self, news: News<SlimNode>, version: Option<Version>) {
        let name_of = |SlimNode(node): &SlimNode| node.metadata.name.clone().unwrap_or_default();
        let (come, gone) = news.into_changes(self.nodes.keys().cloned(), name_of);
        for SlimNode(node) in come {
            self.apply_node(node);
        }
        for name in &gone {
            self.delete_node(name);
        }
        advance(&mut self.versions.nodes, version);
    }

    /// DIFFERENCE: D-DaemonSet-4.
    fn apply_node(&mut self, node: Node) {
        let name = node.metadata.name.clone().unwrap_or_default();
        let old = self.nodes.get(&name);
        // Heartbeats change nothing that matters here.
        if old.is_some_and(|old| {
            labels_of(&old.metadata) == labels_of(&node.metadata) && taints_of(old) == taints_of(&node)
        }) {
            return;
        }
        let concerned = self.daemon_sets.iter().filter(|(_, known)| {
            let before = old.map_or(NodeDecision::LEAVE, |old| known.placement.on(old));
            let decision = known.placement.on(&node);
            let is_there = self.pods.is_on(&name, known.uid());
            decision != before
                || (decision.should_run && !is_there)
                || (!decision.should_continue_running && is_there)
        });
        self.wakes.now.extend(concerned.map(|(key, _)| key.clone()));
        self.nodes.insert(name, Arc::new(node));
    }

    /// DIFFERENCE: D-DaemonSet-4.
    fn delete_node(&mut self, name: &str) {
        let Some(node) = self.nodes.remove(name) else { return };
        let concerned = self
            .daemon_sets
            .iter()
            .filter(|(_, known)| known.placement.on(&node).should_run || self.pods.is_on(name, known.uid()));
        self.wakes.now.extend(concerned.map(|(key, _)| key.clone()));
    }
}

/// An interruption tells no version.
fn advance(known: &mut Option<Version>, version: Option<Version>) {
    if version.is_some() {
        *known = version;
    }
}

fn same_version(old: &ObjectMeta, new: &ObjectMeta) -> bool {
    old.resource_version.is_some() && old.resource_version == new.resource_version
}

#[cfg(test)]
mod tests;
