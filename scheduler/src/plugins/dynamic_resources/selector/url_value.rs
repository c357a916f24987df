//! URLs in expressions.
//!
//! # Source
//! k8s.io/apiserver `pkg/cel/library/urls.go`

mod parse;

use std::collections::HashMap;

use cel::common::types::{CelBool, CelList, CelMap, CelMapKey, CelString};
use cel::common::value::Val;
use cel::{DeclarationError, Env, ExecutionError, add_member_overload, add_overload};

pub(super) use self::parse::{Url, parse_request_uri};
use super::opaque_value::opaque_value;

opaque_value!(Url, "kubernetes.URL");

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    add_overload!(env, fn url: (CelString) -> Result<Url>)?;
    add_overload!(env, fn is_url: (CelString) -> CelBool, name = "isURL")?;
    add_member_overload!(env, fn get_scheme: (Url) -> CelString)?;
    add_member_overload!(env, fn get_host: (Url) -> CelString)?;
    add_member_overload!(env, fn get_hostname: (Url) -> CelString)?;
    add_member_overload!(env, fn get_port: (Url) -> CelString)?;
    add_member_overload!(env, fn get_escaped_path: (Url) -> CelString)?;
    add_member_overload!(env, fn get_query: (Url) -> CelMap)?;
    Ok(())
}

fn url(text: &CelString<'_>) -> Result<Url, ExecutionError> {
    let text = text.inner();
    parse_request_uri(text).and_then(|_| parse::parse(text)).map_err(|problem| {
        let problem = format!("URL parse error during conversion from string: {problem}");
        ExecutionError::function_error("url", problem)
    })
}

fn is_url(text: &CelString<'_>) -> CelBool {
    parse_request_uri(text.inner()).is_ok().into()
}

fn get_scheme(url: &Url) -> CelString<'static> {
    url.scheme.clone().into()
}

fn get_host(url: &Url) -> CelString<'static> {
    url.host.clone().into()
}

fn get_hostname(url: &Url) -> CelString<'static> {
    url.host_and_port().0.to_owned().into()
}

fn get_port(url: &Url) -> CelString<'static> {
    url.host_and_port().1.to_owned().into()
}

fn get_escaped_path(url: &Url) -> CelString<'static> {
    url.path.clone().into()
}

fn get_query(url: &Url) -> CelMap<'static> {
    let mut values: HashMap<CelMapKey<'static>, Vec<Box<dyn Val>>> = HashMap::new();
    for (key, value) in parse::query(&url.query) {
        values.entry(CelMapKey::from(key)).or_default().push(Box::new(CelString::from(value)));
    }
    let list = |values: Vec<Box<dyn Val>>| Box::new(CelList::from(values)) as Box<dyn Val>;
    CelMap::from(values.into_iter().map(|(key, values)| (key, list(values))).collect::<HashMap<_, _>>())
}
