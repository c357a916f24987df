//! The search for devices on one node: for each claim and each of its requests one device after the other is tried, in order of the
//! pools, until all have enough. The first way to do it is taken.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `structured/internal/incubating/allocator_incubating.go` (`allocateOne`, `allocateDevice`)

use k8s_openapi::api::resource::v1::ResourceClaim;
use rustc_hash::FxHashMap;

use super::claims::display_name;
use super::constraints::Constraint;
use super::matching::Matcher;
use super::pools::{Pool, PoolState};
use super::postponed::Feature;
use super::requests::{Candidate, Request, Wanted};
use super::taints;

/// A claim that wants devices.
pub(super) struct Wanting<'s> {
    pub(super) claim: &'s ResourceClaim,
    pub(super) requests: Vec<Request<'s>>,
    pub(super) constraints: Vec<Constraint<'s>>,
    /// What it got so far.
    pub(super) picked: Vec<Picked<'s>>,
}

/// A device that a request got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Picked<'s> {
    /// The place of the request in its claim.
    pub(super) request: usize,
    pub(super) candidate: Candidate<'s>,
}

/// Why a search ends on all nodes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// Something is wrong with a claim or a class.
    Error(String),
    /// It takes too long.
    OutOfSteps,
}

impl From<String> for Stop {
    fn from(message: String) -> Self {
        Self::Error(message)
    }
}

pub(super) struct Search<'s> {
    pub(super) pools: &'s [Pool<'s>],
    pub(super) matcher: &'s Matcher<'s>,
    pub(super) claims: Vec<Wanting<'s>>,
    /// Which of the claims have a device in this attempt, by its pool and name.
    pub(super) taken_by: FxHashMap<(usize, &'s str), Vec<usize>>,
    /// How many more devices may be looked at.
    pub(super) steps_left: Option<u64>,
    /// What a device that was passed over would have needed.
    pub(super) postponed: Option<Feature>,
}

/// The device that is wanted next.
#[derive(Clone, Copy)]
struct Slot {
    claim: usize,
    request: usize,
    /// How many devices of the request are there already.
    index: usize,
}

/// The place from which devices are tried, so that each set of devices is tried in one order only.
#[derive(Clone, Copy, Default)]
struct Location {
    pool: usize,
    slice: usize,
    device: usize,
}

impl<'s> Search<'s> {
    /// Whether all claims got their devices.
    pub(super) fn run(&mut self) -> Result<bool, Stop> {
        self.fill(Slot { claim: 0, request: 0, index: 0 }, Location::default())
    }

    fn fill(&mut self, slot: Slot, start: Location) -> Result<bool, Stop> {
        let Some(wanting) = self.claims.get(slot.claim) else { return Ok(true) };
        let Some(request) = wanting.requests.get(slot.request) else {
            return self.fill(Slot { claim: slot.claim + 1, request: 0, index: 0 }, Location::default());
        };
        let (wanted, only) = match &request.wanted {
            Wanted::All(all) if all.is_empty() => return Ok(false),
            Wanted::All(all) => (all.len(), all.get(slot.index).copied()),
            Wanted::Count(count) => (usize::try_from(*count).unwrap_or(0), None),
        };
        if slot.index >= wanted {
            return self.fill(Slot { request: slot.request + 1, index: 0, ..slot }, Location::default());
        }
        match only {
            Some(candidate) => self.fill_with(slot, candidate, Location::default(), true),
            None => self.fill_from(slot, start),
        }
    }

    /// Tries devices from a place on.
    fn fill_from(&mut self, slot: Slot, start: Location) -> Result<bool, Stop> {
        let pools = self.pools;
        for (pool, of_pool) in pools.iter().enumerate().skip(start.pool) {
            if of_pool.state != PoolState::Usable {
                continue;
            }
            let first_slice = if pool == start.pool { start.slice } else { 0 };
            for (slice, of_slice) in of_pool.slices.iter().enumerate().skip(first_slice) {
                let is_start = pool == start.pool && slice == start.slice;
                let first_device = if is_start { start.device } else { 0 };
                for (device, of_device) in of_slice.devices().enumerate().skip(first_device) {
                    self.count_step()?;
                    let candidate = Candidate::new(pool, of_slice, of_device);
                    if self.is_taken(slot, candidate) || !self.is_selectable(slot, candidate)? {
                        continue;
                    }
                    let next = Location { pool, slice, device: device + 1 };
                    if self.fill_with(slot, candidate, next, false)? {
                        return Ok(true);
                    }
                }
            }
        }
        Ok(false)
    }

