//! The `plimsoll` command, with the plugin MaintenanceWindow beside the usual ones.

mod maintenance_window;

use std::process::ExitCode;

use plimsoll_scheduler::plugins::TABLE;

fn main() -> ExitCode {
    let mut table = TABLE.to_vec();
    table.push(maintenance_window::REGISTRATION);
    plimsoll_cli::commands::main(&table)
}
