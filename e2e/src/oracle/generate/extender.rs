//! Extenders of a scheduler, and what they answer.

use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::{chance, list, maybe, number_below, object, pick, some_of};

/// Gives a case whose nodes and running pods are these extenders: to its configuration, and what each answers.
pub(super) fn add_extenders(rng: &mut StdRng, case: &mut Value) {
    let names = |field: &str, of: &str| -> Vec<String> {
        let objects = case[field].as_array().into_iter().flatten();
        objects.filter_map(|object| Some(object[of]["name"].as_str()?.to_owned())).collect()
    };
    let nodes = names("nodes", "metadata");
    let uids: Vec<String> = (case["running"].as_array().into_iter().flatten())
        .filter_map(|pod| {
            let metadata = &pod["metadata"];
            Some(format!("{}/{}", metadata["namespace"].as_str()?, metadata["name"].as_str()?))
        })
        .collect();
    let count = 1 + number_below(rng, 3);
    let binder = number_below(rng, 6);
    let mut settings: Vec<Value> = (0..count).map(|index| extender(rng, index, index == binder)).collect();
    manage_resources(rng, &mut settings);
    let answers: Vec<Value> = (0..count).map(|_| answers(rng, &nodes, &uids)).collect();
    if case["config"].is_null() {
        case["config"] =
            json!({"apiVersion": "kubescheduler.config.k8s.io/v1", "kind": "KubeSchedulerConfiguration"});
    }
    // Which nodes extenders are asked about is random for upstream where not all are looked at that pods can be removed from.
    if let Some(told) = case["config"].pointer_mut("/profiles/0/pluginConfig").and_then(Value::as_array_mut) {
        told.retain(|told| told["name"] != "DefaultPreemption");
    }
    if chance(rng, 10) {
        let all_off = json!({"disabled": [{"name": "*"}]});
        case["config"]["profiles"] = json!([{"plugins": {"preScore": all_off, "score": all_off}}]);
    }
    case["config"]["extenders"] = settings.into();
    case["extenders"] = answers.into();
}

fn extender(rng: &mut StdRng, index: usize, is_binder: bool) -> Value {
    let slash = if chance(rng, 10) { "/" } else { "" };
    object([
        ("urlPrefix", format!("http://extender-{index}.example/scheduler{slash}").into()),
        ("filterVerb", maybe(rng, 75, |_| "filter")),
        ("prioritizeVerb", maybe(rng, 60, |_| "prioritize")),
        ("weight", pick(rng, &[1, 1, 2, 7, i64::MAX / 3]).into()),
        ("preemptVerb", maybe(rng, 60, |_| "preempt")),
        ("bindVerb", if is_binder { "bind".into() } else { Value::Null }),
        ("nodeCacheCapable", maybe(rng, 80, |_| true)),
        ("ignorable", maybe(rng, 40, |_| true)),
    ])
}

/// No two extenders may manage the same resource.
fn manage_resources(rng: &mut StdRng, extenders: &mut [Value]) {
    for name in some_of(rng, 20, &["example.com/gpu", "example.com/nic", "example.com/absent"]) {
        let place = number_below(rng, extenders.len());
        let resource = object([("name", name.into()), ("ignoredByScheduler", maybe(rng, 50, |_| true))]);
        match extenders[place]["managedResources"].as_array_mut() {
            Some(managed) => managed.push(resource),
            None => extenders[place]["managedResources"] = json!([resource]),
        }
    }
}

fn answers(rng: &mut StdRng, nodes: &[String], uids: &[String]) -> Value {
    object([
        ("filter", filter(rng, nodes)),
        ("prioritize", prioritize(rng, nodes)),
        ("preempt", preempt(rng, nodes, uids)),
        ("bind", object([("status", status(rng)), ("error", maybe(rng, 20, |_| "no room after all"))])),
    ])
}

fn status(rng: &mut StdRng) -> Value {
    maybe(rng, 5, |rng| pick(rng, &[500, 404, 201]))
}

/// One of the nodes, or one that there isn't.
fn node(rng: &mut StdRng, nodes: &[String]) -> String {
    if nodes.is_empty() || chance(rng, 3) { "node-0".to_owned() } else { pick_owned(rng, nodes) }
}

fn pick_owned(rng: &mut StdRng, from: &[String]) -> String {
    from[number_below(rng, from.len())].clone()
}

fn filter(rng: &mut StdRng, nodes: &[String]) -> Value {
    let most = if chance(rng, 60) { 1 } else { nodes.len() };
    let mut refusals = |share| {
        let mut refused = Map::new();
        if chance(rng, share) {
            for _ in 0..number_below(rng, most + 1) {
                let text = pick(rng, &["not here", "busy", "", "1 of \"those\""]);
                refused.insert(node(rng, nodes), text.into());
            }
        }
        refused
    };
    let (fails, unresolvable) = (refusals(60), refusals(40));
    object([
        ("status", status(rng)),
        ("error", maybe(rng, 3, |_| "can't say")),
        ("fails", fails.into()),
        ("unresolvable", unresolvable.into()),
        ("drops", maybe(rng, 15, |rng| list(rng, 0..=most, |rng, _| node(rng, nodes)))),
        ("claims", maybe(rng, 5, |rng| list(rng, 0..=2, |rng, _| node(rng, nodes)))),
        ("reversed", maybe(rng, 15, |_| true)),
    ])
}

fn prioritize(rng: &mut StdRng, nodes: &[String]) -> Value {
    let most = nodes.len() + 1;
    let score = |rng: &mut StdRng, _| json!([node(rng, nodes), pick(rng, &[0, 1, 5, 10, -3, 1000])]);
    object([("status", status(rng)), ("scores", list(rng, 0..=most, score))])
}

fn preempt(rng: &mut StdRng, nodes: &[String], uids: &[String]) -> Value {
    let most = if chance(rng, 60) { 1 } else { nodes.len() };
    let mut victims = Map::new();
    if chance(rng, 15) {
        let of_node =
            if uids.is_empty() { json!([]) } else { list(rng, 0..=2, |rng, _| pick_owned(rng, uids)) };
        victims.insert(node(rng, nodes), of_node);
    }
    let mut violations = Map::new();
    if chance(rng, 20) {
        violations.insert(node(rng, nodes), pick(rng, &[0, 1, 2, -1]).into());
    }
    object([
        ("status", status(rng)),
        ("drops", maybe(rng, 50, |rng| list(rng, 0..=most, |rng, _| node(rng, nodes)))),
        ("victims", victims.into()),
        ("violations", violations.into()),
        ("reversed", maybe(rng, 15, |_| true)),
    ])
}
