//! A quota as the API server stores it, with what decisions need of it.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::ResourceQuota;
use plimsoll_quota::Quota;
use plimsoll_quota::ledger::{ANNOTATION, Version};

use crate::batch::Held;

/// A quota as it was last read.
#[derive(Clone, Debug)]
pub(super) struct StoredQuota {
    /// The object, without what only the API server needs.
    object: ResourceQuota,
    /// What decisions need of it.
    pub(super) held: Held,
}

impl StoredQuota {
    /// Reads a quota; none if an amount is no quantity, which the API server does not store.
    pub(super) fn read(mut object: ResourceQuota) -> Option<Self> {
        let mut quota = Quota::parse(&object)
            .inspect_err(|error| tracing::error!(%error, quota = object.metadata.name, "can't read a quota"))
            .ok()?;
        let untrusted = quota.read_ledger(&object).err().map(|problem| problem.to_string());
        object.metadata.managed_fields = None;
        // These have been read, and are written anew with each charge.
        object.metadata.annotations.get_or_insert_default().remove(ANNOTATION);
        object.status = None;
        let version = object.metadata.resource_version.clone().unwrap_or_default();
        Some(Self { object, held: Held { quota, version, untrusted, ..Held::default() } })
    }

    pub(super) fn name(&self) -> &str {
        &self.held.quota.name
    }

    /// Whether it is a later version, or a later quota of the same name.
    pub(super) fn supersedes(&self, other: &Self) -> bool {
        let versions = (Version::parse(&self.held.version), Version::parse(&other.held.version));
        match versions {
            (Some(version), Some(other)) => version > other,
            // Where versions are not in order, only another quota is known to be news.
            _ => !self.is_same(other),
        }
    }

    /// Whether it is the same quota.
    fn is_same(&self, other: &Self) -> bool {
        self.object.metadata.uid == other.object.metadata.uid
    }

    /// Whether it is the very same version of the same quota.
    pub(super) fn is_same_version(&self, other: &Self) -> bool {
        self.is_same(other) && self.held.version == other.held.version
    }

    /// Whether an object is of the same quota and no later version.
    pub(super) fn is_as_late_as(&self, object: &ResourceQuota) -> bool {
        let version = object.metadata.resource_version.as_deref().unwrap_or_default();
        let is_as_late = match (Version::parse(&self.held.version), Version::parse(version)) {
            (Some(known), Some(version)) => known >= version,
            // Where versions are not in order, only the very same one is known.
            _ => self.held.version == version,
        };
        is_as_late && self.object.metadata.uid == object.metadata.uid
    }

    /// Whether an object wants to limit the same keys.
    pub(super) fn limits_the_same(&self, object: &ResourceQuota) -> bool {
        let hard = object.spec.as_ref().and_then(|spec| spec.hard.as_ref());
        self.held.quota.spec_keys().eq(hard.into_iter().flat_map(BTreeMap::keys).map(String::as_str))
    }

    /// What is stored once other amounts have been written, as the given version.
    pub(super) fn written(&self, quota: &Quota, version: String) -> Self {
        let mut object = self.object.clone();
        object.metadata.resource_version = Some(version.clone());
        Self { object, held: Held { quota: quota.clone(), version, ..Held::default() } }
    }

    /// The object with other amounts, to be written over the version that was read.
    pub(super) fn with(&self, quota: &Quota) -> ResourceQuota {
        let mut object = self.object.clone();
        quota.write_to(&mut object);
        object
    }
}
