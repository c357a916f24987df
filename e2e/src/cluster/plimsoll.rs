//! Our own processes, and their registration with the API server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, bail};
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration,
};
use k8s_openapi::api::core::v1::Namespace;
use kube::Client;
use kube::api::{Api, PostParams};
use parking_lot::Mutex;
use serde_json::{Value, json};

use crate::cargo::cargo;

use super::api_server::{START, free_port};
use super::control_plane::DaemonSets;
use super::forwarder::Forwarder;
use super::process::Process;

/// Our own namespace, which our webhooks leave out.
const NAMESPACE: &str = "plimsoll-system";
/// The Secret in which the webhooks keep their certificate, by namespace and name.
pub const CERTIFICATE_SECRET: [&str; 2] = [NAMESPACE, "plimsoll-webhook-tls"];
/// So short that it is replaced every half minute.
const CERTIFICATE_LIFETIME_SECONDS: u64 = 45;

/// What may only be used where a quota covers it: a priority class and a storage class that nothing else uses.
const LIMITED_RESOURCES: &str = "\
apiVersion: apiserver.config.k8s.io/v1
kind: ResourceQuotaConfiguration
limitedResources:
- resource: pods
  matchScopes: [{scopeName: PriorityClass, operator: In, values: [e2e-limited]}]
- resource: persistentvolumeclaims
  matchContains: [e2e-limited.storageclass.storage.k8s.io/]
";

/// How many replicas of the controller there are: one leads, the other waits.
const CONTROLLERS: usize = 2;

/// The ports at which reviews are answered: one for each phase, as the API server keeps few idle connections to a port.
#[derive(Clone, Copy)]
pub(super) struct Phases {
    pub(super) mutate: u16,
    pub(super) validate: u16,
}

impl Phases {
    pub(super) fn free_ports() -> anyhow::Result<Self> {
        Ok(Self { mutate: free_port()?, validate: free_port()? })
    }
}

/// Our own processes.
pub struct Plimsoll {
    webhooks: Vec<Ours>,
    controllers: Vec<Ours>,
    /// Where some replica of the webhook answers.
    port: u16,
    _forwarders: [Forwarder; 2],
}

/// One process of ours, which can be ended and begun again.
struct Ours {
    name: String,
    folder: PathBuf,
    arguments: Mutex<Vec<String>>,
    health_port: u16,
    process: Mutex<Option<Process>>,
}

impl Ours {
    /// Starts `plimsoll-<kind>`; `number` tells several of a kind apart.
    fn start(kind: &str, number: usize, folder: &Path, arguments: Vec<String>) -> anyhow::Result<Self> {
        let health_port = free_port()?;
        let common = [
            "--kubeconfig".to_owned(),
            folder.join("kubeconfig").display().to_string(),
            "--metrics-bind-address".to_owned(),
            format!("127.0.0.1:{health_port}"),
        ];
        let program = program(&format!("plimsoll-{kind}"))?.display().to_string();
        let ours = Self {
            name: format!("{kind}-{number}"),
            folder: folder.to_owned(),
            arguments: Mutex::new([vec![program], common.to_vec(), arguments].concat()),
            health_port,
            process: Mutex::new(None),
        };
        ours.begin()?;
        Ok(ours)
    }

    fn begin(&self) -> anyhow::Result<()> {
        let arguments = self.arguments.lock();
        let mut command = Command::new(&arguments[0]);
        command.args(&arguments[1..]);
        *self.process.lock() = Some(Process::start(&self.name, &self.folder, command)?);
        Ok(())
    }

    fn kill(&self) {
        if let Some(mut process) = self.process.lock().take() {
            process.kill();
        }
    }

    /// Ends it at once, and begins it again.
    async fn crash(&self) -> anyhow::Result<()> {
        self.kill();
        self.begin()?;
        self.wait_until_ready().await
    }

