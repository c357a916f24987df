//! KubeSchedulerConfiguration v1: read, defaulted, checked, and turned into profiles.
//!
//! # Source
//! k8s.io/kube-scheduler `config/v1`, `pkg/scheduler/apis/config`

mod args;
mod default_plugins;
mod defaults;
mod merge;
mod points;
mod types;
mod validation;

pub use args::{
    DefaultPreemptionArgs, DynamicResourcesArgs, InterPodAffinityArgs, NodeAffinityArgs,
    NodeResourcesBalancedAllocationArgs, NodeResourcesFitArgs, PluginArgs, PodTopologySpreadArgs, ReadArgs,
    RequestedToCapacityRatioParam, ResourceSpec, ScoringStrategy, UtilizationShapePoint, VolumeBindingArgs,
};
pub use default_plugins::default_plugins;
pub(crate) use default_plugins::points_of;

pub use defaults::set_defaults;
pub(crate) use points::expand;
pub use points::{Expanded, PointPlugin};
pub use types::{
    ClientConnection, Extender, ExtenderManagedResource, ExtenderTlsConfig, KubeSchedulerConfiguration,
    KubeSchedulerProfile, LeaderElection, PluginConfig, PluginRef, PluginSet, Plugins,
};
pub use validation::validate;
pub(crate) use validation::validate_node_resources_fit;

/// The API version of the file.
pub const API_VERSION: &str = "kubescheduler.config.k8s.io/v1";
/// The kind of the file.
pub const KIND: &str = "KubeSchedulerConfiguration";
/// The name of the scheduler that pods ask for if they ask for none.
pub const DEFAULT_SCHEDULER_NAME: &str = "default-scheduler";

#[cfg(test)]
mod tests;
