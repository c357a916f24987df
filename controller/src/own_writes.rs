//! What a controller has written itself: a cache that doesn't show it yet is too old to decide by.
//!
//! # Source
//! `pkg/controller/util/consistency`

use std::collections::HashMap;

use plimsoll_api::group::GroupResource;
use plimsoll_api::resource_version::Version;

use crate::object_key::ObjectKey;

/// The newest versions that were written on each owner's account.
#[derive(Clone, Debug, Default)]
pub struct OwnWrites {
    /// By owner.
    written: HashMap<ObjectKey, Written>,
}

#[derive(Clone, Debug, Default)]
struct Written {
    /// The owner's uid.
    uid: String,
    versions: HashMap<GroupResource, Version>,
}

/// A cache does not show yet what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("read version: {read} is not as new as written version: {written} for group resource {resource}")]
pub struct Behind {
    /// Which cache.
    pub resource: GroupResource,
    /// Its version.
    pub read: Version,
    /// The version that was written.
    pub written: Version,
}

impl OwnWrites {
    /// Takes note of the version of an object that was just written. A version that is no number says nothing.
    pub fn wrote(&mut self, owner: &ObjectKey, uid: &str, resource: GroupResource, version: &str) {
        let Some(version) = Version::parse(version) else { return };
        let written = self.written.entry(owner.clone()).or_default();
        // Another owner of the same name has nothing to do with what the last one wrote.
        if written.uid != uid {
            *written = Written { uid: uid.to_owned(), versions: HashMap::new() };
        }
        let newest = written.versions.entry(resource).or_insert_with(|| version.clone());
        if *newest < version {
            *newest = version;
        }
    }

    /// Makes sure that the caches show all that was written; `read` tells the version of each, if it is known.
    pub fn ensure_read(
        &mut self,
        owner: &ObjectKey,
        read: impl Fn(&GroupResource) -> Option<Version>,
    ) -> Result<(), Behind> {
        let written = self.written.get(owner);
        for (resource, written) in written.iter().flat_map(|written| &written.versions) {
            if let Some(read) = read(resource).filter(|read| *read < *written) {
                return Err(Behind { resource: resource.clone(), read, written: written.clone() });
            }
        }
        self.written.remove(owner);
        Ok(())
    }

    /// Forgets an owner that is gone.
    pub fn forget(&mut self, owner: &ObjectKey) {
        self.written.remove(owner);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owner() -> ObjectKey {
        ObjectKey::new("monitoring", "exporter")
    }

    fn at(version: &str) -> Option<Version> {
        Version::parse(version)
    }

    fn pods() -> GroupResource {
        GroupResource::new("", "pods")
    }

    #[test]
    fn a_cache_must_have_read_the_newest_version() {
        let mut writes = OwnWrites::default();
        assert_eq!(writes.ensure_read(&owner(), |_| at("1")), Ok(()));
        writes.wrote(&owner(), "u1", pods(), "12");
        writes.wrote(&owner(), "u1", pods(), "9");
        let behind = writes.ensure_read(&owner(), |_| at("11")).unwrap_err();
        assert_eq!(
            behind.to_string(),
            "read version: 11 is not as new as written version: 12 for group resource pods"
        );
        assert_eq!(writes.ensure_read(&owner(), |_| at("12")), Ok(()));
        assert_eq!(writes.ensure_read(&owner(), |_| at("1")), Ok(()));
    }

    #[test]
    fn what_is_unknown_holds_nobody_up() {
        let mut writes = OwnWrites::default();
        writes.wrote(&owner(), "u1", pods(), "twelve");
        assert_eq!(writes.ensure_read(&owner(), |_| at("1")), Ok(()));
        writes.wrote(&owner(), "u1", pods(), "12");
        assert_eq!(writes.ensure_read(&owner(), |_| None), Ok(()));
    }

    #[test]
    fn an_owner_that_is_gone_leaves_nothing_to_wait_for() {
        let mut writes = OwnWrites::default();
        writes.wrote(&owner(), "u1", pods(), "12");
        writes.wrote(&owner(), "u2", pods(), "5");
        assert_eq!(writes.clone().ensure_read(&owner(), |_| at("5")), Ok(()));
        writes.forget(&owner());
        assert_eq!(writes.ensure_read(&owner(), |_| at("1")), Ok(()));
    }
}
