//! The schedules of CronJobs, as the library reads them that upstream uses.
//!
//! # Source
//! kubernetes `pkg/util/parsers` (`ParseCronScheduleWithPanicRecovery`); robfig/cron v3.0.1 `parser.go`

use plimsoll_api::quote::go_quote;

use super::{go_duration, time_zone};

/// One of the five fields of a schedule: what numbers and names it takes.
struct Field {
    least: u64,
    greatest: u64,
    names: &'static [&'static str],
}

const MONTHS: &[&str] = &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const DAYS: &[&str] = &["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

const FIELDS: [Field; 5] = [
    Field { least: 0, greatest: 59, names: &[] },
    Field { least: 0, greatest: 23, names: &[] },
    Field { least: 1, greatest: 31, names: &[] },
    Field { least: 1, greatest: 12, names: MONTHS },
    Field { least: 0, greatest: 6, names: DAYS },
];

/// Reads a schedule.
///
/// # Errors
/// Why it is none.
///
/// # Source
/// robfig/cron v3.0.1 `parser.go` (`ParseStandard`)
pub(super) fn check(schedule: &str) -> Result<(), String> {
    if schedule.is_empty() {
        return Err("empty spec string".to_owned());
    }
    let schedule = strip_time_zone(schedule)?;
    if schedule.starts_with('@') {
        return check_descriptor(schedule);
    }
    let fields: Vec<&str> = schedule.split_whitespace().collect();
    if fields.len() != FIELDS.len() {
        return Err(format!("expected exactly 5 fields, found {}: [{}]", fields.len(), fields.join(" ")));
    }
    for (text, field) in fields.iter().zip(&FIELDS) {
        for range in text.split(',').filter(|range| !range.is_empty()) {
            check_range(range, field)?;
        }
    }
    Ok(())
}

/// The schedule without the time zone that may stand before it.
fn strip_time_zone(schedule: &str) -> Result<&str, String> {
    let Some(rest) = schedule.strip_prefix("TZ=").or_else(|| schedule.strip_prefix("CRON_TZ=")) else {
        return Ok(schedule);
    };
    let Some((zone, rest)) = rest.split_once(' ') else {
        // Upstream's library panics, and that is what it says then.
        return Err("invalid schedule format: runtime error: slice bounds out of range [:-1]".to_owned());
    };
    if !matches!(zone, "" | "Local") && !time_zone::is_known(zone) {
        return Err(format!("provided bad location {zone}: {}", time_zone::fault(zone)));
    }
    Ok(rest.trim())
}

fn check_descriptor(descriptor: &str) -> Result<(), String> {
    if matches!(
        descriptor,
        "@yearly" | "@annually" | "@monthly" | "@weekly" | "@daily" | "@midnight" | "@hourly"
    ) {
        return Ok(());
    }
    match descriptor.strip_prefix("@every ") {
        Some(duration) => go_duration::check(duration)
            .map_err(|fault| format!("failed to parse duration {descriptor}: {fault}")),
        None => Err(format!("unrecognized descriptor: {descriptor}")),
    }
}

fn check_range(range: &str, field: &Field) -> Result<(), String> {
    let parts: Vec<&str> = range.split('/').collect();
    let bounds: Vec<&str> = parts[0].split('-').collect();
    let (start, mut end) = if matches!(bounds[0], "*" | "?") {
        (field.least, field.greatest)
    } else {
        let start = number_or_name(bounds[0], field)?;
        match bounds[1..] {
            [] => (start, start),
            [end] => (start, number_or_name(end, field)?),
            _ => return Err(format!("too many hyphens: {range}")),
        }
    };
    let step = match parts[1..] {
        [] => 1,
        [step] => {
            let step = number(step)?;
            if bounds.len() == 1 {
                end = field.greatest;
            }
            step
        }
        _ => return Err(format!("too many slashes: {range}")),
    };
    let (least, greatest) = (field.least, field.greatest);
    if start < least {
        return Err(format!("beginning of range ({start}) below minimum ({least}): {range}"));
    }
    if end > greatest {
        return Err(format!("end of range ({end}) above maximum ({greatest}): {range}"));
    }
    if start > end {
        return Err(format!("beginning of range ({start}) beyond end of range ({end}): {range}"));
    }
    if step == 0 {
        return Err(format!("step of range should be a positive number: {range}"));
    }
    Ok(())
}

fn number_or_name(text: &str, field: &Field) -> Result<u64, String> {
    let lower = text.to_lowercase();
    match (field.least..).zip(field.names).find(|(_, name)| **name == lower) {
        Some((number, _)) => Ok(number),
        None => number(text),
    }
}

fn number(text: &str) -> Result<u64, String> {
    let number: i64 = text.parse().map_err(|_| {
        let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
        let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        let fault = if is_number { "value out of range" } else { "invalid syntax" };
        format!("failed to parse int from {text}: strconv.Atoi: parsing {}: {fault}", go_quote(text))
    })?;
    u64::try_from(number).map_err(|_| format!("negative number ({number}) not allowed: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_cron_reads() {
        for schedule in
            ["* * * * ?", "*/5 0-6/2 1,15 JAN-dec sun", "@hourly", "@every 1h30m", "0 0 1 * *", ",, * * * *"]
        {
            assert_eq!(check(schedule), Ok(()), "{schedule}");
        }
    }

    #[test]
    fn says_what_is_wrong() {
        for (schedule, fault) in [
            ("", "empty spec string"),
            ("* * *", "expected exactly 5 fields, found 3: [* * *]"),
            ("60 * * * *", "end of range (60) above maximum (59): 60"),
            ("* * 0 * *", "beginning of range (0) below minimum (1): 0"),
            ("5-1 * * * *", "beginning of range (5) beyond end of range (1): 5-1"),
            ("*/0 * * * *", "step of range should be a positive number: */0"),
            ("1-2-3 * * * *", "too many hyphens: 1-2-3"),
            ("*/1/2 * * * *", "too many slashes: */1/2"),
            ("x * * * *", "failed to parse int from x: strconv.Atoi: parsing \"x\": invalid syntax"),
            ("@often", "unrecognized descriptor: @often"),
            ("TZ=0", "invalid schedule format: runtime error: slice bounds out of range [:-1]"),
        ] {
            assert_eq!(check(schedule), Err(fault.to_owned()));
        }
    }
}
