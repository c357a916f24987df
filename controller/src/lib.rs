//! The DaemonSet controller and the ResourceQuota status controller.
