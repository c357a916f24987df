//! What the API server fills into a ReplicaSet.

use k8s_openapi::api::apps::v1::ReplicaSet;

/// Fills in one replica, and a template where there is none: upstream's is never absent.
///
/// # Source
/// kubernetes `pkg/apis/apps/v1/defaults.go` (`SetDefaults_ReplicaSet`)
pub fn replica_set(replica_set: &mut ReplicaSet) {
    replica_set.spec.replicas.get_or_insert(1);
    replica_set.spec.template.get_or_insert_default();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_never_absent() {
        let mut empty = ReplicaSet::default();
        replica_set(&mut empty);
        assert!(empty.spec.template.is_some());
    }
}
