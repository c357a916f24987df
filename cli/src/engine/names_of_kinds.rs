//! How the objects of a kind may be named.

use plimsoll_api::group::GroupResource;
use plimsoll_api::names::path_segment_name;
use plimsoll_apiserver::validation::object_meta::{
    NameRule, name_is_dns_1035_label, name_is_dns_label, name_is_dns_subdomain,
};

/// The rule for names of a resource. Most are DNS subdomains.
///
/// # Source
/// kubernetes `pkg/apis/*/validation` (the `Validate*Name` of each kind)
pub(super) fn name_rule(resource: &GroupResource) -> NameRule {
    match (resource.group.as_str(), resource.resource.as_str()) {
        ("", "namespaces") => name_is_dns_label,
        ("", "services") => name_is_dns_1035_label,
        ("rbac.authorization.k8s.io", _)
        | ("apiregistration.k8s.io", "apiservices")
        | ("certificates.k8s.io", "clustertrustbundles")
        | ("networking.k8s.io", "ipaddresses") => |name, _is_prefix| path_segment_name(name),
        _ => name_is_dns_subdomain,
    }
}
