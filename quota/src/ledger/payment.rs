//! Entries of claims that a pod [pays](crate::payer) for. They reserve all that the claim would use, for the pod may be gone by the
//! time the claim is stored. What the pod has paid is taken off when they are counted, and only if no other claim may get it.
//!
//! DIFFERENCE: D-quota-8.

use std::borrow::Cow;

use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::ResourceList;

use super::{Awaits, Entry, EntryKey, Ledger, Version, uid_end};
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
    pub(crate) fn is_contested(
        &self,
        name: &str,
        payer: &Payer,
        namespace: &str,
        surroundings: &Surroundings<'_>,
    ) -> bool {
        let is_another_pod = |entry: &Entry| match &entry.awaits {
            Awaits::Create { uid } => uid != uid_end(&payer.uid),
            // What has got so far is the pod that is changed, for it is older than any that comes in its place.
            Awaits::Update { after } => {
                let pod = payer.pod(namespace, surroundings);
                let version = pod.and_then(|pod| pod.metadata.resource_version.as_deref());
                version.and_then(Version::parse).is_none_or(|version| version < *after)
            }
            Awaits::Expiry => true,
        };
        let mut others = self.entries.iter().filter(|(key, _)| key.name != name);
        self.entries.get(&pods(&payer.pod)).is_some_and(is_another_pod)
            || others.any(|(_, entry)| entry.names(payer))
    }

    /// Whether a claim is not [contested](Self::is_contested), and not about to be stored for another pod, for all that is known.
    pub(crate) fn is_sole_claim(
        &self,
        key: &EntryKey,
        payer: &Payer,
        namespace: &str,
        surroundings: &Surroundings<'_>,
    ) -> bool {
        !self.rising
            && self.entries.get(key).is_none_or(|entry| entry.payer() == Some(payer))
            && !self.is_contested(&key.name, payer, namespace, surroundings)
    }

    /// Whether it may be another pod for which an entry reserves what claims rely on. They may be stored when that pod is gone, so a pod
    /// that comes in its place is not paid by what is reserved for the name.
    pub(crate) fn is_of_another_pod(&self, key: &EntryKey, entry: &Entry, uid: &str) -> bool {
        let relies = |payer: &Payer| payer.pod == key.name && payer.uid != uid;
        let is_of_pod = key.resource.group.is_empty() && key.resource.resource == "pods";
        is_of_pod
            && match &entry.awaits {
                Awaits::Create { uid: known } => {
                    known != uid_end(uid)
                        && self.entries.values().any(|entry| entry.payers.iter().flatten().any(relies))
                }
                // Claims for a pod that was stored before are not known any more.
                Awaits::Update { .. } => true,
                // The claims, or a pod in the place of the first, have been charged.
                Awaits::Expiry => false,
            }
    }

    /// Whether an entry has to stay though its object is stored: it tells that a claim [relies](Self::is_of_another_pod) on a pod, until
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
        let payer = entry.payer().filter(|payer| !self.is_contested(name, payer, namespace, surroundings));
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
