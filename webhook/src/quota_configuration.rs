//! The administrator's configuration of quota admission: which resources may only be used where a quota covers them.
//!
//! # Source
//! apiserver `pkg/admission/plugin/resourcequota` (`LoadConfiguration`)

use k8s_openapi::api::core::v1::ScopedResourceSelectorRequirement;
use plimsoll_api::group::GroupResource;
use plimsoll_quota::{LimitedResource, ScopeRequirement};
use serde::Deserialize;

/// The kinds that are understood, with their versions.
const KINDS: [(&str, &str); 3] = [
    ("apiserver.config.k8s.io/v1", "ResourceQuotaConfiguration"),
    ("resourcequota.admission.k8s.io/v1beta1", "Configuration"),
    ("resourcequota.admission.k8s.io/v1alpha1", "Configuration"),
];

/// The file as it stands; unknown fields are mistakes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct QuotaConfiguration {
    api_version: String,
    kind: String,
    #[serde(default)]
    limited_resources: Vec<Limited>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Limited {
    #[serde(default)]
    api_group: String,
    #[serde(default)]
    resource: String,
    #[serde(default)]
    match_contains: Vec<String>,
    #[serde(default)]
    match_scopes: Vec<ScopedResourceSelectorRequirement>,
}

/// A configuration that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum QuotaConfigurationError {
    /// It is of another kind or version.
    #[error("no kind {kind:?} is registered for version {api_version:?}")]
    UnknownKind {
        /// Its version.
        api_version: String,
        /// Its kind.
        kind: String,
    },
    /// A limited resource has no resource.
    #[error("limitedResources[{0}].resource: Required value")]
    NoResource(usize),
}

impl QuotaConfiguration {
    /// The limited resources.
    ///
    /// # Errors
    /// What is wrong with the configuration.
    pub fn limited_resources(self) -> Result<Vec<LimitedResource>, QuotaConfigurationError> {
        if !KINDS.contains(&(self.api_version.as_str(), self.kind.as_str())) {
            let Self { api_version, kind, .. } = self;
            return Err(QuotaConfigurationError::UnknownKind { api_version, kind });
        }
        let read = |(place, limited): (usize, Limited)| {
            if limited.resource.is_empty() {
                return Err(QuotaConfigurationError::NoResource(place));
            }
            Ok(LimitedResource {
                resource: GroupResource { group: limited.api_group, resource: limited.resource },
                match_contains: limited.match_contains,
                match_scopes: limited.match_scopes.iter().map(ScopeRequirement::selector).collect(),
            })
        };
        self.limited_resources.into_iter().enumerate().map(read).collect()
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_fixtures::object;
    use serde_json::Value;

    use super::*;

    fn read(yaml: &str) -> Result<Vec<LimitedResource>, QuotaConfigurationError> {
        serde_json::from_value::<QuotaConfiguration>(object::<Value>(yaml)).unwrap().limited_resources()
    }

    #[test]
    fn is_read_as_upstream_writes_it() {
        let limited = read(
            "{apiVersion: apiserver.config.k8s.io/v1, kind: ResourceQuotaConfiguration, limitedResources: [
                {resource: pods, matchScopes: [{scopeName: PriorityClass, operator: In, values: [cluster-services]}]},
                {resource: persistentvolumeclaims, matchContains: [gold.storageclass.storage.k8s.io/requests.storage]}]}",
        )
        .unwrap();
        assert_eq!(limited.len(), 2);
        assert_eq!(limited[0].match_scopes[0].values, ["cluster-services"]);
        assert_eq!(limited[1].match_contains, ["gold.storageclass.storage.k8s.io/requests.storage"]);
    }

    #[test]
    fn says_what_is_wrong() {
        let error = read("{apiVersion: v1, kind: Pod}").unwrap_err();
        assert_eq!(error.to_string(), r#"no kind "Pod" is registered for version "v1""#);
        let error = read(
            "{apiVersion: resourcequota.admission.k8s.io/v1beta1, kind: Configuration, limitedResources: [{apiGroup: apps}]}",
        );
        assert_eq!(error.unwrap_err().to_string(), "limitedResources[0].resource: Required value");
        let unknown =
            "{apiVersion: apiserver.config.k8s.io/v1, kind: ResourceQuotaConfiguration, limited: []}";
        assert!(serde_json::from_value::<QuotaConfiguration>(object::<Value>(unknown)).is_err());
    }
}
