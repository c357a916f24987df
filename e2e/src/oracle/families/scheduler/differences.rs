//! Where extenders that don't know the nodes make a difference.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What is told of each pod before extenders are asked.
const BY_PLUGINS: [&str; 4] = ["order", "verdicts", "scores", "preFilter"];

/// The difference that an extender makes which is sent nodes and sends nodes back. All that comes after the first pod that it
/// concerns may differ.
pub(super) fn of_nodes_sent_back(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let (ours, theirs) = first_difference(ours, theirs)?;
    if BY_PLUGINS.iter().any(|field| ours.get(field) != theirs.get(field)) {
        return None;
    }
    let extenders = input["config"]["extenders"].as_array()?;
    let answers = input["extenders"].as_array()?;
    let is_sent_nodes =
        |extender: &Value| extender["filterVerb"].is_string() && extender["nodeCacheCapable"] != true;
    let mut sent: Vec<&Value> = extenders
        .iter()
        .zip(answers)
        .filter(|(extender, _)| is_sent_nodes(extender))
        .map(|(_, answers)| answers)
        .collect();
    let differs_by_node = !sent.is_empty()
        && ours["feasible"].as_u64() > Some(1)
        && ours["node"].is_string()
        && theirs["node"].is_string()
        && ours["node"] != theirs["node"]
        && without_node(ours) == without_node(theirs);
    if differs_by_node {
        return Some("D-scheduler-50");
    }
    sent.retain(|answers| answers["filter"]["claims"].as_array().is_some_and(|claims| !claims.is_empty()));
    (!sent.is_empty()).then_some("D-scheduler-51")
}

/// Whether nothing differs but the order in which preemption tells what went wrong on several nodes.
pub(super) fn in_order_of_errors(ours: &Value, theirs: &Value) -> bool {
    let sorted = |answers: &Value| {
        let mut answers = answers.clone();
        for answer in answers.as_array_mut().into_iter().flatten() {
            let message = answer["message"].as_str().unwrap_or_default();
            let Some((before, errors)) = message.split_once(" preemption: [") else { continue };
            let mut errors: Vec<&str> = errors.trim_end_matches(']').split(", ").collect();
            errors.sort_unstable();
            answer["message"] = json!([before, errors]);
        }
        answers
    };
    ours != theirs && sorted(ours) == sorted(theirs)
}

/// Whether the first pod that differs is one for which one side gives up the search for devices and the other doesn't.
pub(super) fn in_giving_up(ours: &Value, theirs: &Value) -> bool {
    let gives_up = |answer: &Value| answer.to_string().contains("timed out trying to allocate devices");
    first_difference(ours, theirs).is_some_and(|(ours, theirs)| gives_up(ours) != gives_up(theirs))
}

/// Whether the first pod that differs does so by how good its nodes are as to resources, and by which one it gets, where two devices of a
/// pool have the same name.
pub(super) fn in_scores_by_devices(input: &Value, ours: &Value, theirs: &Value) -> bool {
    let slices = input["resourceSlices"].as_array().into_iter().flatten();
    let mut devices: BTreeMap<(&str, &str, &str), &Value> = BTreeMap::new();
    let mut are_alike = true;
    for spec in slices.map(|slice| &slice["spec"]) {
        for device in spec["devices"].as_array().into_iter().flatten() {
            let key = (
                spec["driver"].as_str().unwrap_or_default(),
                spec["pool"]["name"].as_str().unwrap_or_default(),
                device["name"].as_str().unwrap_or_default(),
            );
            are_alike &= devices.insert(key, device).is_none_or(|other| other == device);
        }
    }
    let Some((ours, theirs)) = first_difference(ours, theirs) else { return false };
    !are_alike
        && ours["scores"] != theirs["scores"]
        && without_resource_scores(ours) == without_resource_scores(theirs)
}

fn without_resource_scores(answer: &Value) -> Value {
    let mut answer = super::without_fields(&without_node(answer), &["bind"]);
    answer["scores"] =
        super::without_fields(&answer["scores"], &["NodeResourcesFit", "NodeResourcesBalancedAllocation"]);
    answer
}

