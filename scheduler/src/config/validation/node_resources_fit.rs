//! What is wrong with the arguments of NodeResourcesFit. Upstream too looks at them when the plugin is made.
//!
//! # Source
//! `pkg/scheduler/apis/config/validation/validation_pluginargs.go` (`ValidateNodeResourcesFitArgs`)

use plimsoll_api::field::{BadValue, Error, ErrorList, Path};

use super::function_shape::validate_shape;
use super::plugin_args::validate_label_name;
use crate::config::args::{NodeResourcesFitArgs, ResourceSpec};

/// What nodes can be compared by.
const STRATEGIES: [&str; 3] = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];

/// All that is wrong with them, in upstream's order and words.
pub(crate) fn validate_node_resources_fit(args: &NodeResourcesFitArgs) -> ErrorList {
    let mut errors = ErrorList::new();
    let resources = Path::root("ignoredResources");
    for (index, name) in args.ignored_resources.iter().enumerate() {
        validate_label_name(&mut errors, &resources.index(index), name);
    }
    let groups = Path::root("ignoredResourceGroups");
    for (index, group) in args.ignored_resource_groups.iter().enumerate() {
        let path = groups.index(index);
        if group.contains('/') {
            errors.push(Error::invalid(&path, group, "resource group name can't contain '/'"));
        }
        validate_label_name(&mut errors, &path, group);
    }
    let root = Path::root("scoringStrategy");
    let Some(strategy) = &args.scoring_strategy else {
        errors.push(Error::required(&root, "ScoringStrategy field is required"));
        return errors;
    };
    if !STRATEGIES.contains(&strategy.strategy.as_str()) {
        let value = BadValue::json_string(&strategy.strategy);
        errors.push(Error::not_supported(&root.child("type"), value, &STRATEGIES));
    }
    validate_resources(&mut errors, &root.child("resources"), &strategy.resources);
    let ratio_path = root.child("requestedToCapacityRatio");
    match (strategy.strategy.as_str(), &strategy.requested_to_capacity_ratio) {
        ("RequestedToCapacityRatio", None) => {
            let detail = "must be specified when type is RequestedToCapacityRatio";
            errors.push(Error::required(&ratio_path, detail));
        }
        ("RequestedToCapacityRatio", Some(ratio)) => {
            validate_shape(&mut errors, &ratio_path.child("shape"), &ratio.shape);
        }
        (_, Some(_)) => {
            let detail = "must be nil when type is not RequestedToCapacityRatio";
            errors.push(Error::forbidden(&ratio_path, detail));
        }
        (_, None) => {}
    }
    errors
}

fn validate_resources(errors: &mut ErrorList, path: &Path<'_>, resources: &[ResourceSpec]) {
    for (index, resource) in resources.iter().enumerate() {
        if !(1..=100).contains(&resource.weight) {
            let detail = format!("resource weight of {} not in valid range (0, 100]", resource.name);
            errors.push(Error::invalid(&path.index(index).child("weight"), resource.weight, detail));
        }
    }
}
