//! Which resources the API server has to ask about, so that quotas can be enforced.
//!
//! Pods, their resize, and claims on persistent volumes are always covered. All else follows the keys that quotas name, so that
//! nothing in a cluster pays for a call that no quota needs.

use std::collections::BTreeSet;

use k8s_openapi::api::admissionregistration::v1::RuleWithOperations;
use plimsoll_api::group::GroupResource;
use plimsoll_quota::{DeviceClasses, Evaluator, is_always_covered};

/// The resources that some of the keys count, other than those that are always covered.
pub fn followed<'k>(
    keys: impl IntoIterator<Item = &'k str>,
    device_classes: &DeviceClasses,
) -> BTreeSet<GroupResource> {
    let claims = GroupResource::new("resource.k8s.io", "resourceclaims");
    let services = GroupResource::new("", "services");
    let mut resources = BTreeSet::new();
    for key in keys {
        let counted = match key.strip_prefix("count/") {
            Some(counted) => GroupResource::parse(counted),
            None => GroupResource::new("", key),
        };
        for resource in [counted, services.clone(), claims.clone()] {
            let counts =
                Evaluator::of(&resource).is_some_and(|evaluator| evaluator.counts(key, device_classes));
            if counts && !is_always_covered(&resource) {
                resources.insert(resource);
            }
        }
    }
    resources
}

/// The rules of a webhook configuration that cover resources, in their order.
pub fn rules(resources: &BTreeSet<GroupResource>) -> Vec<RuleWithOperations> {
    let rule = |resource: &GroupResource| RuleWithOperations {
        api_groups: Some(vec![resource.group.clone()]),
        api_versions: Some(vec!["*".to_owned()]),
        resources: Some(vec![resource.resource.clone()]),
        operations: Some(operations(resource).iter().map(ToString::to_string).collect()),
        scope: Some("Namespaced".to_owned()),
    };
    resources.iter().map(rule).collect()
}

/// What can make a resource use more.
fn operations(resource: &GroupResource) -> &'static [&'static str] {
    match Evaluator::of(resource) {
        Some(Evaluator::Services | Evaluator::ResourceClaims) => &["CREATE", "UPDATE"],
        _ => &["CREATE"],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(keys: &[&str], expected: &[&str]) {
        let resources = followed(keys.iter().copied(), &DeviceClasses::default());
        assert_eq!(resources.iter().map(ToString::to_string).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn follows_the_keys_of_quotas() {
        check(&["pods", "cpu", "requests.storage", "limits.memory", "count/pods"], &[]);
        check(&["services.nodeports", "secrets", "count/secrets"], &["secrets", "services"]);
        check(
            &["count/deployments.apps", "count/widgets.example.com"],
            &["deployments.apps", "widgets.example.com"],
        );
        check(&["gpu.deviceclass.resource.k8s.io/devices"], &["resourceclaims.resource.k8s.io"]);
        check(&["count/events", "example.com/gpu", "nonsense"], &[]);
    }

    #[test]
    fn asks_about_changes_where_they_can_use_more() {
        let resources = followed(["services", "count/jobs.batch"], &DeviceClasses::default());
        let operations: Vec<_> = rules(&resources).into_iter().filter_map(|rule| rule.operations).collect();
        assert_eq!(operations, [vec!["CREATE", "UPDATE"], vec!["CREATE"]]);
    }
}
