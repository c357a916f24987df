//! Keys, certificates and tokens of one run.

use std::path::Path;

use anyhow::Context as _;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

/// The token of the administrator; the cluster listens on loopback only.
pub(super) const TOKEN: &str = "plimsoll-e2e";

/// A certificate authority for the webhooks.
pub(super) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, as PEM.
    pub(super) pem: String,
}

impl Authority {
    pub(super) fn new() -> anyhow::Result<Self> {
        let key = KeyPair::generate().context("can't make a key")?;
        let mut parameters = CertificateParams::default();
        parameters.distinguished_name.push(DnType::CommonName, "plimsoll-e2e");
        parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = parameters.self_signed(&key).context("can't sign")?;
        Ok(Self { pem: certificate.pem(), issuer: Issuer::new(parameters, key) })
    }

    /// Writes `tls.crt` and `tls.key` for a server on loopback.
    pub(super) fn write_server_certificate(&self, folder: &Path) -> anyhow::Result<()> {
        let key = KeyPair::generate().context("can't make a key")?;
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let parameters = CertificateParams::new(names).context("can't name the server")?;
        let certificate = parameters.signed_by(&key, &self.issuer).context("can't sign")?;
        write(&folder.join("tls.crt"), &certificate.pem())?;
        write(&folder.join("tls.key"), &key.serialize_pem())
    }
}

/// Writes the key with which service account tokens are signed, and beside it, as `.pub`, the one that proves them.
pub(super) fn write_service_account_key(path: &Path) -> anyhow::Result<()> {
    let key = KeyPair::generate().context("can't make a key")?;
    write(path, &key.serialize_pem())?;
    write(&path.with_extension("pub"), &key.public_key_pem())
}

pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("can't write {}", path.display()))
}
