//! What the API server fills into a Deployment.

use k8s_openapi::api::apps::v1::{Deployment, RollingUpdateDeployment};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

use super::ROLLING_UPDATE;

/// Fills in one replica, a rolling update of a quarter of the pods, and the history that is kept.
///
/// # Source
/// kubernetes `pkg/apis/apps/v1/defaults.go` (`SetDefaults_Deployment`)
pub fn deployment(deployment: &mut Deployment) {
    let spec = &mut deployment.spec;
    spec.replicas.get_or_insert(1);
    let strategy = spec.strategy.get_or_insert_default();
    super::fill(&mut strategy.type_, ROLLING_UPDATE);
    if strategy.type_.as_deref() == Some(ROLLING_UPDATE) {
        let quarter = || IntOrString::String("25%".to_owned());
        let update = strategy.rolling_update.get_or_insert_with(RollingUpdateDeployment::default);
        update.max_unavailable.get_or_insert_with(quarter);
        update.max_surge.get_or_insert_with(quarter);
    }
    spec.revision_history_limit.get_or_insert(10);
    spec.progress_deadline_seconds.get_or_insert(600);
}
