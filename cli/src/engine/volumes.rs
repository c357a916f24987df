//! What the controllers of volumes would do in a cluster: they make the claims of ephemeral volumes, and give claims their volumes.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{
    NodeSelector, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume, PersistentVolumeClaim,
    PersistentVolumeSpec, Pod, VolumeNodeAffinity,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use plimsoll_scheduler::listers::StorageListers;
use plimsoll_scheduler::plugins::volume_binding::find_matching_volume;
use plimsoll_scheduler::volume_claims::{
    BIND_COMPLETED, NO_PROVISIONER, SELECTED_NODE, annotation, namespace_and_name, reference_to,
    waits_for_pod,
};
use plimsoll_scheduler::well_known_labels::ZONE;
use plimsoll_scheduler::{Listers, Snapshot};

/// What had to be taken for granted about volumes.
#[derive(Debug, Default)]
pub(super) struct TakenForGranted {
    /// Claims whose volume or class isn't declared.
    claims: Vec<String>,
    /// Whether a volume was made for a pod's node.
    zonal: bool,
}

impl TakenForGranted {
    /// The same in words.
    pub(super) fn notes(&self) -> Vec<String> {
        const NAMED: usize = 5;
        let mut notes = Vec::new();
        if !self.claims.is_empty() {
            let named: Vec<&str> = self.claims.iter().take(NAMED).map(String::as_str).collect();
            let rest = self.claims.len().saturating_sub(NAMED);
            let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
            notes.push(format!(
                "claims whose volumes and storage classes are not declared, taken to be bound to volumes that every node reaches: {}{more}",
                named.join(", ")
            ));
        }
        if self.zonal {
            notes.push(
                "volumes that are made along with a pod are taken to be reached from the zone of its node"
                    .to_owned(),
            );
        }
        notes
    }
}

/// Lets the scheduler look a volume up. One that is nobody's is available.
pub(super) fn list_volume(volume: &PersistentVolume, storage: &mut StorageListers) {
    let mut volume = volume.clone();
    let is_taken = volume.spec.as_ref().is_some_and(|spec| spec.claim_ref.is_some());
    let phase = &mut volume.status.get_or_insert_default().phase;
    phase.get_or_insert_with(|| if is_taken { "Bound" } else { "Available" }.to_owned());
    storage.set_volume(&volume);
}

/// Lets the scheduler look a claim up, with the volume that it would have by now: the one it names, the smallest that suits it, or one that
/// its class makes at once. A claim of a class that waits for a pod has none yet. With `is_strict` nothing is taken for granted.
pub(super) fn list_claim(
    claim: &PersistentVolumeClaim,
    listers: &mut Listers,
    is_strict: bool,
    granted: &mut TakenForGranted,
) {
    let storage = &mut listers.storage;
    storage.set_claim(claim);
    if annotation(&claim.metadata, BIND_COMPLETED).is_some() && storage.volume(volume_name(claim)).is_some() {
        return;
    }
    let (namespace, name) = namespace_and_name(&claim.metadata);
    let mut take_for_granted = |storage: &mut StorageListers| {
        if !is_strict {
            granted.claims.push(format!("{namespace}/{name}"));
            bind(claim, made_volume(claim, None), storage);
        }
    };
    if !volume_name(claim).is_empty() {
        match storage.volume(volume_name(claim)).cloned() {
            Some(volume) => bind(claim, volume, storage),
            None => take_for_granted(storage),
        }
        return;
    }
    let class_name = claim.spec.as_ref().and_then(|spec| spec.storage_class_name.clone());
    let class = class_name.as_deref().and_then(|name| storage.class(name)).cloned();
    if class.as_ref().is_some_and(|class| waits_for_pod(class) == Ok(true)) {
        return;
    }
    if let Some(volume) = find_matching_volume(claim, storage).cloned() {
        return bind(claim, volume, storage);
    }
    match (class, class_name) {
        (Some(class), _) if class.provisioner == NO_PROVISIONER => {}
        (Some(_), _) => bind(claim, made_volume(claim, None), storage),
        // The empty name asks for a volume that exists.
        (None, Some(name)) if name.is_empty() => {}
        (None, Some(_)) => take_for_granted(storage),
        // There is a default class in most clusters; where classes are declared, none of them is.
        (None, None) if storage.has_classes() => {}
        (None, None) => take_for_granted(storage),
    }
}

