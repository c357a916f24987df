//! What plugins write before a pod is bound, and to make room.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::api::resource::v1::ResourceClaim;
use plimsoll_scheduler::framework::{Action, Assumed, BindingCycle, Write};
use plimsoll_scheduler::plugins::dynamic_resources;
use plimsoll_scheduler::volume_claims::namespace_and_name;
use plimsoll_scheduler::{Listers, PodInfo, Profile};
use serde_json::{Value, json};

/// The claims that are written to make room, with what is done to them last.
pub(super) fn released(writes: &[Write]) -> BTreeMap<String, &'static str> {
    let mut released = BTreeMap::new();
    for write in writes {
        match &write.action {
            Action::UpdateResourceClaimStatus(claim) => {
                let (namespace, name) = namespace_and_name(&claim.metadata);
                released.insert(format!("{namespace}/{name}"), "deallocated");
            }
            Action::DeleteResourceClaim { namespace, name } => {
                released.insert(format!("{namespace}/{name}"), "deleted");
            }
            _ => {}
        }
    }
    released
}

/// The volumes and claims as VolumeBinding is about to write them; none if it isn't.
pub(super) fn volumes_taken(taken: &[Assumed]) -> Option<Value> {
    let (mut volumes, mut claims) = (json!({}), json!({}));
    for taken in taken {
        match taken {
            Assumed::PersistentVolume(volume) => {
                let reference = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
                volumes[namespace_and_name(&volume.metadata).1] =
                    json!({"annotations": volume.metadata.annotations, "claimRef": reference});
            }
            Assumed::PersistentVolumeClaim(claim) => {
                claims[namespace_and_name(&claim.metadata).1] = json!(claim.metadata.annotations);
            }
            Assumed::ResourceClaim(_) => {}
        }
    }
    (volumes != json!({}) || claims != json!({})).then(|| json!({"volumes": volumes, "claims": claims}))
}

/// How the claims of a pod and its status are once DynamicResources has written them; none if it has nothing to write.
pub(super) fn pre_bind_devices(
    pod: &PodInfo<'_>,
    node: &str,
    taken: &[Assumed],
    listers: &Listers,
) -> Option<Value> {
    let profile = Profile::default();
    let part = profile.plugin(dynamic_resources::NAME)?.pre_bind.as_deref()?;
    let cycle = BindingCycle { pod, node, taken, stored: listers, now: Timestamp::UNIX_EPOCH };
    if !part.pre_flight(&cycle) {
        return None;
    }
    let writes = match part.pre_bind(&cycle) {
        Ok(writes) => writes,
        Err(message) => return Some(json!({ "error": message })),
    };
    let (mut claims, mut status) = (json!({}), Value::Null);
    let mut created = String::new();
    for write in writes {
        match write.action {
            Action::CreateResourceClaim(claim) => {
                created = format!("{}x", claim.metadata.generate_name.unwrap_or_default());
            }
            Action::UpdateResourceClaim(claim) | Action::UpdateResourceClaimStatus(claim) => {
                match namespace_and_name(&claim.metadata).1 {
                    "" => claims[created.as_str()] = written(&claim, true),
                    name => claims[name] = written(&claim, false),
                }
            }
            Action::PatchExtendedResourceClaimStatus { status: mut patched, .. } => {
                if patched.resource_claim_name.is_empty() {
                    patched.resource_claim_name.clone_from(&created);
                }
                status = json!(patched);
            }
            _ => {}
        }
    }
    Some(json!({"claims": claims, "pod": status}))
}

fn written(claim: &ResourceClaim, is_created: bool) -> Value {
    let (metadata, status) = (&claim.metadata, claim.status.as_ref());
    let reserved = status.and_then(|status| status.reserved_for.as_ref());
    let mut written = json!({"finalizers": metadata.finalizers, "reservedFor": reserved});
    if let Some(allocation) = status.and_then(|status| status.allocation.as_ref()) {
        written["isStamped"] = allocation.allocation_timestamp.is_some().into();
        let devices = allocation.devices.iter();
        let results: Vec<_> = devices.flat_map(|devices| devices.results.iter().flatten()).collect();
        written["results"] = json!(results);
    }
    if is_created {
        let devices = claim.spec.as_ref().and_then(|spec| spec.devices.as_ref());
        written["annotations"] = json!(metadata.annotations);
        written["owners"] = json!(metadata.owner_references);
        written["requests"] = json!(devices.and_then(|devices| devices.requests.as_ref()));
    }
    written
}
