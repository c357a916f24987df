//! The ResourceQuota object itself: what the API server makes of it when it is stored.
//!
//! Metadata is not looked at here; it follows the rules that all objects share.
//!
//! # Source
//! kubernetes `pkg/apis/core/v1/defaults.go`, `pkg/apis/core/validation`, `pkg/registry/core/resourcequota`

use std::collections::{BTreeMap, BTreeSet};

use k8s_openapi::api::core::v1::{ResourceQuota, ResourceQuotaSpec, ScopeSelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity as ApiQuantity;
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};
use plimsoll_api::quote::go_json_string;
use plimsoll_resource_math::resource_list::ParseResourceListError;
use plimsoll_resource_math::resource_name::{self, is_integer, is_standard_quota};
use plimsoll_resource_math::{Quantity, ResourceList};

use crate::scopes;

type ApiList = BTreeMap<String, ApiQuantity>;

/// Fills in what the API server fills in when it reads the object: amounts are rounded up to thousandths.
///
/// # Errors
/// An amount is no quantity.
///
/// # Source
/// kubernetes `pkg/apis/core/v1` (`SetObjectDefaults_ResourceQuota`)
pub fn set_defaults(quota: &mut ResourceQuota) -> Result<(), ParseResourceListError> {
    let spec_hard = quota.spec.as_mut().and_then(|spec| spec.hard.as_mut());
    let status = quota.status.as_mut();
    let (hard, used) = status.map_or((None, None), |status| (status.hard.as_mut(), status.used.as_mut()));
    for list in [spec_hard, hard, used].into_iter().flatten() {
        let mut amounts = ResourceList::parse(Some(list))?;
        amounts.round_up_to_milli();
        *list = amounts.to_api();
    }
    Ok(())
}

/// Drops the status, which no client can set on creation.
///
/// # Source
/// kubernetes `pkg/registry/core/resourcequota` (`PrepareForCreate`)
pub fn prepare_for_create(quota: &mut ResourceQuota) {
    quota.status = None;
}

/// Keeps the stored status, which only a write to the subresource changes.
///
/// # Source
/// kubernetes `pkg/registry/core/resourcequota` (`PrepareForUpdate`)
pub fn prepare_for_update(quota: &mut ResourceQuota, old: &ResourceQuota) {
    quota.status.clone_from(&old.status);
}

/// Keeps the stored spec, which a write to the status does not change.
///
/// # Source
/// kubernetes `pkg/registry/core/resourcequota` (`resourcequotaStatusStrategy.PrepareForUpdate`)
pub fn prepare_for_status_update(quota: &mut ResourceQuota, old: &ResourceQuota) {
    quota.spec.clone_from(&old.spec);
}

/// What is wrong with a new quota, apart from its metadata.
///
/// # Errors
/// An amount is no quantity.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateResourceQuota`)
pub fn validate(quota: &ResourceQuota) -> Result<ErrorList, ParseResourceListError> {
    let mut errors = validate_spec(quota)?;
    errors.extend(validate_status(quota)?);
    Ok(errors)
}

/// What is wrong with a changed quota, apart from its metadata: its scopes stay what they were.
///
/// # Errors
/// An amount is no quantity.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateResourceQuotaUpdate`)
pub fn validate_update(
    quota: &ResourceQuota,
    old: &ResourceQuota,
) -> Result<ErrorList, ParseResourceListError> {
    let mut errors = validate_spec(quota)?;
    let scopes = |quota: &ResourceQuota| -> BTreeSet<String> {
        quota.spec.iter().filter_map(|spec| spec.scopes.clone()).flatten().collect()
    };
    if scopes(quota) != scopes(old) {
        let spec = Path::root("spec");
        let value = scope_list(quota.spec.as_ref());
        errors.push(Error::invalid(&spec.child("scopes"), value, "field is immutable"));
    }
    Ok(errors)
}

