//! AppArmor profiles, in their field and in the annotation that once held them.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` and `pkg/api/pod/util.go`

use k8s_openapi::api::core::v1::AppArmorProfile;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};

/// The annotation that holds the profile of a container, followed by the container's name.
pub(crate) const ANNOTATION_PREFIX: &str = "container.apparmor.security.beta.kubernetes.io/";
/// The annotation's value for a profile that the node has; the profile's name follows.
pub(crate) const LOCALHOST_PREFIX: &str = "localhost/";
/// The annotation's value for the runtime's own profile.
pub(crate) const RUNTIME_DEFAULT: &str = "runtime/default";
/// The annotation's value for no profile.
pub(crate) const UNCONFINED: &str = "unconfined";

const MAX_LOCALHOST_PROFILE_LENGTH: usize = 4095;

/// The profile that an annotation means, if it means one.
///
/// # Source
/// kubernetes `pkg/api/pod/util.go` (`ApparmorFieldForAnnotation`)
pub(crate) fn profile_of_annotation(annotation: &str) -> Option<AppArmorProfile> {
    let profile = |name: &str| AppArmorProfile { type_: name.to_owned(), localhost_profile: None };
    match annotation {
        UNCONFINED => Some(profile("Unconfined")),
        RUNTIME_DEFAULT => Some(profile("RuntimeDefault")),
        _ => annotation
            .strip_prefix(LOCALHOST_PREFIX)
            .filter(|name| !name.is_empty())
            .map(|name| AppArmorProfile { localhost_profile: Some(name.to_owned()), ..profile("Localhost") }),
    }
}

/// What is wrong with a profile.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateAppArmorProfileField`)
pub(crate) fn validate_profile(errors: &mut ErrorList, profile: Option<&AppArmorProfile>, path: &Path<'_>) {
    const REQUIRED: &str = "must be set when AppArmor type is Localhost";
    let Some(profile) = profile else {
        return;
    };
    let name_path = path.child("localhostProfile");
    match (profile.type_.as_str(), &profile.localhost_profile) {
        ("Localhost", None) => errors.push(Error::required(&name_path, REQUIRED)),
        ("Localhost", Some(name)) => {
            if name.trim() != name {
                errors.push(Error::invalid(&name_path, name, "must not be padded with whitespace"));
            } else if name.is_empty() {
                errors.push(Error::required(&name_path, REQUIRED));
            }
            if name.len() > MAX_LOCALHOST_PROFILE_LENGTH {
                errors.push(Error::too_long(&name_path, MAX_LOCALHOST_PROFILE_LENGTH));
            }
        }
        ("RuntimeDefault" | "Unconfined", Some(name)) => {
            let detail = "can only be set when AppArmor type is Localhost";
            errors.push(Error::invalid(&name_path, BadValue::json_string(name), detail));
        }
        ("RuntimeDefault" | "Unconfined", None) => {}
        ("", _) => {
            errors.push(Error::required(&path.child("type"), "type is required when appArmorProfile is set"));
        }
        (other, _) => errors.push(Error::not_supported(
            &path.child("type"),
            BadValue::json_string(other),
            &["Localhost", "RuntimeDefault", "Unconfined"],
        )),
    }
}
