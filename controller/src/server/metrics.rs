//! What the controller tells about itself.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Which resource.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ResourceLabels {
    /// As in `deployments.apps`.
    pub resource: String,
}

/// The metrics of the process.
#[derive(Default)]
pub struct Metrics {
    /// 1 for each resource whose cache follows the API server, 0 for each that does not.
    pub followed: Family<ResourceLabels, Gauge>,
    /// Counts of quotas.
    pub recounts: Counter,
    /// Statuses written.
    pub writes: Counter,
    /// Writes that came too late.
    pub conflicts: Counter,
    /// Counts that failed.
    pub failures: Counter,
    /// Admissions that are not known to be stored yet.
    pub entries: Gauge,
    /// Admissions that were waited for in vain.
    pub expired: Counter,
}

impl plimsoll_runtime::health::Registers for Metrics {
    fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("plimsoll_resource_quota");
        let help = "Whether the objects of a resource are known";
        registry.register("resource_followed", help, self.followed.clone());
        registry.register("recounts", "Counts of quotas", self.recounts.clone());
        registry.register("status_writes", "Statuses written", self.writes.clone());
        registry.register("status_write_conflicts", "Writes that came too late", self.conflicts.clone());
        registry.register("recount_failures", "Counts that failed", self.failures.clone());
        registry.register("reserved_entries", "Admissions not known to be stored yet", self.entries.clone());
        registry.register("expired_entries", "Admissions waited for in vain", self.expired.clone());
    }
}
