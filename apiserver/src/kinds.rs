//! The kinds of objects that an API server knows: their resources, versions and scopes.
//!
//! Custom resource definitions add to them, and a kind that nobody defines is still given a name for its resource.

use std::borrow::Cow;
use std::collections::BTreeMap;

use plimsoll_api::group::{GroupKind, GroupResource};
use serde_json::Value;

/// A kind of objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// The API group; empty for the core group.
    pub group: Cow<'static, str>,
    /// The kind in camel case.
    pub kind: Cow<'static, str>,
    /// The plural, lower-case resource name.
    pub resource: Cow<'static, str>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// The versions that are served, the preferred one first.
    pub versions: Cow<'static, [&'static str]>,
}

impl Kind {
    /// The kind, as messages about invalid objects name it.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.group, &self.kind)
    }

    /// The resource, as messages about refusals name it.
    pub fn group_resource(&self) -> GroupResource {
        GroupResource::new(&self.group, &self.resource)
    }
}

const fn kind(
    group: &'static str,
    kind: &'static str,
    resource: &'static str,
    versions: &'static [&'static str],
    namespaced: bool,
) -> Kind {
    Kind {
        group: Cow::Borrowed(group),
        kind: Cow::Borrowed(kind),
        resource: Cow::Borrowed(resource),
        namespaced,
        versions: Cow::Borrowed(versions),
    }
}

const fn namespaced(
    group: &'static str,
    name: &'static str,
    resource: &'static str,
    versions: &'static [&'static str],
) -> Kind {
    kind(group, name, resource, versions, true)
}

const fn cluster(
    group: &'static str,
    name: &'static str,
    resource: &'static str,
    versions: &'static [&'static str],
) -> Kind {
    kind(group, name, resource, versions, false)
}

