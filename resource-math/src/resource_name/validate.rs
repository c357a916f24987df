//! What the API server finds wrong with the name of a resource.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names::qualified_name;

use super::{is_extended, is_native, is_standard, is_standard_container};

/// What is wrong with a name that may stand for any resource: it must be well-formed, and known if it has no domain.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateResourceName`)
pub fn validate(name: &str, path: &Path<'_>) -> ErrorList {
    let malformed = qualified_name(name);
    if !malformed.is_empty() {
        return malformed.into_iter().map(|why| invalid(name, path, why)).collect();
    }
    if !name.contains('/') && !is_standard(name) {
        return vec![invalid(name, path, "must be a standard resource type or fully qualified")];
    }
    ErrorList::new()
}

/// What is wrong with a name that has to be one of a container's resources. An unknown name can be reported twice, as upstream does.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateContainerResourceName`)
pub fn validate_container(name: &str, path: &Path<'_>) -> ErrorList {
    let mut errors = validate(name, path);
    if !name.contains('/') {
        if !is_standard_container(name) {
            errors.push(invalid(name, path, "must be a standard resource for containers"));
        }
    } else if !is_native(name) && !is_extended(name) {
        errors.push(invalid(name, path, "doesn't follow extended resource name standard"));
    }
    errors
}

fn invalid(name: &str, path: &Path<'_>, why: impl Into<String>) -> Error {
    Error::invalid(path, BadValue::json_string(name), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(validate: fn(&str, &Path<'_>) -> ErrorList, name: &str, expected: &[&str]) {
        let details: Vec<_> =
            validate(name, &Path::root("x")).into_iter().map(|error| error.detail).collect();
        assert_eq!(details, expected, "{name}");
    }

    #[test]
    fn says_what_is_wrong() {
        for name in ["cpu", "storage", "requests.cpu", "example.com/gpu"] {
            check(validate, name, &[]);
        }
        check(validate, "gpu", &["must be a standard resource type or fully qualified"]);
        check(validate, "/gpu", &["prefix part must be non-empty"]);
        for name in ["cpu", "hugepages-2Mi", "example.com/gpu", "kubernetes.io/x"] {
            check(validate_container, name, &[]);
        }
        check(validate_container, "storage", &["must be a standard resource for containers"]);
        check(
            validate_container,
            "gpu",
            &[
                "must be a standard resource type or fully qualified",
                "must be a standard resource for containers",
            ],
        );
        check(
            validate_container,
            "requests.example.com/gpu",
            &["doesn't follow extended resource name standard"],
        );
    }
}
