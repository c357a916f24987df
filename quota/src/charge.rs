//! Deciding one request against the quotas of its namespace.
//!
//! # Source
//! apiserver `pkg/admission/plugin/resourcequota` (`CheckRequest`)

use std::borrow::Cow;

use plimsoll_resource_math::{PodResources, ResourceList};

use crate::evaluators::{Evaluator, UsageError};
use crate::ledger::{EntryKey, Ledger};
use crate::limited_resources::{LimitedResource, limited_keys};
use crate::payer::{self, Payer};
use crate::quota::Quota;
use crate::refusal::{Cause, ExceededKey, Refusal};
use crate::request::{Object, Operation, Request};
use crate::scopes::{ScopeRequirement, UnusableScope};
use crate::surroundings::{NoNeighbours, Surroundings};

/// What quota says to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may proceed, and these quotas are charged, in order of name; none if it uses nothing that a quota counts.
    Admitted(Vec<Charge>),
    /// It may not.
    Refused(Box<Refusal>),
}

/// What a request uses of one quota.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Charge {
    /// The quota's place in the list that the request was decided against.
    pub quota: usize,
    /// All that the object uses of the quota's keys, as if no pod had paid for it, which is what a ledger reserves for it.
    pub usage: ResourceList,
    /// What the request adds, by key; nothing if as much is reserved for this name already.
    pub requested: ResourceList,
    /// What is used of the same keys once it is added.
    pub used: ResourceList,
    /// The pod that the object says to be paid by and did not before.
    pub payer: Option<Payer>,
}

/// Decides a request against the quotas of its namespace, and charges nothing yet: that is [`Quota::apply`] or
/// [`Quota::reserve`].
///
/// Quotas are looked at in order of name, whatever their order in the list; the first that refuses is the one named.
///
/// # Errors
/// The object can't be measured.
///
/// # Source
/// apiserver `pkg/admission/plugin/resourcequota` (`QuotaAdmission.Validate`, `CheckRequest`)
pub fn decide(
    request: &Request<'_>,
    quotas: &[Quota],
    limited: &[LimitedResource],
    surroundings: &Surroundings<'_>,
) -> Result<Decision, UsageError> {
    let nothing_to_do = Ok(Decision::Admitted(Vec::new()));
    if !concerns_quota(request) || (quotas.is_empty() && limited.is_empty()) {
        return nothing_to_do;
    }
    let Some(evaluator) = Evaluator::of(request.resource).filter(|evaluator| evaluator.handles(request))
    else {
        return nothing_to_do;
    };
    let payer = new_payer(request);
    let deliberation = Deliberation { request, quotas, limited, surroundings, evaluator, payer };
    match deliberation.decide() {
        Ok(charges) => Ok(Decision::Admitted(charges)),
        Err(Stop::Undecidable(error)) => Err(error),
        Err(Stop::Refused(cause)) => Ok(Decision::Refused(Box::new(Refusal {
            resource: request.resource.clone(),
            name: request.display_name().to_owned(),
            cause: *cause,
        }))),
    }
}

/// Quota only looks at what is stored in a namespace.
fn concerns_quota(request: &Request<'_>) -> bool {
    let creates_namespace = request.operation == Operation::Create
        && request.resource.group.is_empty()
        && request.resource.resource == "namespaces";
    matches!(request.operation, Operation::Create | Operation::Update)
        && !request.namespace.is_empty()
        && !creates_namespace
}

/// The pod by which an object says to be paid, unless it has said so before: then what it uses stays the same.
fn new_payer(request: &Request<'_>) -> Option<Payer> {
    let before = request.old_object.and_then(Payer::of);
    Payer::of(request.object).filter(|payer| before.as_ref() != Some(payer))
}

/// Why a deliberation ends early.
enum Stop {
    Refused(Box<Cause>),
    Undecidable(UsageError),
}

impl From<Cause> for Stop {
    fn from(cause: Cause) -> Self {
        Self::Refused(Box::new(cause))
    }
}

impl From<UsageError> for Stop {
    fn from(error: UsageError) -> Self {
        Self::Undecidable(error)
    }
}

/// One request, one namespace.
struct Deliberation<'a> {
    request: &'a Request<'a>,
    quotas: &'a [Quota],
    limited: &'a [LimitedResource],
    surroundings: &'a Surroundings<'a>,
    evaluator: Evaluator,
    payer: Option<Payer>,
}

/// The quotas that an object falls under.
#[derive(Default)]
struct Pertinent<'a> {
    /// Their places in the list, in order of name.
    quotas: Vec<usize>,
    /// The keys of theirs that the object falls under.
    keys: Vec<&'a str>,
    /// The names of all scopes of all quotas that the object matches, even where it does not match the quota.
    scope_names: Vec<&'a str>,
}

