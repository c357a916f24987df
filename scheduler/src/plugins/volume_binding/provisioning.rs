//! Whether a volume can be made for a claim on a node.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/volumebinding/binder.go` (`checkVolumeProvisions`, `hasEnoughCapacity`)

use k8s_openapi::api::core::v1::TopologySelectorTerm;
use k8s_openapi::api::storage::v1::{CSIStorageCapacity, StorageClass};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_matching::label_selector::{Labels, Operator, Requirement, Selector};
use plimsoll_resource_math::Quantity;

use super::label_index::{LabelIndex, needed_for_label_selector};
use crate::listers::StorageListers;
use crate::volume_claims::NO_PROVISIONER;

/// How volumes are made for a claim.
pub(super) struct Provisioning<'a> {
    is_supported: bool,
    /// Terms any of which a node has to meet; none if every node will do.
    topologies: Option<Vec<Vec<Requirement>>>,
    /// What is left for a volume of this size; none if the driver doesn't say.
    capacities: Option<Capacities<'a>>,
}

/// Why no volume can be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotProvisionable {
    /// The class makes none, or none there.
    NotThere,
    /// Too little is left there.
    NotEnoughSpace,
}

impl<'a> Provisioning<'a> {
    /// How a class makes a volume of a size; of any size if none is asked for.
    pub(super) fn new(
        class: &'a StorageClass,
        request: Option<&Quantity>,
        storage: &'a StorageListers,
    ) -> Self {
        let terms = class.allowed_topologies.as_deref().filter(|terms| !terms.is_empty());
        let driver = storage.csi_driver(&class.provisioner);
        let has_to_fit = driver.is_some_and(|driver| driver.spec.storage_capacity == Some(true));
        let size = request.filter(|_| has_to_fit).map(Quantity::value);
        let class_name = class.metadata.name.as_deref().unwrap_or_default();
        Self {
            is_supported: !matches!(class.provisioner.as_str(), "" | NO_PROVISIONER),
            topologies: terms.map(|terms| terms.iter().filter_map(read_term).collect()),
            capacities: size.map(|size| Capacities::new(class_name, size, storage)),
        }
    }

    /// Whether a volume can be made on a node with these labels; if so, how many bytes are left there, as far as the driver says.
    ///
    /// # Errors
    /// Why it can't.
    pub(super) fn check(&self, labels: &Labels) -> Result<Option<i64>, NotProvisionable> {
        let is_met = |term: &Vec<Requirement>| term.iter().all(|requirement| requirement.matches(labels));
        let is_there = self.topologies.as_ref().is_none_or(|terms| terms.iter().any(is_met));
        match &self.capacities {
            _ if !self.is_supported || !is_there => Err(NotProvisionable::NotThere),
            None => Ok(None),
            Some(capacities) => capacities.find(labels),
        }
    }
}

/// A term of a class's topologies; none if it is empty or malformed, as it then chooses no node.
///
/// # Source
/// `pkg/apis/core/v1/helper/helpers.go` (`MatchTopologySelectorTerms`)
fn read_term(term: &TopologySelectorTerm) -> Option<Vec<Requirement>> {
    let expressions = term.match_label_expressions.as_deref().filter(|list| !list.is_empty())?;
    let read = expressions.iter().map(|expression| {
        Requirement::new(&expression.key, Operator::In, Some(expression.values.clone())).ok()
    });
    read.collect()
}

/// What is left of a class that a volume fits into.
struct Capacities<'a> {
    /// To which nodes it is open, and how many bytes are left in all, if the driver says.
    all: Vec<(Selector, Option<i64>)>,
    /// The places in `all`.
    index: LabelIndex<'a>,
}

impl<'a> Capacities<'a> {
    fn new(class: &str, size: i64, storage: &'a StorageListers) -> Self {
        let mut capacities = Self { all: Vec::new(), index: LabelIndex::default() };
        // DIFFERENCE: D-scheduler-20. They come in order of namespace and name.
        for capacity in storage.capacities().filter(|capacity| capacity.storage_class_name == class) {
            let selector = capacity.node_topology.as_ref();
            let Ok(nodes) = Selector::from_label_selector(selector) else { continue };
            if limit(capacity).is_some_and(|limit| limit >= size) {
                capacities.index.push(capacities.all.len(), selector.and_then(needed_for_label_selector));
                capacities.all.push((nodes, capacity.capacity.as_ref().and_then(bytes)));
            }
        }
        capacities
    }

    /// What is left for a node with these labels, as far as the driver says.
    fn find(&self, labels: &Labels) -> Result<Option<i64>, NotProvisionable> {
        let place = self.index.first(labels, |place| self.all[place].0.matches(labels));
        place.map(|place| self.all[place].1).ok_or(NotProvisionable::NotEnoughSpace)
    }
}

/// How large a volume may be at most; none if nothing is left, or if that can't be read.
pub(super) fn limit(capacity: &CSIStorageCapacity) -> Option<i64> {
    capacity.maximum_volume_size.as_ref().or(capacity.capacity.as_ref()).and_then(bytes)
}

fn bytes(amount: &ApiQuantity) -> Option<i64> {
    Quantity::parse(amount.0.trim()).ok().map(|amount| amount.value())
}
