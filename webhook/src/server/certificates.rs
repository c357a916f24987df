//! The certificate with which reviews are answered.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use axum_server::tls_rustls::RustlsConfig;
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Files that hold a certificate and its key; both are read again when they change.
#[derive(Clone, Debug, clap::Args)]
pub struct CertificateFiles {
    /// The certificate, with its chain, as PEM.
    #[arg(long, value_name = "FILE")]
    tls_cert_file: PathBuf,
    /// Its private key, as PEM.
    #[arg(long, value_name = "FILE")]
    tls_private_key_file: PathBuf,
}

impl CertificateFiles {
    /// Reads the files.
    ///
    /// # Errors
    /// A file can't be read, or key and certificate do not belong together.
    pub fn load(&self) -> anyhow::Result<RustlsConfig> {
        Ok(RustlsConfig::from_config(Arc::new(self.read()?)))
    }

    /// Reads the files again; what can't be used leaves the certificate as it is.
    pub fn reload(&self, tls: &RustlsConfig) {
        match self.read() {
            Ok(config) => tls.reload_from_config(Arc::new(config)),
            Err(error) => tracing::warn!(error = format!("{error:#}"), "the old certificate stays"),
        }
    }

    fn read(&self) -> anyhow::Result<ServerConfig> {
        let unreadable = |path: &Path| format!("can't read {}", path.display());
        let chain = CertificateDer::pem_file_iter(&self.tls_cert_file)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .with_context(|| unreadable(&self.tls_cert_file))?;
        let key = PrivateKeyDer::from_pem_file(&self.tls_private_key_file)
            .with_context(|| unreadable(&self.tls_private_key_file))?;
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
}
