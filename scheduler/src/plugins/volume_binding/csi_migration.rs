//! Volumes of plugins that were once built in: on a node where a CSI driver has taken over, its labels tell zones apart.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumebinding/binder.go` (`tryTranslatePVToCSI`), csi-translation-lib `plugins/in_tree_volume.go`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{
    NodeSelector as NodeSelectorObject, NodeSelectorRequirement, NodeSelectorTerm, PersistentVolume,
};
use k8s_openapi::api::storage::v1::CSINode;
use plimsoll_matching::label_selector::{Labels, labels_of};
use plimsoll_matching::node_selector::NodeSelector;

use crate::csi_migration::{AWS_EBS, CINDER, GCE_PD};
use crate::volume_claims::annotation;
use crate::well_known_labels::{BETA_REGION, BETA_ZONE, REGION, ZONE, ZONE_DELIMITER};

/// The annotation of a CSINode that lists the plugins which drivers have taken over there.
pub(super) const MIGRATED_PLUGINS: &str = "storage.alpha.kubernetes.io/migrated-plugins";

/// A volume that a CSI driver may have taken over, with another name for its zone. Drivers that keep the name make no difference.
///
/// DIFFERENCE: D-scheduler-22.
#[derive(Debug)]
pub(super) struct MigratedVolume {
    plugin: &'static str,
    affinity: Option<NodeSelector>,
}

impl MigratedVolume {
    /// The volume as its CSI driver has it; none if there is no such driver.
    pub(super) fn of(volume: &PersistentVolume) -> Option<Self> {
        let spec = volume.spec.as_ref()?;
        let (plugin, zone_key) = if spec.aws_elastic_block_store.is_some() {
            (AWS_EBS.name, "topology.ebs.csi.aws.com/zone")
        } else if spec.gce_persistent_disk.is_some() {
            (GCE_PD.name, "topology.gke.io/zone")
        } else if spec.cinder.is_some() {
            (CINDER.name, "topology.cinder.csi.openstack.org/zone")
        } else {
            return None;
        };
        let required = spec.node_affinity.as_ref().and_then(|affinity| affinity.required.clone());
        let translated = translate(required, labels_of(&volume.metadata), zone_key);
        Some(Self { plugin, affinity: translated.map(|selector| NodeSelector::new(&selector).0) })
    }

    /// Whether the driver has taken over on a node.
    pub(super) fn is_migrated_on(&self, csi_node: &CSINode) -> bool {
        let plugins = annotation(&csi_node.metadata, MIGRATED_PLUGINS).unwrap_or_default();
        plugins.split(',').any(|plugin| plugin == self.plugin)
    }

    /// Whether a node with these labels will do for the driver.
    pub(super) fn allows(&self, labels: &Labels) -> bool {
        self.affinity.as_ref().is_none_or(|affinity| affinity.matches(labels, ""))
    }
}

/// What a volume requires of its node in the driver's words.
///
/// # Source
/// csi-translation-lib `plugins/in_tree_volume.go` (`translateTopologyFromInTreeToCSI`)
fn translate(
    mut required: Option<NodeSelectorObject>,
    labels: &Labels,
    zone_key: &str,
) -> Option<NodeSelectorObject> {
    let (zone, region) = names_in_use(required.as_ref(), labels);
    if has_values(required.as_ref(), zone) {
        rename(required.as_mut(), zone, zone_key);
    } else if let Some(zones) = labels.get(zone) {
        required = with_zones(required, zone_key, zones);
    }
    if region == BETA_REGION && has_values(required.as_ref(), region) {
        rename(required.as_mut(), region, REGION);
    }
    required
}

/// How zone and region are named for a volume: in its node affinity, else in its labels.
///
/// # Source
/// csi-translation-lib `plugins/in_tree_volume.go` (`getTopologyLabel`)
fn names_in_use(required: Option<&NodeSelectorObject>, labels: &Labels) -> (&'static str, &'static str) {
    let is_required = |key: &str| expressions(required).any(|expression| expression.key == key);
    let is_beta = !is_required(ZONE)
        && (is_required(BETA_ZONE) || (!labels.contains_key(ZONE) && labels.contains_key(BETA_ZONE)));
    if is_beta { (BETA_ZONE, BETA_REGION) } else { (ZONE, REGION) }
}

fn expressions(required: Option<&NodeSelectorObject>) -> impl Iterator<Item = &NodeSelectorRequirement> {
    let terms = required.into_iter().flat_map(|required| &required.node_selector_terms);
    terms.flat_map(|term| term.match_expressions.iter().flatten())
}

fn has_values(required: Option<&NodeSelectorObject>, key: &str) -> bool {
    let has_any = |expression: &NodeSelectorRequirement| {
        expression.values.as_ref().is_some_and(|values| !values.is_empty())
    };
    expressions(required).any(|expression| expression.key == key && has_any(expression))
}

fn rename(required: Option<&mut NodeSelectorObject>, from: &str, to: &str) {
    let terms = required.into_iter().flat_map(|required| &mut required.node_selector_terms);
    for expression in terms.flat_map(|term| term.match_expressions.iter_mut().flatten()) {
        if expression.key == from {
            to.clone_into(&mut expression.key);
        }
    }
}

/// Adds to each term that the node is in one of the zones of a label.
///
/// # Source
/// csi-translation-lib `plugins/in_tree_volume.go` (`addTopology`)
fn with_zones(required: Option<NodeSelectorObject>, key: &str, label: &str) -> Option<NodeSelectorObject> {
    let zones = label.split(ZONE_DELIMITER).map(str::trim).filter(|zone| !zone.is_empty());
    let zones: BTreeSet<String> = zones.map(str::to_owned).collect();
    if zones.is_empty() {
        return required;
    }
    let in_zones = NodeSelectorRequirement {
        key: key.to_owned(),
        operator: "In".to_owned(),
        values: Some(zones.into_iter().collect()),
    };
    let mut required = required.unwrap_or_default();
    if required.node_selector_terms.is_empty() {
        required.node_selector_terms.push(NodeSelectorTerm::default());
    }
    for term in &mut required.node_selector_terms {
        term.match_expressions.get_or_insert_default().push(in_zones.clone());
    }
    Some(required)
}
