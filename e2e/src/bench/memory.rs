//! The memory of our processes with many namespaces.

use std::io::Write;

use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _};

use super::admission::{Limits, prepare};
use crate::cluster::{Cluster, Deciders, Shape};

/// Makes namespaces, each with a LimitRange and a quota, and prints what our processes take once all are counted.
pub(super) async fn run(namespaces: usize, output: &mut dyn Write) -> anyhow::Result<()> {
    let cluster = Cluster::start(Shape::new(Deciders::Plimsoll { webhooks: 1 }, 0)).await?;
    let names = (0..namespaces).map(|number| format!("bench-{number}"));
    let (client, deciders) = (&cluster.client, Deciders::Plimsoll { webhooks: 1 });
    let prepared = futures::stream::iter(names)
        .map(|name| async move { prepare(client, &name, deciders, Limits::default()).await });
    prepared.buffer_unordered(16).try_collect::<Vec<()>>().await?;
    writeln!(output, "{namespaces} namespaces, each with a LimitRange and a quota")?;
    for (name, mebibytes) in cluster.plimsoll()?.memory()? {
        writeln!(output, "{name:<16}{mebibytes:>8.1} MiB")?;
    }
    std::fs::remove_dir_all(cluster.folder()).context("can't remove the logs")
}
