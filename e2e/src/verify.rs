//! `cargo verify`: everything that must pass before a change lands, with the counts of what ran.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};

/// The version of cargo-deny that is installed where there is none.
const CARGO_DENY_VERSION: &str = "0.20.2";
/// How many cases each oracle family gets here; `cargo e2e oracle --cases` runs more.
pub const ORACLE_CASES: u64 = 3000;

/// How many tests passed and failed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Tests and oracle cases that passed.
    pub passed: u64,
    /// Tests and oracle cases that failed.
    pub failed: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// Runs every check but the oracle in the workspace at `root`, one after the other, and counts the tests.
///
/// # Errors
/// The first check that fails, by name.
pub fn verify(root: &Path) -> Result<Counts> {
    let mut counts = Counts::default();
    for (name, arguments) in [
        ("formatting", &["fmt", "--all", "--check"][..]),
        ("lints", &["lint"]),
        ("documentation", &["doc", "--workspace", "--no-deps", "--quiet"]),
        ("purity", &["pure"]),
        ("tests", &["test", "--workspace"]),
    ] {
        let mut command = cargo(root, arguments);
        command.env("RUSTDOCFLAGS", "-D warnings");
        counts.add(step(name, command)?);
    }
    step("licences, bans and sources", cargo_deny(root)?)?;
    Ok(counts)
}

/// Runs one check, passes its output on and counts the tests in it.
fn step(name: &str, mut command: Command) -> Result<Counts> {
    println!("\n== {name}: {}", words(&command));
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("start {name}"))?;
    let mut counts = Counts::default();
    let output = child.stdout.take().context("the output was piped")?;
    for line in BufReader::new(output).lines() {
        let line = line.with_context(|| format!("read the output of {name}"))?;
        println!("{line}");
        counts.add(test_result(&line).unwrap_or_default());
    }
    let status = child.wait().with_context(|| format!("wait for {name}"))?;
    println!("== {name}: {:.0} s", started.elapsed().as_secs_f64());
    if !status.success() {
        bail!("{name} failed: {} ended with {status}", words(&command));
    }
    Ok(counts)
}

/// The counts in a closing line of the Rust test harness.
fn test_result(line: &str) -> Option<Counts> {
    let result = line.strip_prefix("test result: ")?;
    let count = |what: &str| {
        result.split([';', '.']).find_map(|part| part.trim().strip_suffix(what)?.trim().parse::<u64>().ok())
    };
    Some(Counts { passed: count("passed")?, failed: count("failed")? })
}

fn cargo(root: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.current_dir(root).args(arguments);
    command
}

/// `cargo deny` from the path, or installed once into the target folder.
fn cargo_deny(root: &Path) -> Result<Command> {
    let check = ["deny", "check", "bans", "licenses", "sources"];
    let installed = Command::new("cargo").args(["deny", "--version"]).output().is_ok_and(|output| output.status.success());
    if installed {
        return Ok(cargo(root, &check));
    }
    let tools = target_folder(root).join("tools");
    let program = tools.join("bin/cargo-deny");
    if !program.exists() {
        let mut install = cargo(root, &["install", "cargo-deny", "--locked", "--debug", "--version", CARGO_DENY_VERSION]);
        install.arg("--root").arg(&tools);
        step("install cargo-deny", install)?;
    }
    let mut command = Command::new(program);
    command.current_dir(root).args(&check[1..]);
    Ok(command)
}

fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

fn words(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program()).chain(command.get_args()).map(|word| word.to_string_lossy()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_closing_line_of_the_test_harness() {
        let line = "test result: ok. 12 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(test_result(line), Some(Counts { passed: 12, failed: 1 }));
        assert_eq!(test_result("running 3 tests"), None);
    }
}
