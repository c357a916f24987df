//! What is wrong with extenders.
//!
//! # Source
//! `pkg/scheduler/apis/config/validation/validation.go` (`validateExtenders`)

use std::collections::BTreeSet;

use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_resource_math::resource_name::is_extended;

use crate::config::types::Extender;

pub(super) fn validate_extenders(errors: &mut ErrorList, extenders: &[Extender]) {
    let root = Path::root("extenders");
    let mut managed = BTreeSet::new();
    for (index, extender) in extenders.iter().enumerate() {
        let path = root.index(index);
        if !extender.prioritize_verb.is_empty() && extender.weight <= 0 {
            let detail = "must have a positive weight applied to it";
            errors.push(Error::invalid(&path.child("weight"), extender.weight, detail));
        }
        let resources = path.child("managedResources");
        for (index, resource) in extender.managed_resources.iter().enumerate() {
            let resource_path = resources.index(index);
            let name_path = resource_path.child("name");
            let problems = names::qualified_name(&resource.name);
            if problems.is_empty() && !is_extended(&resource.name) {
                let detail = "is an invalid extended resource name";
                errors.push(Error::invalid(&name_path, &resource.name, detail));
            }
            for problem in problems {
                errors.push(Error::invalid(&name_path, BadValue::json_string(&resource.name), problem));
            }
            if !managed.insert(&resource.name) {
                let detail = "duplicate extender managed resource name";
                errors.push(Error::invalid(&name_path, &resource.name, detail));
            }
        }
    }
    let binders = extenders.iter().filter(|extender| !extender.bind_verb.is_empty()).count();
    if binders > 1 {
        let value = format!("found {binders} extenders implementing bind");
        errors.push(Error::invalid(&root, value, "only one extender can implement bind"));
    }
}
