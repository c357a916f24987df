//! Admission: LimitRange defaulting and validation, ResourceQuota enforcement.
//!
//! Everything but [`server`] decides only: [`admission`] reads a request once, [`limit_range`] fills in and checks,
//! [`batch`] decides what waits for the same quotas together. The server asks, writes and answers.

pub mod admission;
pub mod batch;
pub mod coverage;
pub mod limit_range;
pub mod quota_configuration;
pub mod review;
#[cfg(feature = "server")]
pub mod server;
