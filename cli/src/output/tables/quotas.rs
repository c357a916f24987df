//! How much of each quota is used.

use super::Section;
use crate::output::tables::nodes::percent;
use crate::report::Report;

pub(super) fn section(report: &Report) -> Section {
    let mut rows = Vec::new();
    for quota in &report.quotas {
        let mut title = format!("{}/{}", quota.namespace, quota.name);
        for (resource, hard) in &quota.hard {
            let used = quota.used.get(resource);
            rows.push(vec![
                std::mem::take(&mut title),
                resource.clone(),
                used.cloned().unwrap_or_else(|| "unknown".to_owned()),
                hard.clone(),
                used.and_then(|used| percent(used, hard)).unwrap_or_default(),
            ]);
        }
    }
    Section { heading: "QUOTAS", columns: &["quota", "resource", "used", "hard", "full"], rows }
}
