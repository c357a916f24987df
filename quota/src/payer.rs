//! Claims on devices that the scheduler makes for the extended resources of a pod: what the pod has paid is not charged again.

use std::fmt;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::ResourceClaim;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::OwnerReference;
use k8s_openapi::jiff::Timestamp;
use plimsoll_resource_math::{PodResources, ResourceList};

use crate::evaluators::resource_claims::{DEVICES_SUFFIX, EXTENDED_RESOURCE_CLAIM};
use crate::evaluators::{is_extended_resource_key, pods};
use crate::quota::Quota;
use crate::request::Object;
use crate::surroundings::Surroundings;

/// The pod for whose extended resources a claim says that it was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payer {
    /// The pod's name.
    pub pod: String,
    /// The pod's uid.
    pub uid: String,
}

impl Payer {
    /// The one of an object; none of anything but such a claim.
    pub fn of(object: Object<'_>) -> Option<Self> {
        let Object::ResourceClaim(claim) = object else { return None };
        owner(claim).map(|owner| Self { pod: owner.name.clone(), uid: owner.uid.clone() })
    }

    /// What the pod has paid, whoever may get that; none if it is not stored.
    pub(crate) fn has_paid(&self, namespace: &str, surroundings: &Surroundings<'_>) -> Option<ResourceList> {
        usage(self.pod(namespace, surroundings)?, surroundings.now)
    }

    /// What the pod has paid, if no claim but that of the name can get it for all that is stored.
    pub(crate) fn has_paid_for(
        &self,
        claim: &str,
        namespace: &str,
        surroundings: &Surroundings<'_>,
    ) -> Option<ResourceList> {
        let pod = self.pod(namespace, surroundings)?;
        let is_the_one = named_by(pod).is_none_or(|named| named == claim);
        let stored = surroundings.neighbours.extended_resource_claims(namespace, uid_of(pod));
        let is_alone = stored.iter().all(|other| other.metadata.name.as_deref() == Some(claim));
        (is_the_one && is_alone).then(|| usage(pod, surroundings.now))?
    }

    /// The pod, if it is stored.
    pub(crate) fn pod<'s>(&self, namespace: &str, surroundings: &Surroundings<'s>) -> Option<&'s Pod> {
        let pod = surroundings.neighbours.pod(namespace, &self.pod)?;
        (uid_of(pod) == self.uid).then_some(pod)
    }

    /// Reads what [`Display`](fmt::Display) has written.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (pod, uid) = text.split_once('/')?;
        Some(Self { pod: pod.to_owned(), uid: uid.to_owned() })
    }
}

impl fmt::Display for Payer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.pod, self.uid)
    }
}

/// Whether it matters to a quota what pods have paid.
pub fn concerns(quota: &Quota) -> bool {
    quota.hard.keys().any(|key| is_payable(key))
}

/// Whether a claim says that it was made for the extended resources of the pod with this uid.
pub fn is_for(claim: &ResourceClaim, pod_uid: &str) -> bool {
    owner(claim).is_some_and(|owner| owner.uid == pod_uid)
}

/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/resource_claims.go` (`extendedResourceClaimPodUIDOwnerIndex`)
fn owner(claim: &ResourceClaim) -> Option<&OwnerReference> {
    let metadata = &claim.metadata;
    if metadata.annotations.as_ref()?.get(EXTENDED_RESOURCE_CLAIM)? != "true" {
        return None;
    }
    let mut owners = metadata.owner_references.iter().flatten();
    let owner = owners.find(|owner| owner.controller == Some(true))?;
    (owner.kind == "Pod" && owner.api_version == "v1").then_some(owner)
}

/// What the pod of a claim has paid, if there is such a pod and the claim is the one that was made for it.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/resource_claims.go` (`getVerifiedPodUsage`)
pub(crate) fn paid(
    claim: &ResourceClaim,
    namespace: &str,
    surroundings: &Surroundings<'_>,
) -> Option<ResourceList> {
    let payer = Payer::of(Object::ResourceClaim(claim))?;
    let pod = payer.pod(namespace, surroundings)?;
    is_the_one(claim, pod, namespace, surroundings).then(|| usage(pod, surroundings.now))?
}

/// What is counted for a pod and could be counted for its claim as well.
fn usage(pod: &Pod, now: Timestamp) -> Option<ResourceList> {
    let mut usage = pods::usage(pod, &PodResources::parse(pod).ok()?, now);
    usage.retain(|key, _| is_payable(key));
    Some(usage)
}

/// Whether pods and claims both use a key.
pub(crate) fn is_payable(key: &str) -> bool {
    is_extended_resource_key(key) && !key.ends_with(DEVICES_SUFFIX)
}

/// Whether a claim is the one made for the extended resources of its pod: the pod says so or, while it says nothing, no
/// such claim is older.
fn is_the_one(claim: &ResourceClaim, pod: &Pod, namespace: &str, surroundings: &Surroundings<'_>) -> bool {
    if let Some(named) = named_by(pod) {
        return Some(named) == claim.metadata.name.as_deref();
    }
    let rank = age_rank(claim);
    let claims = surroundings.neighbours.extended_resource_claims(namespace, uid_of(pod));
    claims.into_iter().all(|other| age_rank(other) >= rank)
}

/// The name of the claim that a pod says was made for it.
fn named_by(pod: &Pod) -> Option<&str> {
    let status = pod.status.as_ref()?.extended_resource_claim_status.as_ref()?;
    Some(&status.resource_claim_name)
}

fn uid_of(pod: &Pod) -> &str {
    pod.metadata.uid.as_deref().unwrap_or_default()
}

/// The earliest claim has the lowest rank; the name decides between claims of one moment.
fn age_rank(claim: &ResourceClaim) -> (Option<Timestamp>, &str) {
    let created = claim.metadata.creation_timestamp.as_ref().map(|time| time.0);
    (created, claim.metadata.name.as_deref().unwrap_or_default())
}

/// Takes off what a claim uses what its pod has paid for the same.
///
/// # Source
/// kubernetes `pkg/quota/v1/evaluator/core/resource_claims.go` (`addExtendedResourceQuota`)
pub(crate) fn take_off(usage: &mut ResourceList, paid: &ResourceList) {
    for (key, paid) in paid {
        let Some(mut rest) = usage.remove(key) else { continue };
        rest.sub(paid);
        if rest.sign().is_gt() {
            usage.insert(key.as_str(), rest);
        }
    }
}
