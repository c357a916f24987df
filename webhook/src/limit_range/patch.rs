//! What was filled in, as a JSON Patch.

use json_patch::jsonptr::{PointerBuf, Token};
use json_patch::{AddOperation, Patch, PatchOperation};
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Map, Value};

use super::defaults::{ANNOTATION, Change, Target, containers};
use super::remedy::Field;

/// The patch that makes these changes to a pod as it was sent. It only adds what is missing, so all else that the pod has stays, be it
/// known to this program or not.
pub fn patch(pod: &Pod, changes: &[Change]) -> Patch {
    let mut added: Vec<AddOperation> = Vec::new();
    for change in changes {
        let way = way(&change.target);
        let (to_first_missing, further) = way.split_at(steps_present(&change.target, pod) + 1);
        let path = PointerBuf::from_tokens(to_first_missing);
        let place = added.iter().position(|known| known.path == path).unwrap_or_else(|| {
            added.push(AddOperation { path, value: Value::Null });
            added.len() - 1
        });
        set(&mut added[place].value, further, &change.value);
    }
    Patch(added.into_iter().map(PatchOperation::Add).collect())
}

/// The way to a field, step by step.
fn way(target: &Target) -> Vec<Token<'_>> {
    match target {
        Target::Amount { init, index, field, resource } => vec![
            Token::new("spec"),
            Token::new(containers(*init)),
            Token::from(*index),
            Token::new("resources"),
            Token::new(field.as_str()),
            Token::new(resource),
        ],
        Target::Annotation => vec![Token::new("metadata"), Token::new("annotations"), Token::new(ANNOTATION)],
    }
}

/// How many steps of the [way] to a field that is missing lead to something that is there.
fn steps_present(target: &Target, pod: &Pod) -> usize {
    match target {
        Target::Amount { init, index, field, .. } => {
            let spec = pod.spec.as_ref();
            let list = spec.and_then(|spec| match init {
                true => spec.init_containers.as_ref(),
                false => Some(&spec.containers),
            });
            let resources = list.and_then(|list| list.get(*index)?.resources.as_ref());
            let Some(resources) = resources else { return 3 };
            let amounts = match field {
                Field::Requests => &resources.requests,
                Field::Limits => &resources.limits,
            };
            4 + usize::from(amounts.is_some())
        }
        Target::Annotation => 1 + usize::from(pod.metadata.annotations.is_some()),
    }
}

/// Sets a text at the end of a way, and makes the objects on it that are missing.
fn set(root: &mut Value, way: &[Token<'_>], text: &str) {
    let mut place = root;
    for step in way {
        if !place.is_object() {
            *place = Value::Object(Map::new());
        }
        place = &mut place[&*step.decoded()];
    }
    *place = Value::from(text);
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use k8s_openapi::api::core::v1::LimitRange;
    use plimsoll_fixtures::object;
    use serde_json::json;

    use super::super::{LimitRanges, Limits, default_pod};
    use super::*;

    fn limit_ranges() -> LimitRanges {
        let limit_range: LimitRange = object(
            "{metadata: {name: limits}, spec: {limits: [{type: Container,
                default: {cpu: 500m, example.com/gpu~a: 1}, defaultRequest: {cpu: 100m, example.com/gpu~a: 1}}]}}",
        );
        [Limits::parse(&limit_range).unwrap()].into_iter().collect()
    }

    /// Patches a pod, and returns where something was added.
    #[track_caller]
    fn check(sent: &Value, expected: &[&str]) {
        let pod: Pod = serde_json::from_value(sent.clone()).unwrap();
        let mut filled_in = pod.clone();
        let changes = default_pod(&mut filled_in, &limit_ranges());
        let patch = patch(&pod, &changes);
        let paths: Vec<&str> = patch.iter().map(|operation| operation.path().as_str()).collect();
        assert_eq!(paths, expected);
        let mut patched = sent.clone();
        json_patch::patch(&mut patched, &patch).unwrap();
        assert_eq!(serde_json::from_value::<Pod>(patched).unwrap(), filled_in);
    }

    #[test]
    fn adds_no_more_than_is_missing() {
        check(
            &json!({"metadata": {}, "spec": {"containers": [{"name": "a"}, {"name": "b", "resources": {}}]}}),
            &[
                "/spec/containers/0/resources",
                "/spec/containers/1/resources/requests",
                "/spec/containers/1/resources/limits",
                "/metadata/annotations",
            ],
        );
    }

    #[test]
    fn what_is_null_is_missing() {
        let resources = json!({"limits": null, "requests": {"cpu": "1"}});
        check(
            &json!({"metadata": {"annotations": null}, "spec": {
                "containers": [{"name": "a", "resources": null}],
                "initContainers": [{"name": "b", "resources": resources}],
            }}),
            &[
                "/spec/containers/0/resources",
                "/spec/initContainers/0/resources/requests/example.com~1gpu~0a",
                "/spec/initContainers/0/resources/limits",
                "/metadata/annotations",
            ],
        );
    }

    #[test]
    fn amounts_and_annotations_that_are_there_stay() {
        let amounts = BTreeMap::from([("example.com/gpu~a", "2")]);
        check(
            &json!({
                "metadata": {"annotations": {"who": "me"}},
                "spec": {"containers": [{"name": "a", "resources": {"requests": amounts, "limits": amounts}}]},
            }),
            &[
                "/spec/containers/0/resources/requests/cpu",
                "/spec/containers/0/resources/limits/cpu",
                "/metadata/annotations/kubernetes.io~1limit-ranger",
            ],
        );
    }
}
