//! The taints of a node.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation` (`validateNodeTaints`)

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::Taint;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::go_json_string;

use super::label_selector::validate_label_name;
use super::{named, text};

/// What is wrong with taints, which are unique by key and effect.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateNodeTaints`)
pub(super) fn validate_all(errors: &mut ErrorList, taints: &[Taint], path: &Path<'_>) {
    let mut seen = BTreeSet::new();
    for (index, taint) in taints.iter().enumerate() {
        let path = path.index(index);
        validate_label_name(errors, &taint.key, &path.child("key"));
        let value = text(taint.value.as_ref());
        let faults = names::label_value(value);
        if !faults.is_empty() {
            errors.push(Error::invalid(&path.child("value"), value, faults.join(";")));
        }
        validate_effect(errors, &taint.effect, &path.child("effect"));
        if !seen.insert((taint.effect.as_str(), taint.key.as_str())) {
            let mut error = Error::duplicate(&path, shown(taint));
            "taints must be unique by key and effect pair".clone_into(&mut error.detail);
            errors.push(error);
        }
    }
}

fn validate_effect(errors: &mut ErrorList, effect: &str, path: &Path<'_>) {
    let supported = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
    if effect.is_empty() {
        errors.push(Error::required(path, ""));
    } else if !supported.contains(&effect) {
        errors.push(Error::not_supported(path, named(effect), &supported));
    }
}

/// A taint as Go marshals upstream's internal type.
fn shown(taint: &Taint) -> BadValue {
    let [key, value, effect] = [&taint.key, text(taint.value.as_ref()), &taint.effect].map(go_json_string);
    let time = taint.time_added.as_ref();
    let time = time.map_or_else(|| "null".to_owned(), |time| go_json_string(&time.0.to_string()));
    BadValue::Verbatim(format!(
        "{{\"Key\":{key},\"Value\":{value},\"Effect\":{effect},\"TimeAdded\":{time}}}"
    ))
}