    async fn wait_until_ready(&self) -> anyhow::Result<()> {
        let deadline = tokio::time::Instant::now() + START;
        while get(self.health_port, "/readyz").await.is_err() {
            if let Some(process) = &mut *self.process.lock() {
                process.check()?;
            }
            if tokio::time::Instant::now() > deadline {
                bail!("{} is not ready after {} s", self.name, START.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }
}

impl Plimsoll {
    /// Starts a replica of the webhook for each mode, and the controllers.
    pub(super) async fn start(
        folder: &Path,
        client: &Client,
        modes: &[&str],
        daemon_sets: DaemonSets,
    ) -> anyhow::Result<Self> {
        build()?;
        let namespace: Namespace = serde_json::from_value(json!({"metadata": {"name": NAMESPACE}}))?;
        Api::all(client.clone()).create(&PostParams::default(), &namespace).await?;
        let ports = modes.iter().map(|_| Phases::free_ports()).collect::<anyhow::Result<Vec<_>>>()?;
        let forwarders = [
            Forwarder::start(ports.iter().map(|ports| ports.mutate).collect()).await?,
            Forwarder::start(ports.iter().map(|ports| ports.validate).collect()).await?,
        ];
        // A forwarder in front of one replica would only cost time.
        let [mutate, validate] = forwarders.each_ref().map(|forwarder| forwarder.port);
        let registered = if let [only] = ports[..] { only } else { Phases { mutate, validate } };
        register(client, registered, None).await.context("can't register the webhooks")?;
        let limited = folder.join("resource-quota-configuration.yaml");
        super::identity::write(&limited, LIMITED_RESOURCES)?;
        let mut webhooks = Vec::new();
        for (place, (ports, mode)) in ports.into_iter().zip(modes).enumerate() {
            let arguments = [
                ("--listen", format!("127.0.0.1:{}", ports.mutate)),
                ("--listen", format!("127.0.0.1:{}", ports.validate)),
                ("--certificate-secret", CERTIFICATE_SECRET.join("/")),
                ("--certificate-name", "127.0.0.1".to_owned()),
                ("--certificate-lifetime-seconds", CERTIFICATE_LIFETIME_SECONDS.to_string()),
                ("--mode", (*mode).to_owned()),
                ("--resource-quota-configuration", limited.display().to_string()),
            ];
            let arguments = arguments.into_iter().flat_map(|(flag, value)| [flag.to_owned(), value]);
            webhooks.push(Ours::start("webhook", place + 1, folder, arguments.collect())?);
        }
        let mut controllers = Vec::new();
        for number in 1..=CONTROLLERS {
            let arguments = vec![controllers_flag(daemon_sets).to_owned()];
            controllers.push(Ours::start("controller", number, folder, arguments)?);
        }
        for ours in webhooks.iter().chain(&controllers) {
            ours.wait_until_ready().await?;
        }
        Ok(Self { webhooks, controllers, port: registered.validate, _forwarders: forwarders })
    }

    /// The CPU time of each process.
    pub(super) fn processes(&self) -> impl Iterator<Item = anyhow::Result<(String, f64)>> {
        self.ask_each(Process::cpu_seconds)
    }

    /// What each process is found to take, with its name.
    fn ask_each(
        &self,
        ask: fn(&Process) -> anyhow::Result<(String, f64)>,
    ) -> impl Iterator<Item = anyhow::Result<(String, f64)>> {
        self.webhooks.iter().chain(&self.controllers).map(move |ours| {
            let process = ours.process.lock();
            ask(process.as_ref().context("it has ended")?)
        })
    }

    /// The memory of each process, in mebibytes.
    ///
    /// # Errors
    /// One has ended.
    pub fn memory(&self) -> anyhow::Result<Vec<(String, f64)>> {
        self.ask_each(Process::memory).collect()
    }

    /// Where some replica of the webhook answers.
    pub fn webhook_port(&self) -> u16 {
        self.port
    }

    /// Speaks to the replicas of the webhook, as an API server would that trusts anyone.
    ///
    /// # Errors
    /// The client can't be made.
    pub fn webhook_client(&self) -> anyhow::Result<Client> {
        let url = format!("https://127.0.0.1:{}", self.port).parse()?;
        let mut config = kube::Config::new(url);
        config.accept_invalid_certs = true;
        Ok(Client::try_from(config)?)
    }

    /// How many replicas of the webhook there are.
    pub fn webhooks(&self) -> usize {
        self.webhooks.len()
    }

    /// Ends a replica of the webhook at once, as a crash would, and begins it again.
    ///
    /// # Errors
    /// It does not start.
    pub async fn crash_webhook(&self, place: usize) -> anyhow::Result<()> {
        self.webhooks[place].crash().await
    }

    /// Ends all replicas of the webhook at once.
    pub fn kill_webhooks(&self) {
        self.webhooks.iter().for_each(Ours::kill);
    }

    /// Begins all replicas of the webhook again.
    ///
    /// # Errors
    /// One does not start.
    pub async fn begin_webhooks(&self) -> anyhow::Result<()> {
        for webhook in &self.webhooks {
            webhook.begin()?;
        }
        for webhook in &self.webhooks {
            webhook.wait_until_ready().await?;
        }
        Ok(())
    }

    /// How many replicas of the controller there are.
    pub fn controllers(&self) -> usize {
        self.controllers.len()
    }

    /// Ends a replica of the controller at once, as a crash would, and begins it again.
    ///
    /// # Errors
    /// It does not start.
    pub async fn crash_controller(&self, place: usize) -> anyhow::Result<()> {
        self.controllers[place].crash().await
    }

    /// Ends the controllers at once, and begins them again with the DaemonSet controller on or off.
    ///
    /// # Errors
    /// One does not start.
    pub async fn begin_controllers_anew(&self, daemon_sets: DaemonSets) -> anyhow::Result<()> {
        for controller in &self.controllers {
            controller.kill();
            controller.arguments.lock().pop();
            controller.arguments.lock().push(controllers_flag(daemon_sets).to_owned());
        }
        for controller in &self.controllers {
            controller.begin()?;
        }
        for controller in &self.controllers {
            controller.wait_until_ready().await?;
        }
        Ok(())
    }

    /// How many reviews a replica of the webhook has validated since it began.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn validated(&self, place: usize) -> anyhow::Result<u64> {
        self.metric(place, "plimsoll_webhook_decision_seconds_count", "validate").await
    }

    /// The sum of a metric of a replica of the webhook, over all labels in which a text stands.
    ///
    /// # Errors
    /// It does not answer.
    pub async fn metric(&self, place: usize, name: &str, label: &str) -> anyhow::Result<u64> {
        let metrics = get(self.webhooks[place].health_port, "/metrics").await?;
        let counts = metrics.lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let (labels, count) = match rest.strip_prefix('{') {
                Some(labelled) => labelled.split_once("} ")?,
                None => ("", rest.strip_prefix(' ')?),
            };
            if labels.contains(label) { count.parse::<u64>().ok() } else { None }
        });
        Ok(counts.sum())
    }
}

