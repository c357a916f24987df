//! Lists of indexes of an Indexed Job, such as `0,3-5`.
//!
//! # Source
//! kubernetes `pkg/apis/batch/validation` (`validateIndexesFormat`)

use plimsoll_api::quote::go_quote;

/// How many indexes a list has.
///
/// # Errors
/// The list is malformed, not increasing, or has an index that is not below `completions`.
///
/// # Source
/// kubernetes `pkg/apis/batch/validation` (`validateIndexesFormat`)
pub(super) fn count(indexes: &str, completions: i32) -> Result<i64, String> {
    if indexes.is_empty() {
        return Ok(0);
    }
    let (mut last, mut total) = (None, 0_i64);
    for interval in indexes.split(',') {
        let (first, end) = parse_interval(interval, i64::from(completions))?;
        if let Some(last) = last.filter(|last| *last >= first) {
            return Err(order(last, first));
        }
        total = total.saturating_add(end.saturating_sub(first).saturating_add(1));
        last = Some(end);
    }
    Ok(total)
}

fn parse_interval(interval: &str, completions: i64) -> Result<(i64, i64), String> {
    let index = |text: &str| {
        let index: i64 = text
            .parse()
            .map_err(|_| format!("cannot convert string to integer for index: {}", go_quote(text)))?;
        if index >= completions { Err(format!("too large index: {}", go_quote(text))) } else { Ok(index) }
    };
    let limits: Vec<&str> = interval.split('-').collect();
    match limits.as_slice() {
        [only] => index(only).map(|index| (index, index)),
        [first, end] => {
            let (first, end) = (index(first)?, index(end)?);
            if first >= end { Err(order(first, end)) } else { Ok((first, end)) }
        }
        _ => Err(format!(
            "the fragment {} violates the requirement that an index interval can have at most two parts separated by '-'",
            go_quote(interval)
        )),
    }
}

fn order(previous: i64, current: i64) -> String {
    format!("non-increasing order, previous: {previous}, current: {current}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_indexes() {
        assert_eq!(count("", 3), Ok(0));
        assert_eq!(count("0,2-4", 5), Ok(4));
        assert_eq!(count("5", 5), Err("too large index: \"5\"".to_owned()));
        assert_eq!(count("2,1", 5), Err("non-increasing order, previous: 2, current: 1".to_owned()));
        assert!(count("1-2-3", 5).is_err() && count("x", 5).is_err() && count("3-3", 5).is_err());
    }
}
