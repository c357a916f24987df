//! The filters of all plugins for one pod.

use std::borrow::Cow;
use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;

use crate::framework::{Code, ExtensionPoint, Filter, PodChanges, PreFilter, Status};
use crate::pod_info::PodInfo;
use crate::profile::Profile;
use crate::snapshot::{NodeIndex, PlacedPod, Snapshot};

/// The filters that judge nodes for one pod, in the order of the plugins.
pub struct Filters<'a> {
    pod: &'a PodInfo<'a>,
    snapshot: &'a Snapshot,
    by_plugin: Vec<(&'static str, Box<dyn Filter + 'a>)>,
    /// The only nodes to judge, if plugins have named some, and which plugins have.
    only: Option<(BTreeSet<String>, BTreeSet<&'static str>)>,
}

/// What the plugins said of a pod before any node was judged.
pub enum PreFiltered<'a> {
    /// Nodes are to be judged.
    Run(Filters<'a>),
    /// No node passes, or a plugin couldn't decide.
    Rejected {
        /// What the plugin says.
        status: Status,
        /// The filters of all plugins, if the code is [`Code::Unschedulable`]: with them it is tried whether nodes would pass without
        /// some pods.
        filters: Option<Filters<'a>>,
        /// The plugins that had named the only nodes to judge.
        named_by: BTreeSet<&'static str>,
        /// How many plugins were asked, counted in their order at PreFilter.
        asked: usize,
    },
}

/// Lets all plugins look at a pod before nodes are judged.
///
/// # Source
/// `pkg/scheduler/framework/runtime/framework.go` (`RunPreFilterPlugins`)
pub fn pre_filter<'a>(pod: &'a PodInfo<'a>, snapshot: &'a Snapshot, profile: &'a Profile) -> PreFiltered<'a> {
    let mut filters = Filters { pod, snapshot, by_plugin: Vec::new(), only: None };
    let mut made: Vec<(&'static str, Box<dyn Filter + 'a>)> = Vec::new();
    let mut rejected = None;
    for (place, (plugin, _)) in profile.at(ExtensionPoint::PreFilter).enumerate() {
        let name = plugin.name;
        let Some(part) = plugin.filter.as_deref() else { continue };
        match part.pre_filter(pod, snapshot) {
            PreFilter::Skip => {}
            PreFilter::Reject(status) if status.code == Code::Unschedulable => {
                rejected = Some((name, status));
            }
            PreFilter::Unschedulable { status, filter } if status.code == Code::Unschedulable => {
                made.push((name, filter));
                rejected = Some((name, status));
            }
            PreFilter::Reject(status) | PreFilter::Unschedulable { status, .. } => {
                return PreFiltered::rejected_for_good(name, status, place + 1);
            }
            PreFilter::Run { nodes, filter } => {
                made.push((name, filter));
                if let Some(nodes) = nodes {
                    filters.keep_only(nodes, name);
                }
                if let Some(status) = filters.status_if_none_left() {
                    let (named_by, asked) = (filters.named_by(), place + 1);
                    return PreFiltered::Rejected { status, filters: None, named_by, asked };
                }
            }
        }
    }
    for (plugin, _) in profile.at(ExtensionPoint::Filter) {
        if let Some(place) = made.iter().position(|(name, _)| *name == plugin.name) {
            filters.by_plugin.push(made.swap_remove(place));
        } else if let Some(part) = plugin.filter.as_deref()
            && !profile.is_at(ExtensionPoint::PreFilter, plugin.name)
        {
            // DIFFERENCE: D-scheduler-10.
            match part.pre_filter(pod, snapshot) {
                PreFilter::Skip => {}
                PreFilter::Reject(status) => filters.by_plugin.push((plugin.name, Box::new(Refusal(status)))),
                PreFilter::Unschedulable { filter, .. } | PreFilter::Run { filter, .. } => {
                    filters.by_plugin.push((plugin.name, filter));
                }
            }
        }
    }
    match rejected {
        Some((plugin, status)) => {
            let named_by = filters.named_by();
            let asked = profile.at(ExtensionPoint::PreFilter).count();
            let status = Status { plugin, ..status };
            PreFiltered::Rejected { status, filters: Some(filters), named_by, asked }
        }
        None => PreFiltered::Run(filters),
    }
}

