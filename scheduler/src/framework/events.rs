//! What happens in a cluster, as far as it may let a waiting pod in.
//!
//! # Source
//! kube-scheduler `framework/types.go` (`ClusterEvent`), `pkg/scheduler/framework/events.go`, `pkg/scheduler/framework/types.go`

use std::ops::BitOr;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventResource {
    /// Any pod; plugins register for it, and every event is about one of the next three.
    Pod,
    /// A pod that has a node.
    AssignedPod,
    /// Another pod that has none.
    UnscheduledPod,
    /// The waiting pod itself.
    TargetPod,
    /// A node.
    Node,
    /// A volume.
    PersistentVolume,
    /// A claim on a volume.
    PersistentVolumeClaim,
    /// What the storage drivers on a node say.
    CsiNode,
    /// A storage driver.
    CsiDriver,
    /// A volume that a node is given.
    VolumeAttachment,
    /// How much storage there is somewhere.
    CsiStorageCapacity,
    /// A kind of storage.
    StorageClass,
    /// A claim on devices.
    ResourceClaim,
    /// Devices that a driver offers.
    ResourceSlice,
    /// A kind of devices.
    DeviceClass,
    /// Everything.
    WildCard,
}

impl EventResource {
    /// The name, as labels have it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pod => "Pod",
            Self::AssignedPod => "AssignedPod",
            Self::UnscheduledPod => "UnscheduledPod",
            Self::TargetPod => "TargetPod",
            Self::Node => "Node",
            Self::PersistentVolume => "PersistentVolume",
            Self::PersistentVolumeClaim => "PersistentVolumeClaim",
            Self::CsiNode => "storage.k8s.io/CSINode",
            Self::CsiDriver => "storage.k8s.io/CSIDriver",
            Self::VolumeAttachment => "storage.k8s.io/VolumeAttachment",
            Self::CsiStorageCapacity => "storage.k8s.io/CSIStorageCapacity",
            Self::StorageClass => "storage.k8s.io/StorageClass",
            Self::ResourceClaim => "resource.k8s.io/ResourceClaim",
            Self::ResourceSlice => "resource.k8s.io/ResourceSlice",
            Self::DeviceClass => "resource.k8s.io/DeviceClass",
            Self::WildCard => "*",
        }
    }

    /// Whether one who registered for this hears of an event about `incoming`.
    fn covers(self, incoming: Self) -> bool {
        let is_pod = matches!(incoming, Self::AssignedPod | Self::UnscheduledPod | Self::TargetPod);
        self == Self::WildCard || self == incoming || (self == Self::Pod && is_pod)
    }
}

/// What has changed: one kind of change, or several of which any will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ActionType(u16);

/// Each single kind with its name, in the order of the bits.
const KINDS: [(ActionType, &str); 15] = [
    (ActionType::ADD, "Add"),
    (ActionType::DELETE, "Delete"),
    (ActionType::UPDATE_NODE_ALLOCATABLE, "UpdateNodeAllocatable"),
    (ActionType::UPDATE_NODE_LABEL, "UpdateNodeLabel"),
    (ActionType::UPDATE_NODE_TAINT, "UpdateNodeTaint"),
    (ActionType::UPDATE_NODE_CONDITION, "UpdateNodeCondition"),
    (ActionType::UPDATE_NODE_ANNOTATION, "UpdateNodeAnnotation"),
    (ActionType::UPDATE_NODE_DECLARED_FEATURE, "UpdateNodeDeclaredFeature"),
    (ActionType::UPDATE_NODE_PREEMPTION_POLICY, "UpdateNodePreemptionPolicy"),
    (ActionType::UPDATE_POD_LABEL, "UpdatePodLabel"),
    (ActionType::UPDATE_POD_SCALE_DOWN, "UpdatePodScaleDown"),
    (ActionType::UPDATE_POD_SCALE_UP, "UpdatePodScaleUp"),
    (ActionType::UPDATE_POD_TOLERATION, "UpdatePodToleration"),
    (ActionType::UPDATE_POD_SCHEDULING_GATES_ELIMINATED, "UpdatePodSchedulingGatesEliminated"),
    (ActionType::UPDATE_POD_GENERATED_RESOURCE_CLAIM, "UpdatePodGeneratedResourceClaim"),
];

