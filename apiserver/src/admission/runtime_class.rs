//! RuntimeClass: the overhead and the node constraints of a pod's runtime.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Pod, PodSpec, Toleration};
use k8s_openapi::api::node::v1::{RuntimeClass, Scheduling};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::group::GroupResource;
use plimsoll_api::quote::go_quote;
use plimsoll_api::status::Status;
use plimsoll_resource_math::ResourceList;

const OVERHEAD_DIFFERS: &str = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
const OVERHEAD_UNFOUNDED: &str =
    "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead";

/// Sets overhead, node selector and tolerations of a pod that is created, as its runtime class wants them.
///
/// # Errors
/// 403 for an unknown class, for a contradicting node selector, and for an overhead that is not the class's.
///
/// # Source
/// kubernetes `plugin/pkg/admission/runtimeclass` (`RuntimeClass.Admit`, `RuntimeClass.Validate`)
pub fn admit(pod: &mut Pod, name: &str, find: impl Fn(&str) -> Option<RuntimeClass>) -> Result<(), Status> {
    let forbidden = |cause: String| Status::forbidden(&GroupResource::new("", "pods"), name, &cause);
    let Some(spec) = &mut pod.spec else { return Ok(()) };
    let class = match &spec.runtime_class_name {
        None => None,
        Some(class_name) => Some(find(class_name).ok_or_else(|| {
            forbidden(format!("pod rejected: RuntimeClass {} not found", go_quote(class_name)))
        })?),
    };
    let overhead = class.as_ref().and_then(|class| class.overhead.as_ref()).map(|overhead| {
        let fixed = overhead.pod_fixed.clone();
        fixed.filter(|fixed| !fixed.is_empty())
    });
    match overhead {
        Some(overhead) => set_overhead(spec, overhead).map_err(|cause| forbidden(cause.to_owned()))?,
        None if spec.overhead.is_some() => return Err(forbidden(OVERHEAD_UNFOUNDED.to_owned())),
        None => {}
    }
    match class.and_then(|class| class.scheduling) {
        Some(scheduling) => set_scheduling(spec, scheduling).map_err(forbidden),
        None => Ok(()),
    }
}

fn set_overhead(
    spec: &mut PodSpec,
    overhead: Option<BTreeMap<String, ApiQuantity>>,
) -> Result<(), &'static str> {
    let given = spec.overhead.as_ref().filter(|given| !given.is_empty());
    // Amounts that are no quantities are no equal amounts; validation names them.
    let equal = |given| ResourceList::parse(Some(given)).ok() == ResourceList::parse(overhead.as_ref()).ok();
    if given.is_some_and(|given| !equal(given)) {
        return Err(OVERHEAD_DIFFERS);
    }
    spec.overhead = overhead;
    Ok(())
}

fn set_scheduling(spec: &mut PodSpec, scheduling: Scheduling) -> Result<(), String> {
    let of_class = scheduling.node_selector.unwrap_or_default();
    if let Some(of_pod) = &spec.node_selector {
        for (key, class_value) in &of_class {
            if let Some(pod_value) = of_pod.get(key).filter(|value| *value != class_value) {
                return Err(format!(
                    "conflict: runtimeClass.scheduling.nodeSelector[{key}] = {class_value}; pod.spec.nodeSelector[{key}] = {pod_value}"
                ));
            }
        }
    }
    if !of_class.is_empty() {
        spec.node_selector.get_or_insert_default().extend(of_class);
    }
    let mut tolerations = spec.tolerations.take().unwrap_or_default();
    tolerations.extend(scheduling.tolerations.unwrap_or_default());
    spec.tolerations = Some(merge_tolerations(&tolerations)).filter(|merged| !merged.is_empty());
    Ok(())
}