impl PreFiltered<'_> {
    /// A rejection that stays one whichever pods are removed.
    fn rejected_for_good(plugin: &'static str, status: Status, asked: usize) -> Self {
        let status = if status.code == Code::UnschedulableAndUnresolvable {
            Status { plugin, ..status }
        } else {
            let text = format!("running PreFilter plugin {plugin:?}: {}", status.message());
            Status::new(Code::Error, plugin, text)
        };
        Self::Rejected { status, filters: None, named_by: BTreeSet::new(), asked }
    }
}

/// Refuses every node.
struct Refusal(Status);

impl Filter for Refusal {
    fn check(&self, _node: NodeIndex) -> Status {
        self.0.clone()
    }
}

impl Filters<'_> {
    /// How many filters judge nodes.
    #[cfg(test)]
    pub(super) fn count(&self) -> usize {
        self.by_plugin.len()
    }

    /// What the first filter that refuses the node says, or success. Pods of no lower priority for which the node was set aside
    /// count as running there; and the node has to pass without them too.
    ///
    /// # Source
    /// `pkg/scheduler/framework/runtime/framework.go` (`RunFilterPluginsWithNominatedPods`)
    pub fn check(&self, node: NodeIndex) -> Status {
        self.check_without(node, &[])
    }

    /// What each filter that refuses the node says, in the order of the plugins; upstream asks none after the first.
    pub(crate) fn refusals(&self, node: NodeIndex) -> Vec<Status> {
        let nominated = self.nominated_pods(node);
        let refusal = |(name, filter): &(&'static str, Box<dyn Filter + '_>)| {
            let with_nominated = (!nominated.is_empty())
                .then(|| filter.check_with(node, PodChanges { removed: &[], added: &nominated }));
            let status = with_nominated.filter(|status| !status.is_success());
            let status = status.unwrap_or_else(|| filter.check(node));
            (!status.is_success()).then_some(Status { plugin: name, ..status })
        };
        self.by_plugin.iter().filter_map(refusal).collect()
    }

    /// As [`Filters::check`], if these pods of the node were gone.
    pub(crate) fn check_without(&self, node: NodeIndex, removed: &[&PlacedPod]) -> Status {
        let nominated = self.nominated_pods(node);
        if !nominated.is_empty() {
            let status = self.run(node, PodChanges { removed, added: &nominated });
            if !status.is_success() {
                return status;
            }
        }
        self.run(node, PodChanges { removed, added: &[] })
    }

    /// # Source
    /// `pkg/scheduler/framework/runtime/framework.go` (`RunFilterPlugins`)
    fn run(&self, node: NodeIndex, changes: PodChanges<'_>) -> Status {
        let is_unchanged = changes.removed.is_empty() && changes.added.is_empty();
        for (name, filter) in &self.by_plugin {
            let status = if is_unchanged { filter.check(node) } else { filter.check_with(node, changes) };
            if status.is_rejected() {
                return Status { plugin: name, ..status };
            }
            if !status.is_success() {
                let text = format!("running {name:?} filter plugin: {}", status.message());
                return Status::new(Code::Error, name, text);
            }
        }
        Status::SUCCESS
    }

    /// Whether a filter may be unable to decide about a node.
    pub(super) fn can_fail(&self) -> bool {
        self.by_plugin.iter().any(|(_, filter)| filter.can_fail())
    }

    /// The pods on their way to a node that this one has to yield to.
    fn nominated_pods(&self, node: NodeIndex) -> Vec<&PlacedPod> {
        let counts = |placed: &&PlacedPod| {
            placed.priority >= self.pod.priority()
                && !(placed.name() == self.pod.name() && *placed.identity.namespace == *self.pod.namespace())
        };
        self.snapshot.nominated_pods(node).iter().filter(counts).collect()
    }

    /// Whether all filters let a node pass that look at nothing but the node.
    pub(super) fn passes_node_local(&self, node: NodeIndex) -> bool {
        let mut local = self.by_plugin.iter().filter(|(_, filter)| filter.is_node_local());
        local.all(|(_, filter)| filter.check(node).is_success())
    }

    /// Whether all filters look at nothing but the node, and no node is set aside for another pod.
    pub(super) fn are_all_node_local(&self) -> bool {
        self.by_plugin.iter().all(|(_, filter)| filter.is_node_local())
            && self.snapshot.nominated_nodes().next().is_none()
    }

    /// Whether the plugins have named the only nodes to judge.
    pub(super) fn name_nodes(&self) -> bool {
        self.only.is_some()
    }

    /// The plugins that have named the only nodes to judge.
    pub(super) fn named_by(&self) -> BTreeSet<&'static str> {
        self.only.as_ref().map(|(_, plugins)| plugins.clone()).unwrap_or_default()
    }

    /// Removes from `candidates` the nodes that some filter refuses; node-local ones are asked only if they haven't been before.
    pub(crate) fn narrow(&self, candidates: &mut FixedBitSet, were_node_local_asked: bool) {
        for (_, filter) in &self.by_plugin {
            if !(were_node_local_asked && filter.is_node_local()) {
                filter.narrow(candidates);
            }
        }
        for node in self.snapshot.nominated_nodes() {
            if candidates.contains(node) && !self.check(node).is_success() {
                candidates.remove(node);
            }
        }
    }

    /// The nodes to judge, in the order in which they are visited.
    pub fn nodes_to_visit<'s>(&self, snapshot: &'s Snapshot) -> Cow<'s, [NodeIndex]> {
        let Some((names, _)) = &self.only else { return Cow::Borrowed(snapshot.order()) };
        // DIFFERENCE: D-scheduler-3. Upstream visits them in the random order of a map.
        Cow::Owned(names.iter().filter_map(|name| snapshot.node(name)).collect())
    }

    /// What is to be said of the nodes that aren't judged. Upstream counts the plugin that refused the node that was set
    /// aside for the pod among those that have named nodes.
    pub fn status_of_nodes_left_out(&self, refused_nominated: Option<NodeIndex>) -> Status {
        let Some((_, plugins)) = &self.only else {
            return Status { code: Code::UnschedulableAndUnresolvable, ..Status::SUCCESS };
        };
        let mut plugins = plugins.clone();
        plugins.extend(refused_nominated.map(|node| self.check(node).plugin));
        let text = format!("node(s) didn't satisfy plugin(s) {}", go_list(&plugins));
        Status::new(Code::UnschedulableAndUnresolvable, "", text)
    }

    fn keep_only(&mut self, nodes: BTreeSet<String>, plugin: &'static str) {
        let (names, mut plugins) = match self.only.take() {
            Some((names, plugins)) => (names.intersection(&nodes).cloned().collect(), plugins),
            None => (nodes, BTreeSet::new()),
        };
        plugins.insert(plugin);
        self.only = Some((names, plugins));
    }

    fn status_if_none_left(&self) -> Option<Status> {
        let (names, plugins) = self.only.as_ref()?;
        if !names.is_empty() {
            return None;
        }
        let text = match plugins.first() {
            Some(only) if plugins.len() == 1 => format!("node(s) didn't satisfy plugin {only}"),
            _ => format!("node(s) didn't satisfy plugin(s) {} simultaneously", go_list(plugins)),
        };
        Some(Status::new(Code::UnschedulableAndUnresolvable, "", text))
    }
}

/// A list as Go prints it.
fn go_list(names: &BTreeSet<&'static str>) -> String {
    let names: Vec<&str> = names.iter().copied().collect();
    format!("[{}]", names.join(" "))
}

#[cfg(test)]
mod tests;
