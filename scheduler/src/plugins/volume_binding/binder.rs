//! Which volumes a pod would get on a node.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumebinding/binder.go` (`FindPodVolumes`, `findMatchingVolumes`)

use k8s_openapi::api::core::v1::{PersistentVolume, PersistentVolumeClaim};
use plimsoll_resource_math::Quantity;

use super::NAME;
use super::bound_volumes::{BoundConflict, BoundVolumes};
use super::claims::{PodClaims, UnboundClaim};
use super::provisioning::{NotProvisionable, Provisioning};
use super::volume_search::VolumeSearch;
use crate::framework::{Code, Reason, Status};
use crate::snapshot::{NodeIndex, Snapshot};
use crate::volume_claims::{SELECTED_NODE, annotation, storage_amount};

/// A volume that the pod has can't be used on the node.
pub const REASON_NODE_CONFLICT: &str = "node(s) didn't match PersistentVolume's node affinity";
/// A claim gets no volume on the node.
pub const REASON_BIND_CONFLICT: &str = "node(s) didn't find available persistent volumes to bind";
/// Too little storage is left for the node.
pub const REASON_NOT_ENOUGH_SPACE: &str = "node(s) did not have enough free storage";
/// A volume that the pod has doesn't exist.
pub const REASON_MISSING: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";

/// What a pod's claims have and want, read once for all nodes.
pub(super) struct Binder<'a> {
    snapshot: &'a Snapshot,
    bound: BoundVolumes<'a>,
    /// The claims for which a node was selected.
    selected: Vec<Wanted<'a>>,
    /// The other claims that want a volume, those that ask for least first, and what they can choose from.
    searching: Vec<(Wanted<'a>, Result<VolumeSearch<'a>, String>)>,
}

/// A claim that wants a volume.
struct Wanted<'a> {
    claim: &'a PersistentVolumeClaim,
    request: Option<Quantity>,
    provisioning: Provisioning<'a>,
}

/// What a pod would get on a node.
#[derive(Debug, Default)]
pub(super) struct PodVolumes<'a> {
    pub(super) bindings: Vec<Binding<'a>>,
    pub(super) provisions: Vec<Provision<'a>>,
}

/// A volume that exists, for a claim.
#[derive(Debug)]
pub(super) struct Binding<'a> {
    pub(super) claim: &'a PersistentVolumeClaim,
    pub(super) volume: &'a PersistentVolume,
    pub(super) requested_bytes: i64,
    pub(super) capacity_bytes: i64,
}

/// A volume that is to be made for a claim.
#[derive(Debug)]
pub(super) struct Provision<'a> {
    pub(super) claim: &'a PersistentVolumeClaim,
    pub(super) requested_bytes: i64,
    /// What is left for such volumes, if the driver says.
    pub(super) capacity_bytes: Option<i64>,
}

/// Why a pod doesn't get its volumes on a node.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refusal<'s> {
    /// These reasons; at least one.
    Conflicts(Conflicts),
    /// It can't be said; the message says why.
    Error(&'s str),
}

/// Reasons why a pod doesn't get its volumes on a node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Conflicts {
    bound: Option<BoundConflict>,
    unbound: Option<NotProvisionable>,
}

