//! One condition on one label: a key, an operator and values.
//!
//! # Source
//! apimachinery `pkg/labels/selector.go` (`Requirement`)

use std::collections::BTreeMap;

use plimsoll_api::field::{self, BadValue, ErrorList, Path};
use plimsoll_api::names;
use plimsoll_api::quote::go_json_string;

/// The labels of an object.
pub type Labels = BTreeMap<String, String>;

/// How a label's value relates to the values of a [`Requirement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operator {
    /// The label is there and has one of the values.
    In,
    /// The label is not there or has none of the values.
    NotIn,
    /// The label is there.
    Exists,
    /// The label is not there.
    DoesNotExist,
    /// The label is an integer greater than the only value.
    Gt,
    /// The label is an integer less than the only value.
    Lt,
}

impl Operator {
    /// Reads the operator of a label selector or scope selector, which knows neither `Gt` nor `Lt`.
    pub fn from_set_operator(word: &str) -> Option<Self> {
        match word {
            "In" => Some(Self::In),
            "NotIn" => Some(Self::NotIn),
            "Exists" => Some(Self::Exists),
            "DoesNotExist" => Some(Self::DoesNotExist),
            _ => None,
        }
    }

    /// Reads the operator of a node selector, which also knows `Gt` and `Lt`.
    pub fn from_node_operator(word: &str) -> Option<Self> {
        match word {
            "Gt" => Some(Self::Gt),
            "Lt" => Some(Self::Lt),
            _ => Self::from_set_operator(word),
        }
    }
}

/// A condition on one label that has been checked.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Requirement {
    key: String,
    test: Test,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Test {
    In(Vec<String>),
    NotIn(Vec<String>),
    Exists,
    DoesNotExist,
    Gt(i64),
    Lt(i64),
}

/// A condition that can't be used, with all that is wrong with it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", field::aggregate(.errors))]
pub struct InvalidRequirement {
    /// One entry a fault; never empty.
    pub errors: ErrorList,
}

impl Requirement {
    /// Checks a condition. `values` is `None` where the field was absent, which messages show as `null` and not `[]`.
    ///
    /// # Errors
    /// The key or a value is malformed, or the operator takes another number or type of values.
    ///
    /// # Source
    /// apimachinery `pkg/labels/selector.go` (`NewRequirement`)
    pub fn new(
        key: &str,
        operator: Operator,
        values: Option<Vec<String>>,
    ) -> Result<Self, InvalidRequirement> {
        Self::checked(&Path::root("key"), &Path::root("values"), key, operator, values)
    }

    /// Checks a condition that stands at `path`, as [`Requirement::new`] does; messages name the fields below `path`.
    ///
    /// # Errors
    /// As [`Requirement::new`].
    ///
    /// # Source
    /// apimachinery `pkg/labels/selector.go` (`NewRequirement` with `field.WithPath`)
    pub fn new_at(
        path: &Path<'_>,
        key: &str,
        operator: Operator,
        values: Option<Vec<String>>,
    ) -> Result<Self, InvalidRequirement> {
        Self::checked(&path.child("key"), &path.child("values"), key, operator, values)
    }

    /// The condition that a label has exactly this value; nothing is checked.
    pub(crate) fn equals(key: &str, value: &str) -> Self {
        Self { key: key.to_owned(), test: Test::In(vec![value.to_owned()]) }
    }

    fn checked(
        key_path: &Path<'_>,
        values_path: &Path<'_>,
        key: &str,
        operator: Operator,
        values: Option<Vec<String>>,
    ) -> Result<Self, InvalidRequirement> {
        let mut errors = key_errors(key_path, key);
        errors.extend(count_errors(values_path, operator, values.as_deref()));
        let values = values.unwrap_or_default();
        let mut bound = 0;
        if matches!(operator, Operator::Gt | Operator::Lt) {
            for (index, value) in values.iter().enumerate() {
                match value.parse() {
                    Ok(number) => bound = number,
                    Err(_) => errors.push(field::Error::invalid(
                        &values_path.index(index),
                        value,
                        "for 'Gt', 'Lt' operators, the value must be an integer",
                    )),
                }
            }
        }
        errors.extend(value_errors(values_path, key, &values));
        if !errors.is_empty() {
            return Err(InvalidRequirement { errors });
        }
        let test = match operator {
            Operator::In => Test::In(values),
            Operator::NotIn => Test::NotIn(values),
            Operator::Exists => Test::Exists,
            Operator::DoesNotExist => Test::DoesNotExist,
            Operator::Gt => Test::Gt(bound),
            Operator::Lt => Test::Lt(bound),
        };
        Ok(Self { key: key.to_owned(), test })
    }

