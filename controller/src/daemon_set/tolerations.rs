//! The tolerations that every pod of a DaemonSet gets.

use k8s_openapi::api::core::v1::{PodSpec, Toleration};

const NO_EXECUTE: &str = "NoExecute";
const NO_SCHEDULE: &str = "NoSchedule";

/// The taints that daemon pods tolerate forever, in upstream's order.
const TOLERATED: [(&str, &str); 6] = [
    ("node.kubernetes.io/not-ready", NO_EXECUTE),
    ("node.kubernetes.io/unreachable", NO_EXECUTE),
    ("node.kubernetes.io/disk-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/memory-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/pid-pressure", NO_SCHEDULE),
    ("node.kubernetes.io/unschedulable", NO_SCHEDULE),
];
/// The taint that daemon pods in the node's own network tolerate besides.
const TOLERATED_IN_HOST_NETWORK: (&str, &str) = ("node.kubernetes.io/network-unavailable", NO_SCHEDULE);

/// Adds the default tolerations of daemon pods. One that stands there already is replaced in its place, which drops its
/// `tolerationSeconds`.
///
/// # Source
/// `pkg/controller/daemon/util/daemonset_util.go` (`AddOrUpdateDaemonPodTolerations`)
pub fn add_default_tolerations(spec: &mut PodSpec) {
    let in_host_network = (spec.host_network == Some(true)).then_some(TOLERATED_IN_HOST_NETWORK);
    let tolerations = spec.tolerations.get_or_insert_default();
    for (key, effect) in TOLERATED.into_iter().chain(in_host_network) {
        add_or_replace(tolerations, key, effect);
    }
}

/// # Source
/// `pkg/apis/core/v1/helper/helpers.go` (`AddOrUpdateTolerationInPodSpec`)
fn add_or_replace(tolerations: &mut Vec<Toleration>, key: &str, effect: &str) {
    let wanted = Toleration {
        key: Some(key.to_owned()),
        operator: Some("Exists".to_owned()),
        effect: Some(effect.to_owned()),
        value: None,
        toleration_seconds: None,
    };
    let mut found = false;
    for toleration in tolerations.iter_mut().filter(|toleration| same_taint(toleration, &wanted)) {
        *toleration = wanted.clone();
        found = true;
    }
    if !found {
        tolerations.push(wanted);
    }
}

/// # Source
/// api `core/v1/toleration.go` (`Toleration.MatchToleration`)
fn same_taint(one: &Toleration, other: &Toleration) -> bool {
    let same = |field: fn(&Toleration) -> &Option<String>| {
        field(one).as_deref().unwrap_or_default() == field(other).as_deref().unwrap_or_default()
    };
    same(|toleration| &toleration.key)
        && same(|toleration| &toleration.effect)
        && same(|toleration| &toleration.operator)
        && same(|toleration| &toleration.value)
}