/// What a request adds, without the keys to which it adds nothing.
struct Delta {
    /// To a quota that did not count the object before.
    full: ResourceList,
    /// To a quota that did, if there was an object before.
    change: Option<ResourceList>,
    /// What the object would use if its pod had paid nothing, if a pod may have.
    unpaid: Option<ResourceList>,
}

impl Deliberation<'_> {
    fn decide(&self) -> Result<Vec<Charge>, Stop> {
        // An unusable scope in the administrator's configuration limits nothing.
        let Ok(limited_scopes) = self.limited_scopes() else {
            return Ok(Vec::new());
        };
        let usage = self.usage()?;
        let pertinent = self.pertinent()?;
        let limited_keys = limited_keys(self.limited, self.request.resource, &usage);
        let uncovered_keys: Vec<String> =
            limited_keys.into_iter().filter(|key| !pertinent.keys.contains(key)).map(str::to_owned).collect();
        let negative = usage.negative();
        if !negative.is_empty() {
            return Err(Cause::NegativeUsage { keys: negative }.into());
        }
        let delta = self.delta(usage)?;
        let additions = self.additions(&pertinent, &delta)?;
        let adds_nothing = if pertinent.quotas.is_empty() {
            delta.change.as_ref().unwrap_or(&delta.full).is_empty()
        } else {
            additions.iter().all(|(_, added)| added.is_empty())
        };
        if adds_nothing && self.payer.is_none() {
            return Ok(Vec::new());
        }
        if !adds_nothing {
            check_covered(uncovered_keys, limited_scopes, &pertinent)?;
        }
        let mut charges = Vec::with_capacity(additions.len());
        for (quota, added) in additions {
            charges.extend(self.charge(quota, added, &delta)?);
        }
        Ok(charges)
    }

    /// The scopes that the administrator limits and that the object matches.
    fn limited_scopes(&self) -> Result<Vec<&ScopeRequirement>, UnusableScope> {
        let mut matched = Vec::new();
        for scope in self.limited.iter().flat_map(|limited| &limited.match_scopes) {
            if self.evaluator.matches_scope(scope, self.request.object)? {
                matched.push(scope);
            }
        }
        Ok(matched)
    }

    /// Where the object will be stored.
    fn namespace(&self) -> &str {
        let stored_in = self.request.object.metadata().namespace.as_deref().unwrap_or_default();
        if stored_in.is_empty() { self.request.namespace } else { stored_in }
    }

    /// What the pod of a claim has paid, if that is new to the claim.
    fn paid(&self) -> Option<ResourceList> {
        let Object::ResourceClaim(claim) = self.request.object else { return None };
        self.payer.as_ref().and_then(|_| payer::paid(claim, self.namespace(), self.surroundings))
    }

    /// What the pod has paid, if another claim may get it: one that is stored, or one that is about to be.
    ///
    /// DIFFERENCE: D-quota-8. Upstream knows of no others before they are stored, and of those takes only the older ones for rivals.
    fn contested_payment(&self) -> Option<ResourceList> {
        let (payer, paid) = (self.payer.as_ref()?, self.paid()?);
        let is_sole = self.entry_key().is_some_and(|key| {
            payer.has_paid_for(&key.name, self.namespace(), self.surroundings).is_some()
                && self
                    .quotas
                    .iter()
                    .all(|quota| quota.ledger.is_sole_claim(&key, payer, self.namespace(), self.surroundings))
        });
        (!is_sole).then_some(paid)
    }

    /// What the object uses as it would be stored.
    fn usage(&self) -> Result<ResourceList, UsageError> {
        let namespace = self.namespace();
        if let Some(paid) = self.contested_payment() {
            // If this claim gets it, the other one no longer does.
            let mut usage = self.unpaid_usage()?;
            usage.max(&paid);
            return Ok(usage);
        }
        if let Object::Pod(pod, resources) = self.request.object
            && self.request.subresource == "resize"
        {
            let wanted = as_if_feasible(resources);
            return self.evaluator.usage(Object::Pod(pod, &wanted), namespace, self.surroundings);
        }
        self.evaluator.usage(self.request.object, namespace, self.surroundings)
    }

    /// What the object would use if no pod had paid for it.
    fn unpaid_usage(&self) -> Result<ResourceList, UsageError> {
        let surroundings = Surroundings { neighbours: &NoNeighbours, ..*self.surroundings };
        self.evaluator.usage(self.request.object, self.namespace(), &surroundings)
    }

    /// Finds the quotas that count the object, and makes sure of each that the object sets what it must and that the
    /// quota knows its own usage.
    fn pertinent(&self) -> Result<Pertinent<'_>, Stop> {
        let mut pertinent = Pertinent::default();
        let mut order: Vec<usize> = (0..self.quotas.len()).collect();
        order.sort_by_key(|index| &self.quotas[*index].name);
        for index in order {
            let quota = &self.quotas[index];
            if !self.matches_scopes(quota, &mut pertinent.scope_names)? {
                continue;
            }
            let keys = self.matching(quota);
            if keys.is_empty() {
                continue;
            }
            self.check_constraints(quota, &keys)?;
            if keys.iter().any(|key| !quota.used.contains_key(key)) {
                return Err(unknown_status(quota, &keys).into());
            }
            pertinent.quotas.push(index);
            pertinent.keys.extend(keys);
        }
        Ok(pertinent)
    }

    fn matching<'q>(&self, quota: &'q Quota) -> Vec<&'q str> {
        self.evaluator.matching(quota.hard.keys().map(String::as_str), self.surroundings.device_classes)
    }

    /// Whether the object matches all scopes of a quota; adds the names of those that it does match.
    fn matches_scopes<'q>(&self, quota: &'q Quota, names: &mut Vec<&'q str>) -> Result<bool, Stop> {
        let mut all = true;
        for scope in &quota.scopes {
            if self.matches_scope(quota, scope, self.request.object)? {
                names.push(&scope.scope_name);
            } else {
                all = false;
            }
        }
        Ok(all)
    }

    fn matches_scope(
        &self,
        quota: &Quota,
        scope: &ScopeRequirement,
        object: Object<'_>,
    ) -> Result<bool, Stop> {
        self.evaluator.matches_scope(scope, object).map_err(|problem| {
            let (quota, scope) = (quota.name.clone(), scope.clone());
            Cause::UnmatchableScope { quota, scope, problem: problem.to_string() }.into()
        })
    }

    fn check_constraints(&self, quota: &Quota, keys: &[&str]) -> Result<(), Stop> {
        let missing = self.evaluator.constraints(keys, self.request.object);
        if missing.is_empty() {
            return Ok(());
        }
        Err(Cause::MissingResources { quota: quota.name.clone(), missing }.into())
    }

    /// What the request adds: all of a new object; of a changed one, what it uses more than before.
    fn delta(&self, usage: ResourceList) -> Result<Delta, Stop> {
        let mut full = usage;
        let mut unpaid = self.payer.as_ref().map(|_| self.unpaid_usage()).transpose()?;
        unpaid.iter_mut().for_each(ResourceList::remove_zeros);
        if self.request.operation == Operation::Create {
            full.remove_zeros();
            return Ok(Delta { full, change: None, unpaid });
        }
        let Some(old_object) = self.request.old_object else {
            return Err(Cause::NoOldObject.into());
        };
        // An old object that was never stored comes with an update that creates.
        let stored =
            old_object.metadata().resource_version.as_deref().is_some_and(|version| !version.is_empty());
        let mut change = None;
        if stored {
            let namespace = old_object.metadata().namespace.as_deref().unwrap_or_default();
            let before = self.evaluator.usage(old_object, namespace, self.surroundings)?;
            let mut difference = full.clone();
            difference.sub_to_zero(&before);
            difference.remove_zeros();
            change = Some(difference);
        }
        full.remove_zeros();
        Ok(Delta { full, change, unpaid })
    }

    /// What each pertinent quota is to be charged: the change if it counted the object before, else everything.
    fn additions<'d>(
        &self,
        pertinent: &Pertinent<'_>,
        delta: &'d Delta,
    ) -> Result<Vec<(usize, &'d ResourceList)>, Stop> {
        let mut additions = Vec::with_capacity(pertinent.quotas.len());
        for index in &pertinent.quotas {
            let added = match (&delta.change, self.request.old_object) {
                (Some(change), Some(old)) if self.counted(&self.quotas[*index], old)? => change,
                _ => &delta.full,
            };
            additions.push((*index, added));
        }
        Ok(additions)
    }

    fn counted(&self, quota: &Quota, object: Object<'_>) -> Result<bool, Stop> {
        for scope in &quota.scopes {
            if !self.matches_scope(quota, scope, object)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Charges one quota, if the keys that the request adds to allow it; other keys may be over their limit.
    ///
    /// `added` is beyond what is stored. What the ledger already reserves for the object's name has been charged, yet is
    /// reserved once more, for this request may be the one that is stored.
    fn charge(&self, index: usize, added: &ResourceList, delta: &Delta) -> Result<Option<Charge>, Stop> {
        let quota = &self.quotas[index];
        let mut charge = Charge {
            quota: index,
            usage: delta.unpaid.as_ref().unwrap_or(&delta.full).mask(quota.hard.keys()),
            requested: ResourceList::new(),
            used: ResourceList::new(),
            payer: self.payer.clone(),
        };
        let reserved = self.entry_key().and_then(|key| self.charged(&quota.ledger, &key));
        // What its pod has paid is noted though nothing is added.
        let mut concerned = self.payer.is_some() && !charge.usage.is_empty();
        let mut exceeded = Vec::new();
        for (key, amount) in added {
            let Some(limit) = quota.hard.get(key) else {
                continue;
            };
            concerned = true;
            let mut amount = amount.clone();
            if let Some(reserved) = reserved.as_ref().and_then(|reserved| reserved.get(key)) {
                let mut unreserved = delta.full.amount(key);
                unreserved.sub(reserved);
                amount = amount.min(unreserved);
                if amount.sign().is_le() {
                    continue;
                }
            }
            let before = quota.used.get(key);
            let mut after = before.cloned().unwrap_or_default();
            after.add(&amount);
            if after > *limit {
                exceeded.push(ExceededKey {
                    key: key.clone(),
                    requested: amount.clone(),
                    used: before.cloned(),
                    limited: limit.clone(),
                });
            }
            charge.requested.insert(key.as_str(), amount);
            charge.used.insert(key.as_str(), after);
        }
        // What a controller writes into a status has happened already and is only noted.
        if exceeded.is_empty() || self.request.subresource == "status" {
            return Ok(concerned.then_some(charge));
        }
        Err(Cause::Exceeded { quota: quota.name.clone(), keys: exceeded }.into())
    }

    /// How much of what a ledger reserves for the object's name has certainly been charged for it.
    fn charged<'l>(&self, ledger: &'l Ledger, key: &EntryKey) -> Option<Cow<'l, ResourceList>> {
        let entry = ledger.entry(key)?;
        let mut charged = Cow::Borrowed(&*entry.usage);
        let uid = self.request.object.metadata().uid.as_deref().unwrap_or_default();
        if self.request.operation == Operation::Create && ledger.is_of_another_pod(key, entry, uid) {
            charged.to_mut().retain(|key, _| !payer::is_payable(key));
        }
        let payer = entry.payer();
        if let Some(paid) = payer.and_then(|payer| payer.has_paid(self.namespace(), self.surroundings)) {
            payer::take_off(charged.to_mut(), &paid);
        }
        Some(charged)
    }

    /// What a ledger calls the object; nothing before it has a name.
    fn entry_key(&self) -> Option<EntryKey> {
        let name = self.request.object.metadata().name.as_ref().filter(|name| !name.is_empty())?;
        Some(EntryKey { resource: self.request.resource.clone(), name: name.clone() })
    }
}

