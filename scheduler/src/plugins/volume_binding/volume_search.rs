//! Which of the volumes that exist suits a claim on a node.
//!
//! # Source
//! component-helpers `storage/volume/pv_helpers.go` (`FindMatchingVolume`)

use std::cell::OnceCell;

use k8s_openapi::api::core::v1::{
    NodeSelector as NodeSelectorObject, PersistentVolume, PersistentVolumeClaim, PersistentVolumeClaimSpec,
    PersistentVolumeSpec,
};
use plimsoll_matching::label_selector::{Labels, Selector, labels_of};
use plimsoll_matching::node_selector::NodeSelector;
use plimsoll_resource_math::Quantity;

use super::label_index::{LabelIndex, needed_for_node_selector};
use crate::listers::StorageListers;
use crate::volume_claims::{class_of_claim, class_of_volume, namespace_and_name, storage_amount};

/// The volumes that suit a claim but for the node, found once for a pod.
pub(super) struct VolumeSearch<'a> {
    /// Those that are meant for the claim: no other will do then.
    prebound: Vec<Candidate<'a>>,
    /// The others, the smallest first.
    available: Vec<Candidate<'a>>,
    /// The places in `available`.
    index: LabelIndex<'a>,
}

/// The volume that a claim gets that doesn't wait for a pod: the one that is meant for it, or else the smallest that suits it.
pub fn find_matching_volume<'a>(
    claim: &'a PersistentVolumeClaim,
    storage: &'a StorageListers,
) -> Option<&'a PersistentVolume> {
    let requests = claim.spec.as_ref().and_then(|spec| spec.resources.as_ref()?.requests.as_ref());
    let request = storage_amount(requests).ok()?.unwrap_or_default();
    let search = VolumeSearch::new(claim, &request, storage).ok()?;
    search.prebound.first().or(search.available.first()).map(|candidate| candidate.volume)
}

/// A volume that suits a claim but for the node.
pub(super) struct Candidate<'a> {
    pub(super) volume: &'a PersistentVolume,
    pub(super) capacity: Quantity,
    affinity: VolumeAffinity<'a>,
}

impl<'a> VolumeSearch<'a> {
    /// Looks through the volumes of the claim's class.
    ///
    /// # Errors
    /// The claim's selector is malformed.
    pub(super) fn new(
        claim: &'a PersistentVolumeClaim,
        request: &Quantity,
        storage: &'a StorageListers,
    ) -> Result<Self, String> {
        let spec = claim.spec.as_ref();
        let selector = spec.and_then(|spec| spec.selector.as_ref());
        let selector = selector
            .map(|selector| Selector::from_label_selector(Some(selector)))
            .transpose()
            .map_err(|error| {
                let (namespace, name) = namespace_and_name(&claim.metadata);
                format!("error creating internal label selector for claim: {namespace}/{name}: {error}")
            })?;
        let class = class_of_claim(claim);
        let mut search = Self { prebound: Vec::new(), available: Vec::new(), index: LabelIndex::default() };
        // DIFFERENCE: D-scheduler-20. They come in order of name.
        for volume in storage.volumes().filter(|volume| class_of_volume(volume) == class) {
            let Some(candidate) = Candidate::new(volume, spec, request) else { continue };
            let claim_ref = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref());
            if is_bound_to(volume, claim) {
                search.prebound.push(candidate);
            } else if claim_ref.is_none() && is_available_to(volume, spec, selector.as_ref()) {
                search.available.push(candidate);
            }
        }
        search.available.sort_by(|one, other| one.capacity.cmp(&other.capacity));
        for (place, candidate) in search.available.iter().enumerate() {
            search.index.push(place, candidate.affinity.required.and_then(needed_for_node_selector));
        }
        Ok(search)
    }

    /// The volume for the claim on a node with these labels. Those that other claims of the pod have got are left out.
    pub(super) fn find(&self, labels: &Labels, chosen: &[&PersistentVolume]) -> Option<&Candidate<'a>> {
        let is_free =
            |candidate: &Candidate<'_>| !chosen.iter().any(|volume| std::ptr::eq(*volume, candidate.volume));
        if let Some(prebound) = self.prebound.iter().find(|candidate| is_free(candidate)) {
            return Some(prebound).filter(|candidate| candidate.affinity.allows(labels));
        }
        let passes = |place: usize| {
            let candidate = &self.available[place];
            candidate.affinity.allows(labels) && is_free(candidate)
        };
        self.index.first(labels, passes).map(|place| &self.available[place])
    }
}

