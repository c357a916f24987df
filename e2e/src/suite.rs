//! Tests against a real API server: `cargo e2e test`.
//!
//! Each test gets a namespace of its own and runs beside the others. What a client sees is compared word for word.

mod certificates;
mod client;
mod exactness;
mod faults;
mod limit_range;
mod quota;

use std::sync::Arc;

use anyhow::Context as _;
use futures::future::LocalBoxFuture;
use libtest_mimic::{Arguments, Failed, Trial};
use tokio::runtime::Runtime;

use crate::cluster::{Cluster, Deciders, Shape};
use crate::counts::Counts;
pub use client::Sandbox;

/// Options of `cargo e2e test`.
#[derive(Debug, Default, clap::Args)]
pub struct Options {
    /// Runs only the tests whose names contain this.
    filter: Option<String>,
}

type Test = fn(Sandbox) -> LocalBoxFuture<'static, anyhow::Result<()>>;

/// Starts a cluster, runs the tests, and counts them: first those that can run beside each other, then those that disturb.
///
/// # Errors
/// The cluster does not start.
pub fn run(options: &Options) -> anyhow::Result<Counts> {
    let runtime = Arc::new(Runtime::new().context("can't start the runtime")?);
    let cluster = Arc::new(
        runtime.block_on(Cluster::start(Shape { deciders: Deciders::Plimsoll { webhooks: 3 }, nodes: 3 }))?,
    );
    let trial = |(name, test): (&'static str, Test)| {
        let (runtime, cluster) = (Arc::clone(&runtime), Arc::clone(&cluster));
        Trial::test(name, move || {
            let outcome = runtime.block_on(async {
                let sandbox = Sandbox::new(&cluster, name).await?;
                test(sandbox).await
            });
            outcome.map_err(|error| Failed::from(format!("{error:#}")))
        })
    };
    let mut counts = Counts::default();
    for (tests, threads) in [
        ([limit_range::TESTS, quota::TESTS].concat(), 8),
        ([certificates::TESTS, exactness::TESTS, faults::TESTS].concat(), 1),
    ] {
        let arguments =
            Arguments { filter: options.filter.clone(), test_threads: Some(threads), ..Arguments::default() };
        let conclusion = libtest_mimic::run(&arguments, tests.into_iter().map(trial).collect());
        counts += Counts { passed: conclusion.num_passed, failed: conclusion.num_failed };
    }
    if counts.failed > 0 {
        anyhow::bail!("{} tests failed; logs: {}", counts.failed, cluster.folder().display());
    }
    std::fs::remove_dir_all(cluster.folder()).context("can't remove the logs of a run that went well")?;
    Ok(counts)
}

/// Starts a cluster and keeps it until the process is told to end.
///
/// # Errors
/// The cluster does not start.
pub fn up() -> anyhow::Result<()> {
    let runtime = Runtime::new().context("can't start the runtime")?;
    runtime.block_on(async {
        let cluster =
            Cluster::start(Shape { deciders: Deciders::Plimsoll { webhooks: 2 }, nodes: 3 }).await?;
        crate::say(&format!("ready: export KUBECONFIG={}", cluster.kubeconfig().display()))?;
        crate::say("ends with Ctrl-C")?;
        tokio::signal::ctrl_c().await.context("can't wait for Ctrl-C")
    })
}
