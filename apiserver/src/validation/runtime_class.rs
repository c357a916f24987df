//! RuntimeClasses.
//!
//! # Source
//! kubernetes `pkg/apis/node/validation`, and the rules declared in `pkg/apis/node/v1`, which are reported last

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ResourceRequirements, Toleration};
use k8s_openapi::api::node::v1::RuntimeClass;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::go_json_string;

use super::object_meta::{extend_invalid, name_is_dns_subdomain, validate_labels, validate_object_meta};
use super::pod::{PodValidationOptions, validate_container_resources, validate_tolerations};
use super::{distinct, text};

/// What is wrong with a RuntimeClass that is being created.
///
/// # Source
/// kubernetes `pkg/apis/node/validation` (`ValidateRuntimeClass`)
pub fn validate_create(class: &RuntimeClass) -> ErrorList {
    let mut errors =
        validate_object_meta(&class.metadata, false, name_is_dns_subdomain, &Path::root("metadata"));
    if let Some(overhead) = &class.overhead {
        let limits = ResourceRequirements { limits: overhead.pod_fixed.clone(), ..Default::default() };
        validate_container_resources(&mut errors, &limits, &BTreeSet::new(), false, &Path::root("overhead"));
    }
    if let Some(scheduling) = &class.scheduling {
        let path = Path::root("scheduling");
        let selector: Option<&BTreeMap<String, String>> = scheduling.node_selector.as_ref();
        errors.extend(validate_labels(selector, &path.child("nodeSelector")));
        let tolerations = scheduling.tolerations.as_deref().unwrap_or_default();
        validate_distinct_tolerations(&mut errors, tolerations, &path.child("tolerations"));
    }
    let path = Path::root("handler");
    if class.handler.is_empty() {
        errors.push(Error::required(&path, ""));
    } else {
        extend_invalid(&mut errors, &path, &class.handler, names::short_name(&class.handler));
    }
    distinct(errors)
}

/// # Source
/// kubernetes `pkg/apis/node/validation` (`validateTolerations`)
fn validate_distinct_tolerations(errors: &mut ErrorList, tolerations: &[Toleration], path: &Path<'_>) {
    validate_tolerations(errors, tolerations, &PodValidationOptions::default(), path);
    let mut seen = BTreeSet::new();
    for (index, toleration) in tolerations.iter().enumerate() {
        let parts = [&toleration.key, &toleration.operator, &toleration.value, &toleration.effect]
            .map(|part| text(part.as_ref()));
        if !seen.insert(parts) {
            let [key, operator, value, effect] = parts.map(go_json_string);
            let seconds = toleration.toleration_seconds.map_or_else(|| "null".to_owned(), |n| n.to_string());
            let shown = format!(
                "{{\"Key\":{key},\"Operator\":{operator},\"Value\":{value},\"Effect\":{effect},\"TolerationSeconds\":{seconds}}}"
            );
            errors.push(Error::duplicate(&path.index(index), BadValue::Verbatim(shown)));
        }
    }
}