impl<'a> Candidate<'a> {
    /// The volume, if it is such that a claim could have it that is meant for it. One whose capacity can't be read is not.
    fn new(
        volume: &'a PersistentVolume,
        claim: Option<&PersistentVolumeClaimSpec>,
        request: &Quantity,
    ) -> Option<Self> {
        let spec = volume.spec.as_ref();
        let capacity = storage_amount(spec.and_then(|spec| spec.capacity.as_ref())).ok()?.unwrap_or_default();
        let attributes_class =
            |spec: Option<&PersistentVolumeSpec>| spec?.volume_attributes_class_name.clone();
        let wanted_attributes_class = claim.and_then(|claim| claim.volume_attributes_class_name.clone());
        let suits = capacity >= *request
            && mode(claim.and_then(|claim| claim.volume_mode.as_deref()))
                == mode(spec.and_then(|spec| spec.volume_mode.as_deref()))
            && wanted_attributes_class.unwrap_or_default() == attributes_class(spec).unwrap_or_default()
            && volume.metadata.deletion_timestamp.is_none();
        suits.then(|| Self { volume, capacity, affinity: VolumeAffinity::new(volume) })
    }
}

fn mode(given: Option<&str>) -> &str {
    given.unwrap_or("Filesystem")
}

/// Whether a volume is meant for a claim or bound to it.
///
/// # Source
/// component-helpers `storage/volume/pv_helpers.go` (`IsVolumeBoundToClaim`)
pub(super) fn is_bound_to(volume: &PersistentVolume, claim: &PersistentVolumeClaim) -> bool {
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else { return false };
    let is_same = |one: &Option<String>, other: &Option<String>| {
        one.as_deref().unwrap_or_default() == other.as_deref().unwrap_or_default()
    };
    is_same(&reference.name, &claim.metadata.name)
        && is_same(&reference.namespace, &claim.metadata.namespace)
        && (is_same(&reference.uid, &None) || is_same(&reference.uid, &claim.metadata.uid))
}

/// Whether a claim may take a volume that is meant for none.
fn is_available_to(
    volume: &PersistentVolume,
    claim: Option<&PersistentVolumeClaimSpec>,
    selector: Option<&Selector>,
) -> bool {
    let phase = volume.status.as_ref().and_then(|status| status.phase.as_deref());
    let modes = volume.spec.as_ref().and_then(|spec| spec.access_modes.as_deref()).unwrap_or_default();
    let mut wanted_modes = claim.into_iter().flat_map(|claim| claim.access_modes.iter().flatten());
    phase == Some("Available")
        && selector.is_none_or(|selector| selector.matches(labels_of(&volume.metadata)))
        && wanted_modes.all(|mode| modes.contains(mode))
}

/// The nodes that a volume can be used on.
///
/// # Source
/// component-helpers `storage/volume/helpers.go` (`CheckNodeAffinity`)
#[derive(Debug)]
pub(super) struct VolumeAffinity<'a> {
    required: Option<&'a NodeSelectorObject>,
    /// The same, once it was read.
    read: OnceCell<NodeSelector>,
}

impl<'a> VolumeAffinity<'a> {
    pub(super) fn new(volume: &'a PersistentVolume) -> Self {
        let affinity = volume.spec.as_ref().and_then(|spec| spec.node_affinity.as_ref());
        let required = affinity.and_then(|affinity| affinity.required.as_ref());
        Self { required, read: OnceCell::new() }
    }

    pub(super) fn is_everywhere(&self) -> bool {
        self.required.is_none()
    }

    /// Whether a node with these labels will do. What is required of the node's fields counts as met.
    pub(super) fn allows(&self, labels: &Labels) -> bool {
        let Some(required) = self.required else { return true };
        self.read.get_or_init(|| NodeSelector::new(required).0).matches(labels, "")
    }
}
