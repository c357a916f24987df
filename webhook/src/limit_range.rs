//! What the LimitRanges of a namespace do to pods and claims: fill in missing amounts, refuse those out of bounds.
//!
//! A LimitRange is read once into [`Limits`], and those of a namespace stand together in [`LimitRanges`], in order of
//! name; deciding then parses nothing. Which requests are looked at is told by [`applies`].
//!
//! # Source
//! kubernetes `plugin/pkg/admission/limitranger`

mod applies;
mod constraint;
mod defaults;
mod limits;
pub mod lint;
pub mod object;
mod patch;
mod ratio;
mod refusal;
mod remedy;
mod validate;

pub use applies::{Handling, applies};
pub use constraint::{Fault, Rule};
pub use defaults::{ANNOTATION, Change, Target, default_pod};
pub use limits::{Item, ItemType, LimitRanges, Limits, ParseLimitsError};
pub use patch::patch;
pub use refusal::{Refusal, Subject, Violation};
pub use remedy::{Field, Remedy};
pub use validate::{validate_persistent_volume_claim, validate_pod};

#[cfg(test)]
mod tests;
