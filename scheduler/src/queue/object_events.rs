//! What follows for the queue from a change in the cluster. The snapshot is to be changed before, but for a node that goes.
//!
//! # Source
//! `pkg/scheduler/eventhandlers.go`

use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};
use k8s_openapi::api::resource::v1::DeviceTaintRule;

use super::{Moment, SchedulingQueue};
use crate::framework::{Change, ClusterEvent, Object, Whose};
use crate::pod_info::fields;

impl SchedulingQueue {
    /// A node is there that wasn't.
    pub fn node_added(&mut self, node: Arc<Node>, moment: Moment<'_>) {
        self.object_changed(Change::added(Object::Node(node)), moment);
    }

    /// A node has changed.
    pub fn node_updated(&mut self, old: Arc<Node>, new: Arc<Node>, moment: Moment<'_>) {
        self.object_changed(Change::updated(Object::Node(old), Object::Node(new)), moment);
    }

    /// A node is gone.
    pub fn node_deleted(&mut self, node: Arc<Node>, moment: Moment<'_>) {
        self.object_changed(Change::deleted(Object::Node(node)), moment);
    }

    /// An object is new, different or gone: any but a pod that waits for a node. Plugins hear of a ResourceSlice with the taints that
    /// rules give its devices.
    ///
    /// # Source
    /// `eventhandlers.go` (`addAllEventHandlers`)
    pub fn object_changed(&mut self, change: Change, moment: Moment<'_>) {
        let with_taints = |object: Option<Object>| match object {
            Some(Object::ResourceSlice(slice)) => {
                Some(Object::ResourceSlice(moment.listers.devices.with_taints(&slice)))
            }
            other => other,
        };
        let Change { old, new } = change;
        self.told(Change { old: with_taints(old), new: with_taints(new) }, moment);
    }

    /// A rule that taints devices is new, different or gone. Plugins hear of it as updates of those ResourceSlices whose devices have
    /// other taints now.
    ///
    /// # Source
    /// k8s.io/dynamic-resource-allocation `resourceslice/tracker/tracker.go` (`deviceTaintAdd`, `deviceTaintUpdate`,
    /// `deviceTaintDelete`)
    pub fn device_taint_rule_changed(
        &mut self,
        old: Option<&DeviceTaintRule>,
        new: Option<&DeviceTaintRule>,
        moment: Moment<'_>,
    ) {
        for (before, after) in moment.listers.devices.slices_changed_by(old, new) {
            let change = Change::updated(Object::ResourceSlice(before), Object::ResourceSlice(after));
            self.told(change, moment);
        }
    }

    /// Plugins hear of a change as it is.
    fn told(&mut self, change: Change, moment: Moment<'_>) {
        let change = Arc::new(change);
        for event in change.events(Whose::Other) {
            self.move_all_to_active_or_backoff(event, &change, &|_| true, moment);
        }
    }

    /// A pod is there that wasn't, with a node or without.
    pub fn pod_added(&mut self, pod: Arc<Pod>, moment: Moment<'_>) {
        if !fields::node_name(&pod).is_empty() {
            self.object_changed(Change::added(Object::Pod(pod)), moment);
        } else if self.is_responsible_for(&pod) {
            self.add(pod, moment);
        }
    }

    /// A pod has changed, or was bound. `assumed` is the pod with the node that it has got here and its object doesn't name yet;
    /// none if it has got none.
    ///
    /// # Source
    /// `eventhandlers.go` (`updatePod`, `updatePodInSchedulingQueue`, `updateAssignedPodInCache`)
    pub fn pod_updated(
        &mut self,
        old: Arc<Pod>,
        new: Arc<Pod>,
        assumed: Option<Arc<Pod>>,
        moment: Moment<'_>,
    ) {
        if !fields::node_name(&old).is_empty() {
            self.object_changed(Change::updated(Object::Pod(old), Object::Pod(new)), moment);
        } else if !fields::node_name(&new).is_empty() {
            self.object_changed(Change::added(Object::Pod(new)), moment);
            if self.is_responsible_for(&old) {
                self.delete(&old);
            }
        } else if self.is_responsible_for(&old) {
            self.waiting_pod_updated(old, new, assumed, moment);
        }
    }

    fn waiting_pod_updated(
        &mut self,
        old: Arc<Pod>,
        new: Arc<Pod>,
        assumed: Option<Arc<Pod>>,
        moment: Moment<'_>,
    ) {
        if old.metadata.resource_version == new.metadata.resource_version {
            return;
        }
        if let Some(assumed) = assumed {
            if new.metadata.deletion_timestamp.is_some() && old.metadata.deletion_timestamp.is_none() {
                self.room_freed(assumed, moment);
            }
            return;
        }
        let nominated = fields::nominated_node_name(&old);
        let is_freed = !nominated.is_empty() && nominated != fields::nominated_node_name(&new);
        self.update(&old, new, moment);
        if is_freed {
            self.nomination_ended(old, moment);
        }
    }

    /// A pod is gone or has come to its end. `assumed` is as in [`Self::pod_updated`].
    ///
    /// # Source
    /// `eventhandlers.go` (`deletePod`, `deletePodFromSchedulingQueue`)
    pub fn pod_deleted(&mut self, pod: Arc<Pod>, assumed: Option<Arc<Pod>>, moment: Moment<'_>) {
        if !fields::node_name(&pod).is_empty() {
            self.room_freed(pod, moment);
        } else if self.is_responsible_for(&pod) {
            self.delete(&pod);
            if let Some(assumed) = assumed {
                self.room_freed(assumed, moment);
            } else if !fields::nominated_node_name(&pod).is_empty() {
                self.nomination_ended(pod, moment);
            }
        }
    }

    /// A pod that had a node, or was about to get one, no longer takes its room. Plugins ask which node it had.
    fn room_freed(&mut self, pod: Arc<Pod>, moment: Moment<'_>) {
        self.object_changed(Change::deleted(Object::Pod(pod)), moment);
    }

    /// A node is no longer set aside for a pod, which kept off pods that aren't more important.
    fn nomination_ended(&mut self, pod: Arc<Pod>, moment: Moment<'_>) {
        let priority = fields::priority(&pod);
        let change = Arc::new(Change::deleted(Object::Pod(pod)));
        let is_concerned = |waiting: &Pod| fields::priority(waiting) <= priority;
        self.move_all_to_active_or_backoff(ClusterEvent::ASSIGNED_POD_DELETE, &change, &is_concerned, moment);
    }

    fn is_responsible_for(&self, pod: &Pod) -> bool {
        self.profiles.iter().any(|profile| profile.scheduler_name == fields::scheduler_name(pod))
    }
}

#[cfg(test)]
mod tests;
