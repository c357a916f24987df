//! What the API server would refuse.

use super::Section;
use super::group::group;
use crate::report::{Outcome, Report};

pub(super) fn section(report: &Report) -> Section {
    let refused =
        report.objects.iter().filter(|object| matches!(object.outcome, Outcome::Denied | Outcome::Invalid));
    let refused = refused.map(|object| {
        // Messages name the object; what is the same but for the name shares a row.
        let message = object.message.clone().unwrap_or_default();
        (object, (object.code, message.replace(&object.name, "")))
    });
    let rows = group(refused).into_iter().map(|group| {
        let (code, _) = group.key;
        let message = group.members.first().and_then(|object| object.message.clone()).unwrap_or_default();
        vec![group.title(), code.map_or(String::new(), |code| code.to_string()), message]
    });
    Section { heading: "REFUSED", columns: &["object", "code", "message"], rows: rows.collect() }
}
