//! The pod that a controller makes of its pod template.
//!
//! # Source
//! `pkg/controller/controller_utils.go`

use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::names::dns_1123_subdomain;

use crate::owner::Owner;

/// The pod as the owner's controller sends it: labels, annotations and finalizers of the template, a prefix for its
/// name, one owner, and the spec. The name itself is the API server's to choose.
///
/// # Source
/// `pkg/controller/controller_utils.go` (`GetPodFromTemplate`)
pub fn pod_from_template(template: &PodTemplateSpec, owner: &Owner<'_>) -> Pod {
    let given = template.metadata.as_ref();
    let metadata = ObjectMeta {
        labels: given.and_then(|given| given.labels.clone()),
        annotations: given.and_then(|given| given.annotations.clone()),
        finalizers: given.and_then(|given| given.finalizers.clone()),
        generate_name: Some(pod_name_prefix(owner.name)),
        namespace: Some(owner.namespace.to_owned()),
        owner_references: Some(vec![owner.reference()]),
        ..ObjectMeta::default()
    };
    Pod { metadata, spec: Some(template.spec.clone().unwrap_or_default()), status: None }
}

/// The prefix of the names of a controller's pods: its own name and a dash, or no dash where that can't be the start of
/// a name.
///
/// # Source
/// `pkg/controller/controller_utils.go` (`getPodsPrefix`)
pub fn pod_name_prefix(controller_name: &str) -> String {
    // Upstream checks the prefix with its last two characters replaced by one letter.
    let mut checked = controller_name.to_owned();
    checked.pop();
    checked.push('a');
    if controller_name.is_empty() || !dns_1123_subdomain(&checked).is_empty() {
        return controller_name.to_owned();
    }
    format!("{controller_name}-")
}

#[cfg(test)]
mod tests {
    use super::pod_name_prefix;

    #[test]
    fn a_dash_follows_every_name_that_may_start_a_pod_name() {
        assert_eq!(pod_name_prefix("web"), "web-");
        assert_eq!(pod_name_prefix("a"), "a-");
        assert_eq!(pod_name_prefix(""), "");
        assert_eq!(pod_name_prefix("Web"), "Web");
        assert_eq!(pod_name_prefix(&"a".repeat(253)), format!("{}-", "a".repeat(253)));
        assert_eq!(pod_name_prefix(&"a".repeat(254)), "a".repeat(254));
    }
}
