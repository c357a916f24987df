//! `plimsoll simulate`: what would become of manifests in a cluster.

use clap::Args;

use super::input::InputArguments;
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
    /// The form of the output.
    #[arg(short, long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// Runs the command; the answer is the exit status.
///
/// # Errors
/// The call or the input is wrong, or the output can't be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let read = arguments.input.read()?;
    let mut bar = ProgressBar::new();
    let report =
        engine::run(read.inputs, read.static_pods, &read.settings, &mut |progress| bar.show(progress));
    bar.clear();
    print::to_standard_output(|width: Width, writer| {
        output::print(&report, arguments.output, width, writer)
    })?;
    Ok(if report.all_well() { ALL_WELL } else { NOT_ALL_WELL })
}
