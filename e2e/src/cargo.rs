//! cargo, run by a program that cargo runs.

use std::path::Path;
use std::process::Command;

use anyhow::Context as _;

/// The workspace.
///
/// # Errors
/// This crate lies nowhere.
pub fn root() -> anyhow::Result<&'static Path> {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is the parent of e2e")
}

/// `cargo` in the workspace, as if a person had called it.
///
/// What cargo tells the program that it runs about itself is not passed on: some build scripts look at it, so their crates and
/// all that depend on them would be built anew each time.
///
/// # Errors
/// This crate lies nowhere.
pub fn cargo<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> anyhow::Result<Command> {
    let mut command = Command::new("cargo");
    command.current_dir(root()?).args(arguments);
    for (name, _) in std::env::vars_os() {
        let told = ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"];
        if told.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    Ok(command)
}
