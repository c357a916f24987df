//! Hints for common slips, in our own words: upstream's messages stay as they are.

use k8s_openapi::api::core::v1::{Container, Pod};
use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::resource_name::{CPU, EPHEMERAL_STORAGE, MEMORY, STORAGE};

/// What was probably meant by an amount that is no quantity, or by one that is legal and most likely wrong.
pub fn quantity_hint(resource: &str, text: &str) -> Option<String> {
    match Quantity::parse(text.trim()) {
        Ok(quantity) => implausible(resource, text, &quantity),
        Err(_) => misspelled(text),
    }
}

fn implausible(resource: &str, text: &str, quantity: &Quantity) -> Option<String> {
    let in_bytes =
        [MEMORY, EPHEMERAL_STORAGE, STORAGE].contains(&resource) || resource.starts_with("hugepages-");
    let fraction_of_byte = in_bytes && quantity.milli_value() % 1000 != 0;
    if fraction_of_byte && let Some(number) = text.trim().strip_suffix('m') {
        return Some(format!(
            "{text} of {resource} is {number} thousandths of a byte; `{number}Mi` was probably meant"
        ));
    }
    None
}

/// Suffixes that people write, and what Kubernetes calls them.
const SPELLINGS: [(&str, &str, &str); 7] = [
    ("k", "k", "Ki"),
    ("m", "M", "Mi"),
    ("g", "G", "Gi"),
    ("t", "T", "Ti"),
    ("p", "P", "Pi"),
    ("e", "E", "Ei"),
    ("", "", ""),
];

fn misspelled(text: &str) -> Option<String> {
    let text = text.trim();
    let number_end = text.find(|c: char| !(c.is_ascii_digit() || matches!(c, '.' | '+' | '-')))?;
    let (number, suffix) = text.split_at(number_end);
    Quantity::parse(number).ok()?;
    let letters = suffix.trim().to_lowercase();
    let binary = letters.ends_with("ib") || letters.ends_with('i');
    let unit =
        letters.trim_end_matches("ytes").trim_end_matches("yte").trim_end_matches('b').trim_end_matches('i');
    let (_, decimal, of_1024) = SPELLINGS.iter().find(|(spelling, _, _)| *spelling == unit)?;
    if unit.is_empty() {
        return Some(format!("amounts have no unit of their own; write `{number}`"));
    }
    if binary {
        return Some(format!("write `{number}{of_1024}`"));
    }
    Some(format!("write `{number}{decimal}` (powers of 1000) or `{number}{of_1024}` (powers of 1024)"))
}

/// Hints about the amounts of a pod as its author wrote it; among warnings each says that it is one.
pub fn pod_hints(pod: &Pod) -> Vec<String> {
    let Some(spec) = &pod.spec else { return Vec::new() };
    let init_containers = spec.init_containers.iter().flatten();
    spec.containers.iter().chain(init_containers).flat_map(container_hints).collect()
}

fn container_hints(container: &Container) -> Vec<String> {
    let Some(resources) = &container.resources else { return Vec::new() };
    let mut hints = Vec::new();
    for list in [&resources.requests, &resources.limits].into_iter().flatten() {
        for (resource, quantity) in list {
            let hint = quantity_hint(resource, &quantity.0).map(|hint| format!("hint: {hint}"));
            hints.extend(hint.filter(|hint| !hints.contains(hint)));
        }
    }
    let requested =
        |resource: &str| resources.requests.as_ref().is_some_and(|list| list.contains_key(resource));
    let unrequested: Vec<&str> = resources
        .limits
        .iter()
        .flat_map(|limits| limits.keys())
        .map(String::as_str)
        .filter(|resource| [CPU, MEMORY].contains(resource) && !requested(resource))
        .collect();
    if !unrequested.is_empty() {
        hints.push(format!(
            "hint: container {} limits {} without a request; the request becomes as large as the limit",
            container.name,
            unrequested.join(" and ")
        ));
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_fixtures::object;

    #[track_caller]
    fn check(resource: &str, text: &str, expected: &str) {
        assert_eq!(quantity_hint(resource, text).as_deref().unwrap_or_default(), expected, "{text}");
    }

    #[test]
    fn knows_common_spellings() {
        check("memory", "1K", "write `1k` (powers of 1000) or `1Ki` (powers of 1024)");
        check("memory", "1gi", "write `1Gi`");
        check("memory", "0.5GB", "write `0.5G` (powers of 1000) or `0.5Gi` (powers of 1024)");
        check("memory", "2 MiB", "write `2Mi`");
        check("memory", "512 bytes", "amounts have no unit of their own; write `512`");
        check("memory", "100m", "100m of memory is 100 thousandths of a byte; `100Mi` was probably meant");
        check("cpu", "100m", "");
        check("cpu", "a lot", "");
        check("cpu", "", "");
    }

    #[test]
    fn tells_what_a_lone_limit_does() {
        let pod: Pod = object(
            "spec: {containers: [{name: a, resources: {limits: {cpu: '1', memory: 1Gi}, requests: {memory: 1Gi}}}]}",
        );
        assert_eq!(
            pod_hints(&pod),
            ["hint: container a limits cpu without a request; the request becomes as large as the limit"]
        );
    }
}
