//! etcd, kube-apiserver, kube-controller-manager, kube-scheduler and KWOK.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use parking_lot::Mutex;

use super::identity::{self, TOKEN};
use super::process::{Process, Signal};
use crate::upstream;

/// How long a program may take until it is ready.
pub(super) const START: Duration = Duration::from_secs(90);

/// Where the programs lie.
pub struct Programs {
    folder: PathBuf,
    kwok_stages: PathBuf,
}

impl Programs {
    /// Builds what is not built yet.
    ///
    /// # Errors
    /// When `go` is missing or a build fails; Go has then printed why.
    pub fn build() -> anyhow::Result<Self> {
        Ok(Self { folder: upstream::build_programs()?, kwok_stages: upstream::kwok_stages()? })
    }

    fn command(&self, name: &str) -> Command {
        Command::new(self.folder.join(name))
    }
}

/// The running programs.
pub(super) struct ControlPlane {
    pub(super) folder: PathBuf,
    pub(super) kubeconfig: PathBuf,
    etcd: Process,
    api_server: Mutex<Process>,
    /// How the API server is started.
    api_server_command: ApiServer,
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

/// How the API server is started.
struct ApiServer {
    program: PathBuf,
    etcd_port: u16,
    port: u16,
    built_ins: bool,
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
    Ok(listener.local_addr().context("the listener has no address")?.port())
}

impl ControlPlane {
    /// Starts everything. With `built_ins` upstream's own LimitRanger and ResourceQuota do the work.
    pub(super) async fn start(programs: &Programs, folder: &Path, built_ins: bool) -> anyhow::Result<Self> {
        let (etcd_port, peer_port, api_port) = (free_port()?, free_port()?, free_port()?);
        let kubeconfig = folder.join("kubeconfig");
        identity::write_service_account_key(&folder.join("service-account.key"))?;
        identity::write(&folder.join("tokens.csv"), &format!("{TOKEN},admin,admin,\"system:masters\"\n"))?;
        identity::write(&kubeconfig, &kubeconfig_text(api_port))?;
        let program = programs.folder.join("kube-apiserver");
        let api_server_command = ApiServer { program, etcd_port, port: api_port, built_ins };
        let mut etcd = Process::start("etcd", folder, etcd(programs, folder, etcd_port, peer_port))?;
        let mut api_server = Process::start("kube-apiserver", folder, api_server_command.command(folder))?;
        wait_until_ready(&client(&kubeconfig, None).await?, [&mut etcd, &mut api_server]).await?;
        let mut processes = Vec::new();
        let manager_program = programs.folder.join("kube-controller-manager");
        let daemon_sets = if built_ins { DaemonSets::Upstream } else { DaemonSets::Others };
        let manager = controller_manager(&manager_program, folder, built_ins, daemon_sets);
        let controller_manager = Process::start("kube-controller-manager", folder, manager)?;
        let mut scheduler = programs.command("kube-scheduler");
        scheduler.arg("--kubeconfig").arg(&kubeconfig).args(["--leader-elect=false", "--secure-port=0"]);
        processes.push(Process::start("kube-scheduler", folder, scheduler)?);
        let mut kwok = programs.command("kwok");
        kwok.arg("--kubeconfig").arg(&kubeconfig).arg("--manage-all-nodes=true");
        for stages in ["node/fast", "node/heartbeat-with-lease", "pod/fast"] {
            for file in upstream::yaml_files(&programs.kwok_stages.join(stages))? {
                kwok.arg("--config").arg(file);
            }
        }
        processes.push(Process::start("kwok", folder, kwok)?);
        Ok(Self {
            folder: folder.to_owned(),
            kubeconfig,
            etcd,
            api_server: Mutex::new(api_server),
            api_server_command,
            controller_manager: Mutex::new(controller_manager),
            processes,
        })
    }

    /// Ends kube-controller-manager at once, and begins it again with its DaemonSet controller on or off.
    pub(super) fn restart_controller_manager(&self, daemon_sets: DaemonSets) -> anyhow::Result<()> {
        let mut manager = self.controller_manager.lock();
        manager.kill();
        let built_ins = self.api_server_command.built_ins;
        let program = self.program("kube-controller-manager");
        let command = controller_manager(&program, &self.folder, built_ins, daemon_sets);
        *manager = Process::start("kube-controller-manager", &self.folder, command)?;
        Ok(())
    }

    /// Ends the API server at once, as a crash would, and begins it again.
    pub(super) async fn crash_api_server(&self) -> anyhow::Result<()> {
        self.api_server.lock().kill();
        let mut started =
            Process::start("kube-apiserver", &self.folder, self.api_server_command.command(&self.folder))?;
        wait_until_ready(&self.client_of(None).await?, [&mut started]).await?;
        *self.api_server.lock() = started;
        Ok(())
    }

