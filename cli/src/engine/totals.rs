//! How quotas and nodes stand at the end.

use std::collections::BTreeMap;

use plimsoll_resource_math::pod_resources::{PodResourcesOptions, StatusResources};
use plimsoll_resource_math::{PodResources, ResourceList};

use super::{Engine, existing};
use crate::report::{NodeReport, QuotaReport};

fn texts(list: &ResourceList) -> BTreeMap<String, String> {
    list.iter().map(|(name, amount)| (name.clone(), amount.to_string())).collect()
}

impl Engine<'_> {
    /// Every quota, by namespace and name.
    pub(super) fn quota_reports(&self) -> Vec<QuotaReport> {
        let quotas = self.world.namespaces.values().flat_map(|namespace| &namespace.quotas);
        quotas
            .map(|quota| QuotaReport {
                namespace: quota.namespace.clone(),
                name: quota.name.clone(),
                hard: texts(&quota.hard),
                used: texts(&quota.used),
            })
            .collect()
    }

    /// Every node, by name, with the requests of the pods on it.
    pub(super) fn node_reports(&self) -> Vec<NodeReport> {
        let mut requested: BTreeMap<&str, (ResourceList, u64)> = BTreeMap::new();
        let options = PodResourcesOptions {
            status: StatusResources::ContainersAndPod,
            ..PodResourcesOptions::default()
        };
        for row in self.rows.iter().filter(|row| row.is_stored()) {
            let (Some(node), Some(pod)) = (&row.node, row.pod()) else { continue };
            if existing::has_ended(pod) {
                continue;
            }
            let (sum, pods) = requested.entry(node).or_default();
            *pods += 1;
            if let Ok(resources) = PodResources::parse(pod) {
                sum.add(&resources.requests(&options));
            }
        }
        let mut reports: Vec<NodeReport> = self
            .world
            .nodes
            .iter()
            .map(|node| {
                let name = node.metadata.name.clone().unwrap_or_default();
                let (sum, pods) = requested.get(name.as_str()).cloned().unwrap_or_default();
                let status = node.status.as_ref();
                let allocatable = status.and_then(|status| status.allocatable.as_ref());
                let allocatable = allocatable.into_iter().flatten();
                NodeReport {
                    name,
                    allocatable: allocatable.map(|(name, amount)| (name.clone(), amount.0.clone())).collect(),
                    requested: texts(&sum),
                    pods,
                }
            })
            .collect();
        reports.sort_by(|a, b| a.name.cmp(&b.name));
        reports
    }
}
