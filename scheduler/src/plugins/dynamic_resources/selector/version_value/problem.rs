//! What is wrong with texts that are no semantic versions.
//!
//! # Source
//! github.com/blang/semver `semver.go` (`Parse`)

use plimsoll_api::quote::go_quote;

/// What is said of a text that is no version.
pub(super) fn problem(text: &str) -> String {
    if text.is_empty() {
        return "Version string empty".to_owned();
    }
    let parts: Vec<&str> = text.splitn(3, '.').collect();
    let [major, minor, rest] = parts[..] else { return "No Major.Minor.Patch elements found".to_owned() };
    let (rest, build) = rest.split_once('+').map_or((rest, None), |(rest, build)| (rest, Some(build)));
    let (patch, pre) = rest.split_once('-').map_or((rest, None), |(patch, pre)| (patch, Some(pre)));
    [("major", "Major", major), ("minor", "Minor", minor), ("patch", "Patch", patch)]
        .into_iter()
        .find_map(|(name, title, part)| of_number(name, title, part))
        .or_else(|| pre?.split('.').find_map(of_pre_release))
        .or_else(|| build?.split('.').find_map(of_build))
        .unwrap_or_else(|| "invalid version".to_owned())
}

fn of_number(name: &str, title: &str, part: &str) -> Option<String> {
    if !is_number(part) {
        return Some(format!("Invalid character(s) found in {name} number {}", go_quote(part)));
    }
    if has_leading_zero(part) {
        return Some(format!("{title} number must not contain leading zeroes {}", go_quote(part)));
    }
    too_large(part)
}

fn of_pre_release(part: &str) -> Option<String> {
    if part.is_empty() {
        return Some("Prerelease is empty".to_owned());
    }
    if is_number(part) {
        let zeros = "Numeric PreRelease version must not contain leading zeroes";
        return has_leading_zero(part)
            .then(|| format!("{zeros} {}", go_quote(part)))
            .or_else(|| too_large(part));
    }
    (!is_word(part)).then(|| format!("Invalid character(s) found in prerelease {}", go_quote(part)))
}

fn of_build(part: &str) -> Option<String> {
    if part.is_empty() {
        return Some("Build meta data is empty".to_owned());
    }
    (!is_word(part)).then(|| format!("Invalid character(s) found in build meta data {}", go_quote(part)))
}

fn too_large(part: &str) -> Option<String> {
    let problem = if part.is_empty() { "invalid syntax" } else { "value out of range" };
    part.parse::<u64>().err().map(|_| format!("strconv.ParseUint: parsing {}: {problem}", go_quote(part)))
}

fn is_number(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

fn is_word(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn has_leading_zero(part: &str) -> bool {
    part.len() > 1 && part.starts_with('0')
}
