//! What the API server fills into a PriorityClass.

use k8s_openapi::api::scheduling::v1::PriorityClass;

/// Fills in that its pods may take the place of others.
///
/// # Source
/// kubernetes `pkg/apis/scheduling/v1/defaults.go` (`SetDefaults_PriorityClass`)
pub fn priority_class(class: &mut PriorityClass) {
    class.preemption_policy.get_or_insert_with(|| "PreemptLowerPriority".to_owned());
}
