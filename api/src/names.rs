//! The formats that names, label keys, label values and the like must have, and what upstream says if they do not.
//!
//! Each check returns one text for each rule broken; an empty list means the value is well-formed.
//!
//! # Source
//! apimachinery `pkg/util/validation` and `pkg/api/validate/content`

/// The longest DNS subdomain, in bytes.
pub const DNS_1123_SUBDOMAIN_MAX_LENGTH: usize = 253;
/// The longest DNS label, label value and name part of a label key, in bytes.
pub const DNS_1123_LABEL_MAX_LENGTH: usize = 63;

const LABEL_KEY_FORMAT: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";
const DNS_1123_LABEL_FORMAT: &str = "[a-z0-9]([-a-z0-9]*[a-z0-9])?";

/// Whether a value is a lower-case RFC 1123 label, such as the name of a namespace or a container.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsDNS1123Label`)
pub fn dns_1123_label(value: &str) -> Vec<String> {
    label_errors(value, max_characters(value, DNS_1123_LABEL_MAX_LENGTH))
}

/// What keeps a text from being a DNS label, in the words of the rules that upstream declares on its types.
///
/// # Source
/// apimachinery `pkg/api/validate` (`ShortName`)
pub fn short_name(value: &str) -> Vec<String> {
    label_errors(value, max_bytes(value, DNS_1123_LABEL_MAX_LENGTH))
}

fn label_errors(value: &str, mut errors: Vec<String>) -> Vec<String> {
    if !is_dns_1123_label(value) {
        if is_dns_1123_subdomain(value) {
            errors.push("must not contain dots".to_owned());
        } else {
            errors.push(format_error(
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
                DNS_1123_LABEL_FORMAT,
                &["my-name", "123-abc"],
            ));
        }
    }
    errors
}

/// Whether a value is a lower-case RFC 1123 subdomain, such as the name of most objects.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsDNS1123Subdomain`)
pub fn dns_1123_subdomain(value: &str) -> Vec<String> {
    let mut errors = max_characters(value, DNS_1123_SUBDOMAIN_MAX_LENGTH);
    errors.extend(dns_1123_subdomain_format(value));
    errors
}

fn dns_1123_subdomain_format(value: &str) -> Option<String> {
    (!is_dns_1123_subdomain(value)).then(|| {
        format_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
            &format!("{DNS_1123_LABEL_FORMAT}(\\.{DNS_1123_LABEL_FORMAT})*"),
            &["example.com"],
        )
    })
}

/// Whether a value is an RFC 1035 label, such as the name of a Service.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsDNS1035Label`)
pub fn dns_1035_label(value: &str) -> Vec<String> {
    let mut errors = max_characters(value, DNS_1123_LABEL_MAX_LENGTH);
    let well_formed = value.starts_with(|c: char| c.is_ascii_lowercase()) && is_dns_1123_label(value);
    if !well_formed {
        errors.push(format_error(
            "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
            "[a-z]([-a-z0-9]*[a-z0-9])?",
            &["my-name", "abc-123"],
        ));
    }
    errors
}

/// Whether a value is a qualified name: an optional DNS subdomain and `/`, then a name of at most 63 bytes. Label keys,
/// annotation keys, taint keys and resource names have this form.
///
/// # Source
/// apimachinery `pkg/api/validate/content` (`IsLabelKey`, also known as `IsQualifiedName`)
pub fn qualified_name(value: &str) -> Vec<String> {
    const RULE: &str = "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character";
    const EXAMPLES: [&str; 3] = ["MyName", "my.name", "123-abc"];

    let mut errors = Vec::new();
    let mut parts = value.split('/');
    let (prefix, name) = match (parts.next(), parts.next(), parts.next()) {
        (Some(name), None, _) => (None, name),
        (Some(prefix), Some(name), None) => (Some(prefix), name),
        _ => {
            let rule = format_error(&format!("a valid label key {RULE}"), LABEL_KEY_FORMAT, &EXAMPLES);
            return vec![format!(
                "{rule} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            )];
        }
    };
    match prefix {
        Some("") => errors.push("prefix part must be non-empty".to_owned()),
        Some(prefix) => {
            let faults = max_bytes(prefix, DNS_1123_SUBDOMAIN_MAX_LENGTH).into_iter();
            let faults = faults.chain(dns_1123_subdomain_format(prefix));
            errors.extend(faults.map(|error| format!("prefix part {error}")));
        }
        None => {}
    }
    if name.is_empty() {
        errors.push("name part must be non-empty".to_owned());
    }
    errors.extend(
        max_bytes(name, DNS_1123_LABEL_MAX_LENGTH).into_iter().map(|error| format!("name part {error}")),
    );
    if !is_label_name(name) {
        errors.push(format_error(&format!("name part {RULE}"), LABEL_KEY_FORMAT, &EXAMPLES));
    }
    errors
}

/// Whether a value is a qualified name, without saying what is wrong; see [`qualified_name`].
pub fn is_qualified_name(value: &str) -> bool {
    let (prefix, name) = match value.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, value),
    };
    let prefix_fits = prefix
        .is_none_or(|prefix| prefix.len() <= DNS_1123_SUBDOMAIN_MAX_LENGTH && is_dns_1123_subdomain(prefix));
    prefix_fits && name.len() <= DNS_1123_LABEL_MAX_LENGTH && is_label_name(name)
}

