//! Static pods: what a kubelet reads from a folder of its node, runs, and shows to the API server as mirror pods.
//!
//! # Source
//! kubernetes `pkg/kubelet/config` and `pkg/kubelet/pod`

mod read;
mod references;

use k8s_openapi::api::core::v1::{Pod, Toleration};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use plimsoll_api::group::GroupResource;
use plimsoll_apiserver::admission::priority::SYSTEM_NODE_CRITICAL;
use plimsoll_apiserver::mirror_pod::CONFIG_MIRROR_ANNOTATION;
use plimsoll_apiserver::validation::pod::validate_pod_create;

pub use read::{StaticPodFile, read_static_pod};

use crate::world::uid_of;

/// The annotation with the hash of the file that a static pod comes from.
const CONFIG_HASH_ANNOTATION: &str = "kubernetes.io/config.hash";
/// The annotation that tells where the kubelet has a pod from.
const CONFIG_SOURCE_ANNOTATION: &str = "kubernetes.io/config.source";
const NODE_CRITICAL_PRIORITY: i32 = 2_000_001_000;

/// What a kubelet makes of one file.
#[derive(Clone, Debug, PartialEq)]
pub enum StaticPod {
    /// It runs this pod, and creates it as a mirror pod.
    Runs {
        /// The mirror pod.
        mirror: Box<Pod>,
        /// What the kubelet logs, and what may surprise.
        warnings: Vec<String>,
    },
    /// It refuses the file.
    Refused {
        /// The pod, as far as it was read.
        pod: Box<Pod>,
        /// The text of the kubelet's log.
        message: String,
    },
}

/// Reads the pod of a file as the kubelet of a node does. The pod has been defaulted already; `source` is the path of the
/// file.
///
/// # Source
/// kubernetes `pkg/kubelet/config/common.go` (`tryDecodeSinglePod`, `applyDefaults`)
pub fn static_pod(mut pod: Pod, node: &str, source: &str) -> StaticPod {
    if pod.metadata.name.as_deref().unwrap_or_default().is_empty() {
        return refused(pod, "invalid pod: name is needed for the pod".to_owned());
    }
    let hash = config_hash(&pod, node, source);
    apply_defaults(&mut pod, node, &hash);
    let errors = validate_pod_create(&pod);
    if !errors.is_empty() {
        let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
        return refused(pod, format!("invalid pod: [{}]", texts.join(" ")));
    }
    if let Some(message) = references::refusal(&pod) {
        return refused(pod, message);
    }
    let warnings = priority_warning(&pod).into_iter().collect();
    into_mirror(&mut pod, node, hash);
    StaticPod::Runs { mirror: Box::new(pod), warnings }
}

fn refused(pod: Pod, message: String) -> StaticPod {
    StaticPod::Refused { pod: Box::new(pod), message }
}

/// The hash that stands for the content of the file; ours differs from upstream's, which is one of Go's dump of the pod.
fn config_hash(pod: &Pod, node: &str, source: &str) -> String {
    if let Some(uid) = pod.metadata.uid.as_deref().filter(|uid| !uid.is_empty()) {
        return uid.to_owned();
    }
    let content = serde_json::to_string(pod).unwrap_or_default();
    let seed = format!("{content}host:{node}file:{source}");
    uid_of(&GroupResource::new("", "pods"), &seed, "").replace('-', "")
}

fn apply_defaults(pod: &mut Pod, node: &str, hash: &str) {
    let metadata = &mut pod.metadata;
    let name = metadata.name.take().unwrap_or_default();
    metadata.name = Some(format!("{name}-{}", node.to_lowercase()));
    if metadata.namespace.as_deref().unwrap_or_default().is_empty() {
        metadata.namespace = Some("default".to_owned());
    }
    let annotations = metadata.annotations.get_or_insert_default();
    annotations.insert(CONFIG_HASH_ANNOTATION.to_owned(), hash.to_owned());
    let spec = pod.spec.get_or_insert_default();
    spec.node_name = Some(node.to_owned());
    let everything = Toleration {
        operator: Some("Exists".to_owned()),
        effect: Some("NoExecute".to_owned()),
        ..Toleration::default()
    };
    let tolerations = spec.tolerations.get_or_insert_default();
    if !tolerations.contains(&everything) {
        tolerations.push(everything);
    }
    pod.status = None;
}

/// # Source
/// kubernetes `pkg/kubelet/config/common.go` (`getStaticPodPriorityWarning`)
fn priority_warning(pod: &Pod) -> Option<String> {
    let spec = pod.spec.as_ref()?;
    let class = spec.priority_class_name.as_deref().unwrap_or_default();
    let warning = match spec.priority {
        None if class.is_empty() => return None,
        None => {
            "Static pod has priorityClassName and nil priority. Kubelet will not use priorityClassName, and mirror pod creation may fail.".to_owned()
        }
        Some(_) if class.is_empty() => {
            "Static pod has priority without priorityClassName. Mirror pod creation may fail if the default priority class doesn't match the given priority.".to_owned()
        }
        Some(NODE_CRITICAL_PRIORITY) if class == SYSTEM_NODE_CRITICAL => return None,
        Some(_) => format!(
            "Static pod has a priority other than {NODE_CRITICAL_PRIORITY} or a priorityClassName other than {SYSTEM_NODE_CRITICAL}. Mirror pod may be attempted to be evicted from the node ineffectively."
        ),
    };
    Some(warning)
}

/// # Source
/// kubernetes `pkg/kubelet/pod/mirror_client.go` (`CreateMirrorPod`)
fn into_mirror(pod: &mut Pod, node: &str, hash: String) {
    let annotations = pod.metadata.annotations.get_or_insert_default();
    annotations.insert(CONFIG_SOURCE_ANNOTATION.to_owned(), "file".to_owned());
    annotations.insert(CONFIG_MIRROR_ANNOTATION.to_owned(), hash);
    pod.metadata.uid = None;
    pod.metadata.owner_references = Some(vec![OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Node".to_owned(),
        name: node.to_owned(),
        uid: uid_of(&GroupResource::new("", "nodes"), "", node),
        controller: Some(true),
        block_owner_deletion: None,
    }]);
}

#[cfg(test)]
mod tests;