impl<'a> Binder<'a> {
    /// # Errors
    /// The amount that a claim asks for is no quantity.
    pub(super) fn new(claims: &PodClaims<'a>, snapshot: &'a Snapshot) -> Result<Self, Status> {
        let storage = &snapshot.listers().storage;
        let mut selected = Vec::new();
        let mut searching = Vec::new();
        for unbound in &claims.unbound {
            let UnboundClaim { claim, class } = *unbound;
            let resources = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref());
            let request = storage_amount(resources.and_then(|resources| resources.requests.as_ref()))
                .map_err(|error| Status::new(Code::Error, NAME, error.to_string()))?;
            let provisioning = Provisioning::new(class, request.as_ref(), storage);
            let search = annotation(&claim.metadata, SELECTED_NODE).is_none().then(|| {
                let least = request.clone().unwrap_or_default();
                VolumeSearch::new(unbound.claim, &least, storage)
            });
            let wanted = Wanted { claim, request, provisioning };
            match search {
                Some(search) => searching.push((wanted, search)),
                None => selected.push(wanted),
            }
        }
        let amount = |wanted: &Wanted<'_>| wanted.request.clone().unwrap_or_default();
        searching.sort_by_key(|(wanted, _)| amount(wanted));
        Ok(Self { snapshot, bound: BoundVolumes::new(&claims.bound, snapshot), selected, searching })
    }

    /// Whether the pod's claims have their volumes, and every node will do.
    pub(super) fn suits_every_node(&self) -> bool {
        self.bound.are_everywhere() && !self.has_unbound()
    }

    /// Whether any claim waits for the pod to get a node.
    pub(super) fn has_unbound(&self) -> bool {
        !self.selected.is_empty() || !self.searching.is_empty()
    }

    /// Whether a claim can't be read, so that it can't be said what any node has for it.
    pub(super) fn has_malformed_claim(&self) -> bool {
        self.searching.iter().any(|(_, search)| search.is_err())
    }

    /// What the pod would get on a node.
    pub(super) fn find(&self, node: NodeIndex) -> Result<PodVolumes<'a>, Refusal<'_>> {
        let unbound = self.find_unbound(node);
        let conflicts = Conflicts {
            bound: self.bound.check(node).err(),
            unbound: match unbound {
                Err(Refusal::Conflicts(conflicts)) => conflicts.unbound,
                Err(Refusal::Error(_)) => return unbound,
                Ok(_) => None,
            },
        };
        if conflicts == Conflicts::default() { unbound } else { Err(Refusal::Conflicts(conflicts)) }
    }

    fn find_unbound(&self, node: NodeIndex) -> Result<PodVolumes<'a>, Refusal<'_>> {
        let mut found = PodVolumes::default();
        let name = self.snapshot.name(node);
        let is_other_selected =
            |wanted: &Wanted<'_>| annotation(&wanted.claim.metadata, SELECTED_NODE) != Some(name);
        if self.selected.iter().any(is_other_selected) {
            return Err(Refusal::from(NotProvisionable::NotThere));
        }
        let labels = self.snapshot.labels(node);
        let mut to_provision: Vec<&Wanted<'a>> = self.selected.iter().collect();
        let mut chosen: Vec<&PersistentVolume> = Vec::new();
        for (wanted, search) in &self.searching {
            let search = search.as_ref().map_err(|message| Refusal::Error(message))?;
            let Some(candidate) = search.find(labels, &chosen) else {
                to_provision.push(wanted);
                continue;
            };
            chosen.push(candidate.volume);
            found.bindings.push(Binding {
                claim: wanted.claim,
                volume: candidate.volume,
                requested_bytes: wanted.requested_bytes(),
                capacity_bytes: candidate.capacity.value(),
            });
        }
        for wanted in to_provision {
            let capacity_bytes = wanted.provisioning.check(labels).map_err(Refusal::from)?;
            let requested_bytes = wanted.requested_bytes();
            found.provisions.push(Provision { claim: wanted.claim, requested_bytes, capacity_bytes });
        }
        Ok(found)
    }
}

impl Wanted<'_> {
    fn requested_bytes(&self) -> i64 {
        self.request.as_ref().map_or(0, Quantity::value)
    }
}

impl From<NotProvisionable> for Refusal<'_> {
    fn from(why: NotProvisionable) -> Self {
        Self::Conflicts(Conflicts { bound: None, unbound: Some(why) })
    }
}

impl Refusal<'_> {
    /// The answer for the node.
    pub(super) fn status(&self) -> Status {
        match self {
            Self::Conflicts(conflicts) => conflicts.status(),
            Self::Error(message) => Status::new(Code::Error, NAME, (*message).to_owned()),
        }
    }
}

impl Conflicts {
    fn status(self) -> Status {
        let texts = [
            (self.bound == Some(BoundConflict::OtherNode)).then_some(REASON_NODE_CONFLICT),
            (self.unbound == Some(NotProvisionable::NotThere)).then_some(REASON_BIND_CONFLICT),
            (self.unbound == Some(NotProvisionable::NotEnoughSpace)).then_some(REASON_NOT_ENOUGH_SPACE),
            (self.bound == Some(BoundConflict::Missing)).then_some(REASON_MISSING),
        ];
        let reasons = texts.into_iter().flatten().map(|text| Reason { text: text.into(), amount: None });
        Status { code: Code::UnschedulableAndUnresolvable, plugin: NAME, reasons: reasons.collect() }
    }
}
