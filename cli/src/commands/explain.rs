//! `plimsoll explain`: the amounts of one pod.

use clap::Args;
use plimsoll_scheduler::plugins::Registration;

use super::input::InputArguments;
use super::{ALL_WELL, NOT_ALL_WELL, print};
use crate::engine;
use crate::output::{self, OutputFormat};
use crate::report::Outcome;

/// Say what one pod asks for and may use, where each amount comes from, what becomes of it on a node, and what of it can be
/// changed.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The pod: NAME, NAMESPACE/NAME, or what makes it, such as deployment/NAME.
    #[arg(value_name = "POD")]
    pod: String,
    #[command(flatten)]
    input: InputArguments,
    /// The form of the output.
    #[arg(short, long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// Runs the command; the answer is the exit status.
///
/// # Errors
/// The call or the input is wrong, there is no such pod, or the output can't be written.
pub fn run(arguments: &Arguments, table: &[Registration]) -> anyhow::Result<u8> {
    let read = arguments.input.read(table)?;
    let explanation = engine::explain(read.inputs, read.static_pods, &read.settings, &arguments.pod)?;
    print::to_standard_output(|width, writer| {
        output::print_as(&explanation, arguments.output, writer, |explanation| explanation.render(width))
    })?;
    let is_well = !matches!(explanation.fate.outcome, Outcome::Denied | Outcome::Invalid | Outcome::Pending);
    Ok(if is_well { ALL_WELL } else { NOT_ALL_WELL })
}
