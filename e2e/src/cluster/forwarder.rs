//! Spreads connections over the replicas of the webhook, as a Service would.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::Context as _;
use tokio::io::copy_bidirectional;
use tokio::net::{TcpListener, TcpStream};

/// Forwards connections to one port to several others in turn, leaving out those where nobody listens.
pub(super) struct Forwarder {
    /// Where it listens.
    pub(super) port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Forwarder {
    pub(super) async fn start(targets: Vec<u16>) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port is free")?;
        let port = listener.local_addr().context("the listener has no address")?.port();
        let (targets, next) = (Arc::new(targets), Arc::new(AtomicUsize::new(0)));
        let task = tokio::spawn(async move {
            while let Ok((mut incoming, _)) = listener.accept().await {
                let (targets, next) = (Arc::clone(&targets), Arc::clone(&next));
                tokio::spawn(async move {
                    let first = next.fetch_add(1, Ordering::Relaxed);
                    for turn in 0..targets.len() {
                        let target = targets[(first + turn) % targets.len()];
                        if let Ok(mut outgoing) = TcpStream::connect(("127.0.0.1", target)).await {
                            // Small messages go out at once; a socket that can't be told so is slow and still right.
                            let _ = incoming.set_nodelay(true).and(outgoing.set_nodelay(true));
                            // Either side may hang up at any time.
                            let _ = copy_bidirectional(&mut incoming, &mut outgoing).await;
                            return;
                        }
                    }
                });
            }
        });
        Ok(Self { port, task })
    }
}

impl Drop for Forwarder {
    fn drop(&mut self) {
        self.task.abort();
    }
}
