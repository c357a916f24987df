//! What is told of a DaemonSet in its events.

use k8s_openapi::api::core::v1::ObjectReference;
use plimsoll_runtime::events::{Happening, Recorder};

use super::caches::Known;
use crate::daemon_set::plan::EndedPod;
use crate::daemon_set::pod::Ended;
use crate::daemon_set::{API_VERSION, KIND};

/// In whose name events are told; upstream's, as what happens is the same.
pub(super) const COMPONENT: &str = "daemonset-controller";

/// Tells what happens to one DaemonSet.
pub(super) struct Teller<'t> {
    recorder: &'t Recorder,
    regarding: ObjectReference,
}

impl<'t> Teller<'t> {
    pub(super) fn new(recorder: &'t Recorder, known: &Known) -> Self {
        let metadata = known.metadata().clone();
        let regarding = ObjectReference {
            api_version: Some(API_VERSION.to_owned()),
            kind: Some(KIND.to_owned()),
            namespace: metadata.namespace,
            name: metadata.name,
            uid: metadata.uid,
            resource_version: metadata.resource_version,
            field_path: None,
        };
        Self { recorder, regarding }
    }

    pub(super) fn normal(&self, reason: &'static str, message: String) {
        self.tell(false, reason, message);
    }

    pub(super) fn warning(&self, reason: &'static str, message: String) {
        self.tell(true, reason, message);
    }

    fn tell(&self, is_warning: bool, reason: &'static str, message: String) {
        self.recorder.record(Happening { regarding: self.regarding.clone(), is_warning, reason, message });
    }

    /// A pod that has ended is about to be deleted.
    pub(super) fn ended(&self, ended: &EndedPod) {
        let EndedPod { pod, node, ended } = ended;
        match ended {
            Ended::Failed => self.warning(
                "FailedDaemonPod",
                format!("Found failed daemon pod {pod} on node {node}, will try to kill it"),
            ),
            Ended::Succeeded | Ended::No => self.normal(
                "SucceededDaemonPod",
                format!("Found succeeded daemon pod {pod} on node {node}, will try to delete it"),
            ),
        }
    }
}
