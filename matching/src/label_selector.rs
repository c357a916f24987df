//! Label selectors: which objects a selector chooses by their labels.
//!
//! # Source
//! apimachinery `pkg/labels/selector.go` and `pkg/apis/meta/v1/helpers.go`

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{LabelSelector, LabelSelectorRequirement, ObjectMeta};
use plimsoll_api::quote::go_quote;

pub use crate::label_requirement::{InvalidRequirement, Labels, Operator, Requirement};

/// The labels of an object without labels.
static NO_LABELS: Labels = Labels::new();

/// The labels of an object; empty if it has none.
pub fn labels_of(metadata: &ObjectMeta) -> &Labels {
    metadata.labels.as_ref().unwrap_or(&NO_LABELS)
}

/// A label selector that has been checked: all its requirements must be met.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Selector {
    /// `None` selects nothing; an empty list selects everything.
    requirements: Option<Vec<Requirement>>,
}

/// A label selector that can't be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// The operator is none that label selectors know.
    #[error("{} is not a valid label selector operator", go_quote(.operator))]
    UnknownOperator {
        /// The operator found.
        operator: String,
    },
    /// A label or an expression is malformed.
    #[error(transparent)]
    InvalidRequirement(#[from] InvalidRequirement),
}

impl Selector {
    /// The selector that no object matches.
    pub fn nothing() -> Self {
        Self { requirements: None }
    }

    /// The selector that every object matches.
    pub fn everything() -> Self {
        Self { requirements: Some(Vec::new()) }
    }

    /// The selector that all of these requirements make up.
    pub fn new(requirements: Vec<Requirement>) -> Self {
        Self { requirements: Some(requirements) }
    }

    /// Checks a selector as it stands in an object. An absent selector selects nothing, an empty one everything.
    ///
    /// Labels are checked in order of their keys (upstream's order is random), then the expressions; the first that is
    /// malformed is reported.
    ///
    /// # Errors
    /// An operator is unknown, or a key or value is malformed.
    ///
    /// # Source
    /// apimachinery `pkg/apis/meta/v1/helpers.go` (`LabelSelectorAsSelector`)
    pub fn from_label_selector(selector: Option<&LabelSelector>) -> Result<Self, SelectorError> {
        let Some(selector) = selector else {
            return Ok(Self::nothing());
        };
        let labels = selector.match_labels.iter().flatten().map(|(key, value)| {
            Requirement::new(key, Operator::In, Some(vec![value.clone()])).map_err(SelectorError::from)
        });
        let expressions = selector.match_expressions.iter().flatten().map(from_expression);
        labels.chain(expressions).collect::<Result<_, _>>().map(Self::new)
    }

    /// The selector that asks for exactly these labels, unchecked; no labels at all select everything.
    ///
    /// # Source
    /// apimachinery `pkg/labels/selector.go` (`SelectorFromSet`)
    pub fn from_labels(labels: &Labels) -> Self {
        Self::new(labels.iter().map(|(key, value)| Requirement::equals(key, value)).collect())
    }

    /// Whether labels meet all requirements.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.requirements
            .as_ref()
            .is_some_and(|requirements| requirements.iter().all(|requirement| requirement.matches(labels)))
    }

    /// Whether nothing is asked for, so that every object matches.
    pub fn is_everything(&self) -> bool {
        self.requirements.as_ref().is_some_and(Vec::is_empty)
    }

    /// Whether no object can match because there is no selector.
    pub fn is_nothing(&self) -> bool {
        self.requirements.is_none()
    }

    /// The requirements; empty both for the selector of everything and of nothing.
    pub fn requirements(&self) -> &[Requirement] {
        self.requirements.as_deref().unwrap_or_default()
    }
}

fn from_expression(expression: &LabelSelectorRequirement) -> Result<Requirement, SelectorError> {
    let operator = Operator::from_set_operator(&expression.operator)
        .ok_or_else(|| SelectorError::UnknownOperator { operator: expression.operator.clone() })?;
    // Upstream copies the values onto a nil slice, so an empty list is reported as an absent one.
    let values = expression.values.clone().filter(|values| !values.is_empty());
    Ok(Requirement::new(&expression.key, operator, values)?)
}

#[cfg(test)]
mod tests;
