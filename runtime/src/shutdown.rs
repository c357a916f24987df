//! An orderly end.

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

/// Tells when the process is to end: on SIGTERM or SIGINT.
#[derive(Clone, Debug)]
pub struct Shutdown(watch::Receiver<bool>);

impl Shutdown {
    /// Listens for signals from now on. Must be called in a tokio runtime.
    pub fn on_signals() -> Self {
        let (sender, receiver) = watch::channel(false);
        tokio::spawn(async move {
            match (signal(SignalKind::terminate()), signal(SignalKind::interrupt())) {
                (Ok(mut terminate), Ok(mut interrupt)) => {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = interrupt.recv() => {}
                    }
                }
                (Err(error), _) | (_, Err(error)) => {
                    tracing::error!(%error, "can't listen for signals");
                    std::future::pending::<()>().await;
                }
            }
            tracing::info!("told to stop");
            // Whoever would listen has ended already.
            let _ = sender.send(true);
        });
        Self(receiver)
    }

    /// Returns once the process is to end.
    pub async fn requested(&mut self) {
        // The sender is dropped only once it has sent.
        let _ = self.0.wait_for(|requested| *requested).await;
    }
}
