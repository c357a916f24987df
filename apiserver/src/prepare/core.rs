//! Services, claims, namespaces and nodes that are being created.

use k8s_openapi::api::core::v1::{
    Namespace, NamespaceStatus, Node, PersistentVolumeClaim, PersistentVolumeClaimSpec, Service,
    TypedLocalObjectReference, TypedObjectReference,
};

/// Drops the status of a new Service, and copies its one address to the list of addresses. No address or port is handed
/// out.
///
/// # Source
/// kubernetes `pkg/registry/core/service/strategy.go` (`PrepareForCreate`), `storage/storage.go` (`normalizeClusterIPs`)
pub fn service_for_create(service: &mut Service) {
    service.status = None;
    let spec = service.spec.get_or_insert_default();
    let address = spec.cluster_ip.clone().filter(|address| !address.is_empty());
    if let Some(address) = address
        && spec.cluster_ips.as_ref().is_none_or(Vec::is_empty)
    {
        spec.cluster_ips = Some(vec![address]);
    }
}

/// Drops the status of a new claim, and makes its two fields for a source of data agree.
///
/// # Source
/// kubernetes `pkg/registry/core/persistentvolumeclaim/strategy.go` (`PrepareForCreate`)
pub fn persistent_volume_claim_for_create(claim: &mut PersistentVolumeClaim) {
    claim.status = None;
    let spec = claim.spec.get_or_insert_default();
    let is_elsewhere = |source: &TypedObjectReference| {
        source.namespace.as_ref().is_some_and(|namespace| !namespace.is_empty())
    };
    if spec.data_source_ref.as_ref().is_some_and(is_elsewhere) {
        spec.data_source_ref = None;
    }
    let is_allowed = |source: &TypedLocalObjectReference| {
        matches!(
            (source.api_group.as_deref().unwrap_or_default(), source.kind.as_str()),
            ("", "PersistentVolumeClaim") | ("snapshot.storage.k8s.io", "VolumeSnapshot")
        )
    };
    if spec.data_source_ref.is_none() && !spec.data_source.as_ref().is_some_and(is_allowed) {
        spec.data_source = None;
    }
    copy_data_source(spec);
}

/// # Source
/// kubernetes `pkg/api/persistentvolumeclaim` (`NormalizeDataSources`)
fn copy_data_source(spec: &mut PersistentVolumeClaimSpec) {
    match (&spec.data_source, &spec.data_source_ref) {
        (Some(source), None) => {
            spec.data_source_ref = Some(TypedObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
                namespace: None,
            });
        }
        (None, Some(source)) => {
            spec.data_source = Some(TypedLocalObjectReference {
                api_group: source.api_group.clone(),
                kind: source.kind.clone(),
                name: source.name.clone(),
            });
        }
        _ => {}
    }
}

/// Makes a new namespace active, and keeps it until its content is gone.
///
/// # Source
/// kubernetes `pkg/registry/core/namespace/strategy.go` (`PrepareForCreate`)
pub fn namespace_for_create(namespace: &mut Namespace) {
    namespace.status =
        Some(NamespaceStatus { phase: Some("Active".to_owned()), ..NamespaceStatus::default() });
    let finalizers = namespace.spec.get_or_insert_default().finalizers.get_or_insert_default();
    if !finalizers.iter().any(|finalizer| finalizer == "kubernetes") {
        finalizers.push("kubernetes".to_owned());
    }
}

/// Drops what is switched off from a new node, which keeps its status.
///
/// # Source
/// kubernetes `pkg/registry/core/node/strategy.go` (`PrepareForCreate`)
pub fn node_for_create(node: &mut Node) {
    if let Some(spec) = &mut node.spec {
        spec.config_source = None;
        spec.pod_preemption_policy = None;
    }
    if let Some(status) = &mut node.status {
        status.config = None;
    }
}
