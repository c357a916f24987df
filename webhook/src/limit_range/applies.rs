//! Which requests LimitRanges apply to.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use plimsoll_api::group::GroupKind;
use plimsoll_api::request::Operation;

/// What LimitRanges do to a request that they apply to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handling {
    /// A new pod: missing amounts are filled in, then all of them checked.
    PodCreate,
    /// New amounts for a running pod: checked.
    ///
    /// DIFFERENCE: D-LimitRange-3. Upstream fills in missing amounts here too.
    PodResize,
    /// A new or changed claim: checked.
    PersistentVolumeClaim,
}

impl Handling {
    /// Whether missing amounts are filled in.
    pub fn defaults(self) -> bool {
        self == Self::PodCreate
    }
}

/// What LimitRanges do to a request for an object of that kind, or for one of its subresources (empty for the object
/// itself). `old` is the object as it is stored, on update: one that is being deleted is left alone.
///
/// # Source
/// kubernetes `plugin/pkg/admission/limitranger` (`SupportsAttributes`, `runLimitFunc`)
pub fn applies(
    operation: Operation,
    kind: &GroupKind,
    subresource: &str,
    old: Option<&ObjectMeta>,
) -> Option<Handling> {
    if !kind.group.is_empty() || old.is_some_and(|metadata| metadata.deletion_timestamp.is_some()) {
        return None;
    }
    match (kind.kind.as_str(), subresource, operation) {
        ("Pod", "", Operation::Create) => Some(Handling::PodCreate),
        ("Pod", "resize", Operation::Update) => Some(Handling::PodResize),
        ("PersistentVolumeClaim", "", Operation::Create | Operation::Update) => {
            Some(Handling::PersistentVolumeClaim)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

    use super::*;

    #[track_caller]
    fn check(operation: Operation, kind: &str, subresource: &str, expected: Option<Handling>) {
        assert_eq!(applies(operation, &GroupKind::new("", kind), subresource, None), expected);
        assert_eq!(applies(operation, &GroupKind::new("apps", kind), subresource, None), None);
        let leaving = ObjectMeta {
            deletion_timestamp: Some(Time("2026-01-01T00:00:00Z".parse().unwrap())),
            ..ObjectMeta::default()
        };
        assert_eq!(applies(operation, &GroupKind::new("", kind), subresource, Some(&leaving)), None);
    }

    #[test]
    fn looks_at_new_and_resized_pods_and_at_claims() {
        check(Operation::Create, "Pod", "", Some(Handling::PodCreate));
        check(Operation::Update, "Pod", "resize", Some(Handling::PodResize));
        check(Operation::Create, "PersistentVolumeClaim", "", Some(Handling::PersistentVolumeClaim));
        check(Operation::Update, "PersistentVolumeClaim", "", Some(Handling::PersistentVolumeClaim));
    }

    #[test]
    fn leaves_everything_else_alone() {
        check(Operation::Update, "Pod", "", None);
        check(Operation::Update, "Pod", "status", None);
        check(Operation::Create, "Pod", "resize", None);
        check(Operation::Create, "Pod", "binding", None);
        check(Operation::Delete, "Pod", "", None);
        check(Operation::Connect, "Pod", "exec", None);
        check(Operation::Update, "PersistentVolumeClaim", "status", None);
        check(Operation::Update, "PersistentVolumeClaim", "resize", None);
        check(Operation::Delete, "PersistentVolumeClaim", "", None);
        check(Operation::Create, "Service", "", None);
    }
}
