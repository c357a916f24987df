//! The certificate with which reviews are answered: from files that someone else keeps, or minted and rotated here.

mod managed;
mod material;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use anyhow::{Context as _, bail};
use axum_server::tls_rustls::RustlsConfig;
use kube::Client;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::metrics::Metrics;
use managed::Keeper;
use material::Policy;

/// How often files are read again.
const READ_AGAIN: Duration = Duration::from_secs(10);

/// Where the certificate comes from.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Flags {
    /// A certificate that someone else keeps, with its chain, as PEM; it and its key are read again every ten seconds. The caBundle is
    /// then theirs too. Either these two files or --certificate-secret must be given.
    #[arg(
        long,
        value_name = "FILE",
        requires = "tls_private_key_file",
        conflicts_with = "certificate_secret"
    )]
    tls_cert_file: Option<PathBuf>,
    /// The private key of --tls-cert-file, as PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert_file")]
    tls_private_key_file: Option<PathBuf>,
    /// The Secret in which this process and its replicas keep a certificate that they mint, as NAMESPACE/NAME; needs
    /// --certificate-name.
    #[arg(long, value_name = "SECRET")]
    certificate_secret: Option<String>,
    /// A name or address under which the API server reaches the webhook; may be given several times.
    #[arg(long, value_name = "NAME")]
    certificate_name: Vec<String>,
    /// For how long a minted certificate is valid, in seconds; it is replaced when a third is left.
    #[arg(long, default_value_t = 90 * 24 * 3600, value_name = "SECONDS")]
    certificate_lifetime_seconds: u64,
}

/// The certificate in use.
#[derive(Clone)]
pub struct Served {
    /// What the listener uses.
    pub tls: RustlsConfig,
    /// Whether the API server is told to trust it.
    pub trusted: Arc<AtomicBool>,
}

impl Flags {
    /// Gets a certificate, and keeps it for as long as the process runs.
    ///
    /// # Errors
    /// There is none to be had.
    pub async fn serve(
        &self,
        client: Client,
        metrics: Arc<Metrics>,
        configurations: Vec<String>,
    ) -> anyhow::Result<Served> {
        match (&self.tls_cert_file, &self.tls_private_key_file, &self.certificate_secret) {
            (Some(certificate), Some(key), None) => serve_files(certificate.clone(), key.clone()),
            (None, None, Some(secret)) => {
                let (namespace, name) = secret
                    .split_once('/')
                    .with_context(|| format!("--certificate-secret {secret:?}: expected NAMESPACE/NAME"))?;
                if self.certificate_name.is_empty() {
                    bail!("--certificate-secret needs --certificate-name");
                }
                let lifetime = Duration::from_secs(self.certificate_lifetime_seconds);
                let policy = Policy { names: self.certificate_name.clone(), lifetime };
                Keeper::new(client, (namespace, name), policy, configurations, metrics).serve().await
            }
            _ => bail!("give either --tls-cert-file and --tls-private-key-file, or --certificate-secret"),
        }
    }
}

fn serve_files(certificate: PathBuf, key: PathBuf) -> anyhow::Result<Served> {
    let read = move || -> anyhow::Result<ServerConfig> {
        let unreadable = |path: &Path| format!("can't read {}", path.display());
        let chain = CertificateDer::pem_file_iter(&certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| unreadable(&certificate))?;
        let key = PrivateKeyDer::from_pem_file(&key).with_context(|| unreadable(&key))?;
        server_config(chain, key)
    };
    let tls = RustlsConfig::from_config(Arc::new(read()?));
    tokio::spawn({
        let tls = tls.clone();
        async move {
            loop {
                tokio::time::sleep(READ_AGAIN).await;
                match read() {
                    Ok(config) => tls.reload_from_config(Arc::new(config)),
                    Err(error) => tracing::warn!(error = format!("{error:#}"), "the old certificate stays"),
                }
            }
        }
    });
    Ok(Served { tls, trusted: Arc::new(AtomicBool::new(true)) })
}

fn server_config(
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
) -> anyhow::Result<ServerConfig> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("the certificate can't be served")?;
    // HTTP/2 would bring all calls of an API server to one replica.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}
