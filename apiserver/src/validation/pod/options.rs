//! What validation lets pass because the object has had it before.

/// Which checks are relaxed. The default is what holds for a new object.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`PodValidationOptions`), with the default feature gates
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each field is one of upstream's options")]
pub struct PodValidationOptions {
    /// The spec is that of a pod, not of a template.
    pub resource_is_pod: bool,
    /// The deletion cost in the annotation may be no number.
    pub allow_invalid_pod_deletion_cost: bool,
    /// Selectors of pod affinity may hold values that no label can have.
    pub allow_invalid_label_value_in_selector: bool,
    /// Required node affinity may hold values that no label can have.
    pub allow_invalid_label_value_in_required_node_affinity: bool,
    /// Amounts of huge pages may be no multiple of the page size.
    pub allow_indivisible_huge_pages_values: bool,
    /// Selectors of spread constraints may be malformed.
    pub allow_invalid_topology_spread_constraint_label_selector: bool,
    /// Label keys of spread constraints are checked as they were before they were merged into the selector.
    pub old_pod_violates_match_label_keys_validation: bool,
    /// Projected tokens may lie outside of the volume.
    pub allow_non_local_projected_token_path: bool,
    /// Sysctls of a namespace may be set that the pod shares with its host.
    pub allow_namespaced_sysctls_for_host_net_and_host_ipc: bool,
    /// Init containers other than sidecars may ask to be restarted on resize.
    pub allow_existing_restart_container_for_non_sidecar_init_container: bool,
    /// Block devices may be combined with user namespaces.
    pub allow_user_namespaces_with_volume_devices: bool,
    /// The network of the host may be combined with user namespaces.
    pub allow_user_namespaces_host_network_support: bool,
    /// Tolerations may compare numbers.
    pub allow_taint_toleration_comparison_operators: bool,
    /// Image volumes may name no image.
    pub allow_empty_image_volume_reference: bool,
    /// `CAP_SYS_ADMIN` may be combined with a ban on privilege escalation.
    pub allow_sys_admin_when_privilege_escalation_false: bool,
}

impl PodValidationOptions {
    /// The checks of a new pod.
    pub(crate) fn for_pod() -> Self {
        Self { resource_is_pod: true, ..Self::default() }
    }
}
