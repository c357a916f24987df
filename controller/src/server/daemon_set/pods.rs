//! The pods that daemon pods can be found among: those that some DaemonSet controls, and those that nobody does.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::daemon_set::{DaemonPod, KIND};
use crate::object_key::ObjectKey;
use crate::owner::controller_of;

/// Whose a pod is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// A DaemonSet's, by uid.
    DaemonSet(String),
    /// Nobody's.
    Orphan,
}

/// The pods, by what they are looked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Pods {
    /// Each with whose it is; others are not kept.
    all: BTreeMap<ObjectKey, (Whose, Arc<DaemonPod>)>,
    /// By the uid of the DaemonSet; its pods are all of one namespace.
    owned: HashMap<String, BTreeMap<String, Arc<DaemonPod>>>,
    /// By namespace.
    orphans: HashMap<String, BTreeMap<String, Arc<DaemonPod>>>,
    /// How many pods of each DaemonSet are bound to a node.
    bound: HashMap<String, HashMap<String, usize>>,
}

impl Whose {
    /// Whose a pod is; none if another kind of controller has it.
    pub(super) fn of(pod: &DaemonPod) -> Option<Self> {
        match controller_of(&pod.metadata) {
            None => Some(Self::Orphan),
            Some(reference) if reference.kind == KIND => Some(Self::DaemonSet(reference.uid.clone())),
            Some(_) => None,
        }
    }
}

impl Pods {
    /// The pod of a name.
    pub(super) fn get(&self, key: &ObjectKey) -> Option<&Arc<DaemonPod>> {
        self.all.get(key).map(|(_, pod)| pod)
    }

    /// The names of all of them.
    pub(super) fn keys(&self) -> impl Iterator<Item = &ObjectKey> {
        self.all.keys()
    }

    /// Keeps a pod in place of the one of its name, if it can be a daemon pod.
    pub(super) fn store(&mut self, pod: DaemonPod) {
        let key = ObjectKey::of(&pod.metadata);
        self.remove(&key);
        let Some(whose) = Whose::of(&pod) else { return };
        let pod = Arc::new(pod);
        let group = match &whose {
            Whose::DaemonSet(uid) => {
                if !pod.node_name.is_empty() {
                    let bound = self.bound.entry(pod.node_name.clone()).or_default();
                    *bound.entry(uid.clone()).or_default() += 1;
                }
                self.owned.entry(uid.clone()).or_default()
            }
            Whose::Orphan => self.orphans.entry(key.namespace.clone()).or_default(),
        };
        group.insert(key.name.clone(), Arc::clone(&pod));
        self.all.insert(key, (whose, pod));
    }

    /// Forgets a pod, and returns it.
    pub(super) fn remove(&mut self, key: &ObjectKey) -> Option<Arc<DaemonPod>> {
        let (whose, pod) = self.all.remove(key)?;
        match whose {
            Whose::DaemonSet(uid) => {
                take_out(&mut self.owned, &uid, &key.name);
                if let Some(bound) = self.bound.get_mut(&pod.node_name)
                    && let Some(count) = bound.get_mut(&uid)
                {
                    *count -= 1;
                    if *count == 0 {
                        bound.remove(&uid);
                    }
                    if bound.is_empty() {
                        self.bound.remove(&pod.node_name);
                    }
                }
            }
            Whose::Orphan => take_out(&mut self.orphans, &key.namespace, &key.name),
        }
        Some(pod)
    }

    /// The pods that the DaemonSet of a uid controls, then those of its namespace that nobody controls; each in the order of their
    /// names.
    pub(super) fn candidates<'p>(
        &'p self,
        uid: &str,
        namespace: &str,
    ) -> impl Iterator<Item = &'p Arc<DaemonPod>> {
        let owned = self.owned.get(uid).into_iter().flat_map(BTreeMap::values);
        owned.chain(self.orphans.get(namespace).into_iter().flat_map(BTreeMap::values))
    }

    /// Whether a pod of the DaemonSet of a uid is bound to a node.
    pub(super) fn is_on(&self, node: &str, uid: &str) -> bool {
        self.bound.get(node).is_some_and(|bound| bound.contains_key(uid))
    }
}

fn take_out(groups: &mut HashMap<String, BTreeMap<String, Arc<DaemonPod>>>, group: &str, name: &str) {
    if let Some(pods) = groups.get_mut(group) {
        pods.remove(name);
        if pods.is_empty() {
            groups.remove(group);
        }
    }
}
