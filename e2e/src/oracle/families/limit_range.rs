//! A request and the LimitRanges of its namespace: what the pod gets, and what is refused.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, LimitRange, PersistentVolumeClaim, Pod, ResourceRequirements};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::field::Path;
use plimsoll_api::group::{GroupKind, GroupResource};
use plimsoll_api::request::{Operation, display_name};
use plimsoll_resource_math::defaulting::{round_pod_spec, round_resource_list};
use plimsoll_resource_math::pod_resources::PodResources;
use plimsoll_resource_math::{Quantity, ResourceList};
use plimsoll_webhook::limit_range::{
    Handling, LimitRanges, Limits, Refusal, applies, default_pod, object, validate_persistent_volume_claim,
    validate_pod,
};
use rand::rngs::StdRng;
use rand::seq::SliceRandom as _;
use serde::Deserialize;
use serde_json::{Value, json};

use super::limit_range_object::{known_amount_difference, visit_texts};
use super::{Family, decode};
use crate::oracle::generate::limit_range::limit_range;
use crate::oracle::generate::pod::{pod, pod_with_status};
use crate::oracle::generate::resources::resource_list;
use crate::oracle::generate::{chance, maybe, number, object as fields, pick};

pub(super) const FAMILY: Family =
    Family { name: "limit_range", generate, evaluate, known_difference: Some(known_difference), bench: None };

/// See the input of the Go side for what each field means.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Input {
    operation: String,
    kind: String,
    resource: String,
    subresource: String,
    name: String,
    object: Value,
    old: Option<Old>,
    limit_ranges: Vec<LimitRange>,
    raw: bool,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Old {
    metadata: ObjectMeta,
}

fn generate(rng: &mut StdRng) -> Value {
    let (kind, resource) = pick(rng, KINDS);
    let (operation, subresource) = match kind {
        "Pod" => pick(rng, POD_REQUESTS),
        "PersistentVolumeClaim" => pick(rng, CLAIM_REQUESTS),
        _ => ("CREATE", ""),
    };
    let mut object = match kind {
        "PersistentVolumeClaim" => claim(rng),
        _ if operation == "CREATE" => pod(rng),
        _ => pod_with_status(rng),
    };
    object["metadata"] = pick(
        rng,
        &[
            json!({"name": "web"}),
            json!({"generateName": "web-"}),
            json!({}),
            json!({"name": "web", "annotations": {"kubernetes.io/limit-ranger": "before", "a": "b"}}),
        ]
        .each_ref(),
    )
    .clone();
    let limit_ranges = limit_ranges(rng);
    if chance(rng, 40) {
        meet_a_bound(rng, &limit_ranges, &mut object);
    }
    let deleted = chance(rng, 5);
    let old = json!({"metadata": if deleted { json!({"deletionTimestamp": "2026-01-01T00:00:00Z"}) } else { json!({}) }});
    fields([
        ("operation", operation.into()),
        ("kind", kind.into()),
        ("resource", resource.into()),
        ("subresource", subresource.into()),
        ("name", pick(rng, &["", "web", "from-url"]).into()),
        ("old", if operation == "CREATE" { Value::Null } else { old }),
        ("limit_ranges", limit_ranges),
        ("raw", maybe(rng, 25, |_| true)),
        ("object", object),
    ])
}

const KINDS: &[(&str, &str)] = &[
    ("Pod", "pods"),
    ("Pod", "pods"),
    ("Pod", "pods"),
    ("Pod", "pods"),
    ("Pod", "pods"),
    ("PersistentVolumeClaim", "persistentvolumeclaims"),
    ("Service", "services"),
];

/// Operations and subresources.
const POD_REQUESTS: &[(&str, &str)] = &[
    ("CREATE", ""),
    ("CREATE", ""),
    ("CREATE", ""),
    ("CREATE", ""),
    ("UPDATE", "resize"),
    ("UPDATE", "resize"),
    ("UPDATE", ""),
    ("UPDATE", "status"),
    ("CREATE", "binding"),
    ("CREATE", "resize"),
    ("DELETE", ""),
];

const CLAIM_REQUESTS: &[(&str, &str)] =
    &[("CREATE", ""), ("UPDATE", ""), ("UPDATE", "status"), ("DELETE", "")];

