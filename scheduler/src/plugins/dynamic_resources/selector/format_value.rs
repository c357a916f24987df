//! Forms that texts can have, by name, in expressions.
//!
//! # Source
//! k8s.io/apiserver `pkg/cel/library/format.go`

use std::sync::LazyLock;

use cel::common::types::{CelList, CelOptional, CelString, STRING_TYPE};
use cel::common::value::{CowVal, Val};
use cel::{DeclarationError, Env, ExecutionError};
use plimsoll_api::names;
use regex::Regex;

use super::list_functions::no_such_overload;
use super::opaque_value::opaque_value;
use super::url_value::parse_request_uri;

/// # Source
/// k8s.io/kube-openapi `pkg/validation/strfmt/default.go` (`UUIDPattern`)
static UUID: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new("(?i)^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$").ok()
});
/// # Source
/// k8s.io/kube-openapi `pkg/internal/third_party/govalidator/patterns.go` (`Base64`)
static BASE64: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new("^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$").ok()
});
/// # Source
/// k8s.io/kube-openapi `pkg/validation/strfmt/time.go` (`DateTimePattern`)
static TIME: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let hours = "(?:[01][0-9]|2[0-3])";
    Regex::new(&format!("^{hours}:[0-5][0-9]:[0-5][0-9](.[0-9]+)?(z|([+-][0-9]{{2}}:[0-9]{{2}}))$")).ok()
});

/// What is wrong with a text.
type Validate = fn(&str) -> Vec<String>;

/// A form, and the function that makes it.
#[derive(Clone, Copy, Debug)]
struct Format {
    name: &'static str,
    validate: Validate,
}

/// All forms.
const FORMATS: [Format; 13] = [
    Format { name: "dns1123Label", validate: names::dns_1123_label },
    Format { name: "dns1123Subdomain", validate: names::dns_1123_subdomain },
    Format { name: "dns1035Label", validate: names::dns_1035_label },
    Format { name: "qualifiedName", validate: names::qualified_name },
    Format { name: "dns1123LabelPrefix", validate: |text| names::dns_1123_label(&prefix(text)) },
    Format { name: "dns1123SubdomainPrefix", validate: |text| names::dns_1123_subdomain(&prefix(text)) },
    Format { name: "dns1035LabelPrefix", validate: |text| names::dns_1035_label(&prefix(text)) },
    Format { name: "labelValue", validate: names::label_value },
    Format { name: "uri", validate: |text| parse_request_uri(text).err().into_iter().collect() },
    Format { name: "uuid", validate: |text| unless(is_match(&UUID, text), "does not match the UUID format") },
    Format { name: "byte", validate: |text| unless(is_match(&BASE64, text), "invalid base64") },
    Format { name: "date", validate: |text| unless(is_date(text), "invalid date") },
    Format { name: "datetime", validate: |text| unless(is_date_time(text), "invalid datetime") },
];

/// Whether a name behind `format.` is that of a function.
pub(super) fn is_function(name: &str) -> bool {
    name == "named" || FORMATS.iter().any(|format| format.name == name)
}

fn unless(is_fine: bool, problem: &str) -> Vec<String> {
    if is_fine { Vec::new() } else { vec![problem.to_owned()] }
}

fn is_match(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// A name to which something may be added: a dash at its end is fine.
///
/// # Source
/// k8s.io/apimachinery `pkg/api/validation/generic.go` (`maskTrailingDash`)
fn prefix(name: &str) -> String {
    match name.strip_suffix('-') {
        // The byte before the dash goes as well.
        Some(before) if !before.is_empty() => {
            let kept = &before.as_bytes()[..before.len() - 1];
            String::from_utf8_lossy(kept).into_owned() + "a"
        }
        _ => name.to_owned(),
    }
}

fn is_date(text: &str) -> bool {
    let has_form = text.len() == 10 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    has_form && text.parse::<jiff::civil::Date>().is_ok()
}

fn is_date_time(text: &str) -> bool {
    let text = text.to_lowercase();
    let mut parts = text.split('t');
    let (Some(date), Some(time)) = (parts.next(), parts.next()) else { return false };
    is_date(date) && is_match(&TIME, time)
}

impl PartialEq for Format {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

opaque_value!(Format, "kubernetes.NamedFormat");

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_overload("format.named", "format-named", vec![STRING_TYPE], named)?;
    env.add_member_overload(
        "validate",
        "format-validate",
        Format::cel_type().to_owned(),
        vec![STRING_TYPE],
        validate,
    )?;
    // A function of the library is no closure, so each has its own.
    let functions: [cel::common::functions::Function; FORMATS.len()] = [
        |_| nth(0),
        |_| nth(1),
        |_| nth(2),
        |_| nth(3),
        |_| nth(4),
        |_| nth(5),
        |_| nth(6),
        |_| nth(7),
        |_| nth(8),
        |_| nth(9),
        |_| nth(10),
        |_| nth(11),
        |_| nth(12),
    ];
    for (format, function) in FORMATS.iter().zip(functions) {
        let name = format!("format.{}", format.name);
        env.add_overload(&name, &name, vec![], function)?;
    }
    Ok(())
}

fn nth<'b, 'v>(index: usize) -> Result<CowVal<'b, 'v>, ExecutionError> {
    FORMATS.get(index).map(|format| CowVal::owned(*format)).ok_or_else(|| no_such_overload("format"))
}

fn named<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let name = arguments.first().and_then(|name| name.downcast_ref::<CelString<'_>>());
    let name = name.ok_or_else(|| no_such_overload("format.named"))?.inner();
    let found = FORMATS.iter().find(|format| format.name == name);
    Ok(CowVal::owned(found.map_or_else(CelOptional::none, |format| CelOptional::of(Box::new(*format)))))
}

fn validate<'b, 'v>(arguments: Vec<CowVal<'b, 'v>>) -> Result<CowVal<'b, 'v>, ExecutionError> {
    let [format, text] = arguments.as_slice() else { return Err(no_such_overload("validate")) };
    let (Some(format), Some(text)) = (format.downcast_ref::<Format>(), text.downcast_ref::<CelString<'_>>())
    else {
        return Err(no_such_overload("validate"));
    };
    let problems = (format.validate)(text.inner());
    if problems.is_empty() {
        return Ok(CowVal::owned(CelOptional::none()));
    }
    let problem = |problem: String| Box::new(CelString::from(problem)) as Box<dyn Val>;
    let problems: Vec<Box<dyn Val>> = problems.into_iter().map(problem).collect();
    Ok(CowVal::owned(CelOptional::of(Box::new(CelList::from(problems)))))
}
