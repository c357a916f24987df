//! A ResourceQuota in the form in which decisions are made.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{ResourceQuota, ResourceQuotaStatus};
use plimsoll_resource_math::ResourceList;
use plimsoll_resource_math::resource_list::ParseResourceListError;

use crate::charge::Charge;
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
        })
    }

    /// The status as it stands in the API object.
    pub fn status(&self) -> ResourceQuotaStatus {
        let list = |amounts: &ResourceList| -> BTreeMap<_, _> { amounts.to_api() };
        ResourceQuotaStatus { hard: Some(list(&self.hard)), used: Some(list(&self.used)) }
    }

    /// Counts an admitted request.
    pub fn apply(&mut self, charge: &Charge) {
        for (key, used) in &charge.used {
            self.used.insert(key.as_str(), used.clone());
        }
    }
}
