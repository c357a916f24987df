//! Which crate may depend on which: decisions reach for nothing that the world around offers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use crate::support::repository;

/// The crates of the workspace that each crate may depend on, directly.
const ALLOWED: [(&str, &[&str]); 9] = [
    ("api", &[]),
    ("resource-math", &["api"]),
    ("matching", &["api"]),
    ("quota", &["api", "resource-math", "matching"]),
    ("webhook", &["api", "resource-math", "matching", "quota"]),
    ("controller", &["api", "resource-math", "matching", "quota"]),
    ("scheduler", &["api", "resource-math", "matching"]),
    ("apiserver", &["api", "resource-math", "matching"]),
    (
        "cli",
        &["api", "resource-math", "matching", "quota", "webhook", "controller", "scheduler", "apiserver"],
    ),
];

/// What would bring the world around into a decision.
const BANNED: [&str; 8] = ["tokio", "kube", "axum", "hyper", "rand", "reqwest", "async-trait", "futures"];

/// The names in the section `[dependencies]` of a crate's manifest, without those that only its process needs: those are optional,
/// and the feature `server` alone turns them on, which the command never asks for.
fn dependencies(folder: &str) -> BTreeSet<String> {
    let text = fs::read_to_string(repository().join(folder).join("Cargo.toml")).unwrap();
    let mut lines = text.lines().skip_while(|line| line.trim() != "[dependencies]").skip(1);
    let lines = lines.by_ref().take_while(|line| !line.starts_with('['));
    let names = lines
        .filter(|line| !line.contains("optional = true"))
        .filter_map(|line| line.split(['=', '.', ' ']).next())
        .map(str::trim);
    names.filter(|name| !name.is_empty() && !name.starts_with('#')).map(str::to_owned).collect()
}

#[test]
fn crates_depend_only_on_those_below_them() {
    for (folder, allowed) in ALLOWED {
        let of_workspace: BTreeSet<String> = dependencies(folder)
            .into_iter()
            .filter_map(|name| name.strip_prefix("plimsoll-").map(str::to_owned))
            .collect();
        let allowed: BTreeSet<String> = allowed.iter().map(|name| (*name).to_owned()).collect();
        let excess: Vec<&String> = of_workspace.difference(&allowed).collect();
        assert!(excess.is_empty(), "{folder} depends on {excess:?}");
    }
}

#[test]
fn decisions_reach_for_nothing_outside() {
    let found: BTreeMap<&str, Vec<String>> = ALLOWED
        .iter()
        .map(|(folder, _)| {
            let banned = dependencies(folder).into_iter().filter(|name| BANNED.contains(&name.as_str()));
            (*folder, banned.collect::<Vec<String>>())
        })
        .filter(|(_, banned)| !banned.is_empty())
        .collect();
    assert_eq!(found, BTreeMap::new());
}

#[test]
fn the_rules_name_every_library() {
    let text = fs::read_to_string(repository().join("Cargo.toml")).unwrap();
    let members = text.lines().skip_while(|line| !line.starts_with("default-members")).skip(1);
    let members: BTreeSet<&str> = members
        .take_while(|line| !line.starts_with(']'))
        .map(|line| line.trim().trim_matches(['"', ',']))
        .collect();
    let ruled: BTreeSet<&str> = ALLOWED
        .iter()
        .map(|(folder, _)| *folder)
        .chain(["fixtures", "runtime", "examples/own-plugin"])
        .collect();
    assert_eq!(members, ruled);
}
