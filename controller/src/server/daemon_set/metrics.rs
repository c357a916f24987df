//! What the DaemonSet controller tells about itself, by upstream's names.
//!
//! # Source
//! `pkg/controller/daemon/metrics`, component-base `metrics/prometheus/workqueue`

use std::sync::atomic::AtomicU64;

use plimsoll_api::group::GroupResource;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// The name of the work queue in its metrics.
const QUEUE: &str = "daemonset";

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResourceLabels {
    group: String,
    resource: String,
}

/// The metrics of the controller.
#[derive(Default)]
pub(in crate::server) struct Metrics {
    stale_sync_skips: Family<ResourceLabels, Counter>,
    /// Those of its work queue.
    pub(super) queue: QueueMetrics,
}

/// The metrics of a work queue.
#[derive(Clone)]
pub(super) struct QueueMetrics {
    depth: Gauge,
    pub(super) adds: Counter,
    pub(super) waited: Histogram,
    pub(super) worked: Histogram,
    pub(super) unfinished: Gauge<f64, AtomicU64>,
    pub(super) longest: Gauge<f64, AtomicU64>,
    pub(super) retries: Counter,
}

impl Default for QueueMetrics {
    fn default() -> Self {
        let seconds = || Histogram::new(exponential_buckets(1e-8, 10.0, 12));
        Self {
            depth: Gauge::default(),
            adds: Counter::default(),
            waited: seconds(),
            worked: seconds(),
            unfinished: Gauge::default(),
            longest: Gauge::default(),
            retries: Counter::default(),
        }
    }
}

impl QueueMetrics {
    pub(super) fn set_depth(&self, depth: usize) {
        self.depth.set(i64::try_from(depth).unwrap_or(i64::MAX));
    }
}

impl Metrics {
    /// A sync was put off, because a cache does not show yet what was written.
    pub(super) fn skipped(&self, resource: &GroupResource) {
        let GroupResource { group, resource } = resource.clone();
        self.stale_sync_skips.get_or_create(&ResourceLabels { group, resource }).inc();
    }
}

impl plimsoll_runtime::health::Registers for Metrics {
    fn register(&self, registry: &mut Registry) {
        registry.register(
            "daemonset_controller_stale_sync_skips",
            "Syncs put off until the cache of a resource shows what was written",
            self.stale_sync_skips.clone(),
        );
        let registry = registry.sub_registry_with_prefix("workqueue");
        let registry = registry.sub_registry_with_label(("name".into(), QUEUE.into()));
        let queue = &self.queue;
        registry.register("depth", "Keys that are ready", queue.depth.clone());
        registry.register("adds", "Keys that were added", queue.adds.clone());
        registry.register("queue_duration_seconds", "How long keys were ready", queue.waited.clone());
        registry.register("work_duration_seconds", "How long work on a key took", queue.worked.clone());
        let help = "How long workers have been at it by now, in all";
        registry.register("unfinished_work_seconds", help, queue.unfinished.clone());
        let help = "How long the slowest worker has been at it by now";
        registry.register("longest_running_processor_seconds", help, queue.longest.clone());
        registry.register("retries", "Keys that come again after a failure", queue.retries.clone());
    }
}
