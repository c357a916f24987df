//! Tests against a real API server: `cargo e2e test`.
//!
//! Each test gets a namespace of its own and runs beside the others. What a client sees is compared word for word.

mod certificates;
mod client;
mod daemon_sets;
mod exactness;
mod faults;
mod limit_range;
mod modes;
mod quota;
mod scopes;
mod static_pods;
mod warnings;

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

/// What disturbs no other test, and how much of it runs at the same time.
const BESIDE_EACH_OTHER: usize = 8;
/// What disturbs the others runs alone.
const ALONE: usize = 1;

type Test = fn(Sandbox) -> LocalBoxFuture<'static, anyhow::Result<()>>;

/// Starts clusters, runs the tests, and counts them: in each first those that can run beside each other, then those that disturb.
///
/// # Errors
/// A cluster does not start, or a test fails.
pub fn run(options: &Options) -> anyhow::Result<Counts> {
    let ours = Shape::new(Deciders::Plimsoll { webhooks: 3 }, 3);
    let beside = Shape::new(Deciders::Beside, 0);
    let side_by_side = [
        limit_range::TESTS,
        quota::TESTS,
        scopes::TESTS,
        static_pods::TESTS,
        warnings::TESTS,
        daemon_sets::TESTS,
    ]
    .concat();
    let disturbing = [certificates::TESTS, exactness::TESTS, faults::TESTS, daemon_sets::DISTURBING].concat();
    let mut counts = run_in(ours, [(side_by_side, BESIDE_EACH_OTHER), (disturbing, ALONE)], options)?;
    counts += run_in(beside, [(modes::TESTS.to_vec(), BESIDE_EACH_OTHER)], options)?;
    Ok(counts)
}

/// Runs tests in a cluster, unless none of them is asked for.
fn run_in<const N: usize>(
    shape: Shape,
    groups: [(Vec<(&'static str, Test)>, usize); N],
    options: &Options,
) -> anyhow::Result<Counts> {
    let mut counts = Counts::default();
    let wanted = |name: &str| options.filter.as_ref().is_none_or(|filter| name.contains(filter));
    if !groups.iter().flat_map(|(tests, _)| tests).any(|(name, _)| wanted(name)) {
        return Ok(counts);
    }
    let runtime = Arc::new(Runtime::new().context("can't start the runtime")?);
    let cluster = Arc::new(runtime.block_on(Cluster::start(shape))?);
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
    for (tests, threads) in groups {
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
        let cluster = Cluster::start(Shape::new(Deciders::Plimsoll { webhooks: 2 }, 3)).await?;
        crate::say(&format!("ready: export KUBECONFIG={}", cluster.kubeconfig().display()))?;
        crate::say("ends with Ctrl-C")?;
        tokio::signal::ctrl_c().await.context("can't wait for Ctrl-C")
    })
}
