//! Which pods no node takes, and why.

use super::Section;
use super::group::group;
use crate::report::{Outcome, Report};

pub(super) fn section(report: &Report) -> Section {
    let pending = report.objects.iter().filter(|object| object.outcome == Outcome::Pending);
    let pending = pending.map(|object| (object, object.message.clone().unwrap_or_default()));
    let rows = group(pending).into_iter().map(|group| vec![group.title(), group.key.clone()]);
    Section { heading: "PENDING", columns: &["pods", "why"], rows: rows.collect() }
}
