//! `cargo e2e bench`: Plimsoll and upstream side by side, on the same machine in one run.

mod admission;
mod daemon_set;
mod memory;

use std::io::Write;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Subcommand, ValueEnum as _};

use admission::{Contender, Limits, Load};

/// Options of `bench`.
#[derive(Debug, clap::Args)]
pub struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Pods created into one namespace with a LimitRange and a quota: by upstream's plugins, by our webhook, by a webhook that agrees to
    /// everything at once, by the same with a patch that never changes, and with none of them.
    Admission {
        /// For how long each measurement lasts, in seconds.
        #[arg(long, default_value_t = 10)]
        seconds: u64,
        /// How many rounds there are; the medians are printed.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
        /// How many workers create at the same time; may be given several times.
        #[arg(long, default_values_t = [1, 16, 64])]
        workers: Vec<usize>,
        /// Who is measured; may be given several times.
        #[arg(long = "of", value_enum, default_values_t = Contender::value_variants().to_vec())]
        contenders: Vec<Contender>,
        #[command(flatten)]
        limits: Limits,
    },
    /// How much memory our processes take with many namespaces, each with a LimitRange and a quota.
    Memory {
        /// How many namespaces.
        #[arg(long, default_value_t = 1000)]
        namespaces: usize,
    },
    /// The DaemonSet controllers of kube-controller-manager and of Plimsoll, each alone with an API server: a DaemonSet that comes, and
    /// heartbeats of the nodes after that.
    Daemonset {
        /// How many nodes there are; may be given several times.
        #[arg(long, default_values_t = [2000, 5000])]
        nodes: Vec<usize>,
        /// For how long the nodes tell that they are well, in seconds.
        #[arg(long, default_value_t = 60)]
        seconds: u64,
        /// How many rounds there are; the medians are printed.
        #[arg(long, default_value_t = 3)]
        rounds: usize,
    },
}

/// Measures and prints.
///
/// # Errors
/// A cluster does not start, or a create fails.
pub fn run(options: &Options, output: &mut dyn Write) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Runtime::new().context("can't start the runtime")?;
    match &options.what {
        What::Admission { seconds, rounds, workers, contenders, limits } => {
            let load = Load { workers, duration: Duration::from_secs(*seconds), limits: *limits };
            admission::run(&runtime, *rounds, load, contenders, output)
        }
        What::Daemonset { nodes, seconds, rounds } => {
            runtime.block_on(daemon_set::run(nodes, Duration::from_secs(*seconds), *rounds, output))
        }
        What::Memory { namespaces } => runtime.block_on(memory::run(*namespaces, output)),
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}
