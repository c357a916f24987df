//! Entries of claims that a pod [pays](crate::payer) for. They reserve all that the claim would use, for the pod may be gone by the
//! time the claim is stored. What the pod has paid is taken off when they are counted, and only if no other claim may get it.
//!
//! DIFFERENCE: D-quota-8.

use std::borrow::Cow;

use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::ResourceList;

use super::{Awaits, Entry, EntryKey, Ledger, uid_end};
use crate::payer::{self, Payer};
use crate::surroundings::Surroundings;

impl Entry {
    /// The pod that all admissions under way name.
    pub(crate) fn payer(&self) -> Option<&Payer> {
        match &self.payers[..] {
            [payer] => payer.as_ref(),
            _ => None,
        }
    }

    /// Notes whom one more admission names.
    pub(super) fn note_payer(&mut self, payer: Option<&Payer>) {
        if self.payers.is_empty() && payer.is_some() {
            self.payers.push(None);
        }
        if !self.payers.is_empty() && !self.payers.iter().any(|known| known.as_ref() == payer) {
            self.payers.push(payer.cloned());
        }
    }

    /// Whether an admission of it names this pod.
    fn names(&self, payer: &Payer) -> bool {
        self.payers.iter().flatten().any(|known| known == payer)
    }
}

impl Ledger {
    /// Whether another claim than the one of this name may be about to be stored for the same pod, or another pod in the place of that
    /// one.
    pub(crate) fn is_contested(&self, name: &str, payer: &Payer) -> bool {
        let is_another = |entry: &Entry| match &entry.awaits {
            Awaits::Create { uid } => *uid != payer.uid,
            Awaits::Update { .. } => false,
            Awaits::Expiry => true,
        };
        let mut others = self.entries.iter().filter(|(key, _)| key.name != name);
        self.entries.get(&pods(&payer.pod)).is_some_and(is_another)
            || others.any(|(_, entry)| entry.names(payer))
    }

    /// Whether a claim is not [contested](Self::is_contested), and not about to be stored for another pod, for all that is known.
    pub(crate) fn is_sole_claim(&self, key: &EntryKey, payer: &Payer) -> bool {
        let is_same = |entry: &Entry| entry.payer() == Some(payer);
        !self.rising && self.entries.get(key).is_none_or(is_same) && !self.is_contested(&key.name, payer)
    }

    /// Whether some claim relies on what another pod of the name has paid. It may be stored when that pod is gone, so a pod that comes
    /// in its place is not paid by what is reserved for the name.
    pub(crate) fn is_relied_on(&self, key: &EntryKey, pod_uid: &str) -> bool {
        let relies = |payer: &Payer| payer.pod == key.name && payer.uid != uid_end(pod_uid);
        key.resource.group.is_empty()
            && key.resource.resource == "pods"
            && self.entries.values().any(|entry| entry.payers.iter().flatten().any(relies))
    }

    /// Whether an entry has to stay though its object is stored: it tells that a claim [relies](Self::is_relied_on) on a pod, until
    /// nothing is reserved for a pod of that name.
    pub(super) fn is_needed(&self, entry: &Entry) -> bool {
        entry.payers.iter().flatten().any(|payer| self.entries.contains_key(&pods(&payer.pod)))
    }

    /// What is counted for an entry.
    pub(crate) fn counted<'l>(
        &self,
        name: &str,
        entry: &'l Entry,
        namespace: &str,
        surroundings: &Surroundings<'_>,
    ) -> Cow<'l, ResourceList> {
        let mut usage = Cow::Borrowed(&*entry.usage);
        let payer = entry.payer().filter(|payer| !self.is_contested(name, payer));
        let paid = payer.and_then(|payer| payer.has_paid_for(name, namespace, surroundings));
        if let Some(paid) = paid {
            payer::take_off(usage.to_mut(), &paid);
        }
        usage
    }
}

fn pods(name: &str) -> EntryKey {
    EntryKey { resource: GroupResource::new("", "pods"), name: name.to_owned() }
}