/// What the administrator limits may only be used where a quota covers it.
fn check_covered(
    uncovered_keys: Vec<String>,
    limited_scopes: Vec<&ScopeRequirement>,
    pertinent: &Pertinent<'_>,
) -> Result<(), Stop> {
    if !uncovered_keys.is_empty() {
        return Err(Cause::UncoveredResources { keys: uncovered_keys }.into());
    }
    let uncovered_scopes: Vec<ScopeRequirement> = limited_scopes
        .into_iter()
        .filter(|scope| !pertinent.scope_names.contains(&scope.scope_name.as_str()))
        .cloned()
        .collect();
    if uncovered_scopes.is_empty() {
        Ok(())
    } else {
        Err(Cause::UncoveredScopes { scopes: uncovered_scopes }.into())
    }
}

fn unknown_status(quota: &Quota, keys: &[&str]) -> Cause {
    let mut keys: Vec<String> = keys.iter().map(|key| (*key).to_owned()).collect();
    keys.sort();
    Cause::StatusUnknown { quota: quota.name.clone(), keys }
}

/// The amounts of a pod whose new size has not been tried yet: that the last one could not be had says nothing about it.
///
/// DIFFERENCE: D-quota-3. Upstream leaves the new size out of account as long as the last one is marked infeasible, and so
/// admits any.
fn as_if_feasible(resources: &PodResources) -> Cow<'_, PodResources> {
    if !resources.status.resize_infeasible {
        return Cow::Borrowed(resources);
    }
    let mut wanted = resources.clone();
    wanted.status.resize_infeasible = false;
    Cow::Owned(wanted)
}

#[cfg(test)]
mod tests;
