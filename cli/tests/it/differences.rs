//! Each deliberate difference from upstream has its row in `docs/design.md`, and each row is about code that says so.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::support::repository;

/// The ids that stand in a text, such as `D-Quantity-1`.
fn ids(text: &str) -> BTreeSet<String> {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    let words = text.split(|c: char| !is_part(c)).filter(|word| word.starts_with("D-"));
    words.filter(|word| word.ends_with(|c: char| c.is_ascii_digit())).map(str::to_owned).collect()
}

fn sources(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" && name != "docs" {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") && name != "differences.rs" {
            let text = fs::read_to_string(&path).unwrap();
            for line in text.lines().filter(|line| line.contains("DIFFERENCE:") || line.contains("\"D-")) {
                found.extend(ids(line));
            }
        }
    }
}

#[test]
fn differences_and_their_rows_go_together() {
    let design = fs::read_to_string(repository().join("docs/design.md")).unwrap();
    let rows: BTreeSet<String> = design
        .lines()
        .filter_map(|line| line.strip_prefix("| D-")?.split(' ').next().map(|id| format!("D-{id}")))
        .collect();
    let mut named = BTreeSet::new();
    sources(&repository(), &mut named);
    assert_eq!(named, rows);
}
