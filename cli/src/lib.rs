//! The `plimsoll` command: reads manifests, builds a cluster in memory, and runs Plimsoll's engines on it.
//!
//! The engines decide; this crate reads files, keeps the cluster's state between decisions, and prints.

pub mod amount;
pub mod commands;
pub mod engine;
pub mod explain;
pub mod hints;
pub mod manifests;
pub mod output;
pub mod report;
pub mod scheduler_config;
pub mod static_pods;
pub mod workloads;
pub mod world;