/// What is wrong with a status that is written, apart from its metadata.
///
/// # Errors
/// An amount is no quantity.
///
/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateResourceQuotaStatusUpdate`)
pub fn validate_status_update(quota: &ResourceQuota) -> Result<ErrorList, ParseResourceListError> {
    let mut errors = ErrorList::new();
    if quota.metadata.resource_version.as_deref().unwrap_or_default().is_empty() {
        errors.push(Error::required(&Path::root("resourceVersion"), ""));
    }
    errors.extend(validate_status(quota)?);
    Ok(errors)
}

/// What the API server warns of when a quota is created: requests that may never be used, as limits are lower.
///
/// # Errors
/// An amount is no quantity.
///
/// # Source
/// kubernetes `pkg/registry/core/resourcequota` (`WarningsOnCreate`)
pub fn warnings_on_create(quota: &ResourceQuota) -> Result<Vec<String>, ParseResourceListError> {
    let hard = ResourceList::parse(quota.spec.as_ref().and_then(|spec| spec.hard.as_ref()))?;
    let warning = |name: &str| {
        let requests_key = format!("requests.{name}");
        // The bare names of cpu and memory mean requests too.
        let bare_key = Some(name).filter(|name| matches!(*name, "cpu" | "memory"));
        let keys = [Some(requests_key.as_str()), bare_key];
        let (key, request) = keys.into_iter().flatten().find_map(|key| Some((key, hard.get(key)?)))?;
        let limit_key = format!("limits.{name}");
        let limit = hard.get(&limit_key)?;
        (request > limit)
            .then(|| format!("ResourceQuota {key} ({request}) should be less than {limit_key} ({limit})"))
    };
    Ok(["cpu", "memory", "storage", "ephemeral-storage"].into_iter().filter_map(warning).collect())
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateResourceQuotaSpec`)
fn validate_spec(quota: &ResourceQuota) -> Result<ErrorList, ParseResourceListError> {
    let mut errors = ErrorList::new();
    let Some(spec) = &quota.spec else {
        return Ok(errors);
    };
    let path = Path::root("spec");
    validate_amounts(&path.child("hard"), spec.hard.as_ref(), &mut errors)?;
    validate_scopes(&path.child("scopes"), spec, &mut errors);
    if let Some(selector) = &spec.scope_selector {
        let path = path.child("scopeSelector");
        validate_scope_selector(&path.child("matchExpressions"), spec, selector, &mut errors);
    }
    Ok(errors)
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateResourceQuotaStatus`)
fn validate_status(quota: &ResourceQuota) -> Result<ErrorList, ParseResourceListError> {
    let mut errors = ErrorList::new();
    if let Some(status) = &quota.status {
        let path = Path::root("status");
        validate_amounts(&path.child("hard"), status.hard.as_ref(), &mut errors)?;
        validate_amounts(&path.child("used"), status.used.as_ref(), &mut errors)?;
    }
    Ok(errors)
}

fn validate_amounts(
    path: &Path<'_>,
    list: Option<&ApiList>,
    errors: &mut ErrorList,
) -> Result<(), ParseResourceListError> {
    for (key, amount) in &ResourceList::parse(list)? {
        let path = path.key(key);
        validate_key(&path, key, errors);
        validate_amount(&path, key, amount, errors);
    }
    Ok(())
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateResourceQuotaResourceName`)
fn validate_key(path: &Path<'_>, key: &str, errors: &mut ErrorList) {
    errors.extend(resource_name::validate(key, path));
    if !key.contains('/') && !is_standard_quota(key) {
        errors.push(Error::invalid(
            path,
            BadValue::json_string(key),
            "must be a standard resource for quota",
        ));
    }
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`ValidateResourceQuantityValue`)
fn validate_amount(path: &Path<'_>, key: &str, amount: &Quantity, errors: &mut ErrorList) {
    if amount.sign().is_lt() {
        errors.push(Error::invalid(path, amount.to_string(), "must be greater than or equal to 0"));
    }
    // DIFFERENCE: D-quota-4. Upstream's check overflows from 2^63 thousandths on and then calls whole numbers broken ones.
    if is_integer(key) && !is_whole(amount) {
        errors.push(Error::invalid(path, BadValue::json_string(&amount.to_string()), "must be an integer"));
    }
}

