//! Which kind of object, in the two spellings that messages use.

use std::fmt;

/// A resource of an API group, as in `deployments.apps`; the core group is the empty text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupResource {
    /// The API group; empty for the core group.
    pub group: String,
    /// The plural, lower-case resource name.
    pub resource: String,
}

/// A kind of an API group, as in `Deployment.apps`; the core group is the empty text.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct GroupKind {
    /// The API group; empty for the core group.
    pub group: String,
    /// The kind in camel case.
    pub kind: String,
}

impl GroupResource {
    /// Names a resource of a group.
    pub fn new(group: &str, resource: &str) -> Self {
        Self { group: group.to_owned(), resource: resource.to_owned() }
    }

    /// Reads what [`Display`](fmt::Display) writes: `pods` or `deployments.apps`; a resource has no dot in its own name.
    ///
    /// # Source
    /// apimachinery `pkg/runtime/schema` (`ParseGroupResource`)
    pub fn parse(text: &str) -> Self {
        let (resource, group) = text.split_once('.').unwrap_or((text, ""));
        Self::new(group, resource)
    }
}

impl GroupKind {
    /// Names a kind of a group.
    pub fn new(group: &str, kind: &str) -> Self {
        Self { group: group.to_owned(), kind: kind.to_owned() }
    }
}

impl fmt::Display for GroupResource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_qualified(formatter, &self.resource, &self.group)
    }
}

impl fmt::Display for GroupKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_qualified(formatter, &self.kind, &self.group)
    }
}

fn write_qualified(formatter: &mut fmt::Formatter<'_>, name: &str, group: &str) -> fmt::Result {
    if group.is_empty() { formatter.write_str(name) } else { write!(formatter, "{name}.{group}") }
}
