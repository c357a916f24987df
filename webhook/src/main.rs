//! `plimsoll-webhook`: LimitRange and ResourceQuota as admission webhooks.

use std::process::ExitCode;

use clap::Parser as _;
use plimsoll_runtime::{MiMalloc, logging, process};
use plimsoll_webhook::server;

/// A review is many small objects, and the C library's allocator is slow with those.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Enforces LimitRanges and ResourceQuotas as admission webhooks of the Kubernetes API server.
#[derive(clap::Parser)]
#[command(version)]
struct Arguments {
    #[command(flatten)]
    logging: logging::Flags,
    #[command(flatten)]
    server: server::Config,
}

// One thread, as in the controller: most of a review is waiting for the network, and to wake another thread for it costs a quarter of
// the CPU. What one thread can't answer, another replica does.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let Arguments { logging, server } = Arguments::parse();
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
