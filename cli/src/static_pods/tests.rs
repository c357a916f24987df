use super::*;
use crate::manifests::Source;

fn on_node(text: &str, node: &str) -> StaticPod {
    let source = Source { name: "pod.yaml".to_owned(), text: text.to_owned() };
    static_pod(read_static_pod(&source).unwrap().pod, node, "pod.yaml")
}

#[test]
fn a_static_pod_becomes_a_mirror_pod_of_its_node() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n";
    let StaticPod::Runs { mirror, warnings } = on_node(text, "node-1") else { panic!("refused") };
    assert_eq!(warnings, Vec::<String>::new());
    assert_eq!(mirror.metadata.name.as_deref(), Some("a-node-1"));
    assert_eq!(mirror.metadata.namespace.as_deref(), Some("default"));
    let annotations = mirror.metadata.annotations.unwrap();
    assert_eq!(annotations[CONFIG_MIRROR_ANNOTATION], annotations[CONFIG_HASH_ANNOTATION]);
    assert_eq!(annotations[CONFIG_HASH_ANNOTATION].len(), 32);
    let spec = mirror.spec.unwrap();
    assert_eq!(spec.node_name.as_deref(), Some("node-1"));
    assert_eq!(spec.tolerations.unwrap().len(), 1);
}

#[test]
fn references_to_the_api_are_refused() {
    let containers = "containers: [{name: a, image: a}]";
    let check = |rest: &str, expected: &str| {
        let text =
            format!("apiVersion: v1\nkind: Pod\nmetadata: {{name: a}}\nspec: {{{containers}, {rest}}}\n");
        match on_node(&text, "node-1") {
            StaticPod::Refused { message, .. } => assert_eq!(message, expected),
            StaticPod::Runs { .. } => panic!("accepted {rest}"),
        }
    };
    check("serviceAccountName: x", "static pods may not reference serviceaccounts");
    check("volumes: [{name: v, secret: {secretName: s}}]", "static pods may not reference secrets");
    check("volumes: [{name: v, configMap: {name: s}}]", "static pods may not reference configmaps");
    check(
        "volumes: [{name: v, persistentVolumeClaim: {claimName: s}}]",
        "static pods may not reference persistentvolumeclaims",
    );
}

#[test]
fn an_upper_case_node_name_refuses_every_pod() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: a}]}\n";
    let StaticPod::Refused { message, .. } = on_node(text, "Node-1") else { panic!("accepted") };
    assert!(
        message.starts_with("invalid pod: [spec.nodeName: Invalid value: \"Node-1\": a lowercase RFC 1123 ")
    );
}

#[test]
fn warns_of_priorities_that_do_not_fit() {
    let text = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {priority: 5, containers: [{name: a, image: a}]}\n";
    let StaticPod::Runs { warnings, .. } = on_node(text, "n") else { panic!("refused") };
    assert!(warnings[0].starts_with("Static pod has priority without priorityClassName."));
}
