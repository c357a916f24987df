//! DefaultBinder: a pod is bound to its node by a Binding, which is created at the pod. Asked at Bind.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/defaultbinder/default_binder.go`

use k8s_openapi::api::core::v1::{Binding, ObjectReference};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

use super::Registration;
use crate::framework::{ExtensionPoint, Plugin};
use crate::pod_info::PodInfo;

/// The plugin's name.
pub const NAME: &str = "DefaultBinder";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::Bind],
    weight: 1,
    summary: "A pod is bound to the node that was chosen by a `Binding` that names the node.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin { bind: Some(bind), ..Plugin::new(NAME) }
}

fn bind(pod: &PodInfo<'_>, node: &str) -> Binding {
    let metadata = &pod.pod.metadata;
    Binding {
        metadata: ObjectMeta {
            namespace: metadata.namespace.clone(),
            name: metadata.name.clone(),
            uid: metadata.uid.clone(),
            ..ObjectMeta::default()
        },
        target: ObjectReference {
            kind: Some("Node".to_owned()),
            name: Some(node.to_owned()),
            ..ObjectReference::default()
        },
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use plimsoll_fixtures::object;

    use crate::{PodInfo, Profile};

    #[test]
    fn a_binding_names_pod_and_node() {
        // Source: default_binder_test.go (TestDefaultBinder).
        let pod: Pod = object("{metadata: {name: foo, namespace: ns, uid: u1, labels: {a: b}}, spec: {}}");
        let binding =
            Profile::default().bind(&PodInfo::new(&pod).unwrap(), "foohost.kubernetes.mydomain.com").unwrap();
        let expected = object(
            "{metadata: {name: foo, namespace: ns, uid: u1}, target: {kind: Node, name: foohost.kubernetes.mydomain.com}}",
        );
        assert_eq!(binding, expected);
    }
}