/// None to three, in any order.
fn limit_ranges(rng: &mut StdRng) -> Value {
    let mut names = ["a", "b", "c"];
    names.shuffle(rng);
    let how_many = usize::try_from(number(rng, 0..=30)).unwrap_or_default() / 8;
    let made: Vec<Value> =
        names.iter().take(how_many).map(|name| limit_range(rng, name, "default")).collect();
    made.into()
}

/// Moves the amounts of one container, or of the claim, to where a rule just holds or just does not.
fn meet_a_bound(rng: &mut StdRng, limit_ranges: &Value, object: &mut Value) {
    let items: Vec<&Value> = ["/0", "/1"]
        .iter()
        .filter_map(|index| limit_ranges.pointer(&format!("{index}/spec/limits")))
        .flat_map(|items| items.as_array().into_iter().flatten())
        .collect();
    let Some(item) = items.get(usize::try_from(number(rng, 0..=3)).unwrap_or_default()) else { return };
    let rule = pick(rng, &["min", "max", "maxLimitRequestRatio", "maxLimitRequestRatio"]);
    let Some((resource, bound)) = item[rule].as_object().and_then(|bounds| bounds.iter().next()) else {
        return;
    };
    let Some(bound) = bound.as_str().and_then(|text| Quantity::parse(text).ok()) else { return };
    let place = pick(rng, &["/spec/containers/0", "/spec/containers/1", "/spec/initContainers/0", "/spec"]);
    let Some(place) = object.pointer_mut(place) else { return };
    let request = if rule == "maxLimitRequestRatio" { number(rng, 1..=5000) } else { bound.milli_value() };
    let limit = match rule {
        "maxLimitRequestRatio" => request.saturating_mul(bound.milli_value()) / 1000,
        _ => request,
    };
    let mut near = |millis: i64| {
        let millis = millis.saturating_add(pick(rng, &[-1, 0, 0, 0, 1]));
        Quantity::from_millis(millis, bound.format()).to_string()
    };
    place["resources"] = json!({"requests": {resource: near(request)}, "limits": {resource: near(limit)}});
}

fn claim(rng: &mut StdRng) -> Value {
    let names: &[&str] = &["storage", "cpu", "example.com/gpu"];
    let asked = if chance(rng, 90) { &names[..1] } else { names };
    fields([(
        "spec",
        json!({"resources": fields([
            ("requests", maybe(rng, 90, |rng| resource_list(rng, 70, asked))),
            ("limits", maybe(rng, 20, |rng| resource_list(rng, 70, names))),
        ])}),
    )])
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let input: Input = decode(input)?;
    let limit_ranges = input
        .limit_ranges
        .iter()
        .map(|limit_range| parse(limit_range, input.raw))
        .collect::<anyhow::Result<LimitRanges>>()?;
    let kind = GroupKind::new("", &input.kind);
    let old = input.old.as_ref().map(|old| &old.metadata);
    let handling =
        operation(&input.operation).and_then(|operation| applies(operation, &kind, &input.subresource, old));
    if input.kind == "PersistentVolumeClaim" {
        let claim: PersistentVolumeClaim = decode(&input.object)?;
        let requests = claim_requests(&claim)?;
        let result = handling.map_or(Ok(()), |_| validate_persistent_volume_claim(&requests, &limit_ranges));
        return Ok(output(&input, &claim.metadata, None, result));
    }
    let mut pod: Pod = decode(&input.object)?;
    let root = Path::root("spec");
    if let Some(spec) = &mut pod.spec {
        round_pod_spec(&root, spec)?;
    }
    if handling.is_some_and(Handling::defaults) {
        default_pod(&mut pod, &limit_ranges);
    }
    let resources = PodResources::parse(&pod)?;
    let result = handling.map_or(Ok(()), |_| validate_pod(&resources, &limit_ranges));
    Ok(output(&input, &pod.metadata, Some(&pod), result))
}

fn parse(limit_range: &LimitRange, raw: bool) -> anyhow::Result<Limits> {
    let mut limit_range = limit_range.clone();
    if !raw {
        object::set_defaults(&mut limit_range)?;
    }
    Ok(Limits::parse(&limit_range)?)
}

fn operation(name: &str) -> Option<Operation> {
    match name {
        "CREATE" => Some(Operation::Create),
        "UPDATE" => Some(Operation::Update),
        "DELETE" => Some(Operation::Delete),
        "CONNECT" => Some(Operation::Connect),
        _ => None,
    }
}

