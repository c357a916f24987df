//! Semantic versions in expressions.
//!
//! # Source
//! k8s.io/apiserver `pkg/cel/library/semverlib.go`, `pkg/cel/semver.go`
#![expect(clippy::trivially_copy_pass_by_ref, reason = "the form that the library asks for")]

mod problem;

use std::cmp::Ordering;

use cel::common::types::{CelBool, CelInt, CelString};
use cel::{DeclarationError, Env, ExecutionError, add_member_overload, add_overload};
use semver::Version;

use self::problem::problem;
use super::opaque_value::opaque_value;

/// A semantic version.
#[derive(Clone, Debug)]
pub(super) struct VersionValue(Version);

impl VersionValue {
    /// Reads a version.
    ///
    /// # Errors
    /// It isn't one.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        Version::parse(text).map(Self).map_err(|_| problem(text))
    }

    /// Reads a version that may begin with a `v`, leave out parts, and have zeros in front of its numbers.
    ///
    /// # Source
    /// k8s.io/apiserver `pkg/cel/library/semverlib.go` (`normalizeAndParse`)
    fn parse_tolerant(text: &str) -> Result<Self, String> {
        let text = text.strip_prefix('v').unwrap_or(text);
        let mut parts: Vec<String> = text.splitn(3, '.').map(without_leading_zeros).collect();
        if parts.len() < 3 {
            if parts.last().is_some_and(|last| last.contains(['+', '-'])) {
                return Err("short version cannot contain PreRelease/Build meta data".to_owned());
            }
            parts.resize(3, "0".to_owned());
        }
        Self::parse(&parts.join("."))
    }

    /// What comes after `+` doesn't count.
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.cmp_precedence(&other.0)
    }
}

fn without_leading_zeros(part: &str) -> String {
    if part.len() < 2 {
        return part.to_owned();
    }
    let rest = part.trim_start_matches('0');
    if rest.starts_with(|first: char| first.is_ascii_digit()) { rest.to_owned() } else { format!("0{rest}") }
}

impl PartialEq for VersionValue {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

opaque_value!(VersionValue, "kubernetes.Semver");

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    type V = VersionValue;
    add_overload!(env, fn semver: (CelString) -> Result<V>)?;
    add_overload!(env, fn semver_normalized: (CelString, CelBool) -> Result<V>, name = "semver")?;
    add_overload!(env, fn is_semver: (CelString) -> CelBool, name = "isSemver")?;
    add_overload!(env, fn is_semver_normalized: (CelString, CelBool) -> CelBool, name = "isSemver")?;
    add_member_overload!(env, fn is_greater_than: (V, V) -> CelBool, name = "isGreaterThan")?;
    add_member_overload!(env, fn is_less_than: (V, V) -> CelBool, name = "isLessThan")?;
    add_member_overload!(env, fn compare_to: (V, V) -> CelInt, name = "compareTo")?;
    add_member_overload!(env, fn major: (V) -> CelInt)?;
    add_member_overload!(env, fn minor: (V) -> CelInt)?;
    add_member_overload!(env, fn patch: (V) -> CelInt)?;
    Ok(())
}

fn read(text: &CelString<'_>, normalize: bool) -> Result<VersionValue, String> {
    let text = text.inner();
    if normalize { VersionValue::parse_tolerant(text) } else { VersionValue::parse(text) }
}

fn semver(text: &CelString<'_>) -> Result<VersionValue, ExecutionError> {
    read(text, false).map_err(|error| ExecutionError::function_error("semver", error))
}

fn semver_normalized(text: &CelString<'_>, normalize: &CelBool) -> Result<VersionValue, ExecutionError> {
    read(text, *normalize.inner()).map_err(|error| ExecutionError::function_error("semver", error))
}

fn is_semver(text: &CelString<'_>) -> CelBool {
    read(text, false).is_ok().into()
}

fn is_semver_normalized(text: &CelString<'_>, normalize: &CelBool) -> CelBool {
    read(text, *normalize.inner()).is_ok().into()
}

fn is_greater_than(first: &VersionValue, second: &VersionValue) -> CelBool {
    first.cmp(second).is_gt().into()
}

fn is_less_than(first: &VersionValue, second: &VersionValue) -> CelBool {
    first.cmp(second).is_lt().into()
}

fn compare_to(first: &VersionValue, second: &VersionValue) -> CelInt {
    i64::from(first.cmp(second) as i8).into()
}

fn major(version: &VersionValue) -> CelInt {
    number(version.0.major)
}

fn minor(version: &VersionValue) -> CelInt {
    number(version.0.minor)
}

fn patch(version: &VersionValue) -> CelInt {
    number(version.0.patch)
}

fn number(part: u64) -> CelInt {
    i64::try_from(part).unwrap_or(i64::MAX).into()
}
