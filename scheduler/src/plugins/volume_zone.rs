//! VolumeZone: a pod goes where its volumes are, by the zones and regions that they are labelled with. Asked at PreFilter and Filter.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumezone/volume_zone.go`

mod queueing_hint;

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::PersistentVolume;
use plimsoll_matching::label_selector::labels_of;

use super::Registration;
use crate::framework::{Code, ExtensionPoint, Filter, FilterPlugin, Plugin, PreFilter, Status};
use crate::listers::{StorageListers, not_found};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};
use crate::volume_claims::{class_of_claim, waits_for_pod};
use crate::well_known_labels::{BETA_REGION, BETA_ZONE, REGION, ZONE, ZONE_DELIMITER};

/// The plugin's name.
pub const NAME: &str = "VolumeZone";
/// A volume is elsewhere.
pub const REASON: &str = "node(s) had no available volume zone";

const TOPOLOGY_LABELS: [&str; 4] = [BETA_ZONE, BETA_REGION, ZONE, REGION];

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreFilter, ExtensionPoint::Filter],
    weight: 1,
    summary: "A node in a zone takes a pod only if the pod's volumes are labelled with that zone and region, or with none.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin { filter: Some(Box::new(VolumeZone)), events: Some(queueing_hint::events()), ..Plugin::new(NAME) }
}

struct VolumeZone;

impl FilterPlugin for VolumeZone {
    fn pre_filter<'a>(&'a self, pod: &'a PodInfo<'a>, snapshot: &'a Snapshot) -> PreFilter<'a> {
        let Some(volumes) = pod.volumes.as_deref() else { return PreFilter::Skip };
        let mut topologies = Vec::new();
        for claim in volumes.claims() {
            match volume_of_claim(pod.namespace(), claim, &snapshot.listers().storage) {
                Ok(volume) => topologies.extend(volume.into_iter().flat_map(topologies_of)),
                Err(text) => {
                    return PreFilter::Reject(Status::new(Code::UnschedulableAndUnresolvable, NAME, text));
                }
            }
        }
        if topologies.is_empty() {
            return PreFilter::Skip;
        }
        PreFilter::run(VolumeZoneFilter { topologies, snapshot })
    }
}

/// The volume that a claim is bound to; none if it will be bound once the pod has a node. The error says why it can't be known.
///
/// # Source
/// `volume_zone.go` (`getPVbyPod`)
fn volume_of_claim<'a>(
    namespace: &str,
    claim_name: &str,
    storage: &'a StorageListers,
) -> Result<Option<&'a PersistentVolume>, String> {
    if claim_name.is_empty() {
        return Err("PersistentVolumeClaim had no name".to_owned());
    }
    let claim =
        storage.claim(namespace, claim_name).ok_or_else(|| not_found("persistentvolumeclaim", claim_name))?;
    let volume = claim.spec.as_ref().and_then(|spec| spec.volume_name.as_deref()).unwrap_or_default();
    if !volume.is_empty() {
        let found = storage.volume(volume).ok_or_else(|| not_found("persistentvolume", volume))?;
        return Ok(Some(found));
    }
    let class_name = class_of_claim(claim);
    if class_name.is_empty() {
        return Err("PersistentVolumeClaim had no pv name and storageClass name".to_owned());
    }
    let class =
        storage.class(class_name).ok_or_else(|| not_found("storageclass.storage.k8s.io", class_name))?;
    if waits_for_pod(class)? { Ok(None) } else { Err("PersistentVolume had no name".to_owned()) }
}

/// Where a volume is: a node that is somewhere at all has to have one of these values.
#[derive(PartialEq, Eq)]
struct Topology<'a> {
    key: &'a str,
    values: BTreeSet<&'a str>,
}

/// What a volume is labelled with. A label that is malformed says nothing.
///
/// # Source
/// `volume_zone.go` (`getPVTopologies`), `k8s.io/cloud-provider/volume/helpers` (`LabelZonesToSet`)
fn topologies_of(volume: &PersistentVolume) -> impl Iterator<Item = Topology<'_>> {
    let labels = labels_of(&volume.metadata);
    TOPOLOGY_LABELS.into_iter().filter_map(|key| {
        let values: BTreeSet<&str> = labels.get(key)?.split(ZONE_DELIMITER).map(str::trim).collect();
        (!values.contains("")).then_some(Topology { key, values })
    })
}

struct VolumeZoneFilter<'a> {
    topologies: Vec<Topology<'a>>,
    snapshot: &'a Snapshot,
}

impl Filter for VolumeZoneFilter<'_> {
    fn check(&self, node: NodeIndex) -> Status {
        let labels = self.snapshot.labels(node);
        let is_anywhere = TOPOLOGY_LABELS.iter().any(|key| labels.contains_key(*key));
        let is_there = |topology: &Topology<'_>| {
            let value = labels.get(topology.key).or_else(|| labels.get(stable_label(topology.key)));
            value.is_some_and(|value| topology.values.contains(value.as_str()))
        };
        if !is_anywhere || self.topologies.iter().all(is_there) {
            Status::SUCCESS
        } else {
            Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON)
        }
    }
}

/// The label that has taken the place of a beta one.
fn stable_label(key: &str) -> &str {
    match key {
        BETA_ZONE => ZONE,
        BETA_REGION => REGION,
        _ => key,
    }
}
