//! What the API server fills into a ReplicaSet.

use k8s_openapi::api::apps::v1::ReplicaSet;

/// Fills in one replica.
///
/// # Source
/// kubernetes `pkg/apis/apps/v1/defaults.go` (`SetDefaults_ReplicaSet`)
pub fn replica_set(replica_set: &mut ReplicaSet) {
    replica_set.spec.replicas.get_or_insert(1);
}