fn claim_requests(claim: &PersistentVolumeClaim) -> anyhow::Result<ResourceList> {
    let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
    let Some(mut requests) = resources.and_then(|resources| resources.requests.clone()) else {
        return Ok(ResourceList::new());
    };
    round_resource_list(&mut requests)?;
    Ok(ResourceList::parse(Some(&requests))?)
}

fn output(input: &Input, metadata: &ObjectMeta, pod: Option<&Pod>, result: Result<(), Refusal>) -> Value {
    let refusal = result.err().map_or(Value::Null, |refusal| denied(input, metadata, refusal));
    let mutated = pod.map_or(Value::Null, describe);
    fields([("mutated", mutated), ("refusal", refusal)])
}

/// The refusal with its sentences sorted, as upstream's are random.
fn denied(input: &Input, metadata: &ObjectMeta, mut refusal: Refusal) -> Value {
    refusal.violations.sort_by_cached_key(ToString::to_string);
    let resource = GroupResource::new("", &input.resource);
    let name = display_name(&input.name, metadata.name.as_deref(), metadata.generate_name.as_deref());
    let status = refusal.status(&resource, name);
    let details = status.details.unwrap_or_default();
    json!({
        "limit_range": refusal.limit_range,
        "code": status.code,
        "reason": status.reason.as_str(),
        "message": status.message,
        "group": details.group,
        "kind": details.kind,
        "name": details.name,
    })
}

fn describe(pod: &Pod) -> Value {
    let containers = pod.spec.as_ref().map(|spec| spec.containers.as_slice()).unwrap_or_default();
    let init_containers =
        pod.spec.as_ref().and_then(|spec| spec.init_containers.as_deref()).unwrap_or_default();
    fields([
        ("containers", containers.iter().map(requirements).collect()),
        ("initContainers", init_containers.iter().map(requirements).collect()),
        (
            "annotations",
            pod.metadata.annotations.clone().map_or(Value::Null, |annotations| json!(annotations)),
        ),
    ])
}

fn requirements(container: &Container) -> Value {
    let none = ResourceRequirements::default();
    let resources = container.resources.as_ref().unwrap_or(&none);
    fields([
        ("requests", amounts(resources.requests.as_ref())),
        ("limits", amounts(resources.limits.as_ref())),
    ])
}

fn amounts(list: Option<&BTreeMap<String, ApiQuantity>>) -> Value {
    list.filter(|list| !list.is_empty()).map_or(Value::Null, |list| json!(list))
}

fn known_difference(input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let resize = input["subresource"] == "resize";
    if resize && ours["refusal"] == theirs["refusal"] {
        return Some("D-LimitRange-3");
    }
    if differ_only_in_message(ours, theirs) && forgets_a_format(input) {
        return Some("D-Quantity-4");
    }
    // How amounts compare decides about the refusal alone.
    let mutated_alike = resize || ours["mutated"] == theirs["mutated"];
    let explained = known_amount_difference(input, ours);
    // A raw LimitRange may have amounts below a thousandth, which upstream rounds up where it compares.
    let explained =
        explained.or_else(|| has_fractions_of_millis(&input["limit_ranges"]).then_some("D-LimitRange-2"));
    explained.filter(|id| mutated_alike || *id != "D-LimitRange-2")
}

fn has_fractions_of_millis(limit_ranges: &Value) -> bool {
    let mut found = false;
    visit_texts(limit_ranges, &mut |text| {
        let Ok(amount) = Quantity::parse(text) else { return };
        let mut rounded = amount.clone();
        rounded.round_up_to_milli();
        found |= rounded != amount;
    });
    found
}

fn differ_only_in_message(ours: &Value, theirs: &Value) -> bool {
    let without_message = |outcome: &Value| {
        let mut outcome = outcome.clone();
        if let Some(refusal) = outcome.get_mut("refusal").and_then(Value::as_object_mut) {
            refusal.remove("message");
        }
        outcome
    };
    without_message(ours) == without_message(theirs)
}

/// Whether the canonical text of some amount reads as an amount of another format.
fn forgets_a_format(input: &Value) -> bool {
    let mut found = false;
    visit_texts(input, &mut |text| {
        let Ok(amount) = Quantity::parse(text) else { return };
        let stored = Quantity::parse(&amount.to_string());
        found |= stored.is_ok_and(|stored| stored.format() != amount.format());
    });
    found
}
