//! What becomes of decisions: whether Plimsoll enforces them, or stands beside an API server that decides by itself.

use std::sync::Arc;
use std::time::Duration;

use kube::Client;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::watch;

use crate::health::Registers;
use crate::probe::{self, BuiltIns};

/// What becomes of decisions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Mode {
    /// Defaults are set, requests refused, quotas charged and counted.
    Enforce,
    /// The API server's own plugins and controller do that: no quota is touched and nothing refused. Clients are still warned of
    /// quotas that are nearly full and of LimitRanges that are legal and still a trap; what would have been set or refused is
    /// counted and logged.
    Beside,
    /// As beside, but clients aren't even warned: what would have been set or refused is counted and logged alone.
    Shadow,
}

impl Mode {
    /// What is left of a mode where the API server has its own plugins: two enforcers never write the same status.
    fn in_view_of(self, built_ins: BuiltIns) -> Self {
        match self {
            Self::Enforce if built_ins.resource_quota || built_ins.quota_controller => Self::Beside,
            mode => mode,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Beside => "beside",
            Self::Shadow => "shadow",
        }
    }
}

/// Which mode is asked for, and how it is compared with what the API server does.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Flags {
    /// What becomes of decisions. Where the API server's own ResourceQuota plugin or controller is found at work, `enforce` becomes
    /// `beside` for as long as it is.
    #[arg(long, value_enum, default_value = "enforce", value_name = "MODE")]
    mode: Mode,
    /// The namespace in which a LimitRange and a ResourceQuota are made for a moment to see whether the API server's own plugins are
    /// on. It must be Plimsoll's own, which its webhooks leave out.
    #[arg(long, default_value = "plimsoll-system", value_name = "NAME")]
    probe_namespace: String,
    /// How often that is looked at after the start, in seconds; 0 for never, not even at the start.
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    probe_period_seconds: u64,
}

/// The mode that is in force.
#[derive(Clone, Debug)]
pub struct InForce(watch::Receiver<Mode>);

impl InForce {
    /// A mode that stays as it is.
    pub fn always(mode: Mode) -> Self {
        Self(watch::channel(mode).1)
    }

    /// The mode at this moment.
    pub fn now(&self) -> Mode {
        *self.0.borrow()
    }

    /// Returns once the mode is, or is not, to enforce.
    pub async fn until_enforcing(&mut self, enforcing: bool) {
        let reached = self.0.wait_for(|mode| (*mode == Mode::Enforce) == enforcing).await;
        if reached.is_err() {
            // It does not change any more.
            std::future::pending::<()>().await;
        }
    }
}

/// What is told about the mode.
#[derive(Default)]
pub struct Metrics {
    mode: Family<ModeLabels, Gauge>,
    built_ins: Family<BuiltInLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ModeLabels {
    mode: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BuiltInLabels {
    name: &'static str,
}

impl Registers for Metrics {
    fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("plimsoll");
        registry.register("mode", "1 for the mode in force", self.mode.clone());
        let help = "Whether the API server's own plugin or controller was found at work";
        registry.register("built_in_found", help, self.built_ins.clone());
    }
}

impl Metrics {
    fn tell(&self, mode: Mode, built_ins: BuiltIns) {
        for each in [Mode::Enforce, Mode::Beside, Mode::Shadow] {
            let labels = ModeLabels { mode: each.name() };
            self.mode.get_or_create(&labels).set(i64::from(each == mode));
        }
        for (name, found) in built_ins.by_name() {
            self.built_ins.get_or_create(&BuiltInLabels { name }).set(i64::from(found));
        }
    }
}

impl Flags {
    /// Looks at what the API server does, and from now on every period. What can't be seen is taken to be as it was, at first as if
    /// it were off.
    pub async fn follow(self, client: Client, metrics: Arc<Metrics>) -> InForce {
        let mut found = BuiltIns::default();
        self.look(&client, &mut found, &metrics).await;
        let (tell, in_force) = watch::channel(self.mode.in_view_of(found));
        let period = Duration::from_secs(self.probe_period_seconds);
        if !period.is_zero() {
            tokio::spawn(async move {
                while !tell.is_closed() {
                    tokio::time::sleep(period).await;
                    self.look(&client, &mut found, &metrics).await;
                    let mode = self.mode.in_view_of(found);
                    tell.send_if_modified(|present| std::mem::replace(present, mode) != mode);
                }
            });
        }
        InForce(in_force)
    }

    /// The namespace of the probe's objects.
    pub fn probe_namespace(&self) -> &str {
        &self.probe_namespace
    }

    async fn look(&self, client: &Client, found: &mut BuiltIns, metrics: &Metrics) {
        if self.probe_period_seconds > 0 {
            match probe::look(client, &self.probe_namespace).await {
                Ok(seen) => *found = seen,
                Err(error) => {
                    let (namespace, error) = (&self.probe_namespace, format!("{error:#}"));
                    tracing::warn!(namespace, error, "can't see whether the API server's own plugins are on");
                }
            }
        }
        let mode = self.mode.in_view_of(*found);
        metrics.tell(mode, *found);
        if mode != self.mode {
            let found: Vec<_> = found.by_name().into_iter().filter(|(_, found)| *found).collect();
            let found: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
            tracing::error!(
                asked_for = self.mode.name(),
                mode = mode.name(),
                found = found.join(", "),
                "the API server's own quota enforcement is on, so no quota is charged here: turn it off, or ask for --mode beside"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_enforcers_never_write_the_same_status() {
        let none = BuiltIns::default();
        let plugin = BuiltIns { resource_quota: true, ..none };
        let controller = BuiltIns { quota_controller: true, ..none };
        let limits = BuiltIns { limit_ranger: true, ..none };
        assert_eq!(Mode::Enforce.in_view_of(none), Mode::Enforce);
        assert_eq!(Mode::Enforce.in_view_of(plugin), Mode::Beside);
        assert_eq!(Mode::Enforce.in_view_of(controller), Mode::Beside);
        // The same defaults and bounds twice do no harm.
        assert_eq!(Mode::Enforce.in_view_of(limits), Mode::Enforce);
        assert_eq!(Mode::Shadow.in_view_of(plugin), Mode::Shadow);
        assert_eq!(Mode::Beside.in_view_of(none), Mode::Beside);
    }
}
