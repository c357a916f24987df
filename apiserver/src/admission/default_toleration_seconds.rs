//! DefaultTolerationSeconds: a pod stays five minutes on a node that is not ready or unreachable.

use k8s_openapi::api::core::v1::{Pod, Toleration};

const DEFAULT_TOLERATION_SECONDS: i64 = 300;
const NO_EXECUTE: &str = "NoExecute";

/// Appends a toleration of the two taints of a lost node, unless the pod says itself how it tolerates them.
///
/// # Source
/// kubernetes `plugin/pkg/admission/defaulttolerationseconds` (`Plugin.Admit`)
pub fn admit(pod: &mut Pod) {
    let Some(spec) = &mut pod.spec else { return };
    for taint in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let tolerations = spec.tolerations.get_or_insert_default();
        if !tolerations.iter().any(|toleration| speaks_of(toleration, taint)) {
            tolerations.push(Toleration {
                key: Some(taint.to_owned()),
                operator: Some("Exists".to_owned()),
                effect: Some(NO_EXECUTE.to_owned()),
                toleration_seconds: Some(DEFAULT_TOLERATION_SECONDS),
                value: None,
            });
        }
    }
}

fn speaks_of(toleration: &Toleration, taint: &str) -> bool {
    let fits = |field: &Option<String>, value: &str| {
        let field = field.as_deref().unwrap_or_default();
        field.is_empty() || field == value
    };
    fits(&toleration.key, taint) && fits(&toleration.effect, NO_EXECUTE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_fixtures::object;

    #[track_caller]
    fn check(tolerations: &str, expected_keys: &[&str]) {
        let mut pod: Pod = object(&format!("spec: {{containers: [], tolerations: {tolerations}}}"));
        admit(&mut pod);
        let tolerations = pod.spec.and_then(|spec| spec.tolerations).unwrap_or_default();
        let keys: Vec<_> =
            tolerations.iter().map(|toleration| toleration.key.as_deref().unwrap_or("")).collect();
        assert_eq!(keys, expected_keys);
    }

    #[test]
    fn adds_what_the_pod_leaves_open() {
        check("[]", &["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"]);
        check("[{operator: Exists}]", &[""]);
        check(
            "[{key: node.kubernetes.io/not-ready, operator: Exists}]",
            &["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"],
        );
        check(
            "[{key: node.kubernetes.io/not-ready, operator: Exists, effect: NoSchedule}]",
            &[
                "node.kubernetes.io/not-ready",
                "node.kubernetes.io/not-ready",
                "node.kubernetes.io/unreachable",
            ],
        );
    }
}
