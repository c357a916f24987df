//! Keys and tokens of one run.

use std::path::Path;

use anyhow::Context as _;
use rcgen::KeyPair;

/// The token of the administrator; the cluster listens on loopback only.
pub(super) const TOKEN: &str = "plimsoll-e2e";

/// Writes the key with which service account tokens are signed, and beside it, as `.pub`, the one that proves them.
pub(super) fn write_service_account_key(path: &Path) -> anyhow::Result<()> {
    let key = KeyPair::generate().context("can't make a key")?;
    write(path, &key.serialize_pem())?;
    write(&path.with_extension("pub"), &key.public_key_pem())
}

pub(super) fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    std::fs::write(path, text).with_context(|| format!("can't write {}", path.display()))
}
