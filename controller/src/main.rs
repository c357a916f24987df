//! `plimsoll-controller`: the ResourceQuota status controller and the DaemonSet controller.

use std::process::ExitCode;

use clap::Parser as _;
use plimsoll_controller::server;
use plimsoll_runtime::{logging, process};

/// Keeps the status of ResourceQuotas true, and the pods of DaemonSets on the nodes that should have one.
#[derive(clap::Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    logging: logging::Flags,
    #[command(flatten)]
    server: server::Config,
}

// One thread: nearly all of its work is waiting for the API server, and to wake another thread for each answer costs a quarter of its
// CPU.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { logging, server } = Arguments::parse();
    process::end_on_panic();
    process::run(logging, |shutdown| server::run(server, shutdown)).await
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }
}
