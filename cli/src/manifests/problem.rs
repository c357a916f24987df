//! What is wrong with a manifest, so that the user finds the place.

use std::fmt;

use serde_json::Value;

/// One fault: where it is, what is wrong, and how it may be mended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problem {
    /// The file.
    pub source: String,
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// The object: its kind and name.
    pub object: Option<String>,
    /// The path of the field.
    pub field: Option<String>,
    /// What is wrong.
    pub message: String,
    /// What may have been meant.
    pub hint: Option<String>,
}

impl Problem {
    /// A fault at a place of a text.
    pub fn new(source: &str, line: Option<usize>, message: String) -> Self {
        Self { source: source.to_owned(), line, message, ..Self::default() }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.source)?;
        if let Some(line) = self.line {
            write!(formatter, ":{line}")?;
        }
        if let Some(object) = &self.object {
            write!(formatter, ": {object}")?;
        }
        if let Some(field) = &self.field {
            write!(formatter, ": {field}")?;
        }
        write!(formatter, ": {}", self.message)?;
        if let Some(hint) = &self.hint {
            write!(formatter, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// An object as messages name it: its kind, namespace and name, as far as they are known.
pub fn describe(value: &Value) -> Option<String> {
    let kind = value.get("kind")?.as_str()?;
    let metadata = value.get("metadata");
    let text = |field: &str| metadata.and_then(|metadata| metadata.get(field)).and_then(Value::as_str);
    let name = text("name").or_else(|| text("generateName"));
    Some(match (text("namespace"), name) {
        (Some(namespace), Some(name)) => format!("{kind} {namespace}/{name}"),
        (None, Some(name)) => format!("{kind} {name}"),
        (_, None) => kind.to_owned(),
    })
}
