//! A quota as the API server stores it, with what decisions need of it.

use k8s_openapi::api::core::v1::ResourceQuota;
use plimsoll_quota::Quota;
use plimsoll_quota::ledger::Version;

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
        object.metadata.managed_fields = None;
        let mut quota = Quota::parse(&object)
            .inspect_err(|error| tracing::error!(%error, quota = object.metadata.name, "can't read a quota"))
            .ok()?;
        let untrusted = quota.read_ledger(&object).err().map(|problem| problem.to_string());
        let version = object.metadata.resource_version.clone().unwrap_or_default();
        Some(Self { object, held: Held { quota, version, untrusted } })
    }

    pub(super) fn name(&self) -> &str {
        &self.held.quota.name
    }

    /// Whether it is the same quota at a later version, or another one of the same name.
    pub(super) fn supersedes(&self, other: &Self) -> bool {
        self.object.metadata.uid != other.object.metadata.uid
            || Version::parse(&self.held.version) > Version::parse(&other.held.version)
    }

    /// The object with other amounts, to be written over the version that was read.
    pub(super) fn with(&self, quota: &Quota) -> ResourceQuota {
        let mut object = self.object.clone();
        quota.write_to(&mut object);
        object
    }
}
