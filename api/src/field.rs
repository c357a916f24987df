//! Paths to fields and what is wrong with a field, in upstream's words.
//!
//! # Source
//! apimachinery `pkg/util/validation/field`

use std::fmt;

use crate::quote::{go_json_string, go_quote};

/// The path to a field. It borrows its parent and allocates nothing until it is printed, so that
/// checking a valid object costs no path at all.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    element: Element<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Element<'a> {
    Name(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// A path of one name.
    pub fn root(name: &'a str) -> Self {
        Self { parent: None, element: Element::Name(name) }
    }

    /// The element `index` of a list that has no path itself.
    pub fn root_index(index: usize) -> Self {
        Self { parent: None, element: Element::Index(index) }
    }

    /// The field `name` of the object at this path.
    pub fn child(&'a self, name: &'a str) -> Self {
        Self { parent: Some(self), element: Element::Name(name) }
    }

    /// The element `index` of the list at this path.
    pub fn index(&'a self, index: usize) -> Self {
        Self { parent: Some(self), element: Element::Index(index) }
    }

    /// The entry `key` of the map at this path.
    pub fn key(&'a self, key: &'a str) -> Self {
        Self { parent: Some(self), element: Element::Key(key) }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(formatter)?;
        }
        match self.element {
            // Upstream takes what has no name for an index.
            Element::Name("") => formatter.write_str("[]"),
            Element::Name(name) if self.parent.is_some() => write!(formatter, ".{name}"),
            Element::Name(name) => formatter.write_str(name),
            Element::Index(index) => write!(formatter, "[{index}]"),
            Element::Key(key) => write!(formatter, "[{key}]"),
        }
    }
}

/// What kind of fault a field has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// A reference or name leads nowhere.
    NotFound,
    /// The field has to be set.
    Required,
    /// The value stands there twice.
    Duplicate,
    /// The value is malformed or out of bounds.
    Invalid,
    /// The value is none of a closed list.
    NotSupported,
    /// The field may not be set here.
    Forbidden,
    /// The text or object is too long.
    TooLong,
    /// The list is too long.
    TooMany,
    /// The list is too short.
    TooFew,
    /// The check itself failed.
    Internal,
    /// The value has the wrong type.
    TypeInvalid,
    /// The text is too short.
    TooShort,
}

impl ErrorKind {
    /// The machine-readable word, as in `Status.details.causes[].reason`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "FieldValueNotFound",
            Self::Required => "FieldValueRequired",
            Self::Duplicate => "FieldValueDuplicate",
            Self::Invalid => "FieldValueInvalid",
            Self::NotSupported => "FieldValueNotSupported",
            Self::Forbidden => "FieldValueForbidden",
            Self::TooLong => "FieldValueTooLong",
            Self::TooMany => "FieldValueTooMany",
            Self::TooFew => "FieldValueTooFew",
            Self::Internal => "InternalError",
            Self::TypeInvalid => "FieldValueTypeInvalid",
            Self::TooShort => "FieldValueTooShort",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::NotFound => "Not found",
            Self::Required => "Required value",
            Self::Duplicate => "Duplicate value",
            Self::Invalid | Self::TypeInvalid => "Invalid value",
            Self::NotSupported => "Unsupported value",
            Self::Forbidden => "Forbidden",
            Self::TooLong => "Too long",
            Self::TooMany => "Too many",
            Self::TooFew => "Too few",
            Self::Internal => "Internal error",
            Self::TooShort => "Too short",
        }
    }
}

/// The value found in a bad field, in the form in which the message shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadValue {
    /// Not shown.
    Omitted,
    /// A text, shown quoted.
    Text(String),
    /// A number, a boolean or ready JSON, shown as it is.
    Verbatim(String),
}

impl BadValue {
    /// A text that upstream holds in a type with its own JSON form, such as a quantity or a named string.
    pub fn json_string(text: &str) -> Self {
        Self::Verbatim(go_json_string(text))
    }
}

impl From<&str> for BadValue {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for BadValue {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<String> for BadValue {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

macro_rules! verbatim {
    ($($number:ty),*) => {$(
        impl From<$number> for BadValue {
            fn from(value: $number) -> Self {
                Self::Verbatim(value.to_string())
            }
        }
    )*};
}
verbatim!(i32, i64, u16, u32, u64, usize, bool);

/// All that is wrong with an object; empty if it is valid.
pub type ErrorList = Vec<Error>;

/// One bad field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What kind of fault.
    pub kind: ErrorKind,
    /// The path of the field.
    pub field: String,
    /// The value found.
    pub bad_value: BadValue,
    /// What would be right; may be empty.
    pub detail: String,
}

impl Error {
    fn new(kind: ErrorKind, field: &Path<'_>, bad_value: BadValue, detail: String) -> Self {
        Self { kind, field: field.to_string(), bad_value, detail }
    }

    /// The field has to be set.
    pub fn required(field: &Path<'_>, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Required, field, BadValue::Omitted, detail.into())
    }

