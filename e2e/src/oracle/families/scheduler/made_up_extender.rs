//! Extenders whose answers are data of the case.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_fixtures::MadeUpExtender;
use plimsoll_fixtures::made_up_extender::Answer;
use plimsoll_scheduler::config;
use plimsoll_scheduler::extender::{
    Extender, ExtenderBindingArgs, ExtenderBindingResult, ExtenderClient, ExtenderFilterResult,
    ExtenderPreemptionResult, Extenders, HostPriority, MetaPod, MetaVictims, VictimsOfNodes,
};
use serde::de::DeserializeOwned;

/// The extenders of a configuration, each with its answers.
pub(super) fn extenders(configured: &[config::Extender], answers: &[MadeUpExtender]) -> Extenders {
    Extenders::new(configured, |settings| {
        let place = configured.iter().position(|other| other.url_prefix == settings.url_prefix);
        let answers = place.and_then(|place| answers.get(place)).cloned().unwrap_or_default();
        Box::new(Client { settings: settings.clone(), answers })
    })
}

struct Client {
    settings: config::Extender,
    answers: MadeUpExtender,
}

impl Client {
    /// Reads the answer under a verb. There is nothing under any other verb, which matters where a case is shrunk.
    fn read<T: DeserializeOwned>(&self, verb: &str, known: &str, answer: Answer) -> Result<T, String> {
        let answer = if verb == known { answer } else { Err(404) };
        let answer = answer.map_err(|status| Extender::unexpected_status(&self.settings, verb, status))?;
        T::deserialize(answer).map_err(|error| error.to_string())
    }
}

impl ExtenderClient for Client {
    fn filter(&self, _pod: &Pod, nodes: &[&str]) -> Result<ExtenderFilterResult, String> {
        self.read(
            &self.settings.filter_verb,
            "filter",
            self.answers.filter(nodes, self.settings.node_cache_capable),
        )
    }

    fn prioritize(&self, _pod: &Pod, _nodes: &[&str]) -> Result<Vec<HostPriority>, String> {
        self.read(&self.settings.prioritize_verb, "prioritize", self.answers.prioritize())
    }

    fn process_preemption(
        &self,
        _pod: &Pod,
        victims: &VictimsOfNodes,
    ) -> Result<ExtenderPreemptionResult, String> {
        let uids = |pods: &[MetaPod]| pods.iter().map(|pod| pod.uid.clone()).collect();
        let asked = |(node, victims): (&String, &MetaVictims)| {
            (node.clone(), (uids(&victims.pods), victims.num_pdb_violations))
        };
        self.read(
            &self.settings.preempt_verb,
            "preempt",
            self.answers.preempt(&victims.iter().map(asked).collect()),
        )
    }

    fn bind(&self, _binding: &ExtenderBindingArgs) -> Result<ExtenderBindingResult, String> {
        self.read(&self.settings.bind_verb, "bind", self.answers.bind())
    }

    fn pod_uid(&self, namespace: &str, name: &str) -> String {
        super::uid(namespace, name)
    }
}
