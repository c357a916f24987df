//! `plimsoll simulate`: what would become of manifests in a cluster.

use std::path::PathBuf;

use clap::Args;
use plimsoll_scheduler::plugins::Registration;

use super::input::{self, InputArguments};
use super::print::{self, Width};
use super::progress::ProgressBar;
use super::{ALL_WELL, NOT_ALL_WELL};
use crate::engine;
use crate::output::{self, OutputFormat};

/// Say what would be filled in, refused, placed and left waiting if these manifests were applied.
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    input: InputArguments,
    /// Manifests before a change, run with all others; --to names their new form.
    #[arg(long, value_name = "PATH", requires = "to")]
    from: Option<PathBuf>,
    /// The same manifests after the change: show how the pods of their DaemonSets follow, step by step, how many are Ready on the way,
    /// and what stalls it.
    #[arg(long, value_name = "PATH")]
    to: Option<PathBuf>,
    /// The form of the output.
    #[arg(short, long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// Runs the command; the answer is the exit status.
///
/// # Errors
/// The call or the input is wrong, or the output can't be written.
pub fn run(arguments: &Arguments, table: &[Registration]) -> anyhow::Result<u8> {
    let read = arguments.input.read_with(arguments.from.as_deref(), table)?;
    let new = arguments.to.as_deref().map(input::read_objects).transpose()?;
    let mut bar = ProgressBar::new();
    let report =
        engine::run(read.inputs, read.static_pods, new, &read.settings, &mut |progress| bar.show(progress));
    bar.clear();
    print::to_standard_output(|width: Width, writer| {
        output::print(&report, arguments.output, width, writer)
    })?;
    Ok(if report.all_well() { ALL_WELL } else { NOT_ALL_WELL })
}
