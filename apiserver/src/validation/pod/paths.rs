//! Paths of files, as volumes and mounts name them.
//!
//! # Source
//! kubernetes `pkg/apis/core/validation`

use plimsoll_api::field::{Error, ErrorList, Path};

/// Where files lie that may not leave their folder.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateLocalDescendingPath`)
pub(super) fn validate_local_descending(errors: &mut ErrorList, target: &str, path: &Path<'_>) {
    if target.starts_with('/') {
        errors.push(Error::invalid(path, target, "must be a relative path"));
    }
    validate_no_backsteps(errors, target, path);
}

/// As [`validate_local_descending`], and names that begin with two dots are reserved.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateLocalNonReservedPath`)
pub(super) fn validate_local_non_reserved(errors: &mut ErrorList, target: &str, path: &Path<'_>) {
    validate_local_descending(errors, target, path);
    if target.starts_with("..") && !target.starts_with("../") {
        errors.push(Error::invalid(path, target, "must not start with '..'"));
    }
}

/// No part of the path may be two dots.
pub(super) fn validate_no_backsteps(errors: &mut ErrorList, target: &str, path: &Path<'_>) {
    if has_backsteps(target) {
        errors.push(Error::invalid(path, target, "must not contain '..'"));
    }
}

/// Whether a part of the path is two dots.
pub(super) fn has_backsteps(target: &str) -> bool {
    target.split('/').any(|part| part == "..")
}

/// Permissions of a file.
pub(super) fn validate_file_mode(errors: &mut ErrorList, mode: Option<i32>, path: &Path<'_>) {
    if let Some(mode) = mode.filter(|mode| !(0..=0o777).contains(mode)) {
        let detail = "must be a number between 0 and 0777 (octal), both inclusive";
        errors.push(Error::invalid(path, mode, detail));
    }
}
