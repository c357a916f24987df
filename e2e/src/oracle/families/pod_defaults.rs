//! What the API server fills into a pod: the whole object.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_apiserver::defaults;
use serde_json::Value;

use super::amounts::explain_by_amount;
use super::pod::{explain_secret, mistaken_pod, pruned};
use super::{Family, decode};

pub(super) const FAMILY: Family = Family {
    name: "pod_defaults",
    generate: mistaken_pod,
    evaluate,
    known_difference: Some(|input, ours, theirs| {
        explain_by_amount(input).or_else(|| explain_secret(ours, theirs))
    }),
    bench: None,
};

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let mut pod: Pod = decode(input)?;
    defaults::pod(&mut pod)?;
    Ok(pruned(serde_json::to_value(&pod)?))
}