/// Whether an amount has no broken part, thousandths being the smallest that are told apart.
fn is_whole(amount: &Quantity) -> bool {
    let mut thousandths = amount.clone();
    thousandths.round_up_to_milli();
    let mut units = thousandths.clone();
    units.round_up_to_unit();
    units == thousandths
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateResourceQuotaScopes`)
fn validate_scopes(path: &Path<'_>, spec: &ResourceQuotaSpec, errors: &mut ErrorList) {
    let names: Vec<&str> = spec.scopes.iter().flatten().map(String::as_str).collect();
    let invalid = |detail: &str| Error::invalid(path, scope_list(Some(spec)), detail);
    for scope in &names {
        if !is_standard_scope(scope) {
            errors.push(invalid("unsupported scope"));
        }
        let misfits = keys_outside(spec, scope);
        errors.extend((0..misfits).map(|_| invalid("unsupported scope applied to resource")));
    }
    errors.extend((0..conflicts(&names)).map(|_| invalid("conflicting scopes")));
}

/// # Source
/// kubernetes `pkg/apis/core/validation` (`validateScopedResourceSelectorRequirement`)
fn validate_scope_selector(
    path: &Path<'_>,
    spec: &ResourceQuotaSpec,
    selector: &ScopeSelector,
    errors: &mut ErrorList,
) {
    let requirements = selector.match_expressions.as_deref().unwrap_or_default();
    for requirement in requirements {
        let scope = requirement.scope_name.as_str();
        let operator = requirement.operator.as_str();
        if !is_standard_scope(scope) {
            let path = path.child("scopeName");
            errors.push(Error::invalid(&path, BadValue::json_string(scope), "unsupported scope"));
        }
        let misfits = keys_outside(spec, scope);
        let value = || BadValue::Verbatim(selector_json(selector));
        errors.extend(
            (0..misfits).map(|_| Error::invalid(path, value(), "unsupported scope applied to resource")),
        );
        if takes_no_values(scope) && operator != "Exists" {
            let operator = BadValue::json_string(operator);
            errors.push(Error::invalid(&path.child("operator"), operator, ONLY_EXISTS));
        }
        let values = requirement.values.as_deref();
        let has_values = values.is_some_and(|values| !values.is_empty());
        match operator {
            "In" | "NotIn" if !has_values => {
                errors.push(Error::required(&path.child("values"), VALUES_NEEDED));
            }
            "Exists" | "DoesNotExist" if has_values => {
                errors.push(Error::invalid(&path.child("values"), json_list(values), VALUES_FORBIDDEN));
            }
            "In" | "NotIn" | "Exists" | "DoesNotExist" => {}
            _ => {
                let operator = BadValue::json_string(operator);
                errors.push(Error::invalid(
                    &path.child("operator"),
                    operator,
                    "not a valid selector operator",
                ));
            }
        }
    }
    let names: Vec<&str> = requirements.iter().map(|requirement| requirement.scope_name.as_str()).collect();
    let conflicts = conflicts(&names);
    errors.extend((0..conflicts).map(|_| Error::invalid(path, scope_list(Some(spec)), "conflicting scopes")));
}

const ONLY_EXISTS: &str = "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity";
const VALUES_NEEDED: &str =
    "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector";
const VALUES_FORBIDDEN: &str =
    "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector";

fn is_standard_scope(scope: &str) -> bool {
    takes_no_values(scope) || matches!(scope, scopes::PRIORITY_CLASS | scopes::VOLUME_ATTRIBUTES_CLASS)
}

fn takes_no_values(scope: &str) -> bool {
    matches!(
        scope,
        scopes::TERMINATING
            | scopes::NOT_TERMINATING
            | scopes::BEST_EFFORT
            | scopes::NOT_BEST_EFFORT
            | scopes::CROSS_NAMESPACE_POD_AFFINITY
    )
}

/// How many pairs of scopes that exclude each other are among `names`.
fn conflicts(names: &[&str]) -> usize {
    let pairs =
        [[scopes::BEST_EFFORT, scopes::NOT_BEST_EFFORT], [scopes::TERMINATING, scopes::NOT_TERMINATING]];
    pairs.into_iter().filter(|pair| pair.iter().all(|name| names.contains(name))).count()
}

/// How many keys of a quota can't be counted under a scope.
fn keys_outside(spec: &ResourceQuotaSpec, scope: &str) -> usize {
    let keys = spec.hard.iter().flat_map(BTreeMap::keys);
    keys.filter(|key| is_standard_quota(key) && !is_key_of_scope(scope, key)).count()
}

/// # Source
/// kubernetes `pkg/apis/core/helper` (`IsResourceQuotaScopeValidForResource`)
fn is_key_of_scope(scope: &str, key: &str) -> bool {
    match scope {
        scopes::TERMINATING
        | scopes::NOT_TERMINATING
        | scopes::NOT_BEST_EFFORT
        | scopes::PRIORITY_CLASS
        | scopes::CROSS_NAMESPACE_POD_AFFINITY => matches!(
            key,
            "pods" | "cpu" | "memory" | "limits.cpu" | "limits.memory" | "requests.cpu" | "requests.memory"
        ),
        scopes::BEST_EFFORT => key == "pods",
        scopes::VOLUME_ATTRIBUTES_CLASS => matches!(key, "persistentvolumeclaims" | "requests.storage"),
        _ => true,
    }
}

fn scope_list(spec: Option<&ResourceQuotaSpec>) -> BadValue {
    json_list(spec.and_then(|spec| spec.scopes.as_deref()))
}

fn json_list(values: Option<&[String]>) -> BadValue {
    BadValue::Verbatim(json_list_text(values))
}

/// A list of texts as Go marshals it: the nil slice is `null`.
fn json_list_text(values: Option<&[String]>) -> String {
    let Some(values) = values else {
        return "null".to_owned();
    };
    let texts: Vec<String> = values.iter().map(|value| go_json_string(value)).collect();
    format!("[{}]", texts.join(","))
}

/// A scope selector as Go marshals upstream's internal type, whose fields have no JSON names.
fn selector_json(selector: &ScopeSelector) -> String {
    let Some(requirements) = &selector.match_expressions else {
        return r#"{"MatchExpressions":null}"#.to_owned();
    };
    let requirements: Vec<String> = requirements
        .iter()
        .map(|requirement| {
            format!(
                r#"{{"ScopeName":{},"Operator":{},"Values":{}}}"#,
                go_json_string(&requirement.scope_name),
                go_json_string(&requirement.operator),
                json_list_text(requirement.values.as_deref()),
            )
        })
        .collect();
    format!(r#"{{"MatchExpressions":[{}]}}"#, requirements.join(","))
}