/// The kinds of Kubernetes itself, in order of group and kind.
///
/// # Source
/// k8s.io/api, apiextensions-apiserver and kube-aggregator at the version that Plimsoll follows
const BUILT_IN: &[Kind] = &[
    namespaced("", "Binding", "bindings", &["v1"]),
    cluster("", "ComponentStatus", "componentstatuses", &["v1"]),
    namespaced("", "ConfigMap", "configmaps", &["v1"]),
    namespaced("", "Endpoints", "endpoints", &["v1"]),
    namespaced("", "Event", "events", &["v1"]),
    namespaced("", "LimitRange", "limitranges", &["v1"]),
    cluster("", "Namespace", "namespaces", &["v1"]),
    cluster("", "Node", "nodes", &["v1"]),
    cluster("", "PersistentVolume", "persistentvolumes", &["v1"]),
    namespaced("", "PersistentVolumeClaim", "persistentvolumeclaims", &["v1"]),
    namespaced("", "Pod", "pods", &["v1"]),
    namespaced("", "PodTemplate", "podtemplates", &["v1"]),
    namespaced("", "ReplicationController", "replicationcontrollers", &["v1"]),
    namespaced("", "ResourceQuota", "resourcequotas", &["v1"]),
    namespaced("", "Secret", "secrets", &["v1"]),
    namespaced("", "Service", "services", &["v1"]),
    namespaced("", "ServiceAccount", "serviceaccounts", &["v1"]),
    cluster(
        "admissionregistration.k8s.io",
        "MutatingAdmissionPolicy",
        "mutatingadmissionpolicies",
        &["v1", "v1beta1", "v1alpha1"],
    ),
    cluster(
        "admissionregistration.k8s.io",
        "MutatingAdmissionPolicyBinding",
        "mutatingadmissionpolicybindings",
        &["v1", "v1beta1", "v1alpha1"],
    ),
    cluster(
        "admissionregistration.k8s.io",
        "MutatingWebhookConfiguration",
        "mutatingwebhookconfigurations",
        &["v1"],
    ),
    cluster(
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicy",
        "validatingadmissionpolicies",
        &["v1"],
    ),
    cluster(
        "admissionregistration.k8s.io",
        "ValidatingAdmissionPolicyBinding",
        "validatingadmissionpolicybindings",
        &["v1"],
    ),
    cluster(
        "admissionregistration.k8s.io",
        "ValidatingWebhookConfiguration",
        "validatingwebhookconfigurations",
        &["v1"],
    ),
    cluster("apiextensions.k8s.io", "CustomResourceDefinition", "customresourcedefinitions", &["v1"]),
    cluster("apiregistration.k8s.io", "APIService", "apiservices", &["v1"]),
    namespaced("apps", "ControllerRevision", "controllerrevisions", &["v1"]),
    namespaced("apps", "DaemonSet", "daemonsets", &["v1"]),
    namespaced("apps", "Deployment", "deployments", &["v1"]),
    namespaced("apps", "ReplicaSet", "replicasets", &["v1"]),
    namespaced("apps", "StatefulSet", "statefulsets", &["v1"]),
    cluster("authentication.k8s.io", "SelfSubjectReview", "selfsubjectreviews", &["v1"]),
    cluster("authentication.k8s.io", "TokenReview", "tokenreviews", &["v1"]),
    namespaced("authorization.k8s.io", "LocalSubjectAccessReview", "localsubjectaccessreviews", &["v1"]),
    cluster("authorization.k8s.io", "SelfSubjectAccessReview", "selfsubjectaccessreviews", &["v1"]),
    cluster("authorization.k8s.io", "SelfSubjectRulesReview", "selfsubjectrulesreviews", &["v1"]),
    cluster("authorization.k8s.io", "SubjectAccessReview", "subjectaccessreviews", &["v1"]),
    namespaced("autoscaling", "HorizontalPodAutoscaler", "horizontalpodautoscalers", &["v2", "v1"]),
    namespaced("batch", "CronJob", "cronjobs", &["v1"]),
    namespaced("batch", "Job", "jobs", &["v1"]),
    cluster("certificates.k8s.io", "CertificateSigningRequest", "certificatesigningrequests", &["v1"]),
    cluster("certificates.k8s.io", "ClusterTrustBundle", "clustertrustbundles", &["v1", "v1beta1"]),
    namespaced("certificates.k8s.io", "PodCertificateRequest", "podcertificaterequests", &["v1", "v1beta1"]),
    namespaced("coordination.k8s.io", "Lease", "leases", &["v1"]),
    namespaced("coordination.k8s.io", "LeaseCandidate", "leasecandidates", &["v1beta1", "v1alpha2"]),
    namespaced("discovery.k8s.io", "EndpointSlice", "endpointslices", &["v1"]),
    namespaced("events.k8s.io", "Event", "events", &["v1"]),
    cluster("flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas", &["v1"]),
    cluster(
        "flowcontrol.apiserver.k8s.io",
        "PriorityLevelConfiguration",
        "prioritylevelconfigurations",
        &["v1"],
    ),
    cluster("internal.apiserver.k8s.io", "StorageVersion", "storageversions", &["v1alpha1"]),
    namespaced("lifecycle.k8s.io", "Eviction", "evictions", &["v1alpha1"]),
    namespaced("lifecycle.k8s.io", "EvictionRequest", "evictionrequests", &["v1alpha1"]),
    cluster("networking.k8s.io", "IPAddress", "ipaddresses", &["v1"]),
    namespaced("networking.k8s.io", "Ingress", "ingresses", &["v1"]),
    cluster("networking.k8s.io", "IngressClass", "ingressclasses", &["v1"]),
    namespaced("networking.k8s.io", "NetworkPolicy", "networkpolicies", &["v1"]),
    cluster("networking.k8s.io", "ServiceCIDR", "servicecidrs", &["v1"]),
    cluster("node.k8s.io", "RuntimeClass", "runtimeclasses", &["v1"]),
    namespaced("policy", "PodDisruptionBudget", "poddisruptionbudgets", &["v1"]),
    cluster("rbac.authorization.k8s.io", "ClusterRole", "clusterroles", &["v1"]),
    cluster("rbac.authorization.k8s.io", "ClusterRoleBinding", "clusterrolebindings", &["v1"]),
    namespaced("rbac.authorization.k8s.io", "Role", "roles", &["v1"]),
    namespaced("rbac.authorization.k8s.io", "RoleBinding", "rolebindings", &["v1"]),
    cluster("resource.k8s.io", "DeviceClass", "deviceclasses", &["v1", "v1beta2", "v1beta1"]),
    cluster("resource.k8s.io", "DeviceTaintRule", "devicetaintrules", &["v1", "v1beta2", "v1alpha3"]),
    namespaced("resource.k8s.io", "ResourceClaim", "resourceclaims", &["v1", "v1beta2", "v1beta1"]),
    namespaced(
        "resource.k8s.io",
        "ResourceClaimTemplate",
        "resourceclaimtemplates",
        &["v1", "v1beta2", "v1beta1"],
    ),
    cluster("resource.k8s.io", "ResourcePoolStatusRequest", "resourcepoolstatusrequests", &["v1alpha3"]),
    cluster("resource.k8s.io", "ResourceSlice", "resourceslices", &["v1", "v1beta2", "v1beta1"]),
    namespaced("scheduling.k8s.io", "CompositePodGroup", "compositepodgroups", &["v1alpha3"]),
    namespaced("scheduling.k8s.io", "PodGroup", "podgroups", &["v1beta1", "v1alpha3"]),
    cluster("scheduling.k8s.io", "PriorityClass", "priorityclasses", &["v1"]),
    namespaced("scheduling.k8s.io", "Workload", "workloads", &["v1beta1", "v1alpha3"]),
    cluster("storage.k8s.io", "CSIDriver", "csidrivers", &["v1"]),
    cluster("storage.k8s.io", "CSINode", "csinodes", &["v1"]),
    namespaced("storage.k8s.io", "CSIStorageCapacity", "csistoragecapacities", &["v1"]),
    cluster("storage.k8s.io", "StorageClass", "storageclasses", &["v1"]),
    cluster("storage.k8s.io", "VolumeAttachment", "volumeattachments", &["v1"]),
    cluster("storage.k8s.io", "VolumeAttributesClass", "volumeattributesclasses", &["v1"]),
    cluster(
        "storagemigration.k8s.io",
        "StorageVersionMigration",
        "storageversionmigrations",
        &["v1", "v1beta1"],
    ),
];

