//! The plimsoll command: admission, quota, DaemonSet expansion and scheduling in memory.

pub mod report;
