//! DefaultStorageClass: a claim that names no class gets the cluster's default one.

use k8s_openapi::api::core::v1::PersistentVolumeClaim;
use k8s_openapi::api::storage::v1::StorageClass;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

const DEFAULT_CLASS_ANNOTATIONS: [&str; 2] =
    ["storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class"];
const CLASS_ANNOTATION: &str = "volume.beta.kubernetes.io/storage-class";

/// Sets the storage class of a claim that names none, be it empty. Of several defaults the newest counts, then the first by name.
///
/// # Source
/// kubernetes `plugin/pkg/admission/storage/storageclass/setdefault` (`claimDefaulterPlugin.Admit`)
pub fn admit(claim: &mut PersistentVolumeClaim, classes: &[StorageClass]) {
    let annotated = |metadata: &ObjectMeta| {
        metadata.annotations.as_ref().is_some_and(|annotations| annotations.contains_key(CLASS_ANNOTATION))
    };
    let Some(spec) = &mut claim.spec else { return };
    if spec.storage_class_name.is_some() || annotated(&claim.metadata) {
        return;
    }
    let defaults = classes.iter().filter(|class| is_default(&class.metadata));
    let default = defaults.min_by(|a, b| {
        let newest_first = b.metadata.creation_timestamp.cmp(&a.metadata.creation_timestamp);
        newest_first.then_with(|| a.metadata.name.cmp(&b.metadata.name))
    });
    spec.storage_class_name = default.and_then(|class| class.metadata.name.clone());
}

fn is_default(metadata: &ObjectMeta) -> bool {
    let annotation = |name: &str| metadata.annotations.as_ref().and_then(|annotations| annotations.get(name));
    DEFAULT_CLASS_ANNOTATIONS.iter().any(|name| annotation(name).is_some_and(|value| value == "true"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_fixtures::object;

    #[track_caller]
    fn check(claim: &str, expected: Option<&str>) {
        let default = "{storageclass.kubernetes.io/is-default-class: 'true'}";
        let classes = [
            object(&format!("{{metadata: {{name: b, annotations: {default}}}, provisioner: x}}")),
            object(&format!("{{metadata: {{name: a, annotations: {default}}}, provisioner: x}}")),
            object("{metadata: {name: '0'}, provisioner: x}"),
        ];
        let mut claim: PersistentVolumeClaim = object(claim);
        admit(&mut claim, &classes);
        assert_eq!(claim.spec.and_then(|spec| spec.storage_class_name).as_deref(), expected);
    }

    #[test]
    fn fills_in_the_default_class() {
        check("spec: {}", Some("a"));
        check("spec: {storageClassName: ''}", Some(""));
        check("{metadata: {annotations: {volume.beta.kubernetes.io/storage-class: x}}, spec: {}}", None);
    }
}
