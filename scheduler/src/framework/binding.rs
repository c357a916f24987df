//! What is written before a pod is bound, what is waited for then, and what undoes a reservation.
//!
//! # Source
//! kube-scheduler `framework/interface.go` (`PreBindPlugin`, `ReservePlugin`)

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    ContainerExtendedResourceRequest, PersistentVolume, PersistentVolumeClaim, PodExtendedResourceClaimStatus,
};
use k8s_openapi::api::resource::v1::ResourceClaim;
use plimsoll_matching::label_selector::Labels;

use crate::listers::Listers;
use crate::pod_info::PodInfo;
use crate::volume_claims::namespace_and_name;

/// An object as it will be once a pod is bound. Until then other pods are decided about as if it were so.
#[derive(Clone, Debug, PartialEq)]
pub enum Assumed {
    /// A claim.
    PersistentVolumeClaim(Box<PersistentVolumeClaim>),
    /// A volume. It says which claim it is for.
    PersistentVolume(Box<PersistentVolume>),
    /// A claim on devices.
    ResourceClaim(Box<AssumedClaim>),
}

/// A claim on devices that a pod uses and that isn't reserved for it yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AssumedClaim {
    /// The claim. One that is still to be created has a `generateName` in place of a name.
    pub claim: ResourceClaim,
    /// Whether its devices were found for this pod; else it had them.
    pub is_new_allocation: bool,
    /// Of a claim that is made up for extended resources: which request serves which resource of which container.
    pub request_mappings: Vec<ContainerExtendedResourceRequest>,
}

/// A pod that is on its way to a node.
#[derive(Clone, Copy)]
pub struct BindingCycle<'a> {
    /// The pod.
    pub pod: &'a PodInfo<'a>,
    /// The name of its node.
    pub node: &'a str,
    /// What plugins have reserved for it. What has been written by now is to be there as the API server has answered.
    pub taken: &'a [Assumed],
    /// The objects as they are stored, whatever is assumed of them.
    pub stored: &'a Listers,
    /// What time it is.
    pub now: Timestamp,
}

/// The part of a plugin that writes what it has reserved, before a pod is bound.
pub trait PreBindPlugin: Send + Sync {
    /// Whether there is anything to do for the pod. If so, its node is told as nominated first.
    ///
    /// # Source
    /// kube-scheduler `framework/interface.go` (`PreBindPreFlight`)
    fn pre_flight(&self, cycle: &BindingCycle<'_>) -> bool;

    /// What is still to be written, in this order. Nothing is asked for that is stored already, so that this can be asked again after
    /// a write of a claim on devices was refused because the claim has changed: then with the claim as it is now.
    ///
    /// # Errors
    /// Why the pod can't be bound after all.
    fn pre_bind(&self, cycle: &BindingCycle<'_>) -> Result<Vec<Write>, String>;

    /// Whether the pod can be bound once all that is written.
    fn progress(&self, _cycle: &BindingCycle<'_>, _waiting: &Waiting<'_>) -> Progress {
        Progress::Done
    }
}

/// What is known of a pod that waits to be bound.
#[derive(Clone, Copy, Debug)]
pub struct Waiting<'a> {
    /// Since when all is written.
    pub since: Timestamp,
    /// The labels of its node; none if the node is gone.
    pub node_labels: Option<&'a Labels>,
    /// Whether the pod is still there.
    pub is_pod_there: bool,
}

/// Whether a pod can be bound.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// It can.
    Done,
    /// It is to be seen again a second later whether it can.
    Wait,
    /// It can't; the sentence says why.
    Failed(String),
}

/// Something to write.
#[derive(Clone, Debug, PartialEq)]
pub struct Write {
    /// What.
    pub action: Action,
    /// What is said of it before the API server's own words if it refuses.
    pub context: Option<&'static str>,
}

/// What is written.
///
/// A claim on devices that has no name yet is the one that was created before: it is to be written with the name, `uid` and
/// `resourceVersion` that it got. Likewise each write of a claim follows on the answer to the one before.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// A volume is updated.
    UpdatePersistentVolume(Box<PersistentVolume>),
    /// A claim is updated.
    UpdatePersistentVolumeClaim(Box<PersistentVolumeClaim>),
    /// A claim on devices is created.
    CreateResourceClaim(Box<ResourceClaim>),
    /// All of a claim on devices but its status is updated.
    UpdateResourceClaim(Box<ResourceClaim>),
    /// The status of a claim on devices is updated.
    UpdateResourceClaimStatus(Box<ResourceClaim>),
    /// The pod of that `uid` is taken out of those for which a claim on devices is reserved, by a strategic merge patch.
    UnreserveResourceClaim {
        /// The claim, as it is known.
        claim: Box<ResourceClaim>,
        /// The pod.
        pod_uid: String,
    },
    /// A claim on devices is deleted; that it is gone is no failure.
    DeleteResourceClaim {
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// The status of the pod is patched: which claim was made up for its extended resources. `resourceClaimName` is empty if that is the
    /// one that was created before.
    PatchExtendedResourceClaimStatus {
        /// The pod's namespace.
        namespace: String,
        /// The pod's name.
        name: String,
        /// What its status says then.
        status: Box<PodExtendedResourceClaimStatus>,
    },
}

impl Write {
    /// A write about which nothing more is said if it is refused.
    pub fn new(action: Action) -> Self {
        Self { action, context: None }
    }

    /// What a plugin says if the API server refuses. `created` is the name that a claim got that has none yet.
    pub fn failure(&self, refusal: &str, created: &str) -> String {
        let claim = match &self.action {
            Action::CreateResourceClaim(claim)
            | Action::UpdateResourceClaim(claim)
            | Action::UpdateResourceClaimStatus(claim) => claim,
            Action::PatchExtendedResourceClaimStatus { namespace, name, .. } => {
                return format!("update pod {namespace}/{name} ExtendedResourceClaimStatus: {refusal}");
            }
            _ => return refusal.to_owned(),
        };
        let Some(context) = self.context else { return refusal.to_owned() };
        let (namespace, name) = namespace_and_name(&claim.metadata);
        let name = if name.is_empty() { created } else { name };
        format!("{context} {namespace}/{name}: {refusal}")
    }
}
