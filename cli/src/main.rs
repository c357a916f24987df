//! The `plimsoll` command.

use std::process::ExitCode;

use mimalloc::MiMalloc;

/// A run makes and drops many small objects; with the C library's allocator a third of the time goes there.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    plimsoll_cli::commands::main(&plimsoll_scheduler::plugins::TABLE)
}
