//! What the webhook tells about itself.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::Registry;

/// Which decision, and how it went.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct DecisionLabels {
    /// `mutate`, `validate` or `lint`.
    pub phase: &'static str,
    /// `allowed` or `denied`.
    pub outcome: &'static str,
}

/// What would have become of a request.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct UnenforcedLabels {
    /// `default` or `refuse`.
    pub verdict: &'static str,
    /// `LimitRange` or `ResourceQuota`.
    pub decider: &'static str,
    /// The namespace of the object.
    pub namespace: String,
}

/// Which quota.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct QuotaLabels {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub resourcequota: String,
}

/// The metrics of the process.
pub struct Metrics {
    /// How long decisions take.
    pub decision_seconds: Family<DecisionLabels, Histogram, fn() -> Histogram>,
    /// Requests that a quota refused.
    pub denials: Family<QuotaLabels, Counter>,
    /// Verdicts that were not enforced, as the mode is another.
    pub unenforced: Family<UnenforcedLabels, Counter>,
    /// How many requests shared one write.
    pub batch_size: Histogram,
    /// Requests that were admitted with room held in advance, before anything was written.
    pub drawn: Counter,
    /// How long writing a quota takes.
    pub write_seconds: Histogram,
    /// Writes of a quota that someone else had written meanwhile.
    pub conflicts: Counter,
    /// Lists of a namespace's quotas.
    pub lists: Counter,
    /// Watches that broke off.
    pub watch_errors: Counter,
    /// When the served certificate ends, in seconds since 1970.
    pub certificate_expiry: Gauge,
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0005, 2.0, 15))
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            decision_seconds: Family::new_with_constructor(seconds),
            denials: Family::default(),
            unenforced: Family::default(),
            batch_size: Histogram::new(exponential_buckets(1.0, 2.0, 10)),
            drawn: Counter::default(),
            write_seconds: seconds(),
            conflicts: Counter::default(),
            lists: Counter::default(),
            watch_errors: Counter::default(),
            certificate_expiry: Gauge::default(),
        }
    }
}

impl plimsoll_runtime::health::Registers for Metrics {
    fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("plimsoll_webhook");
        registry.register("decision_seconds", "How long decisions take", self.decision_seconds.clone());
        registry.register("quota_denials", "Requests that a quota refused", self.denials.clone());
        registry.register(
            "unenforced_verdicts",
            "Verdicts that were not enforced, as the mode is another",
            self.unenforced.clone(),
        );
        registry.register("batch_size", "Requests that shared one write", self.batch_size.clone());
        let help = "Requests that were admitted with room of a quota held in advance";
        registry.register("quota_drawn_in_advance", help, self.drawn.clone());
        registry.register(
            "quota_write_seconds",
            "How long writing a quota takes",
            self.write_seconds.clone(),
        );
        registry.register("quota_write_conflicts", "Writes that came too late", self.conflicts.clone());
        registry.register("quota_lists", "Lists of a namespace's quotas", self.lists.clone());
        registry.register("watch_errors", "Watches that broke off", self.watch_errors.clone());
        let help = "When the served certificate ends, in seconds since 1970";
        registry.register("certificate_expiry_timestamp_seconds", help, self.certificate_expiry.clone());
    }
}
