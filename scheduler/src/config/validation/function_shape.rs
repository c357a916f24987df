//! What is wrong with a line that scores nodes by how full they are.
//!
//! # Source
//! `pkg/scheduler/apis/config/validation/validation_pluginargs.go` (`validateFunctionShape`)

use plimsoll_api::field::{Error, ErrorList, Path};

use crate::config::args::UtilizationShapePoint;

/// The best score of a point of a line.
const MAX_CUSTOM_PRIORITY_SCORE: i32 = 10;

/// It has points, from left to right, within bounds.
pub(super) fn validate_shape(errors: &mut ErrorList, path: &Path<'_>, shape: &[UtilizationShapePoint]) {
    if shape.is_empty() {
        errors.push(Error::required(path, "at least one point must be specified"));
        return;
    }
    let is_unsorted = |pair: &[UtilizationShapePoint]| pair[0].utilization >= pair[1].utilization;
    if let Some(place) = shape.windows(2).position(is_unsorted) {
        let point = path.index(place + 1);
        let detail = "values must be sorted in increasing order";
        errors.push(Error::invalid(&point.child("utilization"), shape[place + 1].utilization, detail));
    }
    for (index, point) in shape.iter().enumerate() {
        let path = path.index(index);
        if !(0..=100).contains(&point.utilization) {
            let detail = "not in valid range [0, 100]";
            errors.push(Error::invalid(&path.child("utilization"), point.utilization, detail));
        }
        if !(0..=MAX_CUSTOM_PRIORITY_SCORE).contains(&point.score) {
            let detail = format!("not in valid range [0, {MAX_CUSTOM_PRIORITY_SCORE}]");
            errors.push(Error::invalid(&path.child("score"), point.score, detail));
        }
    }
}
