//! The file as it is written.
//!
//! # Source
//! k8s.io/kube-scheduler `config/v1/types.go`, k8s.io/component-base `config/v1alpha1/types.go`

use std::collections::BTreeSet;

use plimsoll_api::duration::Duration;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::args::PluginArgs;

/// All settings of a scheduler.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct KubeSchedulerConfiguration {
    /// Always [`super::API_VERSION`].
    pub api_version: String,
    /// Always [`super::KIND`].
    pub kind: String,
    /// How many goroutines upstream judges nodes with; read and not used here, where one thread decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parallelism: Option<i32>,
    /// Which of several schedulers works.
    pub leader_election: LeaderElection,
    /// How the API server is talked to.
    pub client_connection: ClientConnection,
    /// Whether profiles of the process can be had over HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_profiling: Option<bool>,
    /// Whether lock contention is profiled too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enable_contention_profiling: Option<bool>,
    /// How many per cent of the nodes have to be found feasible before they are compared; 0 lets the number of nodes decide.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage_of_nodes_to_score: Option<i32>,
    /// For how many seconds a pod that found no node waits at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_initial_backoff_seconds: Option<i64>,
    /// For how many seconds it waits at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod_max_backoff_seconds: Option<i64>,
    /// What is done for the pods of each `schedulerName`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<KubeSchedulerProfile>,
    /// Others who are asked over HTTP.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub extenders: Vec<Extender>,
    /// Whether a scheduler that doesn't lead keeps no cache.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub delay_cache_until_active: bool,
}

/// Which of several schedulers works.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct LeaderElection {
    /// Whether only one works.
    pub leader_elect: Option<bool>,
    /// How long one that is silent still leads.
    pub lease_duration: Duration,
    /// How long the leader tries to go on.
    pub renew_deadline: Duration,
    /// How long between two tries.
    pub retry_period: Duration,
    /// The kind of object that they agree by; only `leases`.
    pub resource_lock: String,
    /// Its name.
    pub resource_name: String,
    /// Its namespace.
    pub resource_namespace: String,
}

/// How the API server is talked to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ClientConnection {
    /// The path of a kubeconfig; empty in a cluster.
    pub kubeconfig: String,
    /// The `Accept` header; empty for the default.
    pub accept_content_types: String,
    /// The content type of what is sent.
    pub content_type: String,
    /// Calls a second.
    pub qps: f32,
    /// Calls at once.
    pub burst: i32,
}

/// What is done for the pods of one `schedulerName`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct KubeSchedulerProfile {
    /// The name that pods ask for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scheduler_name: Option<String>,
    /// As in [`KubeSchedulerConfiguration`], for these pods.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub percentage_of_nodes_to_score: Option<i32>,
    /// The plugins; none if those of upstream.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plugins: Option<Plugins>,
    /// What plugins are told.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub plugin_config: Vec<PluginConfig>,
}

/// The plugins at each extension point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Plugins {
    /// Whether a pod may enter the queue.
    pub pre_enqueue: PluginSet,
    /// Which of two waiting pods is next.
    pub queue_sort: PluginSet,
    /// What to compute once for a pod before nodes are judged.
    pub pre_filter: PluginSet,
    /// Whether a pod can run on a node.
    pub filter: PluginSet,
    /// What to do when no node is left.
    pub post_filter: PluginSet,
    /// What to compute once for a pod before nodes are compared.
    pub pre_score: PluginSet,
    /// How good a node is for a pod.
    pub score: PluginSet,
    /// What to take note of once a node is chosen.
    pub reserve: PluginSet,
    /// Whether a pod may be bound now.
    pub permit: PluginSet,
    /// What to do before a pod is bound.
    pub pre_bind: PluginSet,
    /// How a pod is bound.
    pub bind: PluginSet,
    /// What to do after a pod is bound.
    pub post_bind: PluginSet,
    /// All points at which a plugin can be asked.
    pub multi_point: PluginSet,
    /// Which groups of nodes a group of pods may go to; off by default.
    pub placement_generate: PluginSet,
    /// How good a group of nodes is for a group of pods; off by default.
    pub placement_score: PluginSet,
    /// What to do when a group of pods finds no room; off by default.
    pub pod_group_post_filter: PluginSet,
}

