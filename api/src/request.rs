//! What is common to all requests that admission looks at.

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    /// It stores a new object.
    Create,
    /// It replaces or patches an object, or one of its subresources.
    Update,
    /// It removes an object.
    Delete,
    /// It opens a connection to an object.
    Connect,
}

/// The name by which a refusal calls an object: that of the request, else of the object, else the beginning of a name
/// that is still to be generated.
///
/// # Source
/// apiserver `pkg/admission/errors.go` (`extractResourceName`)
pub fn display_name<'a>(request: &'a str, name: Option<&'a str>, generate_name: Option<&'a str>) -> &'a str {
    let known = [Some(request), name, generate_name];
    known.into_iter().flatten().find(|name| !name.is_empty()).unwrap_or("Unknown")
}

#[cfg(test)]
mod tests {
    use super::display_name;

    #[test]
    fn calls_an_object_by_the_first_name_it_has() {
        assert_eq!(display_name("a", Some("b"), Some("c-")), "a");
        assert_eq!(display_name("", Some(""), Some("c-")), "c-");
        assert_eq!(display_name("", None, None), "Unknown");
    }
}
