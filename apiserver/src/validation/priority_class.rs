//! PriorityClasses.
//!
//! # Source
//! kubernetes `pkg/apis/scheduling/validation`

use k8s_openapi::api::scheduling::v1::PriorityClass;
use plimsoll_api::field::{Error, ErrorList, Path};

use super::object_meta::{name_is_dns_subdomain, validate_object_meta};
use super::{distinct, named, text};

const HIGHEST_USER_DEFINABLE: i32 = 1_000_000_000;

/// What is wrong with a PriorityClass that is being created.
///
/// # Source
/// kubernetes `pkg/apis/scheduling/validation` (`ValidatePriorityClass`)
pub fn validate_create(class: &PriorityClass) -> ErrorList {
    let meta_path = Path::root("metadata");
    let mut errors = validate_object_meta(&class.metadata, false, name_is_dns_subdomain, &meta_path);
    let (name, value) = (text(class.metadata.name.as_ref()), class.value.unwrap_or(0));
    if name.starts_with("system-") {
        if let Some(fault) = fault_of_system_class(name, value, class.global_default == Some(true)) {
            let detail = format!(
                "priority class names with 'system-' prefix are reserved for system use only. error: {fault}"
            );
            errors.push(Error::forbidden(&meta_path.child("name"), detail));
        }
    } else if value > HIGHEST_USER_DEFINABLE {
        let detail = format!("maximum allowed value of a user defined priority is {HIGHEST_USER_DEFINABLE}");
        errors.push(Error::forbidden(&Path::root("value"), detail));
    }
    let path = Path::root("preemptionPolicy");
    match class.preemption_policy.as_deref() {
        None | Some("PreemptLowerPriority" | "Never") => {}
        Some("") => errors.push(Error::required(&path, "")),
        Some(other) => {
            errors.push(Error::not_supported(&path, named(other), &["PreemptLowerPriority", "Never"]));
        }
    }
    distinct(errors)
}

/// How a class differs from the one that Kubernetes itself creates under this name.
///
/// # Source
/// kubernetes `pkg/apis/scheduling/v1/helpers.go` (`IsKnownSystemPriorityClass`)
fn fault_of_system_class(name: &str, value: i32, global_default: bool) -> Option<String> {
    let expected = match name {
        "system-node-critical" => 2_000_001_000,
        "system-cluster-critical" => 2_000_000_000,
        _ => return Some(format!("{name} is not a known system priority class")),
    };
    if value != expected {
        return Some(format!("value of {name} PriorityClass must be {expected}"));
    }
    global_default.then(|| format!("globalDefault of {name} PriorityClass must be false"))
}
