//! Label selectors, node affinity, taints and tolerations.
