//! DaemonSets as the API server sends them, and their pods as it gets them: fields that this release doesn't know pass through.

use k8s_openapi::api::apps::v1::DaemonSet;
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::{Value, json};

use super::history::write_data;
use super::new_pod::PodMaker;
use super::node_affinity::required_node;
use crate::template_hash::hash_of_json;

/// A DaemonSet with its template as received. What is decided, is decided by the typed object; what is sent or stored is the
/// template.
#[derive(Clone, Debug)]
pub struct ReceivedDaemonSet {
    /// The object.
    pub object: DaemonSet,
    template: Value,
}

impl<'de> Deserialize<'de> for ReceivedDaemonSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let received = Value::deserialize(deserializer)?;
        let template = received["spec"]["template"].clone();
        // What can be read as a DaemonSet has objects, or nothing, wherever fields are set below.
        let mut object: DaemonSet = serde_json::from_value(received).map_err(D::Error::custom)?;
        object.metadata.managed_fields = None;
        Ok(Self { object, template })
    }
}

impl ReceivedDaemonSet {
    /// What the ControllerRevision of its template holds.
    pub fn revision_data(&self) -> String {
        write_data(&self.template)
    }

    /// The hash for a new ControllerRevision.
    ///
    /// DIFFERENCE: D-DaemonSet-1.
    pub fn new_revision_hash(&self) -> String {
        let collisions = self.object.status.as_ref().and_then(|status| status.collision_count);
        hash_of_json(&self.template, collisions)
    }

    /// Makes its pods.
    pub fn pod_maker(&self, revision_hash: &str) -> ReceivedPodMaker {
        let uid = self.object.metadata.uid.as_deref().unwrap_or_default();
        let typed = PodMaker::new(&self.object, uid, revision_hash).into_unpinned();
        let mut spec = match &self.template["spec"] {
            Value::Object(spec) => Value::Object(spec.clone()),
            _ => json!({}),
        };
        let given = self.object.spec.template.spec.as_ref().and_then(|spec| spec.tolerations.as_deref());
        let given = given.unwrap_or_default();
        let tolerations = typed.spec.iter().flat_map(|spec| spec.tolerations.iter().flatten()).enumerate();
        let sent = tolerations.map(|(place, toleration)| {
            // One that stays as it was is sent as it came.
            let unchanged = given.get(place) == Some(toleration);
            if unchanged { spec["tolerations"][place].clone() } else { json!(toleration) }
        });
        spec["tolerations"] = sent.collect();
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": typed.metadata, "spec": spec});
        ReceivedPodMaker::new(pod)
    }
}

/// Makes the pods of one DaemonSet as they are sent, one a node: as JSON, which is written once but for the node's name.
#[derive(Clone, Debug)]
pub struct ReceivedPodMaker {
    before: String,
    after: String,
}

impl ReceivedPodMaker {
    fn new(mut pod: Value) -> Self {
        let mut marker = "node".to_owned();
        // Long enough to stand nowhere in the template.
        let template = pod.to_string();
        while template.contains(&marker) {
            marker.push('-');
        }
        let mut place = &mut pod["spec"];
        for field in ["affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"] {
            place = &mut place[field];
        }
        *place = json!(required_node(&marker));
        let text = pod.to_string();
        // It stands there once now.
        let (before, after) = text.split_once(&Value::from(marker).to_string()).unwrap_or_default();
        Self { before: before.to_owned(), after: after.to_owned() }
    }

    /// The pod for a node.
    pub fn pod_for(&self, node: &str) -> String {
        [self.before.as_str(), &Value::from(node).to_string(), &self.after].concat()
    }
}
