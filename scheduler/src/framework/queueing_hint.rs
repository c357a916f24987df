//! What plugins say about whether an event may let a pod in that they turned away.
//!
//! # Source
//! kube-scheduler `framework/types.go` (`ClusterEventWithHint`, `QueueingHintFn`)

use std::fmt;
use std::sync::{Arc, LazyLock};

use k8s_openapi::api::core::v1::{Node, PersistentVolume, PersistentVolumeClaim, Pod};
use k8s_openapi::api::resource::v1::{DeviceClass, ResourceClaim, ResourceSlice};
use k8s_openapi::api::storage::v1::{CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment};
use serde::Deserialize;

use super::changed_kinds::WrittenChange;
use super::events::{ActionType, ClusterEvent, EventResource};
use crate::listers::Listers;

/// Whether an event may let a pod in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QueueingHint {
    /// It doesn't.
    Skip,
    /// It may: the pod is to be tried again.
    Queue,
}

impl QueueingHint {
    /// [`Self::Queue`] if the event may let the pod in.
    pub fn queue_if(may_let_in: bool) -> Self {
        if may_let_in { Self::Queue } else { Self::Skip }
    }
}

/// An object that has changed.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "each is the kind that it is called after")]
pub enum Object {
    Pod(Arc<Pod>),
    Node(Arc<Node>),
    PersistentVolume(Arc<PersistentVolume>),
    PersistentVolumeClaim(Arc<PersistentVolumeClaim>),
    CsiNode(Arc<CSINode>),
    CsiDriver(Arc<CSIDriver>),
    VolumeAttachment(Arc<VolumeAttachment>),
    CsiStorageCapacity(Arc<CSIStorageCapacity>),
    StorageClass(Arc<StorageClass>),
    ResourceClaim(Arc<ResourceClaim>),
    ResourceSlice(Arc<ResourceSlice>),
    DeviceClass(Arc<DeviceClass>),
}

/// An object before and after something happened to it. It is read from its `kind` and its states `old` and `new`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(try_from = "WrittenChange")]
pub struct Change {
    /// The object as it was; none if it wasn't there.
    pub old: Option<Object>,
    /// The object as it is; none if it is gone.
    pub new: Option<Object>,
}

impl Change {
    /// An object that wasn't there.
    pub fn added(object: Object) -> Self {
        Self { old: None, new: Some(object) }
    }

    /// An object that is different from what it was.
    pub fn updated(old: Object, new: Object) -> Self {
        Self { old: Some(old), new: Some(new) }
    }

    /// An object that is gone.
    pub fn deleted(object: Object) -> Self {
        Self { old: Some(object), new: None }
    }
}

/// What a plugin is asked: whether this may let that pod in.
pub struct HintRequest<'a> {
    /// The pod that it turned away.
    pub pod: &'a Pod,
    /// What happened.
    pub change: &'a Change,
    /// What plugins look up.
    pub listers: &'a Listers,
}

impl<'a> HintRequest<'a> {
    /// The changed object before and after, which has to be of that kind.
    ///
    /// # Errors
    /// It is of another kind.
    ///
    /// # Source
    /// `pkg/scheduler/util/utils.go` (`As`)
    pub(super) fn both<T>(
        &self,
        kind: &str,
        read: impl Fn(&'a Object) -> Option<&'a T>,
    ) -> Result<(Option<&'a T>, Option<&'a T>), String> {
        let typed = |object: &'a Option<Object>| match object {
            None => Ok(None),
            Some(object) => read(object).map(Some).ok_or_else(|| format!("expected a {kind}")),
        };
        let new = typed(&self.change.new)?;
        Ok((typed(&self.change.old)?, new))
    }
}

/// What a plugin answers. An error counts as [`QueueingHint::Queue`], so that no pod is stuck.
pub type HintResult = Result<QueueingHint, String>;

/// The part of a plugin that answers.
pub type Hint = Box<dyn Fn(&HintRequest<'_>) -> HintResult + Send + Sync>;

/// An event that may let pods in that a plugin turned away.
pub struct EventRegistration {
    /// The event.
    pub event: ClusterEvent,
    /// Which pods it may let in; all if none is there.
    pub hint: Option<Hint>,
}

impl EventRegistration {
    /// An event that may let any pod in.
    pub fn always(resource: EventResource, action: ActionType) -> Self {
        Self { event: ClusterEvent::new(resource, action), hint: None }
    }

    /// An event that may let those pods in for which the hint says so.
    pub fn with(
        resource: EventResource,
        action: ActionType,
        hint: impl Fn(&HintRequest<'_>) -> HintResult + Send + Sync + 'static,
    ) -> Self {
        Self { event: ClusterEvent::new(resource, action), hint: Some(Box::new(hint)) }
    }
}

impl fmt::Debug for EventRegistration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("EventRegistration").field("event", &self.event).finish_non_exhaustive()
    }
}

/// What a plugin that turns pods away and says nothing of events is registered for: nearly everything.
///
/// # Source
/// `pkg/scheduler/framework/types.go` (`UnrollWildCardResource`)
pub(crate) static ANYTHING: LazyLock<Vec<EventRegistration>> = LazyLock::new(|| {
    use EventResource as R;
    let resources = [
        R::AssignedPod,
        R::UnscheduledPod,
        R::TargetPod,
        R::Node,
        R::PersistentVolume,
        R::PersistentVolumeClaim,
        R::CsiNode,
        R::CsiDriver,
        R::CsiStorageCapacity,
        R::StorageClass,
        R::ResourceClaim,
        R::DeviceClass,
    ];
    resources.map(|resource| EventRegistration::always(resource, ActionType::ALL)).into()
});
