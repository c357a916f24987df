//! DefaultPreemption: whether removing pods of lower priority would make room for a pod that no node takes. Asked at
//! PostFilter.
//!
//! It tells where that wouldn't help, and why not. Which pods to remove where it would help isn't decided here yet; then
//! it adds nothing to the message (DIFFERENCE: D-scheduler-1).
//!
//! # Source
//! `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go`, `pkg/scheduler/framework/preemption`

use super::Registration;
use crate::fit_error::{FitError, NodeStatuses};
use crate::framework::{Code, ExtensionPoint, FailedCycle, Plugin, PostFilterPlugin, Status};
use crate::schedule::status_of_node;
use crate::snapshot::NodeIndex;

/// The plugin's name.
pub const NAME: &str = "DefaultPreemption";
/// The pod may remove no other.
pub const REASON_NEVER: &str = "not eligible due to preemptionPolicy=Never.";
/// No pod on the node has a lower priority.
pub const REASON_NO_VICTIMS: &str = "No preemption victims found for incoming pod";
/// The node refuses the pod for something else than the pods on it.
pub const REASON_NOT_HELPFUL: &str = "Preemption is not helpful for scheduling";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PostFilter],
    weight: 1,
    summary: "If no node takes a pod: tells whether removing pods of lower priority could help.",
    new,
};

/// The plugin.
pub fn new() -> Plugin {
    Plugin { post_filter: Some(Box::new(DefaultPreemption)), ..Plugin::new(NAME) }
}

struct DefaultPreemption;

impl PostFilterPlugin for DefaultPreemption {
    fn post_filter(&self, failed: &FailedCycle<'_>) -> Status {
        if failed.pod.spec().preemption_policy.as_deref() == Some("Never") {
            return Status::new(Code::Unschedulable, NAME, format!("preemption: {REASON_NEVER}"));
        }
        let nothing_helps = Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_NOT_HELPFUL);
        let mut statuses = NodeStatuses::new(nothing_helps);
        for node in failed.statuses.with_code(Code::Unschedulable, failed.snapshot) {
            let status = status_without_victims(failed, node);
            if status.is_success() {
                return Status { code: Code::Unschedulable, plugin: NAME, reasons: Vec::new() };
            }
            statuses.push(node, status);
        }
        let error = FitError::new(failed.snapshot, &statuses);
        Status::new(Code::Unschedulable, NAME, format!("preemption: {error}"))
    }
}

/// What the node would say if all pods of lower priority were gone from it.
///
/// # Source
/// `pkg/scheduler/framework/plugins/defaultpreemption/default_preemption.go` (`SelectVictimsOnNode`)
fn status_without_victims(failed: &FailedCycle<'_>, node: NodeIndex) -> Status {
    let priority = failed.pod.priority();
    let any_lower = failed.snapshot.lowest_priority().is_some_and(|lowest| lowest < priority)
        && failed.snapshot.pods(node).iter().any(|pod| pod.priority < priority);
    if !any_lower {
        return Status::new(Code::UnschedulableAndUnresolvable, NAME, REASON_NO_VICTIMS);
    }
    let emptied = failed.snapshot.only(node, |pod| pod.priority >= priority);
    status_of_node(failed.pod, &emptied, failed.profile)
}
