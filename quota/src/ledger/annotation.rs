//! The ledger as text in an annotation of the quota.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::Hasher;
use std::sync::Arc;

use fnv::FnvHasher;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::ResourceList;
use serde::{Deserialize, Serialize};

use crate::payer::Payer;

use super::{Advance, Awaits, Entry, EntryKey, Ledger, Version};

/// The annotation that holds the ledger.
pub const ANNOTATION: &str = "plimsoll.dev/quota-ledger";

/// The longest text, in bytes, that a charge may make of the annotation; what is beyond has to wait.
pub const MAX_BYTES: usize = 32 * 1024;

/// How many bytes an entry takes beside its name, and how many what it shares with those of its group.
const IN_GROUP: usize = 20;
const GROUP: usize = 60;

/// Why a ledger can't be relied upon. Nothing is charged until a recount has made a new one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// There is none, though amounts are in force.
    #[error("there is no annotation {ANNOTATION}")]
    Missing,
    /// It can't be read.
    #[error("annotation {ANNOTATION} can't be read: {0}")]
    Unreadable(String),
    /// The status was written by someone who does not keep the ledger.
    #[error("annotation {ANNOTATION} does not belong to this status, which someone else has written")]
    Mismatch,
}

/// The text's shape. Usages stand once each, since most pods of a namespace are alike, and what was written together stands together.
#[derive(Serialize, Deserialize)]
struct Text {
    sum: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rising: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    watermarks: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    usages: Vec<BTreeMap<String, ApiQuantity>>,
    /// By resource.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    entries: BTreeMap<String, Vec<GroupText>>,
    /// By the name of the replica.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    advances: BTreeMap<String, AdvanceText>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    twice: BTreeMap<String, ApiQuantity>,
}

#[derive(Serialize, Deserialize)]
struct AdvanceText {
    over: String,
    #[serde(rename = "use")]
    usage: usize,
}

/// Entries that were written over the same version, for objects that use the same.
#[derive(Default, Serialize, Deserialize)]
struct GroupText {
    over: String,
    #[serde(rename = "use")]
    usage: usize,
    /// The ends of uids by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    create: BTreeMap<String, String>,
    /// Versions before the change by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    update: BTreeMap<String, String>,
    /// Names that only time settles.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    expire: Vec<String>,
    /// The pods that may have paid by name; empty text where an admission names none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    payers: BTreeMap<String, Vec<String>>,
}

/// Usages that stand once each, in the order in which they came.
#[derive(Default)]
struct Usages<'l>(Vec<&'l Arc<ResourceList>>);

impl<'l> Usages<'l> {
    fn place_of(&mut self, usage: &'l Arc<ResourceList>) -> usize {
        // Most are the very same, so the pointers are looked at first.
        let place = self.0.iter().position(|listed| Arc::ptr_eq(listed, usage));
        let place = place.or_else(|| self.0.iter().position(|listed| *listed == usage));
        place.unwrap_or_else(|| {
            self.0.push(usage);
            self.0.len() - 1
        })
    }
}

/// About how many bytes a usage takes.
fn usage_bytes(usage: &ResourceList) -> usize {
    usage.keys().map(|name| name.len() + 20).sum()
}

/// About how many bytes it takes to say who pays for the object of a name.
fn payer_bytes(name: &str, payer: Option<&Payer>) -> usize {
    payer.map_or(0, |payer| name.len() + payer.pod.len() + payer.uid.len() + IN_GROUP)
}

impl Ledger {
    /// Reads the ledger of a quota whose status has these amounts.
    ///
    /// A status in which nothing is in force needs none.
    ///
    /// # Errors
    /// It can't be relied upon.
    pub fn read(
        annotation: Option<&str>,
        hard: &ResourceList,
        used: &ResourceList,
    ) -> Result<Self, Untrusted> {
        let Some(annotation) = annotation else {
            return if hard.is_empty() { Ok(Self::default()) } else { Err(Untrusted::Missing) };
        };
        let unreadable = |problem: String| Untrusted::Unreadable(problem);
        let text: Text = serde_json::from_str(annotation).map_err(|error| unreadable(error.to_string()))?;
        if text.sum != checksum(hard, used) {
            return Err(Untrusted::Mismatch);
        }
        let usages: Result<Vec<_>, _> =
            text.usages.iter().map(|usage| ResourceList::parse(Some(usage)).map(Arc::new)).collect();
        let usages = usages.map_err(|error| unreadable(error.to_string()))?;
        let version =
            |text: &str| Version::parse(text).ok_or_else(|| unreadable(format!("version {text:?}")));
        let usage = |place: usize| {
            usages.get(place).ok_or_else(|| unreadable(format!("usage {place} is not listed")))
        };
        let maybe_twice =
            ResourceList::parse(Some(&text.twice)).map_err(|error| unreadable(error.to_string()))?;
        let mut ledger = Self { rising: text.rising, maybe_twice, ..Self::default() };
        for (holder, AdvanceText { over, usage: place }) in text.advances {
            let advance = Advance { usage: Arc::clone(usage(place)?), written_over: over };
            ledger.advances.insert(holder, advance);
        }
        for (resource, watermark) in &text.watermarks {
            ledger.watermarks.insert(GroupResource::parse(resource), version(watermark)?);
        }
        for (resource, groups) in text.entries {
            let resource = GroupResource::parse(&resource);
            for group in groups {
                let usage = usage(group.usage)?;
                let mut insert = |name, awaits| {
                    let payers = group.payers.get(&name).into_iter().flatten();
                    let payers = payers.map(|text| Payer::parse(text)).collect();
                    let key = EntryKey { resource: resource.clone(), name };
                    let (usage, written_over) = (Arc::clone(usage), group.over.clone());
                    ledger.entries.insert(key, Entry { usage, awaits, written_over, payers });
                };
                for (name, uid) in group.create {
                    insert(name, Awaits::Create { uid });
                }
                for (name, after) in group.update {
                    insert(name, Awaits::Update { after: version(&after)? });
                }
                for name in group.expire {
                    insert(name, Awaits::Expiry);
                }
            }
        }
        Ok(ledger)
    }

