//! Static pods: they run whatever admission thinks of their mirror pods.

use std::sync::Arc;

use plimsoll_api::status::{Reason, Status};

use super::expand::CreatedKinds;
use super::{Engine, Row};
use crate::report::Outcome;
use crate::static_pods::StaticPod;
use crate::world::Object;

impl Engine<'_> {
    /// Creates the mirror pods.
    pub(super) fn create_mirror_pods(&mut self, static_pods: Vec<StaticPod>) {
        let kind = CreatedKinds::default().pod();
        for static_pod in static_pods {
            let row = |pod| Row::new("v1".to_owned(), Arc::clone(&kind), Object::Pod(pod));
            match static_pod {
                StaticPod::Runs { mirror, warnings } => {
                    let mut row = row(mirror.into());
                    row.warnings = warnings;
                    if !self.create(row)
                        && let Some(row) = self.rows.last_mut()
                    {
                        row.warnings.push(RUNS_UNSEEN.to_owned());
                    }
                }
                StaticPod::Refused { pod, message } => {
                    let mut row = row(pod.into());
                    row.refuse(Status { code: 422, reason: Reason::Invalid, message, details: None });
                    row.outcome = Outcome::Invalid;
                    self.rows.push(row);
                }
            }
        }
    }
}

/// What it means that a mirror pod is refused.
const RUNS_UNSEEN: &str =
    "the kubelet runs this static pod all the same; neither the scheduler nor quotas know of it";
