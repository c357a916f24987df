//! The ledger as text in an annotation of the quota.

use std::collections::BTreeMap;
use std::hash::Hasher;

use fnv::FnvHasher;
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::ResourceList;
use serde::{Deserialize, Serialize};

use super::{Awaits, Entry, EntryKey, Ledger, Version};

/// The annotation that holds the ledger.
pub const ANNOTATION: &str = "plimsoll.dev/quota-ledger";

/// The longest text, in bytes, that a charge may make of the annotation; what is beyond has to wait.
pub const MAX_BYTES: usize = 32 * 1024;

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

/// The text's shape. Usages stand once each, since most pods of a namespace are alike.
#[derive(Serialize, Deserialize)]
struct Text {
    sum: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    rising: bool,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    watermarks: BTreeMap<String, String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    usages: Vec<BTreeMap<String, ApiQuantity>>,
    /// By resource and name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    entries: BTreeMap<String, BTreeMap<String, EntryText>>,
}

#[derive(Serialize, Deserialize)]
struct EntryText {
    #[serde(rename = "use")]
    usage: usize,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    after: Option<String>,
    #[serde(rename = "over")]
    written_over: String,
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
            text.usages.iter().map(|usage| ResourceList::parse(Some(usage))).collect();
        let usages = usages.map_err(|error| unreadable(error.to_string()))?;
        let version =
            |text: &str| Version::parse(text).ok_or_else(|| unreadable(format!("version {text:?}")));
        let mut ledger = Self { rising: text.rising, ..Self::default() };
        for (resource, watermark) in &text.watermarks {
            ledger.watermarks.insert(GroupResource::parse(resource), version(watermark)?);
        }
        for (resource, names) in text.entries {
            for (name, entry) in names {
                let usage = usages.get(entry.usage).cloned();
                let usage =
                    usage.ok_or_else(|| unreadable(format!("usage {} is not listed", entry.usage)))?;
                let awaits = match (entry.uid, entry.after) {
                    (Some(uid), _) => Awaits::Create { uid },
                    (None, Some(after)) => Awaits::Update { after: version(&after)? },
                    (None, None) => Awaits::Expiry,
                };
                let key = EntryKey { resource: GroupResource::parse(&resource), name };
                ledger.entries.insert(key, Entry { usage, awaits, written_over: entry.written_over });
            }
        }
        Ok(ledger)
    }

    /// The annotation's text, for a status with these amounts.
    pub fn write(&self, hard: &ResourceList, used: &ResourceList) -> String {
        let mut usages = Vec::new();
        let mut entries: BTreeMap<String, BTreeMap<String, EntryText>> = BTreeMap::new();
        for (key, entry) in &self.entries {
            let usage = entry.usage.to_api();
            let place = usages.iter().position(|listed| *listed == usage).unwrap_or_else(|| {
                usages.push(usage);
                usages.len() - 1
            });
            let (uid, after) = match &entry.awaits {
                Awaits::Create { uid } => (Some(uid.clone()), None),
                Awaits::Update { after } => (None, Some(after.to_string())),
                Awaits::Expiry => (None, None),
            };
            let text = EntryText { usage: place, uid, after, written_over: entry.written_over.clone() };
            entries.entry(key.resource.to_string()).or_default().insert(key.name.clone(), text);
        }
        let watermarks = self.watermarks.iter();
        let watermarks =
            watermarks.map(|(resource, version)| (resource.to_string(), version.to_string())).collect();
        let text = Text { sum: checksum(hard, used), rising: self.rising, watermarks, usages, entries };
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
