//! All that a pod needs of devices, read once for all nodes.

use std::cell::RefCell;
use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Pod;
use k8s_openapi::api::resource::v1::{AllocationResult, DeviceRequest, ResourceClaim};
use plimsoll_api::field::aggregate;
use plimsoll_matching::node_selector::NodeSelector;
use rustc_hash::FxHashMap;

use super::NAME;
use super::allocator::{Allocator, Failure};
use super::claims::{claims_of, display_name, requests_of};
use super::extended::{ExtendedResources, MadeUp};
use super::matching::SelectorAnswers;
use super::pools::NodeView;
use super::postponed::Feature;
use super::reserve::{assumed, is_reserved_for, reserved_for};
use super::selector::CompiledSelectors;
use crate::framework::{Assumed, AssumedClaim, Code, Status};
use crate::listers::{DeviceListers, allocation};
use crate::pod_info::PodInfo;
use crate::snapshot::{NodeIndex, Snapshot};

/// The devices that a claim has can't be used on the node.
pub(super) const REASON_UNAVAILABLE: &str = "resourceclaim not available on the node";
/// There are too few devices for the pod's claims.
pub(super) const REASON_NOT_ENOUGH: &str = "cannot allocate all claims";
/// There are too few, and pools that contradict themselves.
pub(super) const REASON_INVALID_POOLS: &str = "invalid resource pools were encountered";
/// For so many pods a claim can be reserved.
const MAX_CONSUMERS: usize = 256;
/// What kubelets declare that needn't do anything for some devices.
const OPTIONAL_OPERATIONS: &str = "DRAOptionalNodeOperations";

/// The claims of a pod, and what is needed to find devices for them.
pub(super) struct PodDevices<'a> {
    pod: &'a Pod,
    snapshot: &'a Snapshot,
    /// Those that the pod names, and then the one that an earlier attempt left over.
    claims: Vec<Claim<'a>>,
    extended: Option<ExtendedResources<'a>>,
    allocator: Allocator<'a>,
    /// What was said of nodes.
    judged: RefCell<FxHashMap<NodeIndex, Status>>,
}

/// A claim, and where its devices can be used if it has any.
struct Claim<'a> {
    object: &'a ResourceClaim,
    has_devices: bool,
    nodes: Option<NodeSelector>,
    /// Whether the kubelet has to leave some of its devices alone.
    needs_optional_operations: bool,
}

fn refusal(text: impl Into<std::borrow::Cow<'static, str>>) -> Status {
    Status::new(Code::UnschedulableAndUnresolvable, NAME, text)
}

impl<'a> PodDevices<'a> {
    /// Reads the claims of a pod; none if it needs no devices.
    ///
    /// # Errors
    /// What keeps the pod from every node.
    ///
    /// # Source
    /// `dynamicresources.go` (`PreFilter`)
    pub(super) fn read(
        pod: &'a PodInfo<'a>,
        snapshot: &'a Snapshot,
        compiled: &'a CompiledSelectors,
        step_limit: Option<u64>,
    ) -> Result<Option<Self>, Status> {
        let listers = &snapshot.listers().devices;
        let named = claims_of(pod.pod, listers).map_err(refusal)?;
        let extended = ExtendedResources::read(pod, snapshot);
        if named.is_empty() && extended.is_none() {
            return Ok(None);
        }
        let mut claims = Vec::with_capacity(named.len() + 1);
        for object in &named {
            claims.push(Claim::read(object, pod.pod, listers, true)?);
        }
        if let Some(object) = extended.as_ref().and_then(|extended| extended.left_over) {
            claims.push(Claim::read(object, pod.pod, listers, false)?);
        }
        for object in &named {
            if let Some(feature) = Feature::of_claim(object) {
                return Err(refusal(feature.reason(&display_name(object))));
            }
        }
        let allocator = Allocator::new(listers, SelectorAnswers::new(compiled), step_limit);
        Ok(Some(Self { pod: pod.pod, snapshot, claims, extended, allocator, judged: RefCell::default() }))
    }

