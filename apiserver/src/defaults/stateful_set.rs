//! What the API server fills into a StatefulSet.

use k8s_openapi::api::apps::v1::StatefulSet;
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;
use plimsoll_resource_math::resource_list::ParseResourceListError;

use super::{ROLLING_UPDATE, fill, persistent_volume_claim};

/// Fills in one replica, ordered start, a rolling update, and that claims outlive the set.
///
/// # Errors
/// The first amount of a claim that is no quantity.
///
/// # Source
/// kubernetes `pkg/apis/apps/v1/defaults.go` (`SetDefaults_StatefulSet`)
pub fn stateful_set(stateful_set: &mut StatefulSet) -> Result<(), ParseResourceListError> {
    let spec = &mut stateful_set.spec;
    fill(&mut spec.pod_management_policy, "OrderedReady");
    let strategy = spec.update_strategy.get_or_insert_default();
    if strategy.type_.as_deref().unwrap_or_default().is_empty() {
        strategy.type_ = Some(ROLLING_UPDATE.to_owned());
        strategy.rolling_update.get_or_insert_default();
    }
    if strategy.type_.as_deref() == Some(ROLLING_UPDATE)
        && let Some(update) = &mut strategy.rolling_update
    {
        update.partition.get_or_insert(0);
        update.max_unavailable.get_or_insert(IntOrString::Int(1));
    }
    let retention = spec.persistent_volume_claim_retention_policy.get_or_insert_default();
    fill(&mut retention.when_deleted, "Retain");
    fill(&mut retention.when_scaled, "Retain");
    spec.replicas.get_or_insert(1);
    spec.revision_history_limit.get_or_insert(10);
    for claim in spec.volume_claim_templates.iter_mut().flatten() {
        persistent_volume_claim::persistent_volume_claim(claim)?;
    }
    Ok(())
}
