//! The client for the API server.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

/// For how long an answer is waited for on which others wait.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);
/// After how long no answer comes any more: the API server itself gives up after a minute.
const ANSWERED_AT_ALL_WITHIN: Duration = Duration::from_secs(65);
/// After how long without a word a connection is closed. A watch on which nothing happens ends before.
const SILENT_FOR: Duration = Duration::from_mins(6);

/// A call whose answer comes soon or is given up: a connection whose other end is gone without a word would keep it for minutes.
///
/// # Errors
/// What the call has failed with, or that there is no answer yet; then what it was to do may still be done.
pub async fn in_time<T>(call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, kube::Error> {
    within(ANSWERED_WITHIN, call).await
}

/// A call that may take as long as the API server lets it.
///
/// # Errors
/// What the call has failed with, or that no answer comes.
pub async fn if_ever<T>(call: impl Future<Output = Result<T, kube::Error>>) -> Result<T, kube::Error> {
    within(ANSWERED_AT_ALL_WITHIN, call).await
}

async fn within<T>(
    patience: Duration,
    call: impl Future<Output = Result<T, kube::Error>>,
) -> Result<T, kube::Error> {
    tokio::time::timeout(patience, call).await.unwrap_or_else(|_| {
        let problem = format!("the API server has not answered within {} s", patience.as_secs());
        Err(kube::Error::Service(problem.into()))
    })
}

/// How the API server is reached.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Flags {
    /// A kubeconfig file; without one, the pod's service account or the user's own file.
    #[arg(long, value_name = "FILE")]
    kubeconfig: Option<PathBuf>,
}

impl Flags {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// The file can't be used, or there is neither file nor service account.
    pub async fn connect(&self) -> anyhow::Result<Client> {
        let mut config = match &self.kubeconfig {
            Some(path) => {
                let unusable = || format!("can't use kubeconfig {}", path.display());
                let file = Kubeconfig::read_from(path).with_context(unusable)?;
                Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                    .await
                    .with_context(unusable)?
            }
            None => Config::infer().await.context("found no way to the API server; give --kubeconfig")?,
        };
        // Whoever calls knows best whether, and for how long, to try again; kube would do so for minutes without a word.
        config.default_retry = false;
        config.read_timeout = Some(SILENT_FOR);
        config.reset_reader_on_write = true;
        Client::try_from(config).context("can't make a client for the API server")
    }
}
