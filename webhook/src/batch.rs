//! Deciding all requests that wait for the quotas of one namespace together, so that they share one write of each quota.

use plimsoll_api::status::Status;
use plimsoll_quota::{Charge, Decision, LimitedResource, Quota, Surroundings};
use plimsoll_resource_math::ResourceList;

use crate::admission::Request;

/// A quota as it was last read.
#[derive(Clone, Debug, Default)]
pub struct Held {
    /// The quota, with its ledger.
    pub quota: Quota,
    /// Its resource version.
    pub version: String,
    /// Why its ledger can't be relied upon, if it can't.
    pub untrusted: Option<String>,
    /// How much [may be counted that is not used](plimsoll_quota::Holding::uncertain).
    pub uncertain: ResourceList,
}

/// What becomes of one request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It may proceed, and nothing needs to be written.
    Free,
    /// It may proceed once these quotas are written, in this order.
    Charged {
        /// Their places in the list.
        quotas: Vec<usize>,
    },
    /// It may not.
    Refused {
        /// What the API server answers.
        status: Status,
        /// The quota that refuses, if it is one.
        quota: Option<String>,
    },
    /// It has to wait for the recount.
    Waits {
        /// Why.
        reason: String,
    },
    /// It can't be decided now, and may be tried again.
    Later {
        /// Why.
        reason: String,
    },
}

/// What becomes of a batch.
#[derive(Clone, Debug)]
pub struct Plan {
    /// One a request, in the order of the requests.
    pub outcomes: Vec<Outcome>,
    /// The quotas as they are to be written; those that no request charges are as they were.
    pub quotas: Vec<Quota>,
}

/// Decides requests one after the other, each against what those before it left.
pub fn plan<'r>(
    requests: impl IntoIterator<Item = &'r Request>,
    mut held: Vec<Held>,
    limited: &[LimitedResource],
    surroundings: &Surroundings<'_>,
) -> Plan {
    let mut quotas: Vec<Quota> = held.iter_mut().map(|held| std::mem::take(&mut held.quota)).collect();
    let mut room: Vec<usize> = quotas.iter().map(|quota| quota.ledger.bytes_left()).collect();
    let outcomes = requests
        .into_iter()
        .map(|request| decide(request, &held, &mut quotas, &mut room, limited, surroundings))
        .collect();
    Plan { outcomes, quotas }
}

fn decide(
    request: &Request,
    held: &[Held],
    quotas: &mut [Quota],
    room: &mut [usize],
    limited: &[LimitedResource],
    surroundings: &Surroundings<'_>,
) -> Outcome {
    let charges = match request.decide(quotas, limited, surroundings) {
        Ok(Decision::Admitted(charges)) => charges,
        Ok(Decision::Refused(_)) if would_fit(request, held, quotas, limited, surroundings) => {
            return Outcome::Waits {
                reason: "what it needs may be held for others, or counted twice for a moment".to_owned(),
            };
        }
        Ok(Decision::Refused(refusal)) => {
            let quota = refusal.cause.quota().map(str::to_owned);
            return Outcome::Refused { status: refusal.status(), quota };
        }
        Err(error) => {
            return Outcome::Refused { status: Status::plain_error(error.to_string()), quota: None };
        }
    };
    let touched: Vec<usize> = charges.iter().map(|charge| charge.quota).collect();
    if touched.is_empty() || request.dry_run {
        return Outcome::Free;
    }
    let Some((key, admission)) = request.entry() else {
        return Outcome::Refused { status: Status::bad_request("metadata.name: required"), quota: None };
    };
    let bytes = |charge: &Charge| quotas[charge.quota].bytes_to_reserve(charge, &key);
    let bytes: Vec<usize> = charges.iter().map(bytes).collect();
    for (charge, bytes) in charges.iter().zip(&bytes) {
        let name = &quotas[charge.quota].name;
        if let Some(reason) = &held[charge.quota].untrusted {
            return Outcome::Later { reason: format!("quota {name} has to be counted anew: {reason}") };
        }
        if room[charge.quota] < *bytes {
            return Outcome::Waits {
                reason: format!("quota {name} waits for too many objects to be stored"),
            };
        }
    }
    for (charge, bytes) in charges.iter().zip(bytes) {
        room[charge.quota] -= bytes;
        quotas[charge.quota].reserve(charge, key.clone(), &admission, &held[charge.quota].version);
    }
    Outcome::Charged { quotas: touched }
}

/// Whether a request that is refused would be admitted without what is uncertain: what may be counted twice, and claims that may get
/// what its pod has paid.
fn would_fit(
    request: &Request,
    held: &[Held],
    quotas: &mut [Quota],
    limited: &[LimitedResource],
    surroundings: &Surroundings<'_>,
) -> bool {
    let has_payer = request.payers().next().is_some();
    if !has_payer && held.iter().all(|held| held.uncertain.is_empty()) {
        return false;
    }
    let certain = |(quota, held): (&mut Quota, &Held)| {
        let used = quota.used.clone();
        quota.use_less(&held.uncertain);
        (used, has_payer.then(|| std::mem::take(&mut quota.ledger)))
    };
    let before: Vec<_> = quotas.iter_mut().zip(held).map(certain).collect();
    let fits = matches!(request.decide(quotas, limited, surroundings), Ok(Decision::Admitted(_)));
    for (quota, (used, ledger)) in quotas.iter_mut().zip(before) {
        quota.used = used;
        if let Some(ledger) = ledger {
            quota.ledger = ledger;
        }
    }
    fits
}

#[cfg(test)]
pub(crate) mod tests;
