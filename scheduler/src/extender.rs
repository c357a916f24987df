//! Extenders: others that have a say in where pods go. They are asked after the plugins: which nodes to drop, how good nodes are,
//! on which nodes pods may be removed for another, and to bind.
//!
//! Asking them is the caller's part ([`ExtenderClient`]); whom to ask, in which order, and what follows from the answers is decided here.
//!
//! # Source
//! `pkg/scheduler/extender.go`, `pkg/scheduler/schedule_one.go`, `pkg/scheduler/scheduler.go` (`buildExtenders`)

mod filtering;
mod ignored_resources;
mod scoring;
mod wire;

use std::fmt;
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Container, Pod};

pub(crate) use self::filtering::{Verdicts, find_nodes_that_pass};
pub use self::ignored_resources::ignore_managed_resources;
pub(crate) use self::scoring::scores;
pub use self::wire::{
    ExtenderArgs, ExtenderBindingArgs, ExtenderBindingResult, ExtenderFilterResult, ExtenderPreemptionArgs,
    ExtenderPreemptionResult, HostPriority, MAX_EXTENDER_PRIORITY, MetaPod, MetaVictims, NodeList, Victims,
    VictimsOfNodes,
};
use crate::config;

/// What stands for a plugin where an extender has turned a pod away. Nearly any event may let such a pod in.
///
/// # Source
/// `pkg/scheduler/framework/types.go` (`ExtenderName`)
pub const NAME: &str = "Extender";

/// Asks one extender. An error says why there is no answer; where upstream has words for it, in those
/// ([`Extender::unexpected_status`]).
pub trait ExtenderClient: Send + Sync {
    /// Which of these nodes, of which an extender gets the names or the nodes themselves
    /// ([`node_cache_capable`](config::Extender::node_cache_capable)), the pod can run on.
    ///
    /// # Errors
    /// There is no answer.
    fn filter(&self, pod: &Pod, nodes: &[&str]) -> Result<ExtenderFilterResult, String>;

    /// How good each of these nodes is, in 0 to [`MAX_EXTENDER_PRIORITY`].
    ///
    /// # Errors
    /// There is no answer.
    fn prioritize(&self, pod: &Pod, nodes: &[&str]) -> Result<Vec<HostPriority>, String>;

    /// On which of these nodes the pods named there, or others, may be removed for the pod. An extender gets their UIDs or the pods
    /// themselves.
    ///
    /// # Errors
    /// There is no answer.
    fn process_preemption(
        &self,
        pod: &Pod,
        victims: &VictimsOfNodes,
    ) -> Result<ExtenderPreemptionResult, String>;

    /// Binds a pod.
    ///
    /// # Errors
    /// There is no answer.
    fn bind(&self, binding: &ExtenderBindingArgs) -> Result<ExtenderBindingResult, String>;

    /// The UID of a pod that is on a node. The snapshot doesn't keep it.
    fn pod_uid(&self, namespace: &str, name: &str) -> String;
}

/// An extender: what the configuration says of it, and how it is asked.
pub struct Extender {
    settings: config::Extender,
    client: Box<dyn ExtenderClient>,
}

impl fmt::Debug for Extender {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Extender").field(&self.name()).finish()
    }
}

impl Extender {
    /// Its name in messages: where it is.
    pub fn name(&self) -> &str {
        &self.settings.url_prefix
    }

    /// What the configuration says of it.
    pub fn settings(&self) -> &config::Extender {
        &self.settings
    }

    /// Whether pods are scheduled though it doesn't answer.
    pub fn is_ignorable(&self) -> bool {
        self.settings.ignorable
    }

    /// Whether it drops nodes.
    pub fn is_filter(&self) -> bool {
        !self.settings.filter_verb.is_empty()
    }

    /// Whether it scores nodes.
    pub fn is_prioritizer(&self) -> bool {
        !self.settings.prioritize_verb.is_empty()
    }

    /// Whether it binds.
    pub fn is_binder(&self) -> bool {
        !self.settings.bind_verb.is_empty()
    }

    /// Whether it has a say in which pods are removed for others.
    pub fn supports_preemption(&self) -> bool {
        !self.settings.preempt_verb.is_empty()
    }

