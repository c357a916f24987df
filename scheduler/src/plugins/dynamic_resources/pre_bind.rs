//! Claims are written as they were reserved for a pod, and given back if the pod isn't bound.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/dynamicresources/dynamicresources.go` (`PreBind`, `Unreserve`), `extendeddynamicresources.go`

use k8s_openapi::api::core::v1::{Pod, PodExtendedResourceClaimStatus};
use k8s_openapi::api::resource::v1::ResourceClaim;

use super::DynamicResources;
use super::claims::name_of;
use super::extended::{ExtendedResources, is_made_up_for};
use super::release::deletion;
use super::reserve::{FINALIZER, is_reserved_for, writes};
use crate::framework::{Action, Assumed, AssumedClaim, BindingCycle, PreBindPlugin, Write};
use crate::listers::{allocation, is_for_extended_resources};
use crate::pod_info::fields;
use crate::volume_claims::namespace_and_name;

impl PreBindPlugin for DynamicResources {
    fn pre_flight(&self, cycle: &BindingCycle<'_>) -> bool {
        names_of(cycle.pod.pod).next().is_some()
            || ExtendedResources::are_served(cycle.pod, &cycle.stored.devices)
    }

    fn pre_bind(&self, cycle: &BindingCycle<'_>) -> Result<Vec<Write>, String> {
        let mut all = Vec::new();
        for taken in taken_claims(cycle) {
            all.extend(writes_of(taken, cycle)?);
        }
        Ok(all)
    }
}

/// The names of the claims that a pod has.
fn names_of(pod: &Pod) -> impl Iterator<Item = &str> {
    let entries = fields::spec(pod).resource_claims.iter().flatten();
    entries.filter_map(|entry| name_of(pod, entry).ok().flatten()).map(|(name, _)| name)
}

fn taken_claims<'a>(cycle: &BindingCycle<'a>) -> impl Iterator<Item = &'a AssumedClaim> {
    cycle.taken.iter().filter_map(|taken| match taken {
        Assumed::ResourceClaim(claim) => Some(&**claim),
        Assumed::PersistentVolume(_) | Assumed::PersistentVolumeClaim(_) => None,
    })
}

fn writes_of(taken: &AssumedClaim, cycle: &BindingCycle<'_>) -> Result<Vec<Write>, String> {
    let pod = cycle.pod.pod;
    let found = allocation(&taken.claim).filter(|_| taken.is_new_allocation);
    let (namespace, name) = namespace_and_name(&taken.claim.metadata);
    let mut all = Vec::new();
    if name.is_empty() {
        let created = as_created(&taken.claim);
        let action = Action::CreateResourceClaim(Box::new(created.clone()));
        all.push(Write { action, context: Some("create claim for extended resources") });
        all.extend(writes(&created, found, pod, cycle.now)?);
    } else {
        let stored = cycle.stored.devices.claim(namespace, name);
        let stored = stored.ok_or_else(|| format!("claim {namespace}/{name} got deleted in the meantime"))?;
        if is_reserved_for(stored, pod) {
            return Ok(all);
        }
        all.extend(writes(stored, found, pod, cycle.now)?);
    }
    if !taken.request_mappings.is_empty() {
        all.push(Write::new(Action::PatchExtendedResourceClaimStatus {
            namespace: fields::namespace(pod).to_owned(),
            name: fields::name(pod).to_owned(),
            status: Box::new(PodExtendedResourceClaimStatus {
                request_mappings: taken.request_mappings.clone(),
                resource_claim_name: name.to_owned(),
            }),
        }));
    }
    Ok(all)
}

/// A claim that was made up as it is created: nothing is said of its devices yet.
///
/// # Source
/// `extendeddynamicresources.go` (`createExtendedResourceClaimInAPI`)
fn as_created(assumed: &ResourceClaim) -> ResourceClaim {
    let mut claim = assumed.clone();
    claim.status = None;
    let finalizers = claim.metadata.finalizers.take().unwrap_or_default();
    let others: Vec<String> = finalizers.into_iter().filter(|finalizer| finalizer != FINALIZER).collect();
    claim.metadata.finalizers = Some(others).filter(|others| !others.is_empty());
    claim
}

/// What gives back the claims of a pod: it is taken out of those for which they are reserved. The claim that was made up for it is
/// deleted if it was created.
///
/// # Source
/// `dynamicresources.go` (`Unreserve`), `extendeddynamicresources.go` (`unreserveExtendedResourceClaim`)
pub(super) fn unreserve(cycle: &BindingCycle<'_>) -> Vec<Write> {
    let pod = cycle.pod.pod;
    let devices = &cycle.stored.devices;
    let claims = names_of(pod).filter_map(|name| devices.claim(cycle.pod.namespace(), name));
    let reserved = claims.filter(|claim| allocation(claim).is_some() && is_reserved_for(claim, pod));
    let mut all: Vec<Write> = reserved
        .map(|claim| {
            Write::new(Action::UnreserveResourceClaim {
                claim: Box::new(claim.clone()),
                pod_uid: pod.metadata.uid.clone().unwrap_or_default(),
            })
        })
        .collect();
    let taken = taken_claims(cycle).find(|taken| is_for_extended_resources(&taken.claim));
    if let Some(taken) = taken {
        let (namespace, name) = namespace_and_name(&taken.claim.metadata);
        let by_name = devices.claim(namespace, name);
        let by_owner = || devices.claims_in(namespace).find(|claim| is_made_up_for(claim, pod));
        all.extend(by_name.or_else(by_owner).into_iter().flat_map(deletion));
    }
    all
}

#[cfg(test)]
mod tests;
