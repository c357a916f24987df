//! The pods that the controller makes for a DaemonSet.

use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::{Pod, PodTemplateSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::node_affinity::pin_to_node;
use super::tolerations::add_default_tolerations;
use super::{
    API_VERSION, CONTROLLER_REVISION_HASH_LABEL, KIND, POD_TEMPLATE_GENERATION_LABEL,
    TEMPLATE_GENERATION_ANNOTATION,
};
use crate::owner::Owner;
use crate::pod_from_template::pod_from_template;

/// Makes the pods of one DaemonSet, one a node: the template is read once.
#[derive(Clone, Debug)]
pub struct PodMaker {
    pod: Pod,
}

impl PodMaker {
    /// Prepares the pods of a DaemonSet with this uid, whose template has this revision hash.
    pub fn new(daemon_set: &DaemonSet, uid: &str, revision_hash: &str) -> Self {
        let generation = template_generation(&daemon_set.metadata);
        let template = create_pod_template(&daemon_set.spec.template, generation, revision_hash);
        Self { pod: pod_from_template(&template, &Owner::new(API_VERSION, KIND, &daemon_set.metadata, uid)) }
    }

    /// The pod for a node as the controller sends it: pinned to the node by node affinity, with a prefix in place of a
    /// name.
    ///
    /// # Source
    /// `pkg/controller/daemon/daemon_controller.go` (`syncNodes`)
    pub fn pod_for(&self, node: &str) -> Pod {
        let mut pod = self.pod.clone();
        pin_to_node(&mut pod.spec.get_or_insert_default().affinity, node);
        pod
    }

    /// The pod that belongs to no node yet.
    pub(super) fn into_unpinned(self) -> Pod {
        self.pod
    }
}

/// The template with the default tolerations and the labels of its generation, if known, and of its hash, if not empty.
///
/// # Source
/// `pkg/controller/daemon/util/daemonset_util.go` (`CreatePodTemplate`)
pub fn create_pod_template(
    template: &PodTemplateSpec,
    generation: Option<i64>,
    revision_hash: &str,
) -> PodTemplateSpec {
    let mut template = template.clone();
    add_default_tolerations(template.spec.get_or_insert_default());
    let labels = template.metadata.get_or_insert_default().labels.get_or_insert_default();
    if let Some(generation) = generation {
        labels.insert(POD_TEMPLATE_GENERATION_LABEL.to_owned(), generation.to_string());
    }
    if !revision_hash.is_empty() {
        labels.insert(CONTROLLER_REVISION_HASH_LABEL.to_owned(), revision_hash.to_owned());
    }
    template
}

/// The generation of a DaemonSet's template, which the API server shows in an annotation, and a revision of it repeats; `None` if
/// it is missing or no number.
///
/// # Source
/// `pkg/controller/daemon/util/daemonset_util.go` (`GetTemplateGeneration`)
pub fn template_generation(metadata: &ObjectMeta) -> Option<i64> {
    let annotations = metadata.annotations.as_ref()?;
    annotations.get(TEMPLATE_GENERATION_ANNOTATION)?.parse().ok()
}
