//! etcd, kube-apiserver, kube-controller-manager, kube-scheduler and KWOK.

use std::path::{Path, PathBuf};
use std::process::Command;

use kube::Client;
use parking_lot::Mutex;

use super::api_server::ApiServer;
use super::kwok;
use super::process::{Process, Signal};
use crate::upstream;

/// Where the programs lie.
pub struct Programs {
    folder: PathBuf,
    pub(super) kwok_stages: PathBuf,
}

impl Programs {
    /// Builds what is not built yet.
    ///
    /// # Errors
    /// When `go` is missing or a build fails; Go has then printed why.
    pub fn build() -> anyhow::Result<Self> {
        Ok(Self { folder: upstream::build_programs()?, kwok_stages: upstream::kwok_stages()? })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    pub(super) fn command(&self, name: &str) -> Command {
        Command::new(self.path(name))
    }
}

/// The running programs.
pub(super) struct ControlPlane {
    pub(super) api_server: ApiServer,
    programs: Programs,
    /// Whether upstream's own LimitRanger and ResourceQuota do the work.
    built_ins: bool,
    controller_manager: Mutex<Process>,
    processes: Vec<Process>,
}

/// Who keeps the pods of DaemonSets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DaemonSets {
    /// kube-controller-manager.
    Upstream,
    /// Someone else.
    Others,
}

impl ControlPlane {
    /// Starts everything. With `built_ins` upstream's own LimitRanger and ResourceQuota do the work.
    pub(super) async fn start(
        programs: Programs,
        folder: &Path,
        built_ins: bool,
        daemon_sets: DaemonSets,
    ) -> anyhow::Result<Self> {
        let without: &[&str] = if built_ins { &[] } else { &["LimitRanger", "ResourceQuota"] };
        let api_server = ApiServer::start(&programs, folder, without).await?;
        let kubeconfig = &api_server.kubeconfig;
        let manager = controller_manager(&programs, folder, built_ins, daemon_sets);
        let controller_manager = Process::start("kube-controller-manager", folder, manager)?;
        let mut scheduler = programs.command("kube-scheduler");
        scheduler.arg("--kubeconfig").arg(kubeconfig).args(["--leader-elect=false", "--secure-port=0"]);
        let kwok = kwok::command(&programs, folder, kubeconfig)?;
        let processes =
            vec![Process::start("kube-scheduler", folder, scheduler)?, Process::start("kwok", folder, kwok)?];
        let controller_manager = Mutex::new(controller_manager);
        Ok(Self { api_server, programs, built_ins, controller_manager, processes })
    }

    /// Ends kube-controller-manager at once, and begins it again with its DaemonSet controller on or off.
    pub(super) fn restart_controller_manager(&self, daemon_sets: DaemonSets) -> anyhow::Result<()> {
        let mut manager = self.controller_manager.lock();
        manager.kill();
        let folder = &self.api_server.folder;
        let command = controller_manager(&self.programs, folder, self.built_ins, daemon_sets);
        *manager = Process::start("kube-controller-manager", folder, command)?;
        Ok(())
    }

    /// Where a program lies.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.programs.path(name)
    }

    /// Has etcd stand still, or go on.
    pub(super) fn signal_etcd(&self, signal: Signal) -> anyhow::Result<()> {
        self.api_server.signal_etcd(signal)
    }

    pub(super) fn cpu_seconds(&self) -> anyhow::Result<Vec<(String, f64)>> {
        let manager = self.controller_manager.lock().cpu_seconds();
        let others = self.processes.iter().map(Process::cpu_seconds);
        self.api_server.cpu_seconds().chain([manager]).chain(others).collect()
    }

    /// A client for an administrator, or for someone whom the administrator plays.
    pub(super) async fn client_of(&self, user: Option<&str>) -> anyhow::Result<Client> {
        self.api_server.client_of(user).await
    }
}

fn controller_manager(
    programs: &Programs,
    folder: &Path,
    built_ins: bool,
    daemon_sets: DaemonSets,
) -> Command {
    let mut controllers = "--controllers=*".to_owned();
    if !built_ins {
        controllers += ",-resourcequota-controller";
    }
    if daemon_sets == DaemonSets::Others {
        controllers += ",-daemonset-controller";
    }
    let mut manager = programs.command("kube-controller-manager");
    manager.arg("--kubeconfig").arg(folder.join("kubeconfig"));
    manager.arg("--service-account-private-key-file").arg(folder.join("service-account.key"));
    manager.args(["--leader-elect=false", "--secure-port=0"]).arg(controllers);
    manager
}
