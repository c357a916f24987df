//! What the LimitRanges of a namespace ask of each container, of the pod, and fill in.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{LimitRange, LimitRangeItem};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
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
}

/// The rules that concern pods, LimitRange by LimitRange in order of name.
pub(super) fn bounds(limit_ranges: &[LimitRange]) -> Vec<LimitRangeBound> {
    let mut sorted: Vec<&LimitRange> = limit_ranges.iter().collect();
    sorted.sort_by_key(|limit_range| limit_range.metadata.name.clone());
    let mut bounds = Vec::new();
    for limit_range in sorted {
        let name = limit_range.metadata.name.as_deref().unwrap_or_default();
        let items = limit_range.spec.iter().flat_map(|spec| &spec.limits);
        for item in items.filter(|item| ["Container", "Pod"].contains(&item.type_.as_str())) {
            bounds.extend(of_item(name, item));
        }
    }
    bounds
}

fn of_item(limit_range: &str, item: &LimitRangeItem) -> Vec<LimitRangeBound> {
    let rules: [(&'static str, &Option<BTreeMap<String, ApiQuantity>>); 5] = [
        ("min", &item.min),
        ("max", &item.max),
        ("maxLimitRequestRatio", &item.max_limit_request_ratio),
        ("default", &item.default),
        ("defaultRequest", &item.default_request),
    ];
    let mut bounds = Vec::new();
    for (rule, list) in rules {
        for (resource, value) in list.iter().flatten() {
            bounds.push(LimitRangeBound {
                limit_range: limit_range.to_owned(),
                item_type: item.type_.clone(),
                rule,
                resource: resource.clone(),
                value: value.0.clone(),
            });
        }
    }
    bounds
}
