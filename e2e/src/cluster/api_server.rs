//! etcd and kube-apiserver.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use parking_lot::Mutex;

use super::control_plane::Programs;
use super::identity::{self, TOKEN};
use super::process::{Process, Signal};

/// How long a program may take until it is ready.
pub(super) const START: Duration = Duration::from_secs(90);

/// The running programs.
pub(super) struct ApiServer {
    /// For logs and configuration.
    pub(super) folder: PathBuf,
    pub(super) kubeconfig: PathBuf,
    etcd: Process,
    server: Mutex<Process>,
    /// How the API server is started.
    how: How,
}

/// How the API server is started.
struct How {
    program: PathBuf,
    etcd_port: u16,
    port: u16,
    without_plugins: &'static [&'static str],
}

/// A port that was free a moment ago.
pub(super) fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).context("no port is free")?;
    Ok(listener.local_addr().context("the listener has no address")?.port())
}

impl ApiServer {
    /// Starts both, without these admission plugins.
    pub(super) async fn start(
        programs: &Programs,
        folder: &Path,
        without_plugins: &'static [&'static str],
    ) -> anyhow::Result<Self> {
        let (etcd_port, peer_port, port) = (free_port()?, free_port()?, free_port()?);
        let kubeconfig = folder.join("kubeconfig");
        identity::write_service_account_key(&folder.join("service-account.key"))?;
        identity::write(&folder.join("tokens.csv"), &format!("{TOKEN},admin,admin,\"system:masters\"\n"))?;
        identity::write(&kubeconfig, &kubeconfig_text(port))?;
        let how = How { program: programs.path("kube-apiserver"), etcd_port, port, without_plugins };
        let etcd = Process::start("etcd", folder, etcd(programs, folder, etcd_port, peer_port))?;
        let server = Process::start("kube-apiserver", folder, how.command(folder))?;
        let mut started =
            Self { folder: folder.to_owned(), kubeconfig, etcd, server: Mutex::new(server), how };
        let client = started.client_of(None).await?;
        wait_until_ready(&client, [&mut started.etcd, started.server.get_mut()]).await?;
        Ok(started)
    }

    /// Ends the API server at once, as a crash would, and begins it again.
    pub(super) async fn crash(&self) -> anyhow::Result<()> {
        self.server.lock().kill();
        let mut started = Process::start("kube-apiserver", &self.folder, self.how.command(&self.folder))?;
        wait_until_ready(&self.client_of(None).await?, [&mut started]).await?;
        *self.server.lock() = started;
        Ok(())
    }

    /// Has etcd stand still, or go on.
    pub(super) fn signal_etcd(&self, signal: Signal) -> anyhow::Result<()> {
        self.etcd.signal(signal)
    }

    pub(super) fn cpu_seconds(&self) -> impl Iterator<Item = anyhow::Result<(String, f64)>> {
        [self.etcd.cpu_seconds(), self.server.lock().cpu_seconds()].into_iter()
    }

    /// A client for an administrator, or for someone whom the administrator plays.
    pub(super) async fn client_of(&self, user: Option<&str>) -> anyhow::Result<Client> {
        let file = Kubeconfig::read_from(&self.kubeconfig).context("can't read our own kubeconfig")?;
        let mut config = Config::from_custom_kubeconfig(file, &KubeConfigOptions::default()).await?;
        if let Some(user) = user {
            config.auth_info.impersonate = Some(user.to_owned());
            config.auth_info.impersonate_groups = Some(vec!["system:masters".to_owned()]);
        }
        Ok(Client::try_from(config)?)
    }
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

impl How {
    fn command(&self, folder: &Path) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(format!("--etcd-servers=http://127.0.0.1:{}", self.etcd_port));
        command.arg(format!("--secure-port={}", self.port));
        command.args(["--bind-address=127.0.0.1", "--service-cluster-ip-range=10.0.0.0/16"]);
        command.args(["--authorization-mode=RBAC", "--endpoint-reconciler-type=none"]);
        if !self.without_plugins.is_empty() {
            command.arg(format!("--disable-admission-plugins={}", self.without_plugins.join(",")));
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
