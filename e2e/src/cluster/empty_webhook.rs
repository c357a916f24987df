//! A server that agrees to everything at once: what is left of a webhook's cost when it decides nothing.
//!
//! It may send a patch that is always the same: then what is left is the cost of defaults that cost the webhook nothing.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::Context as _;
use axum::Router;
use axum::body::Bytes;
use axum::routing::post;
use axum_server::tls_rustls::RustlsConfig;
use base64::Engine as _;
use kube::Client;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::Deserialize;
use serde_json::json;

use super::api_server::START;
use super::identity::write;
use super::plimsoll::{Phases, register};
use super::process::Process;

/// Options of the server.
#[derive(Debug, clap::Args)]
pub struct Options {
    mutate_port: u16,
    validate_port: u16,
    certificate: PathBuf,
    key: PathBuf,
    /// Sets the same defaults in each pod.
    #[arg(long)]
    patches: bool,
}

/// The running server.
pub(super) struct EmptyWebhook(Process);

impl EmptyWebhook {
    pub(super) async fn start(folder: &Path, client: &Client, patches: bool) -> anyhow::Result<Self> {
        let (certificate, key) = (folder.join("tls.crt"), folder.join("tls.key"));
        let authority = make_certificate(&certificate, &key)?;
        let ports = Phases::free_ports()?;
        let mut command = Command::new(std::env::current_exe().context("this program has no path")?);
        command.arg("empty-webhook").args([ports.mutate, ports.validate].map(|port| port.to_string()));
        command.arg(certificate).arg(key);
        if patches {
            command.arg("--patches");
        }
        let mut process = Process::start("empty-webhook", folder, command)?;
        let deadline = tokio::time::Instant::now() + START;
        let connect = |port| tokio::net::TcpStream::connect(("127.0.0.1", port));
        while connect(ports.mutate).await.is_err() || connect(ports.validate).await.is_err() {
            process.check()?;
            anyhow::ensure!(tokio::time::Instant::now() < deadline, "the empty webhook does not listen");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        let bundle = base64::engine::general_purpose::STANDARD.encode(authority);
        register(client, ports, Some(&bundle)).await.context("can't register the empty webhook")?;
        Ok(Self(process))
    }

    pub(super) fn process(&self) -> anyhow::Result<(String, f64)> {
        self.0.cpu_seconds()
    }
}

/// Writes a certificate for loopback, and returns the authority that vouches for it.
fn make_certificate(certificate: &Path, key: &Path) -> anyhow::Result<String> {
    let authority_key = KeyPair::generate()?;
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let pem = authority.self_signed(&authority_key)?.pem();
    let own_key = KeyPair::generate()?;
    let own = CertificateParams::new(vec!["127.0.0.1".to_owned()])?;
    let own = own.signed_by(&own_key, &Issuer::new(authority, authority_key))?;
    write(certificate, &own.pem())?;
    write(key, &own_key.serialize_pem())?;
    Ok(pem)
}

/// Answers until it is killed.
///
/// # Errors
/// The port or the certificate can't be had.
pub fn answer(options: &Options) -> anyhow::Result<()> {
    let chain = CertificateDer::pem_file_iter(&options.certificate)?.collect::<Result<Vec<_>, _>>()?;
    let key = PrivateKeyDer::from_pem_file(&options.key)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_no_client_auth()
        .with_single_cert(chain, key)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    let patch = options.patches.then(fixed_patch);
    let router = Router::new()
        .route("/mutate", post(async move |body| agree(body, patch.as_deref())))
        .route("/validate", post(async |body| agree(body, None)));
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let tls = RustlsConfig::from_config(Arc::new(config));
        let serve = |port| {
            let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
            axum_server::bind_rustls(address, tls.clone()).serve(router.clone().into_make_service())
        };
        tokio::try_join!(serve(options.mutate_port), serve(options.validate_port))
    })?;
    Ok(())
}

#[derive(Deserialize)]
struct Review {
    request: Request,
}

#[derive(Deserialize)]
struct Request {
    uid: String,
}

fn agree(body: Bytes, patch: Option<&str>) -> Result<String, axum::http::StatusCode> {
    let review: Review = serde_json::from_slice(&body).map_err(|_| axum::http::StatusCode::BAD_REQUEST)?;
    let mut response = json!({"uid": review.request.uid, "allowed": true});
    if let Some(patch) = patch {
        response["patchType"] = "JSONPatch".into();
        response["patch"] = patch.into();
    }
    Ok(json!({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response})
        .to_string())
}

/// What our webhook answers to a pod of the bench.
fn fixed_patch() -> String {
    let set =
        "LimitRanger plugin set: cpu, memory request for container a; cpu, memory limit for container a";
    let resources = "/spec/containers/0/resources";
    let patch = json!([
        {"op": "add", "path": "/metadata/annotations", "value": {"kubernetes.io/limit-ranger": set}},
        {"op": "add", "path": format!("{resources}/limits"), "value": {"cpu": "500m", "memory": "256Mi"}},
        {"op": "add", "path": format!("{resources}/requests"), "value": {"cpu": "100m", "memory": "128Mi"}},
    ]);
    base64::engine::general_purpose::STANDARD.encode(patch.to_string())
}
