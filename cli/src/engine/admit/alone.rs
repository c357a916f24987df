//! The creation of one object by itself: what the API server does, except for admission and storage.

use plimsoll_api::field::ErrorList;
use plimsoll_api::status::Status;

use super::{default, prepare, validate, warn};
use crate::world::{InputKind, Object};

/// What became of an object.
#[derive(Clone, Debug, PartialEq)]
pub struct CreatedAlone {
    /// The object as it would be stored.
    pub object: Object,
    /// What is wrong with it.
    pub errors: ErrorList,
    /// What is warned of; only if nothing is wrong.
    pub warnings: Vec<String>,
}

/// Takes a new object, other than a pod, through defaulting, preparation and validation. `uid` is the one that it gets.
///
/// # Errors
/// 400 for an amount that is no quantity.
pub fn create_alone(mut object: Object, kind: &InputKind, uid: &str) -> Result<CreatedAlone, Status> {
    default::default(&mut object)?;
    prepare::prepare(&mut object, &kind.resource, Some(uid));
    let errors = validate::errors(&object, kind)?;
    let warnings = if errors.is_empty() { warn::warnings(&object)? } else { Vec::new() };
    Ok(CreatedAlone { object, errors, warnings })
}
