//! Who controls an object: the controlling owner reference, and which objects a controller may take as its own.
//!
//! # Source
//! apimachinery `pkg/apis/meta/v1/controller_ref.go`, `pkg/controller/controller_ref_manager.go`

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ObjectMeta, OwnerReference};
use plimsoll_matching::label_selector::{Selector, labels_of};

/// An object that controls others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner<'a> {
    /// Its API group and version, such as `apps/v1`.
    pub api_version: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// Its namespace.
    pub namespace: &'a str,
    /// Its name.
    pub name: &'a str,
    /// The uid that references to it carry.
    pub uid: &'a str,
    /// The uid that its own metadata carry; `None` for an object that no API server has stored yet.
    pub stored_uid: Option<&'a str>,
}

/// What an object is to a controller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// The controller owns it and its selector matches.
    Owned,
    /// Nobody controls it and the selector matches: the controller makes it its own.
    Adopted,
    /// The controller owns it, but its selector doesn't match any more: the controller lets it go.
    Released,
    /// It belongs to someone else, or nobody controls it and the selector doesn't match.
    Foreign,
}

impl<'a> Owner<'a> {
    /// The owner that this object is. References to it carry `uid`, which stands in for the one that the object may lack.
    pub fn new(
        api_version: &'static str,
        kind: &'static str,
        metadata: &'a ObjectMeta,
        uid: &'a str,
    ) -> Self {
        Self {
            api_version,
            kind,
            namespace: metadata.namespace.as_deref().unwrap_or_default(),
            name: metadata.name.as_deref().unwrap_or_default(),
            uid,
            stored_uid: metadata.uid.as_deref().filter(|uid| !uid.is_empty()),
        }
    }

    /// The reference that this owner sets on the objects it controls.
    ///
    /// # Source
    /// apimachinery `pkg/apis/meta/v1/controller_ref.go` (`NewControllerRef`)
    pub fn reference(&self) -> OwnerReference {
        OwnerReference {
            api_version: self.api_version.to_owned(),
            kind: self.kind.to_owned(),
            name: self.name.to_owned(),
            uid: self.uid.to_owned(),
            controller: Some(true),
            block_owner_deletion: Some(true),
        }
    }

    /// Whether a controlling reference means this owner. Where the owner itself carries no uid, as in a manifest, the name
    /// decides.
    pub fn is_meant_by(&self, reference: &OwnerReference) -> bool {
        let same_uid = || {
            let other = reference.uid.as_str();
            other.is_empty() || other == self.uid || self.stored_uid.is_none_or(|stored| stored == other)
        };
        reference.kind == self.kind && reference.name == self.name && same_uid()
    }

    /// What an object of the owner's namespace is to the owner.
    ///
    /// # Source
    /// `pkg/controller/controller_ref_manager.go` (`BaseControllerRefManager.ClaimObject`)
    pub fn claim(&self, selector: &Selector, metadata: &ObjectMeta) -> Claim {
        let matches = || selector.matches(labels_of(metadata));
        match controller_of(metadata) {
            Some(reference) if self.is_meant_by(reference) => {
                if matches() {
                    Claim::Owned
                } else {
                    Claim::Released
                }
            }
            Some(_) => Claim::Foreign,
            None if metadata.deletion_timestamp.is_none() && matches() => Claim::Adopted,
            None => Claim::Foreign,
        }
    }
}

/// What a controller does about the objects of its namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claims<T> {
    /// Those that are its own, or are about to be.
    pub owned: Vec<T>,
    /// Those among them that it has yet to adopt.
    pub to_adopt: Vec<T>,
    /// Those that it lets go.
    pub to_release: Vec<T>,
}

impl<T: Clone> Claims<T> {
    /// Sorts objects of the owner's namespace by what they are to it.
    ///
    /// # Source
    /// `pkg/controller/controller_ref_manager.go` (`ClaimPods`, `ClaimControllerRevisions`)
    pub fn new(
        owner: &Owner<'_>,
        selector: &Selector,
        objects: impl IntoIterator<Item = T>,
        metadata: impl Fn(&T) -> &ObjectMeta,
    ) -> Self {
        let mut claims = Self { owned: Vec::new(), to_adopt: Vec::new(), to_release: Vec::new() };
        for object in objects {
            match owner.claim(selector, metadata(&object)) {
                Claim::Owned => claims.owned.push(object),
                Claim::Adopted => {
                    claims.to_adopt.push(object.clone());
                    claims.owned.push(object);
                }
                Claim::Released => claims.to_release.push(object),
                Claim::Foreign => {}
            }
        }
        claims
    }
}

/// The reference to the object that controls this one, if any does.
///
/// # Source
/// apimachinery `pkg/apis/meta/v1/controller_ref.go` (`GetControllerOf`)
pub fn controller_of(metadata: &ObjectMeta) -> Option<&OwnerReference> {
    metadata.owner_references.iter().flatten().find(|reference| reference.controller == Some(true))
}
