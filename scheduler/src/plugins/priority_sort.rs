//! PrioritySort: pods of higher priority are decided first, then those that have waited longer. Asked at QueueSort.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/queuesort/priority_sort.go`

use std::cmp::Ordering;

use super::Registration;
use crate::framework::{ExtensionPoint, Plugin, QueuedPod};

/// The plugin's name.
pub const NAME: &str = "PrioritySort";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::QueueSort],
    weight: 1,
    summary: "Pods of higher priority come first, then those that have waited longer.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin { queue_sort: Some(queue_sort), ..Plugin::new(NAME) }
}

fn queue_sort(first: &QueuedPod<'_>, second: &QueuedPod<'_>) -> Ordering {
    let by_priority = second.priority().cmp(&first.priority());
    by_priority.then(first.queued_at_micros.cmp(&second.queued_at_micros))
}
