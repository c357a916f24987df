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

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Pod;
    use plimsoll_fixtures::{cases, object};
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Given {
        priority: i32,
        queued_at_micros: i64,
    }

    #[test]
    fn important_pods_come_first_then_those_that_wait_longest() {
        for case in cases("testdata/priority_sort.yaml") {
            let read = |field: &str| -> Given { serde_json::from_value(case.given[field].clone()).unwrap() };
            let pod = |given: &Given| -> Pod {
                object(&format!("{{spec: {{priority: {}, containers: []}}}}", given.priority))
            };
            let (first, second) = (read("first"), read("second"));
            let (first_pod, second_pod) = (pod(&first), pod(&second));
            let first = QueuedPod { pod: &first_pod, queued_at_micros: first.queued_at_micros };
            let second = QueuedPod { pod: &second_pod, queued_at_micros: second.queued_at_micros };
            assert_eq!(queue_sort(&first, &second).is_lt(), case.expect, "{}: {}", case.source, case.name);
        }
    }
}
