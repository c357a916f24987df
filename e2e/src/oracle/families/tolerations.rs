//! Which taints tolerations tolerate.

use k8s_openapi::api::core::v1::{Taint, Toleration};
use plimsoll_matching::taints::{any_tolerates, find_untolerated, forbids_scheduling};
use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::{Family, decode};
use crate::oracle::generate::list;
use crate::oracle::generate::matching::{taint, toleration};

pub(super) const FAMILY: Family =
    Family { name: "tolerations", generate, evaluate, known_difference: None, bench: None };

fn generate(rng: &mut StdRng) -> Value {
    json!({
        "taints": list(rng, 0..=4, |rng, _| taint(rng)),
        "tolerations": list(rng, 0..=4, |rng, _| toleration(rng)),
    })
}

fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let taints: Vec<Taint> = decode(&input["taints"])?;
    let tolerations: Vec<Toleration> = decode(&input["tolerations"])?;
    let tolerated: Vec<bool> = taints.iter().map(|taint| any_tolerates(&tolerations, taint)).collect();
    let mut output = json!({ "tolerated": tolerated });
    if let Some(taint) = find_untolerated(&taints, &tolerations, |_| true) {
        output["untolerated"] = json!([taint.key, taint.value.as_deref().unwrap_or_default(), taint.effect]);
    }
    if let Some(taint) = find_untolerated(&taints, &tolerations, forbids_scheduling) {
        output["forbids"] = json!([taint.key, taint.value.as_deref().unwrap_or_default(), taint.effect]);
    }
    Ok(output)
}
