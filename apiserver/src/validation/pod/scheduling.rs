//! Gates that hold a pod back: from being scheduled, and from being ready.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use std::collections::BTreeSet;

use k8s_openapi::api::core::v1::{PodReadinessGate, PodSchedulingGate};
use plimsoll_api::field::{Error, ErrorList, Path};

use crate::validation::label_selector::validate_label_name;

/// What is wrong with readiness gates.
pub(super) fn validate_readiness_gates(errors: &mut ErrorList, gates: &[PodReadinessGate], path: &Path<'_>) {
    for (index, gate) in gates.iter().enumerate() {
        validate_label_name(errors, &gate.condition_type, &path.index(index).child("conditionType"));
    }
}

/// What is wrong with scheduling gates.
pub(super) fn validate_scheduling_gates(
    errors: &mut ErrorList,
    gates: &[PodSchedulingGate],
    path: &Path<'_>,
) {
    let mut seen = BTreeSet::new();
    for (index, gate) in gates.iter().enumerate() {
        let path = path.index(index);
        validate_label_name(errors, &gate.name, &path);
        if !seen.insert(&gate.name) {
            errors.push(Error::duplicate(&path, &gate.name));
        }
    }
}
