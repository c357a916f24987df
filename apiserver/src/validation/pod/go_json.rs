//! How Go marshals some of the API server's internal types, which messages show in full.
//!
//! # Source
//! kubernetes `pkg/apis/core/types.go`, whose internal types have no JSON names of their own

use k8s_openapi::api::core::v1::{
    ClusterTrustBundleProjection, PodResourceClaim, SeccompProfile, SecurityContext,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use plimsoll_api::field::BadValue;
use plimsoll_api::quote::go_json_string;

/// A claim of a pod.
pub(super) fn resource_claim(claim: &PodResourceClaim) -> BadValue {
    BadValue::Verbatim(format!(
        "{{\"Name\":{},\"ResourceClaimName\":{},\"ResourceClaimTemplateName\":{}}}",
        go_json_string(&claim.name),
        text(claim.resource_claim_name.as_ref()),
        text(claim.resource_claim_template_name.as_ref())
    ))
}

/// A seccomp profile.
pub(super) fn seccomp_profile(profile: &SeccompProfile) -> BadValue {
    BadValue::Verbatim(seccomp(profile))
}

/// The security context of a container.
pub(super) fn security_context(context: &SecurityContext) -> BadValue {
    let capabilities = context.capabilities.as_ref().map(|capabilities| {
        let (add, drop) = (list(capabilities.add.as_deref()), list(capabilities.drop.as_deref()));
        format!("{{\"Add\":{add},\"Drop\":{drop}}}")
    });
    let se_linux = context.se_linux_options.as_ref().map(|options| {
        let [user, role, type_, level] = [&options.user, &options.role, &options.type_, &options.level]
            .map(|field| go_json_string(field.as_deref().unwrap_or_default()));
        format!("{{\"User\":{user},\"Role\":{role},\"Type\":{type_},\"Level\":{level}}}")
    });
    let windows = context.windows_options.as_ref().map(|options| {
        format!(
            "{{\"GMSACredentialSpecName\":{},\"GMSACredentialSpec\":{},\"RunAsUserName\":{},\"HostProcess\":{}}}",
            text(options.gmsa_credential_spec_name.as_ref()),
            text(options.gmsa_credential_spec.as_ref()),
            text(options.run_as_user_name.as_ref()),
            shown(options.host_process)
        )
    });
    let app_armor = context.app_armor_profile.as_ref().map(|profile| {
        let (kind, name) = (go_json_string(&profile.type_), text(profile.localhost_profile.as_ref()));
        format!("{{\"Type\":{kind},\"LocalhostProfile\":{name}}}")
    });
    let fields = [
        ("Capabilities", shown(capabilities)),
        ("Privileged", shown(context.privileged)),
        ("SELinuxOptions", shown(se_linux)),
        ("WindowsOptions", shown(windows)),
        ("RunAsUser", shown(context.run_as_user)),
        ("RunAsGroup", shown(context.run_as_group)),
        ("RunAsNonRoot", shown(context.run_as_non_root)),
        ("ReadOnlyRootFilesystem", shown(context.read_only_root_filesystem)),
        ("AllowPrivilegeEscalation", shown(context.allow_privilege_escalation)),
        ("ProcMount", text(context.proc_mount.as_ref())),
        ("SeccompProfile", shown(context.seccomp_profile.as_ref().map(seccomp))),
        ("AppArmorProfile", shown(app_armor)),
    ];
    let fields = fields.map(|(name, value)| format!("\"{name}\":{value}"));
    BadValue::Verbatim(format!("{{{}}}", fields.join(",")))
}

/// A list of texts; the one that is absent is `null`.
pub(crate) fn text_list(texts: Option<&[String]>) -> BadValue {
    BadValue::Verbatim(list(texts))
}

fn seccomp(profile: &SeccompProfile) -> String {
    let (kind, name) = (go_json_string(&profile.type_), text(profile.localhost_profile.as_ref()));
    format!("{{\"Type\":{kind},\"LocalhostProfile\":{name}}}")
}

fn text(text: Option<&String>) -> String {
    text.map_or_else(|| "null".to_owned(), |text| go_json_string(text))
}

fn shown(value: Option<impl ToString>) -> String {
    value.map_or_else(|| "null".to_owned(), |value| value.to_string())
}

fn list(texts: Option<&[String]>) -> String {
    let Some(texts) = texts else {
        return "null".to_owned();
    };
    let texts: Vec<String> = texts.iter().map(|text| go_json_string(text)).collect();
    format!("[{}]", texts.join(","))
}

/// A projected trust bundle.
pub(super) fn trust_bundle(bundle: &ClusterTrustBundleProjection) -> BadValue {
    BadValue::Verbatim(format!(
        "{{\"Name\":{},\"SignerName\":{},\"LabelSelector\":{},\"Optional\":{},\"Path\":{},\"User\":{}}}",
        text(bundle.name.as_ref()),
        text(bundle.signer_name.as_ref()),
        bundle.label_selector.as_ref().map_or_else(|| "null".to_owned(), selector_text),
        shown(bundle.optional),
        go_json_string(&bundle.path),
        shown(bundle.user)
    ))
}

/// A label selector, whose type does have JSON names.
pub(crate) fn label_selector(selector: &LabelSelector) -> BadValue {
    BadValue::Verbatim(selector_text(selector))
}

fn selector_text(selector: &LabelSelector) -> String {
    let labels = selector.match_labels.iter().flatten();
    let labels: Vec<String> =
        labels.map(|(key, value)| format!("{}:{}", go_json_string(key), go_json_string(value))).collect();
    let expressions = selector.match_expressions.iter().flatten().map(|expression| {
        let values = expression.values.as_deref().filter(|values| !values.is_empty());
        let values = values.map_or_else(String::new, |values| format!(",\"values\":{}", list(Some(values))));
        let (key, operator) = (go_json_string(&expression.key), go_json_string(&expression.operator));
        format!("{{\"key\":{key},\"operator\":{operator}{values}}}")
    });
    let expressions: Vec<String> = expressions.collect();
    let mut fields = Vec::new();
    if !labels.is_empty() {
        fields.push(format!("\"matchLabels\":{{{}}}", labels.join(",")));
    }
    if !expressions.is_empty() {
        fields.push(format!("\"matchExpressions\":[{}]", expressions.join(",")));
    }
    format!("{{{}}}", fields.join(","))
}
