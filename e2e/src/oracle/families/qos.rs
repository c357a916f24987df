//! A pod's quality-of-service class, from its amounts and as its status names it.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_resource_math::{PodResources, qos};
use serde_json::{Value, json};

use super::amounts::explain_by_amount;
use super::{Family, decode};
use crate::oracle::generate::pod::pod_with_status;

pub(super) const FAMILY: Family = Family {
    name: "qos",
    generate: pod_with_status,
    evaluate,
    known_difference: Some(|input, _, _| explain_by_amount(input)),
    bench: None,
};

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let pod: Pod = decode(input)?;
    let resources = PodResources::parse(&pod)?;
    Ok(json!({
        "computed": resources.qos_class().as_str(),
        "stored": qos::stored_class(&pod, &resources),
    }))
}
