//! Resources that may only be used where a quota covers them.

use plimsoll_api::group::GroupResource;
use plimsoll_resource_math::ResourceList;

use crate::scopes::ScopeRequirement;

/// A resource whose use is refused unless some quota covers it, as the cluster's administrator configures it.
///
/// # Source
/// apiserver `pkg/admission/plugin/resourcequota/apis/resourcequota` (`LimitedResource`)
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitedResource {
    /// The resource that [`match_contains`](Self::match_contains) looks at.
    pub resource: GroupResource,
    /// Texts; a key that the object uses and that contains one of them must be covered by a quota.
    pub match_contains: Vec<String>,
    /// Scopes; those that the object matches must be covered by a quota. They hold for every resource.
    pub match_scopes: Vec<ScopeRequirement>,
}

/// The keys in `usage` that some quota must cover, in order.
///
/// # Source
/// apiserver `pkg/admission/plugin/resourcequota` (`limitedByDefault`)
pub(crate) fn limited_keys<'u>(
    limited: &[LimitedResource],
    resource: &GroupResource,
    usage: &'u ResourceList,
) -> Vec<&'u str> {
    let contained: Vec<&str> = limited
        .iter()
        .filter(|limited| limited.resource == *resource)
        .flat_map(|limited| limited.match_contains.iter().map(String::as_str))
        .collect();
    usage
        .iter()
        .filter(|(_, amount)| amount.sign().is_gt())
        .map(|(key, _)| key.as_str())
        .filter(|key| contained.iter().any(|text| key.contains(text)))
        .collect()
}