    /// What the claims without devices would get on a node, with the claim that is made up for extended resources, if there is one, as
    /// the last.
    ///
    /// # Errors
    /// Why the pod can't run there.
    ///
    /// # Source
    /// `dynamicresources.go` (`Filter`)
    pub(super) fn on(&self, node: NodeIndex) -> Result<OnNode<'a>, Status> {
        let made_up = match &self.extended {
            Some(extended) => extended.claim_for(node)?,
            None => None,
        };
        let view = self.view(node);
        let unavailable = self.claims.iter().any(|claim| !claim.is_available_on(view, self.snapshot, node));
        let wanting: Vec<&'a ResourceClaim> =
            self.claims.iter().filter(|claim| !claim.has_devices).map(|claim| claim.object).collect();
        let mut all: Vec<&ResourceClaim> = wanting.clone();
        all.extend(made_up.as_ref().map(|made_up| &made_up.claim));
        let results = if all.is_empty() {
            Vec::new()
        } else {
            self.allocator.allocate(view, &all).map_err(|failure| status_of(failure, view.name))?
        };
        if unavailable {
            return Err(refusal(REASON_UNAVAILABLE));
        }
        Ok(OnNode { wanting, made_up, results })
    }

    /// Whether the pod can run on a node. Asked again it says the same.
    pub(super) fn judge(&self, node: NodeIndex) -> Status {
        let judge = || self.on(node).err().unwrap_or(Status::SUCCESS);
        self.judged.borrow_mut().entry(node).or_insert_with(judge).clone()
    }

    fn view(&self, node: NodeIndex) -> NodeView<'a> {
        NodeView { name: self.snapshot.name(node), labels: self.snapshot.labels(node) }
    }

    /// The claim that an earlier attempt made up for extended resources.
    pub(super) fn left_over(&self) -> Option<&'a ResourceClaim> {
        self.extended.as_ref().and_then(|extended| extended.left_over)
    }

    /// The claims that the pod names and whose devices can't be used on one of these nodes.
    pub(super) fn named_claims_elsewhere(&self, nodes: &[NodeIndex]) -> Vec<&'a ResourceClaim> {
        let named = self.claims.len() - usize::from(self.left_over().is_some());
        let is_elsewhere = |claim: &&Claim<'a>| {
            nodes.iter().any(|node| !claim.is_available_on(self.view(*node), self.snapshot, *node))
        };
        self.claims[..named].iter().filter(is_elsewhere).map(|claim| claim.object).collect()
    }

    /// The pod's claims as they will be if it gets a node, but for those that are reserved for it already.
    ///
    /// # Errors
    /// Why it can't run there after all.
    pub(super) fn assumed_on(&self, node: NodeIndex) -> Result<Vec<Assumed>, Status> {
        let OnNode { wanting, made_up, results } = self.on(node)?;
        let mut results = results.into_iter();
        let mut names = BTreeSet::new();
        let mut taken = Vec::new();
        let named = self.claims.iter().filter(|claim| claim.has_devices);
        let named = named.filter(|claim| !is_reserved_for(claim.object, self.pod));
        let had = named.map(|claim| (claim.object, None));
        let gets: Vec<_> = wanting.iter().map(|claim| (*claim, results.next())).collect();
        for (claim, found) in had.chain(gets) {
            // DIFFERENCE: D-scheduler-38. A claim that the pod names twice keeps what it got first.
            if names.insert(claim.metadata.name.as_deref()) {
                taken.push(assumed(claim.clone(), found, self.pod));
            }
        }
        if let Some(MadeUp { mut claim, mappings }) = made_up {
            // It has a name only once it is created.
            claim.metadata.name = None;
            let assumed = assumed(claim, results.next(), self.pod);
            taken.push(AssumedClaim { request_mappings: mappings, ..assumed });
        }
        Ok(taken.into_iter().map(|claim| Assumed::ResourceClaim(Box::new(claim))).collect())
    }
}

/// What claims would get on a node.
pub(super) struct OnNode<'a> {
    wanting: Vec<&'a ResourceClaim>,
    made_up: Option<MadeUp>,
    results: Vec<AllocationResult>,
}

