//! etcd and kube-apiserver, and one controller at work: nothing else takes time.

use std::path::Path;

use anyhow::Context as _;
use kube::Client;

use super::api_server::ApiServer;
use super::control_plane::{DaemonSets, Programs};
use super::process::Process;
use super::{fresh_folder, plimsoll};

/// What needs other controllers of the cluster, or would cost each pod time.
const WITHOUT_PLUGINS: &[&str] = &["LimitRanger", "ResourceQuota", "ServiceAccount", "TaintNodesByCondition"];

/// The running programs.
pub(crate) struct BareCluster {
    /// Speaks to the API server as a member of `system:masters`.
    pub(crate) client: Client,
    programs: Programs,
    api_server: ApiServer,
}

impl BareCluster {
    /// Starts etcd and the API server.
    pub(crate) async fn start() -> anyhow::Result<Self> {
        let programs = Programs::build()?;
        let api_server = ApiServer::start(&programs, &fresh_folder()?, WITHOUT_PLUGINS).await?;
        Ok(Self { client: api_server.client_of(None).await?, programs, api_server })
    }

    /// Starts a DaemonSet controller, and nothing else of the program that it is part of.
    pub(crate) fn begin_daemon_sets(&self, keeper: DaemonSets) -> anyhow::Result<Process> {
        let (name, mut command) = match keeper {
            DaemonSets::Upstream => {
                let mut command = self.programs.command("kube-controller-manager");
                command.args(["--leader-elect=false", "--secure-port=0"]);
                // By default it calls the API server 20 times a second.
                command.args(["--kube-api-qps=10000", "--kube-api-burst=10000"]);
                ("kube-controller-manager", command)
            }
            DaemonSets::Others => {
                plimsoll::build()?;
                ("plimsoll-controller", std::process::Command::new(plimsoll::program("plimsoll-controller")?))
            }
        };
        command
            .arg("--kubeconfig")
            .arg(&self.api_server.kubeconfig)
            .arg("--controllers=daemonset-controller");
        Process::start(name, self.folder(), command)
    }

    /// The CPU time that the API server has taken so far, in seconds.
    pub(crate) fn api_server_cpu_seconds(&self) -> anyhow::Result<f64> {
        let of_all: Vec<(String, f64)> = self.api_server.cpu_seconds().collect::<anyhow::Result<_>>()?;
        let of_it = of_all.into_iter().find(|(name, _)| name == "kube-apiserver");
        Ok(of_it.context("there is no API server")?.1)
    }

    /// The folder with logs and configuration.
    pub(crate) fn folder(&self) -> &Path {
        &self.api_server.folder
    }

    /// Removes logs and configuration.
    pub(crate) fn remove_folder(&self) -> anyhow::Result<()> {
        std::fs::remove_dir_all(self.folder()).context("can't remove the logs")
    }
}
