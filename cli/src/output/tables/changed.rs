//! What was filled in, by LimitRanges and by API defaulting.

use super::Section;
use super::group::group;
use crate::report::Report;

pub(super) fn section(report: &Report) -> Section {
    let mut rows = Vec::new();
    let objects = report.objects.iter().filter(|object| !object.changes.is_empty());
    let objects = objects.map(|object| {
        let fields: Vec<_> =
            object.changes.iter().map(|change| (&change.path, &change.value, &change.from)).collect();
        (object, fields)
    });
    for group in group(objects) {
        let mut title = group.title();
        for (path, value, from) in &group.key {
            rows.push(vec![std::mem::take(&mut title), (*path).clone(), (*value).clone(), (*from).clone()]);
        }
    }
    Section { heading: "FILLED IN", columns: &["object", "field", "value", "from"], rows }
}
