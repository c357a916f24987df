//! Single changes that may let a pod in.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::scheduler_queue::{ask_for, change, change_pod, objects, waiting_pod};
use super::{chance, pick};

/// A pod that was turned away, and a change.
pub fn scheduler_hint(rng: &mut StdRng) -> Value {
    let mut case = objects(rng);
    let mut pod = waiting_pod(rng, 0);
    let is_target = chance(rng, 20);
    case["change"] = if is_target {
        let mut new = pod.clone();
        change_pod(rng, &mut new);
        case["pod"] = new.clone();
        json!({"kind": "Pod", "old": pod, "new": new})
    } else {
        let mut change = change(rng);
        if chance(rng, 50) {
            relate(rng, &mut pod, &mut change);
        }
        if change["kind"] == "ResourceClaim" && chance(rng, 80) {
            let claims = ["new", "old"].into_iter().filter_map(|side| change.get(side).cloned());
            case["resourceClaims"] = claims.take(1).collect();
        }
        case["pod"] = pod;
        change
    };
    case["target"] = is_target.into();
    case
}

/// The pod wants something that the change is about.
fn relate(rng: &mut StdRng, pod: &mut Value, change: &mut Value) {
    let is_update = change.get("old").is_some() && change.get("new").is_some();
    let kind = change["kind"].as_str().unwrap_or_default().to_owned();
    for side in ["old", "new"] {
        let Some(object) = change.get_mut(side) else { continue };
        let name = object["metadata"]["name"].clone();
        match kind.as_str() {
            "Pod" => {
                object["metadata"]["namespace"] = pod["metadata"]["namespace"].clone();
                for field in if is_update { &["volumes"][..] } else { &["volumes", "containers"] } {
                    if let Some(value) = pod["spec"].get(field) {
                        object["spec"][field] = value.clone();
                    }
                }
            }
            "PersistentVolumeClaim" => {
                pod["metadata"]["namespace"] = object["metadata"]["namespace"].clone();
                let mut volume = json!({"name": "v0", "persistentVolumeClaim": {"claimName": name}});
                if let Some(made_for) = name.as_str().and_then(|name| name.strip_prefix("pod-0-")) {
                    volume = json!({"name": made_for, "ephemeral": {}});
                }
                pod["spec"]["volumes"] = json!([volume]);
            }
            "ResourceClaim" => {
                pod["metadata"]["namespace"] = object["metadata"]["namespace"].clone();
                pod["spec"]["resourceClaims"] = json!([{"name": "devices", "resourceClaimName": name}]);
            }
            "CSIDriver" => pod["spec"]["volumes"] = json!([{"name": "v0", "csi": {"driver": name}}]),
            "DeviceClass" => {
                let resource = pick(rng, &["example.com/gpu", "example.com/nic"]);
                ask_for(pod.pointer_mut("/spec/containers/0"), json!({"requests": {resource: "1"}}));
            }
            _ => {}
        }
    }
}