fn status_of(failure: Failure, node: &str) -> Status {
    match failure {
        Failure::NotEnough => refusal(REASON_NOT_ENOUGH),
        Failure::InvalidPools => refusal(REASON_INVALID_POOLS),
        Failure::Postponed(feature) => refusal(feature.node_reason()),
        Failure::OutOfSteps => {
            Status::new(Code::Error, NAME, format!("node {node}: timed out trying to allocate devices"))
        }
        Failure::Error(message) => Status::new(Code::Error, NAME, message),
    }
}

impl<'a> Claim<'a> {
    fn read(
        object: &'a ResourceClaim,
        pod: &Pod,
        listers: &DeviceListers,
        is_named: bool,
    ) -> Result<Self, Status> {
        if is_full(object) && !is_reserved_for(object, pod) {
            return Err(refusal("resourceclaim in use"));
        }
        if listers.is_in_flight(object) {
            let name = display_name(object);
            return Err(refusal(format!("resource claim {name} is in the process of being allocated")));
        }
        let Some(allocation) = allocation(object) else {
            if is_named {
                requests_of(object).iter().try_for_each(|request| check_classes(object, request, listers))?;
            }
            return Ok(Self { object, has_devices: false, nodes: None, needs_optional_operations: false });
        };
        let nodes = allocation.node_selector.as_ref().map(NodeSelector::new);
        if let Some((_, errors)) = nodes.as_ref().filter(|(_, errors)| !errors.is_empty()) {
            return Err(Status::new(Code::Error, NAME, aggregate(errors)));
        }
        let results = allocation.devices.iter().flat_map(|devices| devices.results.iter().flatten());
        let needs_optional_operations = results
            .into_iter()
            .any(|result| result.skip_node_operations.as_ref().is_some_and(|skipped| !skipped.is_empty()));
        let nodes = nodes.map(|(selector, _)| selector);
        Ok(Self { object, has_devices: true, nodes, needs_optional_operations })
    }

    fn is_available_on(&self, view: NodeView<'_>, snapshot: &Snapshot, node: NodeIndex) -> bool {
        self.nodes.as_ref().is_none_or(|nodes| nodes.matches(view.labels, view.name))
            && (!self.needs_optional_operations
                || declared_features(snapshot, node).iter().any(|feature| feature == OPTIONAL_OPERATIONS))
    }
}

/// Whether a claim that has devices can't be reserved for one more.
///
/// # Source
/// k8s.io/dynamic-resource-allocation `resourceclaim/resourceclaim.go` (`CanBeReserved`)
fn is_full(claim: &ResourceClaim) -> bool {
    allocation(claim).is_some() && reserved_for(claim).len() >= MAX_CONSUMERS
}

fn declared_features(snapshot: &Snapshot, node: NodeIndex) -> &[String] {
    &snapshot.declared_feature_sets()[snapshot.declared_feature_set_of_nodes()[node] as usize]
}

/// Checks that the classes of a request exist.
fn check_classes(
    claim: &ResourceClaim,
    request: &DeviceRequest,
    listers: &DeviceListers,
) -> Result<(), Status> {
    if let Some(exactly) = &request.exactly {
        return check_class(&exactly.device_class_name, &request.name, listers);
    }
    let alternatives = request.first_available.as_deref().unwrap_or_default();
    if alternatives.is_empty() {
        let (claim, request) = (display_name(claim), &request.name);
        return Err(refusal(format!("resource claim {claim}, request {request}: unknown request type")));
    }
    alternatives.iter().try_for_each(|alternative| {
        let name = format!("{}/{}", request.name, alternative.name);
        check_class(&alternative.device_class_name, &name, listers)
    })
}

/// # Source
/// `dynamicresources.go` (`validateDeviceClass`)
fn check_class(class: &str, request: &str, listers: &DeviceListers) -> Result<(), Status> {
    if class.is_empty() {
        return Err(Status::new(Code::Error, NAME, format!("request {request}: unsupported request type")));
    }
    match listers.class(class) {
        Some(_) => Ok(()),
        None => Err(refusal(format!("request {request}: device class {class} does not exist"))),
    }
}