    /// The key of the label that the condition is about.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The operator; an exact value is [`Operator::In`].
    pub fn operator(&self) -> Operator {
        match self.test {
            Test::In(_) => Operator::In,
            Test::NotIn(_) => Operator::NotIn,
            Test::Exists => Operator::Exists,
            Test::DoesNotExist => Operator::DoesNotExist,
            Test::Gt(_) => Operator::Gt,
            Test::Lt(_) => Operator::Lt,
        }
    }

    /// The values of [`Operator::In`] and [`Operator::NotIn`] in the order given; empty for all others.
    pub fn values(&self) -> &[String] {
        match &self.test {
            Test::In(values) | Test::NotIn(values) => values,
            _ => &[],
        }
    }

    /// Whether labels meet the condition.
    pub fn matches(&self, labels: &Labels) -> bool {
        self.matches_value(labels.get(&self.key).map(String::as_str))
    }

    /// Whether the value of the label [`Requirement::key`], or its absence, meets the condition.
    ///
    /// # Source
    /// apimachinery `pkg/labels/selector.go` (`Requirement.Matches`)
    pub fn matches_value(&self, value: Option<&str>) -> bool {
        let integer = || value.and_then(|value| value.parse::<i64>().ok());
        match &self.test {
            Test::In(values) => value.is_some_and(|value| values.iter().any(|known| known == value)),
            Test::NotIn(values) => value.is_none_or(|value| values.iter().all(|known| known != value)),
            Test::Exists => value.is_some(),
            Test::DoesNotExist => value.is_none(),
            Test::Gt(bound) => integer().is_some_and(|number| number > *bound),
            Test::Lt(bound) => integer().is_some_and(|number| number < *bound),
        }
    }
}

fn key_errors(path: &Path<'_>, key: &str) -> ErrorList {
    if names::is_qualified_name(key) {
        return ErrorList::new();
    }
    vec![field::Error::invalid(path, key, names::qualified_name(key).join("; "))]
}

fn count_errors(path: &Path<'_>, operator: Operator, values: Option<&[String]>) -> ErrorList {
    let count = values.map_or(0, <[String]>::len);
    let detail = match operator {
        Operator::In | Operator::NotIn if count == 0 => {
            "for 'in', 'notin' operators, values set can't be empty"
        }
        Operator::Exists | Operator::DoesNotExist if count != 0 => {
            "values set must be empty for exists and does not exist"
        }
        Operator::Gt | Operator::Lt if count != 1 => {
            "for 'Gt', 'Lt' operators, exactly one value is required"
        }
        _ => return ErrorList::new(),
    };
    vec![field::Error::invalid(path, BadValue::Verbatim(json_list(values)), detail)]
}

fn value_errors(path: &Path<'_>, key: &str, values: &[String]) -> ErrorList {
    let mut errors = ErrorList::new();
    for (index, value) in values.iter().enumerate() {
        let faults = names::label_value(value);
        if !faults.is_empty() {
            errors.push(field::Error::invalid(&path.index(index).key(key), value, faults.join("; ")));
        }
    }
    errors
}

/// A list of texts as Go marshals it: the nil slice is `null`.
pub(crate) fn json_list(values: Option<&[String]>) -> String {
    let Some(values) = values else {
        return "null".to_owned();
    };
    let texts: Vec<String> = values.iter().map(|value| go_json_string(value)).collect();
    format!("[{}]", texts.join(","))
}
