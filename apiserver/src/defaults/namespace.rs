//! What the API server fills into a Namespace.

use k8s_openapi::api::core::v1::Namespace;

use super::fill;

/// The label by which selectors find a namespace by its name.
pub const METADATA_NAME_LABEL: &str = "kubernetes.io/metadata.name";

/// Fills in the label with the namespace's own name, and that the namespace is active.
///
/// # Source
/// kubernetes `pkg/apis/core/v1/defaults.go` (`SetDefaults_Namespace`, `SetDefaults_NamespaceStatus`)
pub fn namespace(namespace: &mut Namespace) {
    if let Some(name) = namespace.metadata.name.clone().filter(|name| !name.is_empty()) {
        let labels = namespace.metadata.labels.get_or_insert_default();
        labels.insert(METADATA_NAME_LABEL.to_owned(), name);
    }
    fill(&mut namespace.status.get_or_insert_default().phase, "Active");
}
