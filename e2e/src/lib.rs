//! Plimsoll's task runner: what needs Go, upstream's own code, or more time than `cargo test` may take.
//!
//! The command line is in [`Arguments`]; each subcommand has a module of its own.

#![expect(clippy::disallowed_methods, reason = "the task runner is all edge: files, programs, clocks")]

pub mod bench;
pub mod cargo;
pub mod cluster;
pub mod conformance;
pub mod counts;
pub mod made_up;
pub mod oracle;
pub mod real_manifests;
pub mod suite;
pub mod upstream;
pub mod verify;

use std::io::{BufWriter, Read, Write};

use anyhow::Context as _;
use clap::{Parser, Subcommand};

/// The command line of `cargo e2e`.
#[derive(Debug, Parser)]
#[command(name = "cargo e2e", about = "Tests against upstream Kubernetes' own code", version)]
pub struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make up random cases, answer them with our code and with upstream's, and report each difference.
    Oracle(oracle::Options),
    /// Answer the cases on standard input (JSON, one after the other) with both, and print both answers.
    OracleEval(oracle::EvaluateOptions),
    /// Time our code and upstream's on the same cases.
    OracleBench(oracle::BenchOptions),
    /// Print manifests of a cluster to measure with.
    MakeManifests(made_up::Options),
    /// Simulate the manifests of upstream's module, those in test/e2e/testing-manifests, test/fixtures and cluster/addons.
    RealManifests,
    /// Start a cluster of upstream's programs and ours, and keep it until Ctrl-C.
    Up,
    /// Start a cluster, run the tests against it, and count them.
    Test(suite::Options),
    /// Run upstream's own e2e specs against a cluster in which Plimsoll does the work.
    Conformance(conformance::Options),
    /// Measure side by side with upstream's own programs.
    Bench(bench::Options),
    /// Answer reviews at once, as the yardstick of `bench`.
    #[command(hide = true)]
    EmptyWebhook(cluster::EmptyWebhookOptions),
    /// Run everything that must pass before a change lands, and count the tests.
    Verify(verify::Options),
}

/// Runs one command. The result tells whether all was well: false where a difference or failure was found and printed.
///
/// # Errors
/// When the command can't be carried out at all: no Go, a broken build, unreadable input.
pub fn run(arguments: &Arguments, input: &mut dyn Read, output: &mut dyn Write) -> anyhow::Result<bool> {
    match &arguments.command {
        Command::Oracle(options) => oracle::run(options, output),
        Command::OracleEval(options) => oracle::evaluate(options, input, output),
        Command::OracleBench(options) => oracle::bench(options, output),
        Command::MakeManifests(options) => {
            let written = made_up::run(options, &mut BufWriter::new(output));
            written.map(|()| true).context("can't write the manifests")
        }
        Command::RealManifests => Ok(real_manifests::check(output)?.failed == 0),
        Command::Up => suite::up().map(|()| true),
        Command::Test(options) => Ok(suite::run(options)?.failed == 0),
        Command::Conformance(options) => conformance::run(options, output),
        Command::Bench(options) => bench::run(options, output).map(|()| true),
        Command::EmptyWebhook(options) => cluster::answer_emptily(options).map(|()| true),
        Command::Verify(options) => verify::run(options, output),
    }
}

/// Prints a line at once.
fn say(line: &str) -> anyhow::Result<()> {
    writeln!(std::io::stdout(), "{line}").context("can't print")
}
