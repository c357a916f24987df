//! Taints of nodes and the tolerations of pods.
//!
//! # Source
//! api `core/v1/toleration.go`, component-helpers `scheduling/corev1/helpers.go`

use k8s_openapi::api::core::v1::{Taint, Toleration};

/// The effects that taints have.
pub mod effect {
    /// No new pod is placed on the node.
    pub const NO_SCHEDULE: &str = "NoSchedule";
    /// New pods are placed on the node only if there is no better one.
    pub const PREFER_NO_SCHEDULE: &str = "PreferNoSchedule";
    /// No new pod is placed on the node, and those that run there are evicted.
    pub const NO_EXECUTE: &str = "NoExecute";
}

/// Whether a toleration tolerates a taint. The operators `Lt` and `Gt`, which are an alpha feature, tolerate nothing.
///
/// # Source
/// api `core/v1/toleration.go` (`Toleration.ToleratesTaint`)
pub fn tolerates(toleration: &Toleration, taint: &Taint) -> bool {
    let wildcard_or = |field: Option<&String>, found: &str| {
        let wanted = text(field);
        wanted.is_empty() || wanted == found
    };
    wildcard_or(toleration.effect.as_ref(), &taint.effect)
        && wildcard_or(toleration.key.as_ref(), &taint.key)
        && match text(toleration.operator.as_ref()) {
            "" | "Equal" => text(toleration.value.as_ref()) == text(taint.value.as_ref()),
            "Exists" => true,
            _ => false,
        }
}

/// Whether any toleration tolerates a taint.
///
/// # Source
/// component-helpers `scheduling/corev1/helpers.go` (`TolerationsTolerateTaint`)
pub fn any_tolerates(tolerations: &[Toleration], taint: &Taint) -> bool {
    tolerations.iter().any(|toleration| tolerates(toleration, taint))
}

/// The first of the taints that pass `filter` which no toleration tolerates.
///
/// # Source
/// component-helpers `scheduling/corev1/helpers.go` (`FindMatchingUntoleratedTaint`)
pub fn find_untolerated<'a>(
    taints: &'a [Taint],
    tolerations: &[Toleration],
    filter: impl Fn(&Taint) -> bool,
) -> Option<&'a Taint> {
    taints.iter().filter(|taint| filter(taint)).find(|taint| !any_tolerates(tolerations, taint))
}

/// Whether a taint keeps new pods off the node, rather than only making the node less welcome.
///
/// # Source
/// `pkg/scheduler/framework/plugins/helper/taint.go` (`DoNotScheduleTaintsFilterFunc`)
pub fn forbids_scheduling(taint: &Taint) -> bool {
    matches!(taint.effect.as_str(), effect::NO_SCHEDULE | effect::NO_EXECUTE)
}

fn text(field: Option<&String>) -> &str {
    field.map_or("", String::as_str)
}

#[cfg(test)]
mod tests;
