//! The plimsoll command: admission, quota, DaemonSet expansion and scheduling in memory.

pub mod hints;
pub mod output;
pub mod report;
