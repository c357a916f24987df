//! What the API server fills into a DaemonSet.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::ROLLING_UPDATE;

/// Fills in a rolling update of one node at a time, and the history that is kept.
///
/// # Source
/// kubernetes `pkg/apis/apps/v1/defaults.go` (`SetDefaults_DaemonSet`)
pub fn daemon_set(daemon_set: &mut DaemonSet) {
    let spec = &mut daemon_set.spec;
    let strategy = spec.update_strategy.get_or_insert_default();
    super::fill(&mut strategy.type_, ROLLING_UPDATE);
    if strategy.type_.as_deref() == Some(ROLLING_UPDATE) {
        let update = strategy.rolling_update.get_or_insert_default();
        update.max_unavailable.get_or_insert(IntOrString::Int(1));
        update.max_surge.get_or_insert(IntOrString::Int(0));
    }
    spec.revision_history_limit.get_or_insert(10);
}
