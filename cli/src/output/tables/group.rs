//! Rows that differ only in the generated end of a pod's name are shown as one.

use std::collections::HashMap;
use std::hash::Hash;

use crate::report::ObjectReport;

/// The letters and digits that generated names end with.
const SUFFIX_ALPHABET: &str = "bcdfghjklmnpqrstvwxz2456789";
const SUFFIX_LENGTH: usize = 5;

/// Objects that share a row.
pub(super) struct Group<'a, K> {
    /// What they have in common.
    pub(super) key: K,
    /// At least one.
    pub(super) members: Vec<&'a ObjectReport>,
}

impl<K> Group<'_, K> {
    /// The object's title, or for several the common beginning and how many they are.
    pub(super) fn title(&self) -> String {
        match self.members.as_slice() {
            [] => String::new(),
            [only] => only.title(),
            [first, ..] => {
                let place =
                    first.namespace.as_ref().map_or(String::new(), |namespace| format!("{namespace}/"));
                format!("{} {place}{}-* ({})", first.kind, base_name(&first.name), self.members.len())
            }
        }
    }
}

/// Objects of one kind, namespace, base name and key together, in order of first appearance. Only pods are grouped.
pub(super) fn group<'a, K: Eq + Hash + Clone>(
    objects: impl Iterator<Item = (&'a ObjectReport, K)>,
) -> Vec<Group<'a, K>> {
    let mut groups: Vec<Group<'a, K>> = Vec::new();
    let mut positions = HashMap::new();
    for (object, key) in objects {
        let base = if object.kind == "Pod" { base_name(&object.name) } else { &object.name };
        let identity = (object.kind.as_str(), object.namespace.as_deref(), base, key.clone());
        let position = *positions.entry(identity).or_insert(groups.len());
        match groups.get_mut(position) {
            Some(group) => group.members.push(object),
            None => groups.push(Group { key, members: vec![object] }),
        }
    }
    groups
}

/// A name without the generated suffix or the ordinal that a controller appends to its own name.
pub(super) fn base_name(name: &str) -> &str {
    let Some((base, suffix)) = name.rsplit_once('-') else { return name };
    let generated = suffix.len() == SUFFIX_LENGTH && suffix.chars().all(|c| SUFFIX_ALPHABET.contains(c));
    let ordinal = !suffix.is_empty() && suffix.bytes().all(|b| b.is_ascii_digit());
    if base.is_empty() || !(generated || ordinal) { name } else { base }
}

#[cfg(test)]
mod tests {
    use super::base_name;

    #[test]
    fn leaves_out_what_a_controller_appends() {
        assert_eq!(base_name("web-6d4cf-x2b4z"), "web-6d4cf");
        assert_eq!(base_name("search-10"), "search");
        assert_eq!(base_name("cache"), "cache");
        assert_eq!(base_name("node-exporter"), "node-exporter");
    }
}