/// Whether a value may be the value of a label.
///
/// # Source
/// apimachinery `pkg/api/validate/content` (`IsLabelValue`)
pub fn label_value(value: &str) -> Vec<String> {
    let mut errors = max_bytes(value, DNS_1123_LABEL_MAX_LENGTH);
    if !value.is_empty() && !is_label_name(value) {
        errors.push(format_error(
            "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
            &format!("({LABEL_KEY_FORMAT})?"),
            &["MyValue", "my_value", "12345"],
        ));
    }
    errors
}

/// Whether a name may be a segment of a URL path, the least that any object's name must be.
///
/// # Source
/// apimachinery `pkg/api/validate/content` (`IsPathSegmentName`)
pub fn path_segment_name(name: &str) -> Vec<String> {
    if name == "." || name == ".." {
        return vec![format!("may not be '{name}'")];
    }
    ["/", "%"]
        .into_iter()
        .filter(|illegal| name.contains(illegal))
        .map(|illegal| format!("may not contain '{illegal}'"))
        .collect()
}

/// Whether a value may name a port.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsValidPortName`)
pub fn port_name(value: &str) -> Vec<String> {
    let mut errors = max_characters(value, 15);
    let in_character_set = |b: u8| b == b'-' || b.is_ascii_lowercase() || b.is_ascii_digit();
    if value.is_empty() || !value.bytes().all(in_character_set) {
        errors.push("must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)".to_owned());
    }
    if !value.bytes().any(|b| b.is_ascii_lowercase()) {
        errors.push("must contain at least one letter (a-z)".to_owned());
    }
    if value.contains("--") {
        errors.push("must not contain consecutive hyphens".to_owned());
    }
    if value.starts_with('-') || value.ends_with('-') {
        errors.push("must not begin or end with a hyphen".to_owned());
    }
    errors
}

/// Whether a value is a lower-case RFC 1123 subdomain in which underscores count as letters, such as a DNS search path.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsDNS1123SubdomainWithUnderscore`)
pub fn dns_1123_subdomain_with_underscore(value: &str) -> Vec<String> {
    const LABEL: &str = "_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?";
    let mut errors = max_characters(value, DNS_1123_SUBDOMAIN_MAX_LENGTH);
    let edge = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_label = |label: &str| {
        let label = label.strip_prefix('_').unwrap_or(label);
        framed(label, edge, |b| edge(b) || matches!(b, b'-' | b'_'))
    };
    if !value.split('.').all(is_label) {
        errors.push(format_error(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
            &format!("{LABEL}(\\.{LABEL})*"),
            &["example.com"],
        ));
    }
    errors
}

/// Whether a value may name an environment variable.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsRelaxedEnvVarName`)
pub fn environment_variable_name(value: &str) -> Vec<String> {
    if value.is_empty() {
        return vec!["environment variable name must be non-empty".to_owned()];
    }
    if value.bytes().all(|b| (b == b' ' || b.is_ascii_graphic()) && b != b'=') {
        return Vec::new();
    }
    vec![
        "a valid environment variable name must consist only of printable ASCII characters other than '='"
            .to_owned(),
    ]
}

/// Whether a value may be a key of a ConfigMap or Secret.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsConfigMapKey`)
pub fn config_map_key(value: &str) -> Vec<String> {
    let mut errors = max_characters(value, DNS_1123_SUBDOMAIN_MAX_LENGTH);
    if value.is_empty()
        || !value.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_'))
    {
        errors.push(format_error(
            "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
            "[-._a-zA-Z0-9]+",
            &["key.name", "KEY_NAME", "key-name"],
        ));
    }
    match value {
        "." => errors.push("must not be '.'".to_owned()),
        ".." => errors.push("must not be '..'".to_owned()),
        _ if value.starts_with("..") => errors.push("must not start with '..'".to_owned()),
        _ => {}
    }
    errors
}

/// Whether a value may be the name of an HTTP header.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsHTTPHeaderName`)
pub fn http_header_name(value: &str) -> Vec<String> {
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        return Vec::new();
    }
    vec![format_error(
        "a valid HTTP header must consist of alphanumeric characters or '-'",
        "[-A-Za-z0-9]+",
        &["X-Header-Name"],
    )]
}

