//! Builds the programs that come from `e2e/upstream`, the pinned Go module.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The folder of the Go module.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("upstream")
}

/// Builds the oracle program, where Go finds that anything changed, and returns its path.
///
/// # Errors
/// When `go` is missing or the build fails; Go has then printed why.
pub fn build_oracle() -> anyhow::Result<PathBuf> {
    let program = folder().join("bin/oracle");
    let status = Command::new("go")
        .current_dir(folder())
        .args(["build", "-trimpath", "-o"])
        .arg(&program)
        .arg("./oracle")
        .env("CGO_ENABLED", "0")
        .status()
        .context("can't run go: the oracle needs Go 1.26 on the PATH")?;
    if !status.success() {
        bail!("go build of e2e/upstream/oracle failed: {status}");
    }
    Ok(program)
}

/// The folder of the pinned Kubernetes module, which Go fetches where it isn't there yet.
///
/// # Errors
/// When `go` is missing or can't fetch it.
pub fn kubernetes_folder() -> anyhow::Result<PathBuf> {
    let run = |arguments: &[&str]| -> anyhow::Result<String> {
        let mut command = Command::new("go");
        command.current_dir(folder()).args(arguments);
        let answer = command.output().context("can't run go: upstream's module needs Go 1.26 on the PATH")?;
        if !answer.status.success() {
            bail!("{command:?} failed: {}", String::from_utf8_lossy(&answer.stderr));
        }
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    };
    run(&["mod", "download", "k8s.io/kubernetes"])?;
    run(&["list", "-m", "-f", "{{.Dir}}", "k8s.io/kubernetes"]).map(PathBuf::from)
}
