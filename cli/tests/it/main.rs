//! The command as users run it, and the rules that the workspace keeps.

#![expect(clippy::disallowed_methods, reason = "tests read the files that they compare")]
#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]

mod bad_input;
mod differences;
mod exit_status;
mod layering;
mod scenarios;
mod schema;
mod support;