/// Whether a number may be the id of a user or group.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsValidUserID`, `IsValidGroupID`)
pub fn user_id(id: i64) -> Vec<String> {
    in_range(id, 0, i64::from(i32::MAX))
}

/// Whether a number is a port; upstream says the same of each.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsValidPortNum`)
pub fn port_number(port: i32) -> Vec<String> {
    in_range(i64::from(port), 1, 65_535)
}

/// Whether a number lies between two bounds, both included.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsInRange`)
pub fn in_range(value: i64, low: i64, high: i64) -> Vec<String> {
    if (low..=high).contains(&value) {
        Vec::new()
    } else {
        vec![format!("must be between {low} and {high}, inclusive")]
    }
}

/// Whether a text is a percentage, such as `25%`.
///
/// # Source
/// apimachinery `pkg/util/validation` (`IsValidPercent`)
pub fn percent(value: &str) -> Vec<String> {
    let well_formed = value
        .strip_suffix('%')
        .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
    if well_formed {
        Vec::new()
    } else {
        vec![format_error(
            "a valid percent string must be a numeric string followed by an ending '%'",
            "[0-9]+%",
            &["1%", "93%"],
        )]
    }
}

/// The text for a value that does not have the form of a regular expression.
///
/// # Source
/// apimachinery `pkg/util/validation` (`RegexError`)
pub fn format_error(rule: &str, format: &str, examples: &[&str]) -> String {
    if examples.is_empty() {
        return format!("{rule} (regex used for validation is '{format}')");
    }
    let examples: Vec<String> = examples.iter().map(|example| format!("'{example}', ")).collect();
    format!("{rule} (e.g. {}regex used for validation is '{format}')", examples.join(" or "))
}

fn max_bytes(value: &str, length: usize) -> Vec<String> {
    if value.len() > length { vec![format!("must be no more than {length} bytes")] } else { Vec::new() }
}

/// Counts bytes as [`max_bytes`] does; upstream words it differently outside of label keys and values.
fn max_characters(value: &str, length: usize) -> Vec<String> {
    if value.len() > length { vec![format!("must be no more than {length} characters")] } else { Vec::new() }
}

fn is_dns_1123_label(value: &str) -> bool {
    let alphanumeric = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    framed(value, alphanumeric, |b| alphanumeric(b) || b == b'-')
}

fn is_dns_1123_subdomain(value: &str) -> bool {
    value.split('.').all(is_dns_1123_label)
}

fn is_label_name(value: &str) -> bool {
    framed(
        value,
        |b| b.is_ascii_alphanumeric(),
        |b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.'),
    )
}

/// Whether a value is not empty, begins and ends with a byte of `edge`, and has only bytes of `inner` between.
fn framed(value: &str, edge: impl Fn(u8) -> bool, inner: impl Fn(u8) -> bool) -> bool {
    match value.as_bytes() {
        [] => false,
        [only] => edge(*only),
        [first, middle @ .., last] => edge(*first) && edge(*last) && middle.iter().all(|b| inner(*b)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_what_upstream_accepts() {
        for name in ["a", "a-b", "0a.b-c.d", &"a".repeat(63)] {
            assert_eq!(dns_1123_subdomain(name), Vec::<String>::new(), "{name}");
        }
        for name in ["cpu", "example.com/gpu", "A_b.c", "kubernetes.io/x"] {
            assert_eq!(qualified_name(name), Vec::<String>::new(), "{name}");
            assert!(is_qualified_name(name));
        }
        assert!(label_value("").is_empty() && port_name("http").is_empty() && percent("5%").is_empty());
    }

    #[test]
    fn says_what_is_wrong() {
        assert_eq!(
            dns_1123_label("A"),
            [
                "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')"
            ]
        );
        assert_eq!(dns_1123_label("a.b"), ["must not contain dots"]);
        assert_eq!(dns_1123_label(&"a".repeat(64)), ["must be no more than 63 characters"]);
        assert_eq!(qualified_name("/x"), ["prefix part must be non-empty"]);
        assert_eq!(qualified_name("a/").len(), 2);
        assert_eq!(qualified_name("a/b/c").len(), 1);
        assert_eq!(path_segment_name("a/b%"), ["may not contain '/'", "may not contain '%'"]);
        assert_eq!(port_number(0), ["must be between 1 and 65535, inclusive"]);
        assert_eq!(port_name("-").len(), 2);
    }

    #[test]
    fn both_forms_of_the_qualified_name_check_agree() {
        for value in ["", "/", "a/", "/a", "a/b/c", "-a", "a-", "A/b", "a.b/c_d", &"x".repeat(64), "é", "a b"]
        {
            assert_eq!(is_qualified_name(value), qualified_name(value).is_empty(), "{value}");
        }
    }
}
