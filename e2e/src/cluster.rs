//! A cluster of upstream's own programs and ours on loopback, with KWOK for nodes, made for one run and gone with it.

mod api_server;
mod bare;
mod control_plane;
mod empty_webhook;
mod forwarder;
mod identity;
mod kwok;
mod nodes;
mod plimsoll;
mod process;

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context as _;
use kube::Client;

pub(crate) use bare::BareCluster;
use control_plane::ControlPlane;
pub use control_plane::{DaemonSets, Programs};
use empty_webhook::EmptyWebhook;
pub use empty_webhook::{Options as EmptyWebhookOptions, answer as answer_emptily};
pub use plimsoll::{CERTIFICATE_SECRET, Plimsoll};
pub(crate) use process::Process;
pub use process::Signal;

/// Who decides about LimitRanges and quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deciders {
    /// This many replicas of our webhook.
    Plimsoll {
        /// How many.
        webhooks: usize,
    },
    /// Upstream's own plugins.
    BuiltIns,
    /// Upstream's own plugins, and two replicas of our webhook: one that is asked to enforce, one to shadow.
    Beside,
    /// A server that is registered as our webhook is, and agrees to everything at once.
    Empty {
        /// Whether it answers with a patch that is always the same, as if a LimitRange cost nothing but what the API server has to do.
        patches: bool,
    },
    /// Nobody.
    Nobody,
}

impl Deciders {
    /// Whether upstream's own plugins decide, be it beside ours.
    fn are_built_in(self) -> bool {
        matches!(self, Self::BuiltIns | Self::Beside)
    }
}

/// What a cluster is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Who decides.
    pub deciders: Deciders,
    /// Who keeps the pods of DaemonSets: upstream, or ours if they run.
    pub daemon_sets: DaemonSets,
    /// How many nodes KWOK plays.
    pub nodes: usize,
}

impl Shape {
    /// A cluster in which whoever decides about quotas keeps the DaemonSets as well; beside upstream's plugins that is upstream.
    pub fn new(deciders: Deciders, nodes: usize) -> Self {
        let daemon_sets = if deciders.are_built_in() { DaemonSets::Upstream } else { DaemonSets::Others };
        Self { deciders, daemon_sets, nodes }
    }
}

/// A running cluster. Its processes end with it.
pub struct Cluster {
    /// Speaks to the API server as a member of `system:masters`.
    pub client: Client,
    plimsoll: Option<Plimsoll>,
    empty: Option<EmptyWebhook>,
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
        let Shape { deciders, daemon_sets, nodes } = shape;
        let control_plane =
            ControlPlane::start(programs, &folder, deciders.are_built_in(), daemon_sets).await?;
        let client = control_plane.client_of(None).await?;
        nodes::create(&client, nodes).await.context("can't create the nodes")?;
        let (mut plimsoll, mut empty) = (None, None);
        match deciders {
            Deciders::Plimsoll { webhooks } => {
                let modes = vec!["enforce"; webhooks];
                plimsoll = Some(Plimsoll::start(&folder, &client, &modes, daemon_sets).await?);
            }
            Deciders::Beside => {
                let modes = ["enforce", "shadow"];
                plimsoll = Some(Plimsoll::start(&folder, &client, &modes, daemon_sets).await?);
            }
            Deciders::Empty { patches } => {
                empty = Some(EmptyWebhook::start(&folder, &client, patches).await?);
            }
            Deciders::BuiltIns | Deciders::Nobody => {}
        }
        Ok(Self { client, plimsoll, empty, control_plane })
    }

    /// Speaks to the API server as someone else, who is a member of `system:masters` too.
    ///
    /// # Errors
    /// The kubeconfig can't be used.
    pub async fn client_of(&self, user: &str) -> anyhow::Result<Client> {
        self.control_plane.client_of(Some(user)).await
    }

    /// Our own processes.
    ///
    /// # Errors
    /// This cluster has none.
    pub fn plimsoll(&self) -> anyhow::Result<&Plimsoll> {
        self.plimsoll.as_ref().context("this cluster has no processes of ours")
    }

    /// Ends the API server at once, as a crash would, and begins it again.
    ///
    /// # Errors
    /// It does not start.
    pub async fn crash_api_server(&self) -> anyhow::Result<()> {
        self.control_plane.api_server.crash().await
    }

    /// Hands the DaemonSets over: whoever kept them ends at once before the other begins.
    ///
    /// # Errors
    /// Something does not start.
    pub async fn hand_daemon_sets_to(&self, keeper: DaemonSets) -> anyhow::Result<()> {
        match keeper {
            DaemonSets::Upstream => {
                self.plimsoll()?.begin_controllers_anew(keeper).await?;
                self.control_plane.restart_controller_manager(keeper)
            }
            DaemonSets::Others => {
                self.control_plane.restart_controller_manager(keeper)?;
                self.plimsoll()?.begin_controllers_anew(keeper).await
            }
        }
    }

    /// Has kube-controller-manager keep the DaemonSets beside whoever keeps them by now.
    ///
    /// # Errors
    /// It does not start.
    pub fn add_upstream_for_daemon_sets(&self) -> anyhow::Result<()> {
        self.control_plane.restart_controller_manager(DaemonSets::Upstream)
    }

    /// Where a program of upstream's lies.
    pub fn program(&self, name: &str) -> PathBuf {
        self.control_plane.program(name)
    }

    /// Has etcd stand still, or go on.
    ///
    /// # Errors
    /// The signal can't be sent.
    pub fn signal_etcd(&self, signal: Signal) -> anyhow::Result<()> {
        self.control_plane.signal_etcd(signal)
    }

    /// The CPU time that programs have taken so far, by name, in seconds.
    ///
    /// # Errors
    /// The system does not tell.
    pub fn cpu_seconds(&self) -> anyhow::Result<Vec<(String, f64)>> {
        let ours = self
            .plimsoll
            .iter()
            .flat_map(Plimsoll::processes)
            .chain(self.empty.iter().map(EmptyWebhook::process));
        let mut seconds = self.control_plane.cpu_seconds()?;
        for time in ours {
            seconds.push(time?);
        }
        Ok(seconds)
    }

    /// The folder with logs and configuration.
    pub fn folder(&self) -> &Path {
        &self.control_plane.api_server.folder
    }

    /// The kubeconfig of an administrator.
    pub fn kubeconfig(&self) -> &Path {
        &self.control_plane.api_server.kubeconfig
    }
}

/// A folder that no other run uses.
fn fresh_folder() -> anyhow::Result<PathBuf> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).context("the clock stands before 1970")?;
    let folder = crate::cargo::root()?.join("target/e2e").join(format!(
        "{}-{}",
        since.as_millis(),
        std::process::id()
    ));
    std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
    Ok(folder)
}