    /// Whether it is asked about a pod: it is about all pods, or some container asks for a resource that it manages.
    pub fn is_interested(&self, pod: &Pod) -> bool {
        let managed = &self.settings.managed_resources;
        let asks_for_one = |container: &Container| {
            let resources = container.resources.as_ref();
            let lists = resources.map(|resources| [&resources.requests, &resources.limits]);
            let mut names = lists.into_iter().flatten().flatten().flat_map(|list| list.keys());
            names.any(|name| managed.iter().any(|resource| resource.name == *name))
        };
        managed.is_empty()
            || pod.spec.as_ref().is_some_and(|spec| {
                let init_containers = spec.init_containers.iter().flatten();
                spec.containers.iter().chain(init_containers).any(asks_for_one)
            })
    }

    /// Asks on which nodes which pods may be removed; see [`ExtenderClient::process_preemption`].
    pub(crate) fn process_preemption(
        &self,
        pod: &Pod,
        victims: &VictimsOfNodes,
    ) -> Result<VictimsOfNodes, String> {
        let answer = self.client.process_preemption(pod, victims)?;
        Ok(answer.node_name_to_meta_victims)
    }

    /// The UID of a pod that is on a node.
    pub(crate) fn pod_uid(&self, namespace: &str, name: &str) -> String {
        self.client.pod_uid(namespace, name)
    }

    /// Where a verb is asked.
    pub fn url(settings: &config::Extender, verb: &str) -> String {
        format!("{}/{verb}", settings.url_prefix.trim_end_matches('/'))
    }

    /// What is said of an answer whose HTTP status isn't 200.
    ///
    /// # Source
    /// `pkg/scheduler/extender.go` (`send`)
    pub fn unexpected_status(settings: &config::Extender, verb: &str, status: u16) -> String {
        format!("failed {verb} with extender at URL {}, code {status}", Self::url(settings, verb))
    }
}

/// All extenders, in the order in which they are asked; every profile has the same.
#[derive(Clone, Debug, Default)]
pub struct Extenders(Arc<[Extender]>);

impl Extenders {
    /// The extenders of a configuration, those that can be done without after the others.
    pub fn new(
        configured: &[config::Extender],
        mut client: impl FnMut(&config::Extender) -> Box<dyn ExtenderClient>,
    ) -> Self {
        let mut in_order: Vec<&config::Extender> = configured.iter().collect();
        in_order.sort_by_key(|settings| settings.ignorable);
        let made = in_order
            .into_iter()
            .map(|settings| Extender { settings: settings.clone(), client: client(settings) });
        Self(made.collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Extender> {
        self.0.iter()
    }

    /// Those that are asked about a pod.
    pub fn interested_in<'e>(&'e self, pod: &'e Pod) -> impl Iterator<Item = &'e Extender> {
        self.iter().filter(|extender| extender.is_interested(pod))
    }

    /// Whether one of them has a say in which node a pod gets, so that nothing but asking can tell.
    pub(crate) fn decide_about(&self, pod: &Pod) -> bool {
        self.interested_in(pod).any(|extender| extender.is_filter() || extender.is_prioritizer())
    }

    /// Lets the extender that binds do so; none if the plugins are to bind the pod.
    ///
    /// # Source
    /// `pkg/scheduler/schedule_one.go` (`extendersBinding`)
    pub fn bind(&self, pod: &Pod, node: &str) -> Option<Result<(), String>> {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let binding = ExtenderBindingArgs {
            pod_name: text(&pod.metadata.name),
            pod_namespace: text(&pod.metadata.namespace),
            pod_uid: text(&pod.metadata.uid),
            node: node.to_owned(),
        };
        self.interested_in(pod).filter(|extender| extender.is_binder()).find_map(|extender| {
            let bound = extender
                .client
                .bind(&binding)
                .and_then(|answer| if answer.error.is_empty() { Ok(()) } else { Err(answer.error) });
            (bound.is_ok() || !extender.is_ignorable()).then_some(bound)
        })
    }
}

#[cfg(test)]
mod tests;
