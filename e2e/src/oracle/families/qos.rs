//! The QoS class of a pod, computed and as its status has it.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_resource_math::pod_resources::PodResources;
use plimsoll_resource_math::qos::stored_class;
use serde_json::{Value, json};

use super::{Family, decode};
use crate::oracle::generate::pod::pod_with_status;

pub(super) const FAMILY: Family =
    Family { name: "qos", generate: pod_with_status, evaluate, known_difference: None, bench: None };

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let pod: Pod = decode(input)?;
    let resources = PodResources::parse(&pod)?;
    Ok(json!({"computed": resources.qos_class().as_str(), "stored": stored_class(&pod, &resources)}))
}
