//! Node selectors: which nodes the terms of a node affinity choose, by labels and by name.
//!
//! # Source
//! component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go`

use k8s_openapi::api::core::v1::{
    NodeSelector as NodeSelectorObject, NodeSelectorRequirement, NodeSelectorTerm,
};
use plimsoll_api::field::{BadValue, Error, ErrorList, Path};

use crate::label_requirement::{Labels, Operator, Requirement, json_list};

/// The only field of a node that `matchFields` can name with effect.
pub const NAME_FIELD: &str = "metadata.name";

const LABEL_OPERATORS: [&str; 6] = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"];
const FIELD_OPERATORS: [&str; 2] = ["In", "NotIn"];

/// The terms of a required node affinity, read once. A node is chosen if any term chooses it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct NodeSelector {
    terms: Vec<Term>,
}

impl NodeSelector {
    /// Reads the terms. A term that is malformed chooses no node, nor does an empty one or an empty list; the second
    /// value lists what is malformed.
    ///
    /// # Source
    /// component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go` (`NewLazyErrorNodeSelector`)
    pub fn new(selector: &NodeSelectorObject) -> (Self, ErrorList) {
        Self::new_at(selector, &Path::root("nodeSelectorTerms"))
    }

    /// Reads the terms that stand at `path`, as [`NodeSelector::new`] does; faults name the fields below `path`.
    pub fn new_at(selector: &NodeSelectorObject, path: &Path<'_>) -> (Self, ErrorList) {
        let mut errors = ErrorList::new();
        let mut terms = Vec::with_capacity(selector.node_selector_terms.len());
        for (index, term) in selector.node_selector_terms.iter().enumerate() {
            match Term::new(term, &path.index(index)) {
                Ok(Some(term)) => terms.push(term),
                Ok(None) => {}
                Err(faults) => errors.extend(faults),
            }
        }
        (Self { terms }, errors)
    }

    /// Whether any term chooses the node of this name with these labels.
    pub fn matches(&self, labels: &Labels, name: &str) -> bool {
        self.terms.iter().any(|term| term.matches(labels, name))
    }
}

/// One term: all its requirements must be met.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Term {
    labels: Vec<Requirement>,
    fields: Vec<FieldRequirement>,
}

/// A requirement on a field of a node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct FieldRequirement {
    field: String,
    value: String,
    is_equal: bool,
}

impl Term {
    /// Reads a term; an empty one, which chooses nothing, is `None`.
    ///
    /// # Source
    /// component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go` (`newNodeSelectorTerm`)
    pub(crate) fn new(term: &NodeSelectorTerm, path: &Path<'_>) -> Result<Option<Self>, ErrorList> {
        let expressions = term.match_expressions.as_deref().unwrap_or_default();
        let fields = term.match_fields.as_deref().unwrap_or_default();
        if expressions.is_empty() && fields.is_empty() {
            return Ok(None);
        }
        let mut errors = ErrorList::new();
        let labels = read_all(expressions, &path.child("matchExpressions"), label_requirement, &mut errors);
        let fields = read_all(fields, &path.child("matchFields"), field_requirement, &mut errors);
        if errors.is_empty() { Ok(Some(Self { labels, fields })) } else { Err(errors) }
    }

    /// Whether a node meets all requirements. A node without a name meets any requirement on fields.
    ///
    /// # Source
    /// component-helpers `scheduling/corev1/nodeaffinity/nodeaffinity.go` (`nodeSelectorTerm.match`)
    pub(crate) fn matches(&self, labels: &Labels, name: &str) -> bool {
        self.labels.iter().all(|requirement| requirement.matches(labels))
            && (name.is_empty() || self.fields.iter().all(|requirement| requirement.matches(name)))
    }
}

impl FieldRequirement {
    fn matches(&self, node_name: &str) -> bool {
        // Any other field reads as the empty text.
        let found = if self.field == NAME_FIELD { node_name } else { "" };
        (found == self.value) == self.is_equal
    }
}

fn read_all<T>(
    requirements: &[NodeSelectorRequirement],
    path: &Path<'_>,
    read: impl Fn(&NodeSelectorRequirement, &Path<'_>) -> Result<T, ErrorList>,
    errors: &mut ErrorList,
) -> Vec<T> {
    let mut all = Vec::with_capacity(requirements.len());
    for (index, requirement) in requirements.iter().enumerate() {
        match read(requirement, &path.index(index)) {
            Ok(requirement) => all.push(requirement),
            Err(faults) => errors.extend(faults),
        }
    }
    all
}

fn label_requirement(
    requirement: &NodeSelectorRequirement,
    path: &Path<'_>,
) -> Result<Requirement, ErrorList> {
    let operator = Operator::from_node_operator(&requirement.operator)
        .ok_or_else(|| unknown_operator(requirement, path, &LABEL_OPERATORS))?;
    Requirement::new_at(path, &requirement.key, operator, requirement.values.clone())
        .map_err(|invalid| invalid.errors)
}

fn field_requirement(
    requirement: &NodeSelectorRequirement,
    path: &Path<'_>,
) -> Result<FieldRequirement, ErrorList> {
    let is_equal = match requirement.operator.as_str() {
        "In" => true,
        "NotIn" => false,
        _ => return Err(unknown_operator(requirement, path, &FIELD_OPERATORS)),
    };
    match requirement.values.as_deref() {
        Some([value]) => {
            Ok(FieldRequirement { field: requirement.key.clone(), value: value.clone(), is_equal })
        }
        values => {
            let shown = BadValue::Verbatim(json_list(values));
            Err(vec![Error::invalid(&path.child("values"), shown, "must have one element")])
        }
    }
}

fn unknown_operator(requirement: &NodeSelectorRequirement, path: &Path<'_>, known: &[&str]) -> ErrorList {
    let operator = BadValue::json_string(&requirement.operator);
    vec![Error::not_supported(&path.child("operator"), operator, known)]
}