    /// The value is malformed or out of bounds.
    pub fn invalid(field: &Path<'_>, value: impl Into<BadValue>, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Invalid, field, value.into(), detail.into())
    }

    /// The value has the wrong type.
    pub fn type_invalid(field: &Path<'_>, value: impl Into<BadValue>, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::TypeInvalid, field, value.into(), detail.into())
    }

    /// The value stands there twice.
    pub fn duplicate(field: &Path<'_>, value: impl Into<BadValue>) -> Self {
        Self::new(ErrorKind::Duplicate, field, value.into(), String::new())
    }

    /// A reference or name leads nowhere.
    pub fn not_found(field: &Path<'_>, value: impl Into<BadValue>) -> Self {
        Self::new(ErrorKind::NotFound, field, value.into(), String::new())
    }

    /// The value is none of `supported`, which upstream lists in the order given.
    pub fn not_supported(field: &Path<'_>, value: impl Into<BadValue>, supported: &[&str]) -> Self {
        let detail = if supported.is_empty() {
            String::new()
        } else {
            let quoted: Vec<String> = supported.iter().map(|value| go_quote(value)).collect();
            format!("supported values: {}", quoted.join(", "))
        };
        Self::new(ErrorKind::NotSupported, field, value.into(), detail)
    }

    /// The field may not be set here.
    pub fn forbidden(field: &Path<'_>, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Forbidden, field, BadValue::Omitted, detail.into())
    }

    /// The text is longer than `max_length` bytes.
    pub fn too_long(field: &Path<'_>, max_length: usize) -> Self {
        let unit = if max_length == 1 { "byte" } else { "bytes" };
        let detail = format!("may not be more than {max_length} {unit}");
        Self::new(ErrorKind::TooLong, field, BadValue::Omitted, detail)
    }

    /// The list has `actual` elements, more than `max`.
    pub fn too_many(field: &Path<'_>, actual: usize, max: usize) -> Self {
        let unit = if max == 1 { "item" } else { "items" };
        Self::new(ErrorKind::TooMany, field, actual.into(), format!("must have at most {max} {unit}"))
    }

    /// The check itself failed.
    pub fn internal(field: &Path<'_>, detail: impl Into<String>) -> Self {
        Self::new(ErrorKind::Internal, field, BadValue::Omitted, detail.into())
    }

    /// The message without the path of the field.
    pub fn body(&self) -> String {
        let shows_value = matches!(
            self.kind,
            ErrorKind::Invalid
                | ErrorKind::TypeInvalid
                | ErrorKind::NotSupported
                | ErrorKind::NotFound
                | ErrorKind::Duplicate
                | ErrorKind::TooMany
                | ErrorKind::TooFew
        );
        let mut body = self.kind.words().to_owned();
        match &self.bad_value {
            BadValue::Text(text) if shows_value => {
                body.push_str(": ");
                body.push_str(&go_quote(text));
            }
            BadValue::Verbatim(text) if shows_value => {
                body.push_str(": ");
                body.push_str(text);
            }
            _ => {}
        }
        if !self.detail.is_empty() {
            body.push_str(": ");
            body.push_str(&self.detail);
        }
        body
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.field, self.body())
    }
}

/// All faults of an object as one text, each once: a single one bare, several as `[a, b]`.
///
/// # Source
/// apimachinery `pkg/util/validation/field` (`ErrorList.ToAggregate`)
pub fn aggregate(errors: &ErrorList) -> String {
    let messages: Vec<String> = errors.iter().map(Error::to_string).collect();
    crate::aggregate::aggregate(&messages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_paths_with_names_indexes_and_keys() {
        let root = Path::root("spec");
        let limits = root.child("limits");
        let item = limits.index(2);
        let min = item.child("min");
        assert_eq!(min.key("cpu").to_string(), "spec.limits[2].min[cpu]");
    }

    #[test]
    fn words_each_kind_as_upstream_does() {
        let path = Path::root("a");
        let check = |error: Error, expected: &str| assert_eq!(error.to_string(), expected);
        check(Error::required(&path, ""), "a: Required value");
        check(Error::invalid(&path, "x\"", "why"), r#"a: Invalid value: "x\"": why"#);
        check(Error::invalid(&path, -1_i64, "why"), "a: Invalid value: -1: why");
        check(Error::invalid(&path, BadValue::json_string("1Gi"), "why"), r#"a: Invalid value: "1Gi": why"#);
        check(Error::duplicate(&path, "x"), r#"a: Duplicate value: "x""#);
        check(
            Error::not_supported(&path, "x", &["A", "B"]),
            r#"a: Unsupported value: "x": supported values: "A", "B""#,
        );
        check(Error::forbidden(&path, "no"), "a: Forbidden: no");
        check(Error::too_long(&path, 63), "a: Too long: may not be more than 63 bytes");
        check(Error::too_many(&path, 9, 8), "a: Too many: 9: must have at most 8 items");
    }
}
