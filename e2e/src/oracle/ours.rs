//! Our side of a case, and how it is made up, with panics caught.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};

use anyhow::anyhow;
use serde_json::Value;

use super::case;
use super::families::Family;
use super::program::Outcome;

thread_local! {
    /// Where and why this thread panicked last.
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// From now on panics are kept for the report instead of printed.
pub(super) fn catch_panics_quietly() {
    set_hook(Box::new(|panic| {
        LAST_PANIC.set(panic.to_string());
    }));
}

/// Answers one case with our code.
pub(super) fn evaluate(family: &Family, input: &Value) -> Outcome {
    // The input is shared and the evaluators are pure, so that nothing half-done outlives a panic.
    match catch_unwind(AssertUnwindSafe(|| (family.evaluate)(input))) {
        Ok(Ok(output)) => Outcome::Output(output),
        Ok(Err(error)) => Outcome::Unreadable(format!("{error:#}")),
        Err(_) => Outcome::Panic(LAST_PANIC.take()),
    }
}

/// Makes up the input of one case.
///
/// # Errors
/// When that panics.
pub(super) fn make_up(family: &Family, seed: u64, number: u64) -> anyhow::Result<Value> {
    catch_unwind(AssertUnwindSafe(|| case::input(family, seed, number))).map_err(|_| {
        anyhow!(
            "making up case {number} of family {}, seed {seed}, panicked: {}",
            family.name,
            LAST_PANIC.take()
        )
    })
}
