//! What the API server fills into a ReplicationController.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ReplicationController;

/// Fills in one replica, and selector and labels from the labels of the template.
///
/// # Source
/// kubernetes `pkg/apis/core/v1/defaults.go` (`SetDefaults_ReplicationController`)
pub fn replication_controller(controller: &mut ReplicationController) {
    let Some(spec) = &mut controller.spec else { return };
    spec.replicas.get_or_insert(1);
    let template = spec.template.as_ref().and_then(|template| template.metadata.as_ref());
    let Some(labels) = template.and_then(|metadata| metadata.labels.as_ref()) else { return };
    if spec.selector.as_ref().is_none_or(BTreeMap::is_empty) {
        spec.selector = Some(labels.clone());
    }
    if controller.metadata.labels.as_ref().is_none_or(BTreeMap::is_empty) {
        controller.metadata.labels = Some(labels.clone());
    }
}
