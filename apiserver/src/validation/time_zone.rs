//! Names of time zones.
//!
//! # Source
//! kubernetes `pkg/apis/batch/validation` (`validateTimeZone`); the names are those of the zones that Go carries

use plimsoll_api::field::{Error, ErrorList, Path};

use super::named;

/// All zones, in order of their names, one to a line.
static ZONES: &str = include_str!("time_zones.txt");

/// What is wrong with the time zone of a CronJob.
///
/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validateTimeZone`)
pub(super) fn validate(errors: &mut ErrorList, zone: &str, path: &Path<'_>) {
    if zone.is_empty() {
        errors.push(Error::invalid(path, named(zone), "timeZone must be nil or non-empty string"));
        return;
    }
    if !zone.split('/').all(is_part) {
        errors.push(Error::invalid(path, named(zone), format!("unknown time zone {zone}")));
        return;
    }
    if zone.eq_ignore_ascii_case("Local") {
        let detail = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        errors.push(Error::invalid(path, named(zone), detail));
    }
    if zone != "Local" && !is_known(zone) {
        errors.push(Error::invalid(path, named(zone), fault(zone)));
    }
}

/// Whether there is a zone of this name.
pub(super) fn is_known(zone: &str) -> bool {
    ZONES.lines().any(|known| known == zone)
}

/// What Go says of a zone that it does not have.
pub(super) fn fault(zone: &str) -> String {
    let is_path = zone.starts_with(['/', '\\']) || zone.contains("..");
    if is_path { "time: invalid location name".to_owned() } else { format!("unknown time zone {zone}") }
}

fn is_part(part: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_' | b'+');
    !matches!(part, "" | "." | "..")
        && !part.starts_with('-')
        && part.len() <= 14
        && part.bytes().all(is_allowed)
}