    /// Takes a device, and goes on from there. If that leads nowhere, the device is given back.
    fn fill_with(
        &mut self,
        slot: Slot,
        candidate: Candidate<'s>,
        next: Location,
        must: bool,
    ) -> Result<bool, Stop> {
        if self.is_taken(slot, candidate) || !self.take(slot, candidate, must)? {
            return Ok(false);
        }
        let done = self.fill(Slot { index: slot.index + 1, ..slot }, next)?;
        if !done {
            self.give_back(slot, candidate);
        }
        Ok(done)
    }

    fn request(&self, slot: Slot) -> &Request<'s> {
        &self.claims[slot.claim].requests[slot.request]
    }

    fn is_selectable(&self, slot: Slot, candidate: Candidate<'s>) -> Result<bool, Stop> {
        let claim = self.claims[slot.claim].claim;
        Ok(self.matcher.is_selectable(claim, self.request(slot), candidate)?)
    }

    /// Whether a device is no longer there for a request.
    fn is_taken(&self, slot: Slot, candidate: Candidate<'s>) -> bool {
        let name = candidate.device.name.as_str();
        let taken_by = self.taken_by.get(&(candidate.pool, name)).map(Vec::as_slice).unwrap_or_default();
        if self.request(slot).is_admin {
            taken_by.contains(&slot.claim)
        } else {
            !taken_by.is_empty() || self.pools[candidate.pool].is_allocated(name)
        }
    }

    /// Takes a device unless something is against it. If it `must` be this one, that is an error where a constraint is.
    fn take(&mut self, slot: Slot, candidate: Candidate<'s>, must: bool) -> Result<bool, Stop> {
        if let Some(feature) = Feature::of_device(candidate.device) {
            self.postponed = Some(feature);
            return Ok(false);
        }
        let tolerations = self.request(slot).tolerations;
        if taints::keep_off(candidate.device, tolerations) {
            return Ok(false);
        }
        let driver = self.pools[candidate.pool].driver;
        let Wanting { claim, requests, constraints, picked } = &mut self.claims[slot.claim];
        let request = requests[slot.request].name;
        let broken =
            constraints.iter_mut().position(|constraint| !constraint.add(request, driver, candidate.device));
        if let Some(broken) = broken {
            constraints[..broken].iter_mut().for_each(|constraint| constraint.remove_last(request));
            if must {
                let (pool, device) = (self.pools[candidate.pool].name, &candidate.device.name);
                return Err(Stop::Error(format!(
                    "claim {}, request {request}: cannot add device {driver}/{pool}/{device} because a claim constraint would not be satisfied",
                    display_name(claim)
                )));
            }
            return Ok(false);
        }
        picked.push(Picked { request: slot.request, candidate });
        self.taken_by.entry((candidate.pool, &candidate.device.name)).or_default().push(slot.claim);
        Ok(true)
    }

    fn give_back(&mut self, slot: Slot, candidate: Candidate<'s>) {
        let Wanting { requests, constraints, picked, .. } = &mut self.claims[slot.claim];
        let request = requests[slot.request].name;
        for constraint in constraints.iter_mut() {
            constraint.remove_last(request);
        }
        picked.pop();
        if let Some(taken_by) = self.taken_by.get_mut(&(candidate.pool, candidate.device.name.as_str())) {
            taken_by.pop();
        }
    }

    fn count_step(&mut self) -> Result<(), Stop> {
        match &mut self.steps_left {
            None => Ok(()),
            Some(0) => Err(Stop::OutOfSteps),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
        }
    }
}
