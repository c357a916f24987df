//! The commands, and what their arguments mean.

pub mod explain;
pub mod input;
mod print;
mod progress;
pub mod scheduler_config;
pub mod simulate;
pub mod why;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use plimsoll_scheduler::plugins::{Registration, table_markdown};

/// What LimitRanges, quotas, DaemonSets and the scheduler would do to manifests, with no cluster.
#[derive(Debug, Parser)]
#[command(name = "plimsoll", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Simulate(Box<simulate::Arguments>),
    Explain(Box<explain::Arguments>),
    Why(Box<why::Arguments>),
    SchedulerConfig(scheduler_config::Arguments),
    /// Print the table of scheduler plugins.
    Plugins,
}

/// Everything was admitted and placed.
pub const ALL_WELL: u8 = 0;
/// Something was refused, waits or stalled.
pub const NOT_ALL_WELL: u8 = 1;
/// The call or the input is wrong; nothing was simulated.
pub const WRONG_INPUT: u8 = 2;

/// Runs the command that the arguments of the process ask for. The scheduler's configuration can name the plugins of the table.
pub fn main(table: &[Registration]) -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help and version are no faults; clap prints them to the standard output.
            let code = if error.use_stderr() { WRONG_INPUT } else { ALL_WELL };
            drop(error.print());
            return ExitCode::from(code);
        }
    };
    let result = match arguments.command {
        Command::Simulate(arguments) => simulate::run(&arguments, table),
        Command::Explain(arguments) => explain::run(&arguments, table),
        Command::Why(arguments) => why::run(&arguments, table),
        Command::SchedulerConfig(arguments) => scheduler_config::run(&arguments, table),
        Command::Plugins => plugins(table),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            report_error(&error);
            ExitCode::from(WRONG_INPUT)
        }
    }
}

#[expect(clippy::print_stderr, reason = "this is where errors reach the user")]
fn report_error(error: &anyhow::Error) {
    eprintln!("error: {error:#}");
}

fn plugins(table: &[Registration]) -> anyhow::Result<u8> {
    print::to_standard_output(|_, writer| writer.write_all(table_markdown(table).as_bytes()))?;
    Ok(ALL_WELL)
}
