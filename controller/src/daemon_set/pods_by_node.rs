//! Pods, by the node that they are meant for.

use std::collections::{BTreeMap, HashMap};

use super::pod::DaemonPod;

/// Pods, by the node that they are meant for. Those meant for no node are left out.
#[derive(Debug, Default)]
pub(super) struct PodsByNode<'a> {
    /// The pods of the first node, then those of the next, and so on; those of one node in the order given.
    grouped: Vec<&'a DaemonPod>,
    /// For each node, where its pods end.
    ends: Vec<usize>,
    /// Those meant for nodes that are not there, by the name of the node.
    pub(super) elsewhere: BTreeMap<&'a str, Vec<&'a DaemonPod>>,
}

impl<'a> PodsByNode<'a> {
    pub(super) fn new(
        nodes: impl ExactSizeIterator<Item = &'a str>,
        pods: impl Iterator<Item = &'a DaemonPod>,
    ) -> Self {
        let count = nodes.len();
        let places: HashMap<&str, usize> = nodes.enumerate().map(|(place, node)| (node, place)).collect();
        let mut placed: Vec<(usize, &DaemonPod)> = Vec::with_capacity(count);
        let mut elsewhere: BTreeMap<&str, Vec<&DaemonPod>> = BTreeMap::new();
        for pod in pods {
            let Some(node) = pod.target.as_deref() else { continue };
            match places.get(node) {
                Some(place) => placed.push((*place, pod)),
                None => elsewhere.entry(node).or_default().push(pod),
            }
        }
        // This keeps the order of those of one node.
        placed.sort_by_key(|(place, _)| *place);
        let ends = (0..count).scan(0, |end, place| {
            *end += placed[*end..].iter().take_while(|(of, _)| *of == place).count();
            Some(*end)
        });
        let ends = ends.collect();
        Self { grouped: placed.into_iter().map(|(_, pod)| pod).collect(), ends, elsewhere }
    }

    /// The pods of each node, in the order of the nodes.
    pub(super) fn of_each_node(&self) -> impl Iterator<Item = &[&'a DaemonPod]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.grouped[start..*end])
    }
}
