//! How many pods a rolling update may have missing or in excess.
//!
//! # Source
//! `pkg/controller/daemon/util/daemonset_util.go`

use k8s_openapi::api::apps::v1::{DaemonSet, RollingUpdateDaemonSet};

use crate::int_or_percent::{CountError, rounded_up};

/// Whether the strategy is a rolling update.
pub fn is_rolling_update(daemon_set: &DaemonSet) -> bool {
    let strategy = daemon_set.spec.update_strategy.as_ref();
    strategy.and_then(|strategy| strategy.type_.as_deref()) == Some("RollingUpdate")
}

fn rolling_update(daemon_set: &DaemonSet) -> Option<&RollingUpdateDaemonSet> {
    let strategy = daemon_set.spec.update_strategy.as_ref().filter(|_| is_rolling_update(daemon_set))?;
    strategy.rolling_update.as_ref()
}

/// How many pods more than desired there may be.
///
/// # Source
/// `pkg/controller/daemon/util/daemonset_util.go` (`SurgeCount`)
pub fn max_surge(daemon_set: &DaemonSet, desired: i32) -> Result<i64, CountError> {
    match rolling_update(daemon_set).and_then(|update| update.max_surge.as_ref()) {
        None => Ok(0),
        Some(surge) => rounded_up(surge, desired),
    }
}

/// Of how many nodes the pod may be missing.
///
/// # Source
/// `pkg/controller/daemon/util/daemonset_util.go` (`UnavailableCount`)
pub fn max_unavailable(daemon_set: &DaemonSet, desired: i32) -> Result<i64, CountError> {
    match rolling_update(daemon_set) {
        None => Ok(0),
        Some(update) => rounded_up(update.max_unavailable.as_ref().ok_or(CountError::Missing)?, desired),
    }
}

/// Whether a node may have two pods.
///
/// # Source
/// `pkg/controller/daemon/util/daemonset_util.go` (`AllowsSurge`)
pub fn allows_surge(daemon_set: &DaemonSet) -> bool {
    max_surge(daemon_set, 1).is_ok_and(|surge| surge > 0)
}