impl ActionType {
    /// An object is there that wasn't.
    pub const ADD: Self = Self(1);
    /// An object is gone.
    pub const DELETE: Self = Self(1 << 1);
    /// What a node has for pods.
    pub const UPDATE_NODE_ALLOCATABLE: Self = Self(1 << 2);
    /// The labels of a node.
    pub const UPDATE_NODE_LABEL: Self = Self(1 << 3);
    /// The taints of a node, or it is no longer cordoned.
    pub const UPDATE_NODE_TAINT: Self = Self(1 << 4);
    /// The conditions of a node.
    pub const UPDATE_NODE_CONDITION: Self = Self(1 << 5);
    /// The annotations of a node.
    pub const UPDATE_NODE_ANNOTATION: Self = Self(1 << 6);
    /// The features that a node says it has.
    pub const UPDATE_NODE_DECLARED_FEATURE: Self = Self(1 << 7);
    /// What a node says of removing pods from it.
    pub const UPDATE_NODE_PREEMPTION_POLICY: Self = Self(1 << 8);
    /// The labels of a pod.
    pub const UPDATE_POD_LABEL: Self = Self(1 << 9);
    /// A pod asks for less of something.
    pub const UPDATE_POD_SCALE_DOWN: Self = Self(1 << 10);
    /// A pod asks for more of something.
    pub const UPDATE_POD_SCALE_UP: Self = Self(1 << 11);
    /// The tolerations of a pod.
    pub const UPDATE_POD_TOLERATION: Self = Self(1 << 12);
    /// The last gate of a pod is gone.
    pub const UPDATE_POD_SCHEDULING_GATES_ELIMINATED: Self = Self(1 << 13);
    /// The claims that were made for a pod.
    pub const UPDATE_POD_GENERATED_RESOURCE_CLAIM: Self = Self(1 << 14);
    /// Any kind.
    pub const ALL: Self = Self((1 << 15) - 1);
    /// Any change of an object that was there and still is; as an event, one of no kind of its own.
    pub const UPDATE: Self = Self(Self::ALL.0 & !Self::ADD.0 & !Self::DELETE.0);

    /// The name; empty for several kinds that have none together.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ALL => "All",
            Self::UPDATE => "Update",
            _ => KINDS.iter().find(|(kind, _)| *kind == self).map_or("", |(_, name)| name),
        }
    }

    /// Whether one who registered for these kinds hears of `incoming`. An update of no kind of its own is heard only by those who
    /// registered for all updates.
    fn covers(self, incoming: Self) -> bool {
        self.0 & incoming.0 != 0 && incoming <= self
    }
}

impl BitOr for ActionType {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Something that happened, or that a plugin registers for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClusterEvent {
    /// What it is about.
    pub resource: EventResource,
    /// What has changed.
    pub action: ActionType,
    /// The name, if it has one of its own.
    pub custom_label: Option<&'static str>,
}

impl ClusterEvent {
    /// A pod has a node now.
    pub const ASSIGNED_POD_ADD: Self = Self::new(EventResource::AssignedPod, ActionType::ADD);
    /// A pod that had a node is gone.
    pub const ASSIGNED_POD_DELETE: Self = Self::new(EventResource::AssignedPod, ActionType::DELETE);
    /// A pod is there that needs a node.
    pub const UNSCHEDULED_POD_ADD: Self = Self::new(EventResource::UnscheduledPod, ActionType::ADD);
    /// A pod has waited so long that it is tried again, whatever happened.
    pub const UNSCHEDULABLE_TIMEOUT: Self = Self::wild_card("UnschedulableTimeout");
    /// Somebody asked for a pod to be tried again.
    pub const FORCE_ACTIVATE: Self = Self::wild_card("ForceActivate");

    /// An event without a name of its own.
    pub const fn new(resource: EventResource, action: ActionType) -> Self {
        Self { resource, action, custom_label: None }
    }

    const fn wild_card(label: &'static str) -> Self {
        Self { resource: EventResource::WildCard, action: ActionType::ALL, custom_label: Some(label) }
    }

    /// The name, as metrics have it.
    ///
    /// # Source
    /// kube-scheduler `framework/types.go` (`ClusterEvent.Label`)
    pub fn label(self) -> String {
        let derived = || format!("{}{}", self.resource.as_str(), self.action.as_str());
        self.custom_label.map_or_else(derived, ToOwned::to_owned)
    }

    /// Whether all waiting pods are tried again.
    pub fn is_wild_card(self) -> bool {
        self.resource == EventResource::WildCard && self.action == ActionType::ALL
    }

    /// Whether one who registered for this hears of `incoming`.
    ///
    /// # Source
    /// `pkg/scheduler/framework/types.go` (`MatchClusterEvents`)
    pub fn covers(self, incoming: Self) -> bool {
        let covers = self.resource.covers(incoming.resource) && self.action.covers(incoming.action);
        self.is_wild_card() || covers
    }
}

#[cfg(test)]
mod tests;
