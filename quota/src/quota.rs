//! A ResourceQuota in the form in which decisions are made.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ResourceQuota, ResourceQuotaStatus};
use plimsoll_resource_math::ResourceList;
use plimsoll_resource_math::resource_list::ParseResourceListError;

use crate::charge::Charge;
use crate::ledger::{self, Admission, EntryKey, Ledger, Untrusted};
use crate::scopes::{self, ScopeRequirement};

/// A ResourceQuota with its amounts and scopes parsed.
///
/// What is enforced is `status.hard`, not `spec.hard`: a quota whose status has never been written limits nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// The namespace in which it counts.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// `spec.hard`, the limits that its author wants.
    pub spec_hard: ResourceList,
    /// `status.hard`, the limits in force.
    pub hard: ResourceList,
    /// `status.used`, what is counted against them.
    pub used: ResourceList,
    /// The scopes and scope selectors that an object must match, all of them, to be counted.
    pub scopes: Vec<ScopeRequirement>,
    /// What is reserved for objects that are not known to be stored yet, and is part of `used`. Empty unless
    /// [read](Self::read_ledger).
    pub ledger: Ledger,
}

impl Quota {
    /// Parses a ResourceQuota.
    ///
    /// # Errors
    /// The first amount that is no quantity; the API server does not store such an object.
    pub fn parse(object: &ResourceQuota) -> Result<Self, ParseResourceListError> {
        let spec = object.spec.as_ref();
        let status = object.status.as_ref();
        Ok(Self {
            namespace: object.metadata.namespace.clone().unwrap_or_default(),
            name: object.metadata.name.clone().unwrap_or_default(),
            spec_hard: ResourceList::parse(spec.and_then(|spec| spec.hard.as_ref()))?,
            hard: ResourceList::parse(status.and_then(|status| status.hard.as_ref()))?,
            used: ResourceList::parse(status.and_then(|status| status.used.as_ref()))?,
            scopes: spec.map(scopes::of_spec).unwrap_or_default(),
            ledger: Ledger::default(),
        })
    }

    /// Reads the ledger that stands in the object from which this quota was parsed.
    ///
    /// # Errors
    /// It can't be relied upon: charge nothing until a recount has begun a new one.
    pub fn read_ledger(&mut self, object: &ResourceQuota) -> Result<(), Untrusted> {
        let annotations = object.metadata.annotations.as_ref();
        let annotation = annotations.and_then(|annotations| annotations.get(ledger::ANNOTATION));
        self.ledger = Ledger::read(annotation.map(String::as_str), &self.hard, &self.used)?;
        Ok(())
    }

    /// Puts the status and the ledger that belongs to it into the object, to be written together.
    pub fn write_to(&self, object: &mut ResourceQuota) {
        object.status = Some(self.status());
        let annotations = object.metadata.annotations.get_or_insert_default();
        annotations.insert(ledger::ANNOTATION.to_owned(), self.ledger_text());
    }

    /// The text of the annotation [`ledger::ANNOTATION`] that belongs to the status.
    pub fn ledger_text(&self) -> String {
        self.ledger.write(&self.hard, &self.used)
    }

    /// The keys that its author wants to limit.
    pub fn spec_keys(&self) -> impl Iterator<Item = &str> + Clone {
        self.spec_hard.keys().map(String::as_str)
    }

    /// Whether its author wants to limit what is not limited yet.
    pub fn has_keys_to_come(&self) -> bool {
        !self.spec_hard.keys().all(|key| self.hard.contains_key(key))
    }

    /// The status as it stands in the API object.
    pub fn status(&self) -> ResourceQuotaStatus {
        let list = |amounts: &ResourceList| -> BTreeMap<_, _> { amounts.to_api() };
        ResourceQuotaStatus { hard: Some(list(&self.hard)), used: Some(list(&self.used)) }
    }

    /// Counts amounts, of the keys that are counted at all.
    pub(crate) fn use_more(&mut self, usage: &ResourceList) {
        let counted = usage.mask(self.used.keys());
        self.used.add(&counted);
    }

    /// Counts amounts no more, of the keys that are counted at all.
    pub fn use_less(&mut self, usage: &ResourceList) {
        let counted = usage.mask(self.used.keys());
        self.used.sub(&counted);
    }

    /// Counts an admitted request.
    pub fn apply(&mut self, charge: &Charge) {
        for (key, used) in &charge.used {
            self.used.insert(key.as_str(), used.clone());
        }
    }

    /// Counts an admitted request, and reserves what its object uses until the recount sees it stored.
    ///
    /// `written_over` is the resource version that the quota had when it was read.
    pub fn reserve(&mut self, charge: &Charge, key: EntryKey, admission: &Admission, written_over: &str) {
        self.apply(charge);
        self.ledger.reserve(key, admission, &charge.usage, charge.payer.as_ref(), written_over);
    }

    /// About how many bytes more the ledger has once that is [reserved](Self::reserve), at most.
    pub fn bytes_to_reserve(&self, charge: &Charge, key: &EntryKey) -> usize {
        self.ledger.entry_bytes(&key.name, &charge.usage, charge.payer.as_ref())
    }
}