    /// About how many bytes the entries take in the annotation.
    fn bytes(&self) -> usize {
        let mut usages = Usages::default();
        let mut groups = BTreeSet::new();
        let mut bytes = 0;
        for (key, entry) in &self.entries {
            bytes += key.name.len()
                + IN_GROUP
                + entry.payers.iter().map(|payer| payer_bytes(&key.name, payer.as_ref())).sum::<usize>();
            if groups.insert((&key.resource, entry.written_over.as_str(), usages.place_of(&entry.usage))) {
                bytes += GROUP;
            }
        }
        bytes + usages.0.into_iter().map(|usage| usage_bytes(usage)).sum::<usize>()
    }

    /// How many bytes more a charge may make of the annotation.
    pub fn bytes_left(&self) -> usize {
        MAX_BYTES.saturating_sub(self.bytes())
    }

    /// About how many bytes one more entry takes in the annotation at most: its name, the end of a uid and some quotation marks, its
    /// part of a group, and what it uses if no other entry uses the same.
    pub(crate) fn entry_bytes(&self, name: &str, usage: &ResourceList, payer: Option<&Payer>) -> usize {
        let is_shared = self.entries.values().any(|entry| *entry.usage == *usage);
        let alone = if is_shared { 0 } else { GROUP + usage_bytes(usage) };
        name.len() + 2 * IN_GROUP + alone + payer_bytes(name, payer)
    }

    /// The annotation's text, for a status with these amounts.
    pub fn write(&self, hard: &ResourceList, used: &ResourceList) -> String {
        let mut usages = Usages::default();
        let mut groups: BTreeMap<&GroupResource, BTreeMap<(&str, usize), GroupText>> = BTreeMap::new();
        let advances = self.advances.iter().map(|(holder, advance)| {
            let (over, usage) = (advance.written_over.clone(), usages.place_of(&advance.usage));
            (holder.clone(), AdvanceText { over, usage })
        });
        let advances = advances.collect();
        for (key, entry) in &self.entries {
            let place = usages.place_of(&entry.usage);
            let written_over = entry.written_over.as_str();
            let group = groups.entry(&key.resource).or_default().entry((written_over, place)).or_default();
            if !entry.payers.is_empty() {
                let text = |payer: &Option<Payer>| payer.as_ref().map(Payer::to_string).unwrap_or_default();
                group.payers.insert(key.name.clone(), entry.payers.iter().map(text).collect());
            }
            match &entry.awaits {
                Awaits::Create { uid } => drop(group.create.insert(key.name.clone(), uid.clone())),
                Awaits::Update { after } => drop(group.update.insert(key.name.clone(), after.to_string())),
                Awaits::Expiry => group.expire.push(key.name.clone()),
            }
        }
        let usages = usages.0.into_iter().map(|usage| usage.to_api()).collect();
        let whole = |((over, usage), group): ((&str, usize), GroupText)| GroupText {
            over: over.to_owned(),
            usage,
            ..group
        };
        let entries = groups
            .into_iter()
            .map(|(resource, groups)| (resource.to_string(), groups.into_iter().map(whole).collect()));
        let entries = entries.collect();
        let watermarks = self.watermarks.iter();
        let watermarks =
            watermarks.map(|(resource, version)| (resource.to_string(), version.to_string())).collect();
        let text = Text {
            sum: checksum(hard, used),
            rising: self.rising,
            watermarks,
            usages,
            entries,
            advances,
            twice: self.maybe_twice.to_api(),
        };
        serde_json::to_string(&text).expect("maps with text keys always print")
    }
}

/// Tells one status from another; not meant against someone who wants to deceive, who could write the ledger as well.
fn checksum(hard: &ResourceList, used: &ResourceList) -> String {
    let mut hasher = FnvHasher::default();
    for list in [hard, used] {
        for (name, amount) in list {
            hasher.write(name.as_bytes());
            hasher.write(b"=");
            hasher.write(amount.canonical().as_bytes());
            hasher.write(b"\n");
        }
        hasher.write(b"\n");
    }
    format!("{:016x}", hasher.finish())
}
