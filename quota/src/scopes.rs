//! Scopes: which objects of a namespace a quota counts.
//!
//! How a kind of object matches a scope is with its evaluator; here is what a requirement says and what is wrong with it.

use std::fmt;

use k8s_openapi::api::core::v1::{ResourceQuotaSpec, ScopedResourceSelectorRequirement};
use plimsoll_api::quote::go_quote;
use plimsoll_matching::label_requirement::{Operator, Requirement};

/// Pods with a deadline.
pub const TERMINATING: &str = "Terminating";
/// Pods without a deadline.
pub const NOT_TERMINATING: &str = "NotTerminating";
/// Pods of the QoS class BestEffort.
pub const BEST_EFFORT: &str = "BestEffort";
/// Pods of any other QoS class.
pub const NOT_BEST_EFFORT: &str = "NotBestEffort";
/// Pods by the name of their priority class.
pub const PRIORITY_CLASS: &str = "PriorityClass";
/// Pods whose affinity terms reach into other namespaces.
pub const CROSS_NAMESPACE_POD_AFFINITY: &str = "CrossNamespacePodAffinity";
/// Persistent volume claims by the name of their volume attributes class.
pub const VOLUME_ATTRIBUTES_CLASS: &str = "VolumeAttributesClass";

/// A scope that an object must match to be counted, with the values that its name selects from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeRequirement {
    /// The name of the scope.
    pub scope_name: String,
    /// How the values count, in the API's word.
    pub operator: String,
    /// The values.
    pub values: Vec<String>,
    /// The requirement in the form in which it is evaluated, or what is wrong with it.
    selector: Result<Requirement, String>,
}

/// A scope selector that can't be evaluated, in upstream's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct UnusableScope(pub(crate) String);

impl ScopeRequirement {
    /// A scope that an object must simply match, as `spec.scopes` names it.
    pub fn scope(name: &str) -> Self {
        Self::selector(&ScopedResourceSelectorRequirement {
            scope_name: name.to_owned(),
            operator: "Exists".to_owned(),
            values: None,
        })
    }

    /// A requirement of a scope selector. What is wrong with it shows when it is evaluated.
    pub fn selector(requirement: &ScopedResourceSelectorRequirement) -> Self {
        Self {
            scope_name: requirement.scope_name.clone(),
            operator: requirement.operator.clone(),
            values: requirement.values.clone().unwrap_or_default(),
            selector: parse(requirement),
        }
    }

    /// Whether the operator is `Exists`, which upstream answers for some scopes without looking at the values.
    pub(crate) fn is_exists(&self) -> bool {
        self.operator == "Exists"
    }

    /// Whether an object with this value (or none) satisfies the requirement.
    ///
    /// # Errors
    /// What is wrong with the requirement.
    pub(crate) fn selects(&self, value: Option<&str>) -> Result<bool, UnusableScope> {
        match &self.selector {
            Ok(requirement) => Ok(requirement.matches_value(value)),
            Err(problem) => Err(UnusableScope(format!("failed to parse and convert selector: {problem}"))),
        }
    }
}

impl fmt::Display for ScopeRequirement {
    /// As Go prints the structure: `{PriorityClass In [high low]}`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{{{} {} [{}]}}", self.scope_name, self.operator, self.values.join(" "))
    }
}

/// Requirements as Go prints the list.
pub(crate) fn as_list(requirements: &[ScopeRequirement]) -> String {
    let printed: Vec<String> = requirements.iter().map(ToString::to_string).collect();
    format!("[{}]", printed.join(" "))
}

/// All that a quota asks of an object: its scopes, then its scope selector.
///
/// # Source
/// apiserver `pkg/quota/v1/generic` (`getScopeSelectorsFromQuota`)
pub(crate) fn of_spec(spec: &ResourceQuotaSpec) -> Vec<ScopeRequirement> {
    let scopes = spec.scopes.iter().flatten().map(|name| ScopeRequirement::scope(name));
    let expressions = spec.scope_selector.as_ref().and_then(|selector| selector.match_expressions.as_ref());
    scopes.chain(expressions.into_iter().flatten().map(ScopeRequirement::selector)).collect()
}

/// # Source
/// kubernetes `pkg/apis/core/v1/helper` (`ScopedResourceSelectorRequirementsAsSelector`)
fn parse(requirement: &ScopedResourceSelectorRequirement) -> Result<Requirement, String> {
    let word = requirement.operator.as_str();
    let Some(operator) = Operator::from_set_operator(word) else {
        return Err(format!("{} is not a valid scope selector operator", go_quote(word)));
    };
    Requirement::new(&requirement.scope_name, operator, requirement.values.clone())
        .map_err(|invalid| invalid.to_string())
}
