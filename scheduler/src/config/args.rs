//! What each plugin can be told.
//!
//! # Source
//! k8s.io/kube-scheduler `config/v1/types_pluginargs.go`

use k8s_openapi::api::core::v1::{NodeAffinity, TopologySpreadConstraint};
use plimsoll_api::duration::Duration;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::API_VERSION;

/// Reads a part of the file as a type.
pub trait ReadArgs {
    /// Why it couldn't be read.
    type Error;

    /// Reads the arguments of a plugin.
    ///
    /// # Errors
    /// They don't fit the type.
    fn read<T: DeserializeOwned>(&mut self, given: Value) -> Result<T, Self::Error>;
}

macro_rules! plugin_args {
    ($($(#[$doc:meta])* $name:ident($args:ident)),* $(,)?) => {
        /// What a plugin is told.
        #[derive(Clone, Debug, PartialEq, Serialize)]
        #[serde(untagged)]
        pub enum PluginArgs {
            $($(#[$doc])* $name(Typed<$args>),)*
            /// Of a plugin that isn't upstream's: whatever was written.
            Other(Value),
        }

        impl PluginArgs {
            /// Reads what was written for a plugin of that name.
            ///
            /// # Errors
            /// Those of the reader.
            pub fn read<R: ReadArgs>(plugin: &str, given: Value, reader: &mut R) -> Result<Self, R::Error> {
                match plugin {
                    $(stringify!($name) => {
                        Ok(Self::$name(Typed { args: reader.read(given)?, ..Typed::new(plugin) }))
                    })*
                    _ => Ok(Self::Other(given)),
                }
            }

            /// What a plugin of that name is told if nothing was written; none if it can be told nothing.
            pub fn absent(plugin: &str) -> Option<Self> {
                match plugin {
                    $(stringify!($name) => Some(Self::$name(Typed::new(plugin))),)*
                    _ => None,
                }
            }
        }
    };
}

plugin_args! {
    /// Of DefaultPreemption.
    DefaultPreemption(DefaultPreemptionArgs),
    /// Of DynamicResources.
    DynamicResources(DynamicResourcesArgs),
    /// Of InterPodAffinity.
    InterPodAffinity(InterPodAffinityArgs),
    /// Of NodeAffinity.
    NodeAffinity(NodeAffinityArgs),
    /// Of NodeResourcesBalancedAllocation.
    NodeResourcesBalancedAllocation(NodeResourcesBalancedAllocationArgs),
    /// Of NodeResourcesFit.
    NodeResourcesFit(NodeResourcesFitArgs),
    /// Of PodTopologySpread.
    PodTopologySpread(PodTopologySpreadArgs),
    /// Of VolumeBinding.
    VolumeBinding(VolumeBindingArgs),
}

/// Arguments with the version and kind that they are written with.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Typed<T> {
    api_version: &'static str,
    kind: String,
    /// The arguments.
    #[serde(flatten)]
    pub args: T,
}

impl<T: Default> Typed<T> {
    fn new(plugin: &str) -> Self {
        Self { api_version: API_VERSION, kind: format!("{plugin}Args"), args: T::default() }
    }
}

/// Of DefaultPreemption.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DefaultPreemptionArgs {
    /// How many per cent of the nodes that might help are looked at before one is chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_candidate_nodes_percentage: Option<i32>,
    /// How many are looked at at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_candidate_nodes_absolute: Option<i32>,
}

/// Of DynamicResources.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct DynamicResourcesArgs {
    /// How long the devices of one node may take to be looked at.
    pub filter_timeout: Option<Duration>,
    /// How long devices may take to become ready.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub binding_timeout: Option<Duration>,
}

/// Of InterPodAffinity.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct InterPodAffinityArgs {
    /// What required affinity of a running pod towards the new one counts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hard_pod_affinity_weight: Option<i32>,
    /// Whether preferred terms of running pods don't count for a pod that prefers nothing itself.
    pub ignore_preferred_terms_of_existing_pods: bool,
}

/// Of NodeAffinity.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeAffinityArgs {
    /// Node affinity that every pod has beside its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub added_affinity: Option<NodeAffinity>,
}

/// Of NodeResourcesBalancedAllocation.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeResourcesBalancedAllocationArgs {
    /// The resources that are to be used evenly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceSpec>,
}

/// Of NodeResourcesFit.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct NodeResourcesFitArgs {
    /// Extended resources that needn't fit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_resources: Vec<String>,
    /// Domains of extended resources that needn't fit.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ignored_resource_groups: Vec<String>,
    /// What nodes are compared by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scoring_strategy: Option<ScoringStrategy>,
}

/// What nodes are compared by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ScoringStrategy {
    /// `LeastAllocated`, `MostAllocated` or `RequestedToCapacityRatio`.
    #[serde(rename = "type", skip_serializing_if = "String::is_empty")]
    pub strategy: String,
    /// The resources that are looked at.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resources: Vec<ResourceSpec>,
    /// How good which ratio is; of `RequestedToCapacityRatio` only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requested_to_capacity_ratio: Option<RequestedToCapacityRatioParam>,
}

/// A resource to compare nodes by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ResourceSpec {
    /// The name of the resource.
    pub name: String,
    /// What it counts beside the others.
    #[serde(skip_serializing_if = "super::types::is_zero")]
    pub weight: i64,
}

/// How good which ratio is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct RequestedToCapacityRatioParam {
    /// Points of a line.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shape: Vec<UtilizationShapePoint>,
}

/// A point of a line: how good a utilization is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct UtilizationShapePoint {
    /// In per cent.
    pub utilization: i32,
    /// 0 to 10.
    pub score: i32,
}

/// Of PodTopologySpread.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PodTopologySpreadArgs {
    /// The constraints of pods that have none, if `defaultingType` is `List`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub default_constraints: Vec<TopologySpreadConstraint>,
    /// `System` or `List`.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub defaulting_type: String,
}

/// Of VolumeBinding.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct VolumeBindingArgs {
    /// How long volumes may take to be bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bind_timeout_seconds: Option<i64>,
    /// How good which utilization of storage is.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub shape: Vec<UtilizationShapePoint>,
}
