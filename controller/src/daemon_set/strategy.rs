//! How many pods a rolling update may have missing or in excess.
//!
//! # Source
//! `pkg/controller/daemon/util/daemonset_util.go`, apimachinery `pkg/util/intstr`

use k8s_openapi::api::apps::v1::{DaemonSet, RollingUpdateDaemonSet};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// Why a number of pods can't be told.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CountError {
    /// There is none.
    #[error("nil value for IntOrString")]
    Missing,
    /// It is a text, but no percentage.
    #[error("invalid value for IntOrString: invalid type: string is not a percentage")]
    NotAPercentage,
    /// It is a percentage of no number.
    #[error(
        "invalid value for IntOrString: invalid value {0:?}: strconv.Atoi: parsing {1:?}: invalid syntax"
    )]
    NotANumber(String, String),
}

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

/// # Source
/// apimachinery `pkg/util/intstr/intstr.go` (`GetScaledValueFromIntOrPercent`)
fn rounded_up(value: &IntOrString, total: i32) -> Result<i64, CountError> {
    match value {
        IntOrString::Int(number) => Ok(i64::from(*number)),
        IntOrString::String(text) => {
            let number = text.strip_suffix('%').ok_or(CountError::NotAPercentage)?;
            let percent: i64 =
                number.parse().map_err(|_| CountError::NotANumber(text.clone(), number.to_owned()))?;
            let hundredths = i128::from(percent) * i128::from(total);
            let rounded = hundredths.div_euclid(100) + i128::from(hundredths.rem_euclid(100) > 0);
            Ok(i64::try_from(rounded).unwrap_or(i64::MAX))
        }
    }
}