fn first_difference<'a>(ours: &'a Value, theirs: &'a Value) -> Option<(&'a Value, &'a Value)> {
    ours.as_array()?.iter().zip(theirs.as_array()?).find(|(ours, theirs)| ours != theirs)
}

/// What is told of the node that a pod gets, and of what it gets there.
const OF_THE_NODE: [&str; 4] = ["node", "devices", "volumes", "preBind"];

fn without_node(answer: &Value) -> Value {
    super::without_fields(answer, &OF_THE_NODE)
}

/// Whether nothing differs but which of a pod's claims gives back its devices.
pub(super) fn in_claims_released(ours: &Value, theirs: &Value) -> bool {
    let counted = |answers: &Value| {
        let mut answers = answers.clone();
        for answer in answers.as_array_mut().into_iter().flatten() {
            let released = answer["released"].as_object().map_or(0, serde_json::Map::len);
            answer["released"] = released.into();
        }
        answers
    };
    ours != theirs && counted(ours) == counted(theirs)
}

/// Whether nothing differs but what is written of the claims of the last pod, which names one of them twice.
pub(super) fn in_claims_named_twice(input: &Value, ours: &Value, theirs: &Value) -> bool {
    let last = input["pods"].as_array().and_then(|pods| pods.last()).unwrap_or(&Value::Null);
    let entries = last["spec"]["resourceClaims"].as_array().into_iter().flatten();
    let names: Vec<&str> = entries.filter_map(|entry| entry["resourceClaimName"].as_str()).collect();
    let is_repeated = names.iter().enumerate().any(|(index, name)| names[..index].contains(name));
    is_repeated && first_difference(ours, theirs).is_some_and(|(ours, theirs)| is_in_pre_bind(ours, theirs))
}

/// Whether two answers about a pod, which differ, differ in nothing but what is written before it is bound. That is told of the last
/// pod alone.
fn is_in_pre_bind(ours: &Value, theirs: &Value) -> bool {
    super::without_fields(ours, &["preBind"]) == super::without_fields(theirs, &["preBind"])
}

/// Whether nothing differs but that upstream binds no pod whose overhead alone asks for an extended resource that devices serve.
pub(super) fn in_overhead_served_by_devices(ours: &Value, theirs: &Value) -> bool {
    let Some((ours, theirs)) = first_difference(ours, theirs) else { return false };
    let error = theirs["preBind"]["error"].as_str().unwrap_or_default();
    error.starts_with("nil or empty request mappings") && is_in_pre_bind(ours, theirs)
}

/// Whether upstream only couldn't judge what it would bring to remove pods from nodes on which a CSI driver has taken over from a
/// built-in plugin, and so doesn't count these among those that could take the first pod that differs.
pub(super) fn in_volumes_not_translated(input: &Value, ours: &Value, theirs: &Value) -> bool {
    let Some((ours, theirs)) = first_difference(ours, theirs) else { return false };
    let csi_nodes = input["csiNodes"].as_array().into_iter().flatten().map(|node| &node["metadata"]);
    let taken_over: Vec<&str> = csi_nodes
        .filter(|metadata| {
            metadata["annotations"]["storage.alpha.kubernetes.io/migrated-plugins"].is_string()
        })
        .filter_map(|metadata| metadata["name"].as_str())
        .collect();
    let Some(candidates) = ours["candidates"].as_object() else { return false };
    let (told, left_out): (Vec<_>, Vec<_>) =
        candidates.iter().partition(|(node, _)| theirs["candidates"].get(node).is_some());
    let others = |answer| super::without_fields(answer, &["candidates", "best", "message"]);
    !left_out.is_empty()
        && left_out.iter().all(|(node, _)| taken_over.contains(&node.as_str()))
        && told.iter().all(|(node, candidate)| theirs["candidates"][node.as_str()] == **candidate)
        && others(ours) == others(theirs)
}
