//! ServiceAccount: a pod without a service account gets the namespace's default one.
//!
//! The volume with the account's token is left out: it depends on a random name and on nothing that is decided here.

use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use plimsoll_api::group::GroupResource;
use plimsoll_api::status::Status;

use crate::mirror_pod;

/// The service account that every namespace has.
const DEFAULT_SERVICE_ACCOUNT_NAME: &str = "default";

/// Sets the service account and its image pull secrets on a pod that is created. An account that the input does not
/// hold is taken to exist, as dumps seldom have them.
///
/// # Errors
/// 403 for a mirror pod that names a service account.
///
/// # Source
/// kubernetes `plugin/pkg/admission/serviceaccount` (`Plugin.Admit`)
pub fn admit(pod: &mut Pod, name: &str, find: impl Fn(&str) -> Option<ServiceAccount>) -> Result<(), Status> {
    let mirror = mirror_pod::is_mirror_pod(pod);
    let Some(spec) = &mut pod.spec else { return Ok(()) };
    let account_name = spec.service_account_name.as_deref().unwrap_or_default();
    if mirror {
        if account_name.is_empty() {
            return Ok(());
        }
        let pods = GroupResource::new("", "pods");
        return Err(Status::forbidden(&pods, name, "a mirror pod may not reference service accounts"));
    }
    if account_name.is_empty() {
        spec.service_account_name = Some(DEFAULT_SERVICE_ACCOUNT_NAME.to_owned());
        spec.service_account = Some(DEFAULT_SERVICE_ACCOUNT_NAME.to_owned());
    }
    if spec.image_pull_secrets.as_ref().is_none_or(Vec::is_empty) {
        let account = spec.service_account_name.as_deref().and_then(find);
        spec.image_pull_secrets =
            account.and_then(|account| account.image_pull_secrets).filter(|s| !s.is_empty());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_fixtures::object;

    #[test]
    fn sets_the_default_account_and_its_pull_secrets() {
        let account: ServiceAccount =
            object("{metadata: {name: default}, imagePullSecrets: [{name: registry}]}");
        let mut pod: Pod = object("{metadata: {name: p}, spec: {containers: []}}");
        assert_eq!(admit(&mut pod, "p", |name| (name == "default").then(|| account.clone())), Ok(()));
        let spec = pod.spec.unwrap_or_default();
        assert_eq!(spec.service_account_name.as_deref(), Some("default"));
        assert_eq!(spec.service_account.as_deref(), Some("default"));
        assert_eq!(spec.image_pull_secrets.unwrap_or_default()[0].name, "registry");
    }

    #[test]
    fn leaves_mirror_pods_alone() {
        let yaml =
            "{metadata: {name: p, annotations: {kubernetes.io/config.mirror: x}}, spec: {containers: []}}";
        let mut pod: Pod = object(yaml);
        assert_eq!(admit(&mut pod, "p", |_| None), Ok(()));
        assert_eq!(pod, object(yaml));
    }
}
