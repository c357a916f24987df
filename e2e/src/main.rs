//! `cargo e2e`: Plimsoll's task runner.

fn main() {}
