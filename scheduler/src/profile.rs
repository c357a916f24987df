//! Which plugins decide for the pods of one `schedulerName`, and how.

use std::cmp::Ordering;

use crate::framework::{Plugin, QueuedPod, ScorePlugin, Status};
use crate::plugins;
use crate::pod_info::PodInfo;

/// The plugins and settings for the pods of one `schedulerName`.
pub struct Profile {
    /// The name that pods ask for.
    pub scheduler_name: String,
    /// The plugins in the order in which they are asked.
    pub plugins: Vec<EnabledPlugin>,
    /// How many per cent of the nodes have to be found feasible before they are compared; 0 lets the number of nodes decide.
    pub percentage_of_nodes_to_score: u8,
    /// Which of several best nodes is taken.
    pub tie_break: TieBreak,
}

/// A plugin and what its scores count.
pub struct EnabledPlugin {
    /// The plugin.
    pub plugin: Plugin,
    /// By what its scores are multiplied.
    pub weight: i64,
}

/// Which of several nodes with the best total is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TieBreak {
    /// The one that upstream's heap happens to have on top.
    Upstream,
    /// One that the seed and the number of decisions so far choose.
    Seeded {
        /// The seed.
        seed: u64,
    },
}

impl Default for Profile {
    /// Upstream's profile with no configuration, of the plugins that there are.
    fn default() -> Self {
        Self {
            scheduler_name: "default-scheduler".to_owned(),
            plugins: plugins::default_plugins(),
            percentage_of_nodes_to_score: 0,
            tie_break: TieBreak::Upstream,
        }
    }
}

impl Profile {
    /// Whether a pod may enter the queue: the first refusal of any plugin, or success.
    ///
    /// # Source
    /// `pkg/scheduler/backend/queue/scheduling_queue.go` (`runPreEnqueuePlugins`)
    pub fn pre_enqueue(&self, pod: &PodInfo<'_>) -> Status {
        let checks = self.plugins.iter().filter_map(|enabled| enabled.plugin.pre_enqueue);
        checks.map(|check| check(pod)).find(|status| !status.is_success()).unwrap_or(Status::SUCCESS)
    }

    /// Which of two waiting pods is decided first.
    pub fn queue_order(&self, first: &QueuedPod<'_>, second: &QueuedPod<'_>) -> Ordering {
        let sort = self.plugins.iter().find_map(|enabled| enabled.plugin.queue_sort);
        sort.map_or(Ordering::Equal, |sort| sort(first, second))
    }

    /// The plugins that compare nodes.
    pub(crate) fn scorers(&self) -> impl Iterator<Item = (&EnabledPlugin, &dyn ScorePlugin)> {
        self.plugins.iter().filter_map(|enabled| Some((enabled, enabled.plugin.score.as_deref()?)))
    }
}
