//! Devices for claims on one node.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `structured/internal/incubating/allocator_incubating.go` (`Allocate`)

use k8s_openapi::api::resource::v1::{AllocationResult, ResourceClaim};
use plimsoll_api::duration::Duration;
use rustc_hash::FxHashMap;

use super::constraints::constraints_of;
use super::matching::{Matcher, SelectorAnswers};
use super::pools::{self, NodeView, PoolState};
use super::postponed::Feature;
use super::requests;
use super::result::allocation_result;
use super::search::{Search, Stop, Wanting};
use crate::listers::DeviceListers;

/// How many devices are looked at in a millisecond of the time that a search may take.
const STEPS_PER_MILLISECOND: i64 = 1000;
const NANOS_PER_MILLISECOND: i64 = 1_000_000;

/// Finds devices for the claims of one pod.
pub(super) struct Allocator<'p> {
    listers: &'p DeviceListers,
    answers: SelectorAnswers<'p>,
    step_limit: Option<u64>,
}

/// Why claims get no devices on a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// There are too few.
    NotEnough,
    /// There are too few, and pools that contradict themselves.
    InvalidPools,
    /// There are too few, and devices were passed over that need this.
    Postponed(Feature),
    /// The search was given up.
    OutOfSteps,
    /// Something is wrong with a claim, a class or a slice, for all nodes.
    Error(String),
}

impl From<String> for Failure {
    fn from(message: String) -> Self {
        Self::Error(message)
    }
}

/// How many devices may be looked at on a node in place of a time that a search may take; any number if that is zero.
///
/// DIFFERENCE: D-scheduler-32.
pub(super) fn step_limit(timeout: Duration) -> Option<u64> {
    let steps = (timeout.nanos / NANOS_PER_MILLISECOND).saturating_mul(STEPS_PER_MILLISECOND);
    u64::try_from(steps).ok().filter(|_| timeout.nanos > 0)
}

impl<'p> Allocator<'p> {
    pub(super) fn new(
        listers: &'p DeviceListers,
        answers: SelectorAnswers<'p>,
        step_limit: Option<u64>,
    ) -> Self {
        Self { listers, answers, step_limit }
    }

    /// What each of these claims gets on a node.
    pub(super) fn allocate(
        &self,
        node: NodeView<'_>,
        claims: &[&ResourceClaim],
    ) -> Result<Vec<AllocationResult>, Failure> {
        let pools = pools::gather(self.listers, node)?;
        let matcher = Matcher { answers: &self.answers, node };
        let mut wanting = Vec::with_capacity(claims.len());
        for claim in claims.iter().copied() {
            let requests = requests::read(claim, self.listers, &pools, &matcher)?;
            let constraints = constraints_of(claim)?;
            wanting.push(Wanting { claim, requests, constraints, picked: Vec::new() });
        }
        let mut search = Search {
            pools: &pools,
            matcher: &matcher,
            claims: wanting,
            taken_by: FxHashMap::default(),
            steps_left: self.step_limit,
            postponed: None,
        };
        match search.run() {
            Ok(true) => {}
            Err(Stop::Error(message)) => return Err(Failure::Error(message)),
            Err(Stop::OutOfSteps) => return Err(Failure::OutOfSteps),
            Ok(false) if pools.iter().any(|pool| pool.state == PoolState::Invalid) => {
                return Err(Failure::InvalidPools);
            }
            Ok(false) => return Err(search.postponed.map_or(Failure::NotEnough, Failure::Postponed)),
        }
        let results = search.claims.iter().map(|wanting| allocation_result(wanting, &pools, node.name));
        Ok(results.collect::<Result<_, String>>()?)
    }
}
