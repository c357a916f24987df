//! `plimsoll why`: every node for one pod.

use clap::Args;
use plimsoll_scheduler::plugins::Registration;

use super::input::InputArguments;
use super::{ALL_WELL, NOT_ALL_WELL, print, report_error};
use crate::engine::{self, WhyError};
use crate::output::{self, OutputFormat, why};

/// Say for every node whether it takes a pod: what the scheduler's plugins refuse it for, with the amounts, or how good they find it;
/// and what is the smallest change after which a pod that waits fits.
///
/// The nodes are judged as they are once everything else is placed. Upstream asks no plugin after the first that refuses a node;
/// here all are asked.
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
    let answer = match engine::why(read.inputs, read.static_pods, &read.settings, &arguments.pod) {
        // No node has a say in it; that is how it is with the pod, and no fault of the call.
        Err(error @ WhyError::NotStored { .. }) => {
            report_error(&error.into());
            return Ok(NOT_ALL_WELL);
        }
        answer => answer?,
    };
    print::to_standard_output(|width, writer| {
        output::print_as(&answer, arguments.output, writer, |answer| why::render(answer, width))
    })?;
    Ok(if answer.selected.is_some() { ALL_WELL } else { NOT_ALL_WELL })
}