/// The last argument of a controller.
fn controllers_flag(daemon_sets: DaemonSets) -> &'static str {
    match daemon_sets {
        DaemonSets::Upstream => "--controllers=*",
        DaemonSets::Others => "--controllers=*,daemonset-controller",
    }
}

async fn get(port: u16, path: &str) -> anyhow::Result<String> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut text = String::new();
    stream.read_to_string(&mut text).await?;
    let (head, body) = text.split_once("\r\n\r\n").context("no HTTP answer")?;
    if !head.starts_with("HTTP/1.1 200") {
        bail!("{}", head.lines().next().unwrap_or_default());
    }
    Ok(body.to_owned())
}

pub(super) fn build() -> anyhow::Result<()> {
    // With this program among them everything needs the same features, so no crate is built twice.
    let packages = ["-p", "plimsoll-e2e", "-p", "plimsoll-webhook", "-p", "plimsoll-controller"];
    let arguments = [&["build", "--profile", "runner", "--quiet"][..], &packages].concat();
    let status = cargo(&arguments)?.status().context("can't run cargo")?;
    if !status.success() {
        bail!("cargo build of the programs failed: {status}");
    }
    Ok(())
}

/// A program of ours lies beside this one.
pub(super) fn program(name: &str) -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("this program has no path")?;
    Ok(own.parent().context("this program lies nowhere")?.join(name))
}

/// Tells the API server to ask the webhooks. Whom to trust (`bundle`, as base64) is added by our webhooks themselves.
pub(super) async fn register(client: &Client, ports: Phases, bundle: Option<&str>) -> anyhow::Result<()> {
    let url = |path: &str| {
        let port = if path == "mutate" { ports.mutate } else { ports.validate };
        json!({"url": format!("https://127.0.0.1:{port}/{path}"), "caBundle": bundle})
    };
    let rule = |groups: &[&str], resources: &[&str], operations: &[&str]| {
        json!({"apiGroups": groups, "apiVersions": ["*"], "resources": resources, "operations": operations,
            "scope": "Namespaced"})
    };
    let hook = |name: &str, path: &str, side_effects: &str, rules: Value| {
        json!({
            "name": name, "admissionReviewVersions": ["v1"], "clientConfig": url(path), "sideEffects": side_effects,
            "timeoutSeconds": 10, "failurePolicy": "Fail", "rules": rules,
            // DIFFERENCE: D-admission-2.
            "namespaceSelector": {"matchExpressions": [
                {"key": "kubernetes.io/metadata.name", "operator": "NotIn", "values": ["kube-system", "kube-node-lease", NAMESPACE]},
            ]},
            // DIFFERENCE: D-admission-1.
            "matchConditions": [{
                "name": "no-mirror-pods",
                "expression": "!(request.kind.kind == 'Pod' && object != null && has(object.metadata.annotations) \
                    && 'kubernetes.io/config.mirror' in object.metadata.annotations \
                    && has(object.spec.nodeName) && request.userInfo.username == 'system:node:' + object.spec.nodeName)",
            }],
        })
    };
    let mut mutating =
        hook("defaults.plimsoll.dev", "mutate", "None", json!([rule(&[""], &["pods"], &["CREATE"])]));
    mutating["reinvocationPolicy"] = "IfNeeded".into();
    let mutating = json!({"metadata": {"name": "zz-plimsoll"}, "webhooks": [mutating]});
    let always = json!([
        rule(&[""], &["pods"], &["CREATE"]),
        rule(&[""], &["pods", "pods/resize"], &["UPDATE"]),
        rule(&[""], &["persistentvolumeclaims"], &["CREATE", "UPDATE"]),
    ]);
    let mut lint = hook(
        "lint.plimsoll.dev",
        "lint",
        "None",
        json!([rule(&[""], &["limitranges"], &["CREATE", "UPDATE"]),]),
    );
    lint["failurePolicy"] = "Ignore".into();
    let validating = json!({
        "metadata": {"name": "plimsoll"},
        "webhooks": [hook("enforce.plimsoll.dev", "validate", "NoneOnDryRun", always), lint],
    });
    let mutating: MutatingWebhookConfiguration = serde_json::from_value(mutating)?;
    let validating: ValidatingWebhookConfiguration = serde_json::from_value(validating)?;
    Api::all(client.clone()).create(&PostParams::default(), &mutating).await?;
    Api::all(client.clone()).create(&PostParams::default(), &validating).await?;
    Ok(())
}
