//! What the LimitRanges of a namespace ask of each container, of the pod, and fill in.

use plimsoll_resource_math::{PodResources, ResourceList};
use plimsoll_webhook::limit_range::{Item, ItemType, LimitRanges, Limits, Refusal, Rule, validate_pod};
use serde::Serialize;

/// One rule of a LimitRange.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LimitRangeBound {
    /// The LimitRange.
    pub limit_range: String,
    /// `Container` or `Pod`.
    #[serde(rename = "type")]
    pub item_type: String,
    /// The field, such as `max` or `defaultRequest`.
    pub rule: &'static str,
    /// The resource.
    pub resource: String,
    /// The amount, or the ratio.
    pub value: String,
    /// Whether the pod keeps to it; absent for defaults, which ask nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub met: Option<bool>,
}

/// The rules that concern pods, LimitRange by LimitRange in order of name.
pub(super) fn bounds(limit_ranges: &LimitRanges, pod: &PodResources) -> Vec<LimitRangeBound> {
    let mut bounds = Vec::new();
    for limits in limit_ranges {
        // Each by itself: admission stops at the first that refuses.
        let refusal = validate_pod(pod, &LimitRanges::from_iter([limits.clone()])).err();
        for item in limits.items() {
            if matches!(item.item_type, ItemType::Container | ItemType::Pod) {
                add_item(limits, item, refusal.as_ref(), &mut bounds);
            }
        }
    }
    bounds
}

fn add_item(limits: &Limits, item: &Item, refusal: Option<&Refusal>, bounds: &mut Vec<LimitRangeBound>) {
    let is_broken = |rule: Rule, resource: &str| {
        refusal.into_iter().flat_map(|refusal| &refusal.violations).any(|violation| {
            violation.rule == rule
                && violation.resource == resource
                && violation.subject.item_type() == item.item_type
        })
    };
    let mut add = |rule: &'static str, list: &ResourceList, kind: Option<Rule>| {
        bounds.extend(list.iter().map(|(resource, value)| LimitRangeBound {
            limit_range: limits.name.clone(),
            item_type: item.item_type.as_str().to_owned(),
            rule,
            resource: resource.clone(),
            value: value.to_string(),
            met: kind.map(|rule| !is_broken(rule, resource)),
        }));
    };
    for (rule, list) in [
        (Rule::Min, &item.min),
        (Rule::Max, &item.max),
        (Rule::MaxLimitRequestRatio, &item.max_limit_request_ratio),
    ] {
        add(rule.as_str(), list, Some(rule));
    }
    add("default", &item.default, None);
    add("defaultRequest", &item.default_request, None);
}