impl Plugins {
    fn sets(&self) -> [&PluginSet; 16] {
        [
            &self.pre_enqueue,
            &self.queue_sort,
            &self.pre_filter,
            &self.filter,
            &self.post_filter,
            &self.pre_score,
            &self.score,
            &self.reserve,
            &self.permit,
            &self.pre_bind,
            &self.bind,
            &self.post_bind,
            &self.multi_point,
            &self.placement_generate,
            &self.placement_score,
            &self.pod_group_post_filter,
        ]
    }

    /// The plugins that are named at any point, each once, in order of name.
    pub fn enabled_names(&self) -> BTreeSet<&str> {
        self.sets().into_iter().flat_map(|set| &set.enabled).map(|plugin| plugin.name.as_str()).collect()
    }

    /// The plugins of each point, to be changed.
    pub(super) fn sets_mut(&mut self) -> [&mut PluginSet; 16] {
        [
            &mut self.pre_enqueue,
            &mut self.queue_sort,
            &mut self.pre_filter,
            &mut self.filter,
            &mut self.post_filter,
            &mut self.pre_score,
            &mut self.score,
            &mut self.reserve,
            &mut self.permit,
            &mut self.pre_bind,
            &mut self.bind,
            &mut self.post_bind,
            &mut self.multi_point,
            &mut self.placement_generate,
            &mut self.placement_score,
            &mut self.pod_group_post_filter,
        ]
    }
}

/// The plugins at one extension point.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PluginSet {
    /// Those that are asked beside the default ones, or in place of one of the same name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub enabled: Vec<PluginRef>,
    /// Default ones that aren't asked; `*` for all.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub disabled: Vec<PluginRef>,
}

/// A plugin by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PluginRef {
    /// The name.
    pub name: String,
    /// What its scores count; of no meaning elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<i32>,
}

impl PluginRef {
    /// A plugin with the weight that it has by itself.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), weight: None }
    }
}

/// What a plugin is told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PluginConfig {
    /// The plugin's name.
    pub name: String,
    /// What it is told, as it is written; then the same as [`PluginConfig::read`].
    #[serde(rename = "args", skip_serializing)]
    pub given: Option<Value>,
    /// What it is told.
    #[serde(rename = "args", skip_deserializing, skip_serializing_if = "Option::is_none")]
    pub read: Option<PluginArgs>,
}

/// Someone who is asked over HTTP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Extender {
    /// Where they are.
    pub url_prefix: String,
    /// The verb that drops nodes; empty if they drop none.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub filter_verb: String,
    /// The verb that chooses among preemptions.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub preempt_verb: String,
    /// The verb that scores nodes.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub prioritize_verb: String,
    /// What their scores count.
    #[serde(skip_serializing_if = "is_zero")]
    pub weight: i64,
    /// The verb that binds.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub bind_verb: String,
    /// Whether the connection is encrypted.
    #[serde(rename = "enableHTTPS", skip_serializing_if = "std::ops::Not::not")]
    pub enable_https: bool,
    /// How it is encrypted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tls_config: Option<ExtenderTlsConfig>,
    /// How long an answer may take; 0 for five seconds.
    #[serde(rename = "httpTimeout")]
    pub http_timeout: Duration,
    /// Whether they know the nodes, so that names are enough.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub node_cache_capable: bool,
    /// The resources they are asked about; if there are none, about all pods.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub managed_resources: Vec<ExtenderManagedResource>,
    /// Whether a pod is scheduled though they don't answer.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignorable: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
pub(super) fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// A resource that an extender cares for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExtenderManagedResource {
    /// The name of the resource.
    pub name: String,
    /// Whether the scheduler itself doesn't look at it.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub ignored_by_scheduler: bool,
}

/// How the connection to an extender is encrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ExtenderTlsConfig {
    /// Whether any certificate will do.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub insecure: bool,
    /// The name in the certificate.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub server_name: String,
    /// The path of the own certificate.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert_file: String,
    /// The path of its key.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_file: String,
    /// The path of the authority's certificate.
    #[serde(rename = "caFile", skip_serializing_if = "String::is_empty")]
    pub ca_file: String,
    /// The own certificate, in base64.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cert_data: String,
    /// Its key, in base64.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub key_data: String,
    /// The authority's certificate, in base64.
    #[serde(rename = "caData", skip_serializing_if = "String::is_empty")]
    pub ca_data: String,
}
