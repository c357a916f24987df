//! SchedulingGates: a pod waits outside the queue until all its gates are removed. Asked at PreEnqueue.
//!
//! # Source
//! `pkg/scheduler/framework/plugins/schedulinggates/scheduling_gates.go`

use super::Registration;
use crate::framework::{
    ActionType, Code, EventRegistration, EventResource, ExtensionPoint, Plugin, PreEnqueueRequest, Status,
};
use crate::pod_info::fields;

/// The plugin's name.
pub const NAME: &str = "SchedulingGates";

/// The plugin's row in the table.
pub const REGISTRATION: Registration = Registration {
    name: NAME,
    points: &[ExtensionPoint::PreEnqueue],
    weight: 1,
    summary: "A pod with `schedulingGates` waits until they are gone.",
    new: |_| Ok(new()),
};

/// The plugin.
pub fn new() -> Plugin {
    let ungated = ActionType::UPDATE_POD_SCHEDULING_GATES_ELIMINATED;
    Plugin {
        pre_enqueue: Some(pre_enqueue),
        events: Some(vec![EventRegistration::always(EventResource::TargetPod, ungated)]),
        ..Plugin::new(NAME)
    }
}

fn pre_enqueue(request: &PreEnqueueRequest<'_>) -> Status {
    let gates: Vec<&str> =
        fields::spec(request.pod).scheduling_gates.iter().flatten().map(|gate| gate.name.as_str()).collect();
    if gates.is_empty() {
        return Status::SUCCESS;
    }
    let text = format!("waiting for scheduling gates: [{}]", gates.join(" "));
    Status::new(Code::UnschedulableAndUnresolvable, NAME, text)
}