/// Leaves out each toleration that another one covers; of equal ones the first stays.
///
/// # Source
/// kubernetes `pkg/util/tolerations` (`MergeTolerations`)
fn merge_tolerations(all: &[Toleration]) -> Vec<Toleration> {
    let mut merged: Vec<Toleration> = Vec::with_capacity(all.len());
    for (position, toleration) in all.iter().enumerate() {
        let covered_before = merged.iter().any(|kept| covers(kept, toleration));
        let covered_after =
            all[position + 1..].iter().any(|later| later != toleration && covers(later, toleration));
        if !covered_before && !covered_after {
            merged.push(toleration.clone());
        }
    }
    merged
}

/// Whether `wide` tolerates all that `narrow` does.
///
/// # Source
/// kubernetes `pkg/util/tolerations` (`isSuperset`)
fn covers(wide: &Toleration, narrow: &Toleration) -> bool {
    fn text(field: Option<&String>) -> &str {
        field.map_or("", String::as_str)
    }
    if wide == narrow {
        return true;
    }
    let wide_key = text(wide.key.as_ref());
    let wide_operator = text(wide.operator.as_ref());
    let wide_effect = text(wide.effect.as_ref());
    let any_key = wide_key.is_empty() && wide_operator == "Exists";
    if text(narrow.key.as_ref()) != wide_key && !any_key {
        return false;
    }
    if !wide_effect.is_empty() && text(narrow.effect.as_ref()) != wide_effect {
        return false;
    }
    let ends_before = |seconds: i64| narrow.toleration_seconds.is_none_or(|narrow| narrow > seconds);
    if wide_effect == "NoExecute" && wide.toleration_seconds.is_some_and(ends_before) {
        return false;
    }
    match wide_operator {
        "" | "Equal" => {
            text(narrow.operator.as_ref()) == "Equal"
                && text(narrow.value.as_ref()) == text(wide.value.as_ref())
        }
        "Exists" => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_fixtures::object;

    fn class() -> RuntimeClass {
        object(
            "
            metadata: {name: vm}
            handler: vm
            overhead: {podFixed: {memory: 64Mi}}
            scheduling:
              nodeSelector: {runtime: vm}
              tolerations: [{key: vm, operator: Exists}]
            ",
        )
    }

    #[track_caller]
    fn check(spec: &str, expected: Result<&str, &str>) {
        let mut pod: Pod = object(&format!("spec: {spec}"));
        let outcome = admit(&mut pod, "p", |name| (name == "vm").then(class));
        match expected {
            Ok(expected) => {
                let expected: Pod = object(&format!("spec: {expected}"));
                assert_eq!((outcome, pod), (Ok(()), expected));
            }
            Err(cause) => {
                let message = outcome.map_err(|status| status.message);
                assert_eq!(message, Err(format!("pods \"p\" is forbidden: {cause}")));
            }
        }
    }

    #[test]
    fn sets_what_the_class_wants() {
        check(
            "{containers: [], runtimeClassName: vm, tolerations: [{key: vm, operator: Equal, value: x}]}",
            Ok(
                "{containers: [], runtimeClassName: vm, overhead: {memory: 64Mi}, nodeSelector: {runtime: vm}, tolerations: [{key: vm, operator: Exists}]}",
            ),
        );
        check("{containers: []}", Ok("{containers: []}"));
    }

    #[test]
    fn refuses_contradictions() {
        check(
            "{containers: [], runtimeClassName: none}",
            Err(r#"pod rejected: RuntimeClass "none" not found"#),
        );
        check("{containers: [], runtimeClassName: vm, overhead: {memory: 1Mi}}", Err(OVERHEAD_DIFFERS));
        check("{containers: [], overhead: {memory: 1Mi}}", Err(OVERHEAD_UNFOUNDED));
        check(
            "{containers: [], runtimeClassName: vm, nodeSelector: {runtime: runc}}",
            Err(
                "conflict: runtimeClass.scheduling.nodeSelector[runtime] = vm; pod.spec.nodeSelector[runtime] = runc",
            ),
        );
    }
}
