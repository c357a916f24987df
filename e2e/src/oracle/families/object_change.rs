//! An object before and after something happened to it, as the cases of the scheduler's queue have it.

use plimsoll_scheduler::framework::{Change, Object};
use serde::Deserialize;
use serde_json::Value;

/// A change of an object of any kind that plugins hear of.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "Written")]
pub(super) struct ObjectChange(pub(super) Change);

#[derive(Default, Deserialize)]
#[serde(default)]
struct Written {
    kind: String,
    old: Option<Value>,
    new: Option<Value>,
}

impl TryFrom<Written> for ObjectChange {
    type Error = String;

    fn try_from(written: Written) -> Result<Self, String> {
        let read =
            |json: &Option<Value>| json.as_ref().map(|json| Object::read(&written.kind, json)).transpose();
        Ok(Self(Change { old: read(&written.old)?, new: read(&written.new)? }))
    }
}
