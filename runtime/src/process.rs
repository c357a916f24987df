//! The outermost frame of a process.

use std::process::ExitCode;

use crate::{Shutdown, logging};

/// Starts the logs, does the work until it ends or is told to, and tells how it went. Must be called in a tokio runtime.
pub async fn run<F>(logging: logging::Flags, work: impl FnOnce(Shutdown) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<()>>,
{
    logging.start();
    match work(Shutdown::on_signals()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "stopped");
            ExitCode::FAILURE
        }
    }
}

/// Has any panic end the whole process. Where tasks of their own keep what is known of the cluster, one that is gone would leave the
/// others to decide by what is long out of date.
pub fn end_on_panic() {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        tell(panic);
        std::process::abort();
    }));
}
