//! A cluster of upstream's own programs and ours on loopback, with KWOK for nodes, made for one run and gone with it.

mod control_plane;
mod forwarder;
mod identity;
mod nodes;
mod plimsoll;
mod process;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use kube::Client;

use control_plane::ControlPlane;
pub use control_plane::Programs;
pub use plimsoll::Plimsoll;

/// What a cluster is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How many webhook replicas answer.
    pub webhooks: usize,
    /// How many nodes KWOK plays.
    pub nodes: usize,
}

/// A running cluster. Its processes end with it.
pub struct Cluster {
    /// Speaks to the API server as a member of `system:masters`.
    pub client: Client,
    /// Our own processes.
    pub plimsoll: Plimsoll,
    control_plane: ControlPlane,
}

impl Cluster {
    /// Starts everything, and returns once it is ready.
    ///
    /// # Errors
    /// Something does not start; its log is named.
    pub async fn start(shape: Shape) -> anyhow::Result<Self> {
        let programs = Programs::build()?;
        let folder = fresh_folder()?;
        let control_plane = ControlPlane::start(&programs, &folder).await?;
        let client = control_plane.client().await?;
        nodes::create(&client, shape.nodes).await.context("can't create the nodes")?;
        let plimsoll = Plimsoll::start(&folder, &client, shape.webhooks).await?;
        Ok(Self { client, plimsoll, control_plane })
    }

    /// The folder with logs and configuration.
    pub fn folder(&self) -> &Path {
        &self.control_plane.folder
    }

    /// The kubeconfig of an administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.control_plane.kubeconfig
    }
}

/// A folder that no other run uses.
fn fresh_folder() -> anyhow::Result<PathBuf> {
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).parent().context("the workspace is the parent of e2e")?;
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let folder = root.join("target/e2e").join(format!("{}-{}", since.as_millis(), std::process::id()));
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    Ok(folder)
}
