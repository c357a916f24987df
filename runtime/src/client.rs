//! The client for the API server.

use std::path::PathBuf;

use anyhow::Context as _;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};

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
        let config = match &self.kubeconfig {
            Some(path) => {
                let unusable = || format!("can't use kubeconfig {}", path.display());
                let file = Kubeconfig::read_from(path).with_context(unusable)?;
                Config::from_custom_kubeconfig(file, &KubeConfigOptions::default())
                    .await
                    .with_context(unusable)?
            }
            None => Config::infer().await.context("found no way to the API server; give --kubeconfig")?,
        };
        Client::try_from(config).context("can't make a client for the API server")
    }
}