    /// Where a program lies.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.api_server_command.program.with_file_name(name)
    }

    /// Has etcd stand still, or go on.
    pub(super) fn signal_etcd(&self, signal: Signal) -> anyhow::Result<()> {
        self.etcd.signal(signal)
    }

    pub(super) fn cpu_seconds(&self) -> anyhow::Result<Vec<(String, f64)>> {
        let restarted =
            [&self.api_server, &self.controller_manager].map(|process| process.lock().cpu_seconds());
        let others = self.processes.iter().map(Process::cpu_seconds);
        [self.etcd.cpu_seconds()].into_iter().chain(restarted).chain(others).collect()
    }

    /// A client for an administrator, or for someone whom the administrator plays.
    pub(super) async fn client_of(&self, user: Option<&str>) -> anyhow::Result<Client> {
        client(&self.kubeconfig, user).await
    }
}

fn controller_manager(program: &Path, folder: &Path, built_ins: bool, daemon_sets: DaemonSets) -> Command {
    let mut manager = Command::new(program);
    manager.arg("--kubeconfig").arg(folder.join("kubeconfig"));
    manager.arg("--service-account-private-key-file").arg(folder.join("service-account.key"));
    manager.args(["--leader-elect=false", "--secure-port=0"]);
    let mut controllers = "--controllers=*".to_owned();
    if !built_ins {
        controllers += ",-resourcequota-controller";
    }
    if daemon_sets == DaemonSets::Others {
        controllers += ",-daemonset-controller";
    }
    manager.arg(controllers);
    manager
}

async fn client(kubeconfig: &Path, user: Option<&str>) -> anyhow::Result<Client> {
    let file = Kubeconfig::read_from(kubeconfig).context("can't read our own kubeconfig")?;
    let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
    if let Some(user) = user {
        config.auth_info.impersonate = Some(user.to_owned());
        config.auth_info.impersonate_groups = Some(vec!["system:masters".to_owned()]);
    }
    Ok(Client::try_from(config)?)
}

async fn wait_until_ready<const N: usize>(
    client: &Client,
    mut processes: [&mut Process; N],
) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + START;
    loop {
        let request = http::Request::get("/readyz").body(Vec::new()).context("a plain request")?;
        match client.request_text(request).await {
            Ok(_) => return Ok(()),
            Err(error) if tokio::time::Instant::now() > deadline => {
                bail!("the API server is not ready after {} s: {error}", START.as_secs());
            }
            Err(_) => {}
        }
        for process in &mut processes {
            process.check()?;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn etcd(programs: &Programs, folder: &Path, port: u16, peer_port: u16) -> Command {
    let (own, peer) = (format!("http://127.0.0.1:{port}"), format!("http://127.0.0.1:{peer_port}"));
    let mut command = programs.command("server");
    command.arg("--data-dir").arg(folder.join("etcd"));
    command.args(["--listen-client-urls", &own, "--advertise-client-urls", &own]);
    command.args(["--listen-peer-urls", &peer, "--initial-advertise-peer-urls", &peer]);
    command.args(["--initial-cluster", &format!("default={peer}"), "--unsafe-no-fsync"]);
    command
}

impl ApiServer {
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port));
        command.arg(format!("--secure-port={}", self.port));
        command.args(["--bind-address=127.0.0.1", "--service-cluster-ip-range=10.0.0.0/16"]);
        command.args(["--authorization-mode=RBAC", "--endpoint-reconciler-type=none"]);
        if !self.built_ins {
            command.arg("--disable-admission-plugins=LimitRanger,ResourceQuota");
        }
        command.arg("--token-auth-file").arg(folder.join("tokens.csv"));
        command.arg("--service-account-issuer=https://kubernetes.default.svc");
        command.arg("--service-account-key-file").arg(folder.join("service-account.pub"));
        command.arg("--service-account-signing-key-file").arg(folder.join("service-account.key"));
        command.arg("--cert-dir").arg(folder.join("kube-apiserver"));
        command
    }
}

fn kubeconfig_text(port: u16) -> String {
    format!(
        "apiVersion: v1
kind: Config
current-context: e2e
contexts: [{{name: e2e, context: {{cluster: e2e, user: admin}}}}]
clusters: [{{name: e2e, cluster: {{server: 'https://127.0.0.1:{port}', insecure-skip-tls-verify: true}}}}]
users: [{{name: admin, user: {{token: {TOKEN}}}}}]
"
    )
}