/// The claims that are made for the ephemeral volumes of a pod.
///
/// # Source
/// kube-controller-manager `pkg/controller/volume/ephemeral/controller.go`
pub(super) fn ephemeral_claims(pod: &Pod) -> Vec<PersistentVolumeClaim> {
    let (namespace, pod_name) = namespace_and_name(&pod.metadata);
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let claim = |volume: &k8s_openapi::api::core::v1::Volume| {
        let template = volume.ephemeral.as_ref()?.volume_claim_template.as_ref()?;
        let metadata = template.metadata.clone().unwrap_or_default();
        Some(PersistentVolumeClaim {
            metadata: ObjectMeta {
                name: Some(format!("{pod_name}-{}", volume.name)),
                namespace: Some(namespace.to_owned()),
                annotations: metadata.annotations,
                labels: metadata.labels,
                owner_references: Some(vec![owner_of_claim(pod)]),
                ..ObjectMeta::default()
            },
            spec: Some(template.spec.clone()),
            status: None,
        })
    };
    volumes.filter_map(claim).collect()
}

/// The pod as the owner of a claim that is made for it.
pub(super) fn owner_of_claim(pod: &Pod) -> OwnerReference {
    OwnerReference {
        api_version: "v1".to_owned(),
        kind: "Pod".to_owned(),
        name: pod.metadata.name.clone().unwrap_or_default(),
        uid: pod.metadata.uid.clone().unwrap_or_default(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// A volume that was chosen for the claim that it names is bound to it at once.
pub(super) fn bind_chosen(volume: PersistentVolume, snapshot: &mut Snapshot) {
    let Some(reference) = volume.spec.as_ref().and_then(|spec| spec.claim_ref.as_ref()) else { return };
    let namespace = reference.namespace.as_deref().unwrap_or_default();
    let storage = &mut snapshot.listers_mut().storage;
    let claim = storage.claim(namespace, reference.name.as_deref().unwrap_or_default()).cloned();
    match claim {
        Some(claim) => bind(&claim, volume, storage),
        None => storage.set_volume(&volume),
    }
}

/// A claim for which a node was selected gets a volume there at once.
pub(super) fn provision(
    claim: &PersistentVolumeClaim,
    snapshot: &mut Snapshot,
    granted: &mut TakenForGranted,
) {
    let selected = annotation(&claim.metadata, SELECTED_NODE);
    let Some(node) = selected.and_then(|name| snapshot.node(name)) else { return };
    let zone = snapshot.labels(node).get(ZONE).cloned();
    granted.zonal = true;
    bind(claim, made_volume(claim, zone), &mut snapshot.listers_mut().storage);
}

/// The volume that would be made for a claim, to be reached from everywhere or from one zone.
fn made_volume(claim: &PersistentVolumeClaim, zone: Option<String>) -> PersistentVolume {
    let (namespace, name) = namespace_and_name(&claim.metadata);
    let spec = claim.spec.as_ref();
    let in_zone = |zone| NodeSelectorTerm {
        match_expressions: Some(vec![NodeSelectorRequirement {
            key: ZONE.to_owned(),
            operator: "In".to_owned(),
            values: Some(vec![zone]),
        }]),
        ..NodeSelectorTerm::default()
    };
    let named = Some(volume_name(claim)).filter(|name| !name.is_empty()).map(str::to_owned);
    PersistentVolume {
        metadata: ObjectMeta {
            name: named.or_else(|| Some(format!("pvc-{namespace}-{name}"))),
            ..ObjectMeta::default()
        },
        spec: Some(PersistentVolumeSpec {
            access_modes: spec.and_then(|spec| spec.access_modes.clone()),
            capacity: spec.and_then(|spec| spec.resources.as_ref()?.requests.clone()),
            storage_class_name: spec.and_then(|spec| spec.storage_class_name.clone()),
            volume_mode: spec.and_then(|spec| spec.volume_mode.clone()),
            node_affinity: zone.map(|zone| VolumeNodeAffinity {
                required: Some(NodeSelector { node_selector_terms: vec![in_zone(zone)] }),
            }),
            ..PersistentVolumeSpec::default()
        }),
        status: None,
    }
}

/// Binds a claim and a volume to each other.
fn bind(claim: &PersistentVolumeClaim, mut volume: PersistentVolume, storage: &mut StorageListers) {
    let mut claim = claim.clone();
    volume.spec.get_or_insert_default().claim_ref = Some(reference_to(&claim));
    volume.status.get_or_insert_default().phase = Some("Bound".to_owned());
    claim.spec.get_or_insert_default().volume_name.clone_from(&volume.metadata.name);
    let annotations: &mut BTreeMap<String, String> = claim.metadata.annotations.get_or_insert_default();
    annotations.insert(BIND_COMPLETED.to_owned(), "yes".to_owned());
    claim.status.get_or_insert_default().phase = Some("Bound".to_owned());
    storage.set_volume(&volume);
    storage.set_claim(&claim);
}

fn volume_name(claim: &PersistentVolumeClaim) -> &str {
    claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default()
}
