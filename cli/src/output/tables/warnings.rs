//! What the API server warns of, and hints.

use super::Section;
use super::group::group;
use crate::report::Report;

pub(super) fn section(report: &Report) -> Section {
    let mut rows = Vec::new();
    let warned = report.objects.iter().filter(|object| !object.warnings.is_empty());
    for group in group(warned.map(|object| (object, object.warnings.clone()))) {
        let mut title = group.title();
        for warning in &group.key {
            rows.push(vec![std::mem::take(&mut title), warning.clone()]);
        }
    }
    Section { heading: "WARNINGS", columns: &["object", "warning"], rows }
}
