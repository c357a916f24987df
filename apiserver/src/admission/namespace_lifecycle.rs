//! NamespaceLifecycle: nothing is created in a namespace that is missing or on its way out.

use k8s_openapi::api::core::v1::Namespace;
use plimsoll_api::group::GroupResource;
use plimsoll_api::status::{Cause, Status};

/// Refuses an object of a namespace that does not exist or is being terminated.
///
/// # Errors
/// 404 for a missing namespace, 403 for a terminating one.
///
/// # Source
/// apiserver `pkg/admission/plugin/namespace/lifecycle` (`Lifecycle.Admit`)
pub fn validate(
    resource: &GroupResource,
    name: &str,
    namespace_name: &str,
    namespace: Option<&Namespace>,
) -> Result<(), Status> {
    let Some(namespace) = namespace else {
        return Err(Status::not_found(&GroupResource::new("", "namespaces"), namespace_name));
    };
    let phase = namespace.status.as_ref().and_then(|status| status.phase.as_deref());
    if phase != Some("Terminating") {
        return Ok(());
    }
    let cause =
        format!("unable to create new content in namespace {namespace_name} because it is being terminated");
    let mut status = Status::forbidden(resource, name, &cause);
    status.details.get_or_insert_default().causes.push(Cause {
        reason: "NamespaceTerminating",
        message: format!("namespace {namespace_name} is being terminated"),
        field: "metadata.namespace".to_owned(),
    });
    Err(status)
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_fixtures::object;

    #[test]
    fn refuses_missing_and_terminating_namespaces() {
        let pods = GroupResource::new("", "pods");
        let check =
            |namespace: Option<&Namespace>| validate(&pods, "p", "shop", namespace).map_err(|s| s.message);
        let active: Namespace = object("metadata: {name: shop}");
        let terminating: Namespace = object("{metadata: {name: shop}, status: {phase: Terminating}}");
        assert_eq!(check(Some(&active)), Ok(()));
        assert_eq!(check(None), Err(r#"namespaces "shop" not found"#.to_owned()));
        assert_eq!(
            check(Some(&terminating)),
            Err(r#"pods "p" is forbidden: unable to create new content in namespace shop because it is being terminated"#.to_owned())
        );
    }
}
