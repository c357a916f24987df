//! `cargo verify`: everything that must pass before a change lands, with the counts of what ran.

use std::io::{BufRead as _, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, bail};
use clap::Args;

use crate::cargo::{cargo, root};
use crate::counts::Counts;
use crate::oracle;
use crate::real_manifests;
use crate::suite;

/// The version of cargo-deny that is installed where there is none.
const CARGO_DENY_VERSION: &str = "0.20.2";

/// Options of `verify`.
#[derive(Debug, Args)]
pub struct Options {
    /// How many cases each oracle family gets.
    #[arg(long, default_value_t = 3000)]
    cases: u64,
    /// The seed of the oracle's cases. The same each time unless it is given, so that a change is judged by the cases of the one before;
    /// what upstream leaves to chance is left to it. `cargo e2e oracle` looks for new differences with other seeds.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The checks that are one cargo command each, in the order in which they fail fastest.
const CHECKS: [(&str, &[&str]); 5] = [
    ("formatting", &["fmt", "--all", "--check"]),
    ("lints", &["lint"]),
    ("documentation", &["doc", "--workspace", "--no-deps", "--quiet"]),
    ("purity", &["pure"]),
    ("tests", &["test", "--workspace"]),
];

/// Runs every check, one after the other, and prints the counts; false where an oracle case differs.
///
/// # Errors
/// The first check that fails, by name.
pub fn run(options: &Options, output: &mut dyn Write) -> anyhow::Result<bool> {
    let mut counts = Counts::default();
    for (name, arguments) in CHECKS {
        let mut command = cargo(arguments)?;
        command.env("RUSTDOCFLAGS", "-D warnings");
        counts += step(name, command, output)?;
    }
    step("licences, bans and sources", cargo_deny(output)?, output)?;
    let Options { cases, seed } = options;
    writeln!(output, "\n== oracle: cargo e2e oracle --cases {cases} --seed {seed}")?;
    counts += oracle::run_all(*cases, *seed, output)?;
    writeln!(output, "\n== manifests that others wrote: cargo e2e real-manifests")?;
    counts += real_manifests::check(output)?;
    writeln!(output, "\n== a cluster: cargo e2e test")?;
    counts += suite::run(&suite::Options::default())?;
    writeln!(output, "\n{} passed, {} failed", counts.passed, counts.failed)?;
    Ok(counts.failed == 0)
}

/// Runs one check, passes its output on and counts the tests in it.
fn step(name: &str, mut command: Command, output: &mut dyn Write) -> anyhow::Result<Counts> {
    writeln!(output, "\n== {name}: {}", words(&command))?;
    let started = Instant::now();
    let mut child = command.stdout(Stdio::piped()).spawn().with_context(|| format!("can't start {name}"))?;
    let mut counts = Counts::default();
    let lines = BufReader::new(child.stdout.take().context("the output was piped")?).lines();
    for line in lines {
        let line = line.with_context(|| format!("can't read the output of {name}"))?;
        writeln!(output, "{line}")?;
        counts += test_result(&line).unwrap_or_default();
    }
    let status = child.wait().with_context(|| format!("can't wait for {name}"))?;
    writeln!(output, "== {name}: {:.0} s", started.elapsed().as_secs_f64())?;
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

/// `cargo deny` from the path, or installed once into the target folder.
fn cargo_deny(output: &mut dyn Write) -> anyhow::Result<Command> {
    let check = ["deny", "check", "bans", "licenses", "sources"];
    let installed = cargo(&["deny", "--version"])?.output().is_ok_and(|output| output.status.success());
    if installed {
        return cargo(&check);
    }
    let root = root()?;
    let tools = target_folder(root).join("tools");
    let program = tools.join("bin/cargo-deny");
    if !program.exists() {
        let mut install =
            cargo(&["install", "cargo-deny", "--locked", "--debug", "--version", CARGO_DENY_VERSION])?;
        install.arg("--root").arg(&tools);
        step("install cargo-deny", install, output)?;
    }
    let mut command = Command::new(program);
    command.current_dir(root).args(&check[1..]);
    Ok(command)
}

fn target_folder(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

fn words(command: &Command) -> String {
    let words: Vec<_> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_closing_line_of_the_test_harness() {
        let line =
            "test result: ok. 12 passed; 1 failed; 0 ignored; 0 measured; 3 filtered out; finished in 0.01s";
        assert_eq!(test_result(line), Some(Counts { passed: 12, failed: 1 }));
        assert_eq!(test_result("running 3 tests"), None);
    }
}