/// The kinds that a cluster serves.
#[derive(Clone, Debug)]
pub struct Kinds {
    by_name: BTreeMap<(Cow<'static, str>, Cow<'static, str>), Kind>,
}

impl Default for Kinds {
    fn default() -> Self {
        let key = |kind: &Kind| (kind.group.clone(), kind.kind.clone());
        Self { by_name: BUILT_IN.iter().map(|kind| (key(kind), kind.clone())).collect() }
    }
}

/// What a cluster knows of an object's apiVersion and kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// The kind is served in that version.
    Known(Kind),
    /// The kind is served, but not in that version.
    OtherVersion(Kind),
    /// Nobody has defined the kind; its resource is guessed, and it is taken to be namespaced if its object says so.
    Unknown(GroupResource),
}

impl Kinds {
    /// Looks a kind up by an object's apiVersion and kind.
    pub fn find(&self, api_version: &str, kind: &str) -> Lookup {
        let (group, version) = split_api_version(api_version);
        match self.by_name.get(&(Cow::Owned(group.to_owned()), Cow::Owned(kind.to_owned()))) {
            // A definition read from a dump may leave its versions to the API server.
            Some(known) if known.versions.contains(&version) || known.versions.is_empty() => {
                Lookup::Known(known.clone())
            }
            Some(known) => Lookup::OtherVersion(known.clone()),
            None => Lookup::Unknown(GroupResource::new(group, &guess_resource(kind))),
        }
    }

    /// Adds the kind that a CustomResourceDefinition defines, in any of its versions; tells whether it defines one.
    pub fn define(&mut self, definition: &Value) -> bool {
        let spec = &definition["spec"];
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let names = &spec["names"];
        let (Some(group), Some(kind), Some(resource)) =
            (text(&spec["group"]), text(&names["kind"]), text(&names["plural"]))
        else {
            return false;
        };
        let (group, kind): (Cow<'static, str>, Cow<'static, str>) = (group.into(), kind.into());
        let defined = Kind {
            group: group.clone(),
            kind: kind.clone(),
            resource: resource.into(),
            namespaced: spec["scope"] != "Cluster",
            versions: Cow::Borrowed(&[]),
        };
        self.by_name.entry((group, kind)).or_insert(defined);
        true
    }

    /// All namespaced resources, in order of group and kind.
    pub fn namespaced(&self) -> impl Iterator<Item = GroupResource> {
        self.by_name.values().filter(|kind| kind.namespaced).map(Kind::group_resource)
    }
}

/// The group and version of an apiVersion; the core group is empty.
pub fn split_api_version(api_version: &str) -> (&str, &str) {
    api_version.rsplit_once('/').unwrap_or(("", api_version))
}

/// The resource name that a kind most likely has.
///
/// # Source
/// apimachinery `pkg/api/meta/restmapper.go` (`UnsafeGuessKindToResource`)
pub fn guess_resource(kind: &str) -> String {
    let singular = kind.to_lowercase();
    if singular.ends_with("endpoints") {
        return singular;
    }
    match singular.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None if singular.ends_with('s') => format!("{singular}es"),
        None => format!("{singular}s"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn knows_the_built_in_kinds() {
        let kinds = Kinds::default();
        let Lookup::Known(deployment) = kinds.find("apps/v1", "Deployment") else { panic!("unknown") };
        assert_eq!(deployment.group_resource().to_string(), "deployments.apps");
        assert!(deployment.namespaced);
        assert!(matches!(kinds.find("v1", "Node"), Lookup::Known(node) if !node.namespaced));
        assert!(matches!(kinds.find("apps/v1beta1", "Deployment"), Lookup::OtherVersion(_)));
    }

    #[test]
    fn guesses_the_resource_of_an_unknown_kind() {
        for (kind, resource) in [
            ("Widget", "widgets"),
            ("Policy", "policies"),
            ("Gateway", "gatewaies"),
            ("Bus", "buses"),
            ("Endpoints", "endpoints"),
        ] {
            assert_eq!(guess_resource(kind), resource);
        }
        let expected = Lookup::Unknown(GroupResource::new("example.com", "widgets"));
        assert_eq!(Kinds::default().find("example.com/v1", "Widget"), expected);
    }

    #[test]
    fn learns_kinds_from_definitions() {
        let mut kinds = Kinds::default();
        let definition = json!({"spec": {"group": "example.com", "scope": "Cluster",
            "names": {"kind": "Widget", "plural": "wodgets"}}});
        assert!(kinds.define(&definition) && !kinds.define(&json!({})));
        let Lookup::Known(widget) = kinds.find("example.com/v1", "Widget") else { panic!("unknown") };
        assert_eq!((&*widget.resource, widget.namespaced), ("wodgets", false));
    }
}
