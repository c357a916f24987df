//! Which events follow from a change of an object of any kind.
//!
//! # Source
//! `pkg/scheduler/eventhandlers.go` (`addAllEventHandlers`)

use super::changes::{Whose, node_events, pod_events};
use super::events::{ActionType, ClusterEvent, EventResource};
use super::queueing_hint::{Change, Object};

impl Change {
    /// The events that follow from it. Of updates of pods and nodes these say what has changed, of others that something has.
    /// A pod that comes or goes is taken for one that has a node.
    pub fn events(&self, whose: Whose) -> Vec<ClusterEvent> {
        let one = |object: &Object, action| vec![ClusterEvent::new(object.resource(), action)];
        match (&self.old, &self.new) {
            (Some(Object::Pod(old)), Some(Object::Pod(new))) => pod_events(old, new, whose),
            (Some(Object::Node(old)), Some(Object::Node(new))) => node_events(old, new),
            (Some(_), Some(new)) => one(new, ActionType::UPDATE),
            (None, Some(new)) => one(new, ActionType::ADD),
            (Some(old), None) => one(old, ActionType::DELETE),
            (None, None) => Vec::new(),
        }
    }
}

impl Object {
    /// What events of the object are about.
    fn resource(&self) -> EventResource {
        match self {
            Self::Pod(_) => EventResource::AssignedPod,
            Self::Node(_) => EventResource::Node,
            Self::PersistentVolume(_) => EventResource::PersistentVolume,
            Self::PersistentVolumeClaim(_) => EventResource::PersistentVolumeClaim,
            Self::CsiNode(_) => EventResource::CsiNode,
            Self::CsiDriver(_) => EventResource::CsiDriver,
            Self::VolumeAttachment(_) => EventResource::VolumeAttachment,
            Self::CsiStorageCapacity(_) => EventResource::CsiStorageCapacity,
            Self::StorageClass(_) => EventResource::StorageClass,
            Self::ResourceClaim(_) => EventResource::ResourceClaim,
            Self::ResourceSlice(_) => EventResource::ResourceSlice,
            Self::DeviceClass(_) => EventResource::DeviceClass,
        }
    }
}

#[cfg(test)]
mod tests {
    use plimsoll_fixtures::cases;
    use serde_json::json;

    use super::*;

    #[test]
    fn what_follows_from_a_change() {
        for case in cases("testdata/change_events.yaml") {
            let whose = if case.given["target"] == true { Whose::Target } else { Whose::Other };
            let change: Change = serde_json::from_value(case.given).unwrap();
            let events = change.events(whose);
            let labels: Vec<String> = events.into_iter().map(ClusterEvent::label).collect();
            assert_eq!(json!(labels), case.expect, "{}: {}", case.source, case.name);
        }
    }
}
