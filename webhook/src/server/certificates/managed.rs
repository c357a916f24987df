//! A certificate that the replicas mint, keep in a Secret, and replace, and the caBundle that goes with it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use axum_server::tls_rustls::RustlsConfig;
use k8s_openapi::ByteString;
use k8s_openapi::api::admissionregistration::v1::{
    MutatingWebhookConfiguration, ValidatingWebhookConfiguration, WebhookClientConfig,
};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt as _};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::material::{Material, Policy, seconds};
use super::{Metrics, Served, server_config};
use crate::server::conflict::settled;

/// The hooks whose caBundle is kept end in this.
const OUR_HOOKS: &str = ".plimsoll.dev";

/// Keeps the certificate.
pub(super) struct Keeper {
    client: Client,
    namespace: String,
    name: String,
    policy: Policy,
    /// The names of webhook configurations of ours, mutating or validating.
    configurations: Vec<String>,
    metrics: Arc<Metrics>,
}

impl Keeper {
    pub(super) fn new(
        client: Client,
        (namespace, name): (&str, &str),
        policy: Policy,
        configurations: Vec<String>,
        metrics: Arc<Metrics>,
    ) -> Self {
        let (namespace, name) = (namespace.to_owned(), name.to_owned());
        Self { client, namespace, name, policy, configurations, metrics }
    }

    /// Gets the first certificate, then keeps it.
    pub(super) async fn serve(self) -> anyhow::Result<Served> {
        let (material, trusted) = self.turn().await?;
        let served = Served {
            tls: RustlsConfig::from_config(Arc::new(config(&material)?)),
            trusted: Arc::new(AtomicBool::new(trusted)),
        };
        tokio::spawn(self.keep(served.clone(), material));
        Ok(served)
    }

    async fn keep(self, served: Served, mut material: Material) {
        let pause = (self.policy.overlap() / 6).clamp(Duration::from_millis(500), Duration::from_secs(10));
        loop {
            tokio::time::sleep(pause).await;
            match self.turn().await {
                Ok((newer, trusted)) => {
                    if newer.present != material.present {
                        match config(&newer) {
                            Ok(config) => served.tls.reload_from_config(Arc::new(config)),
                            Err(error) => {
                                tracing::error!(error = format!("{error:#}"), "the old certificate stays");
                                continue;
                            }
                        }
                        tracing::info!("serves a new certificate");
                    }
                    material = newer;
                    served.trusted.store(trusted, Ordering::Release);
                }
                Err(error) => tracing::warn!(error = format!("{error:#}"), "can't keep the certificate"),
            }
        }
    }

    /// Takes the certificate one step further if it is time, makes the API server trust it, and tells whether it does.
    async fn turn(&self) -> anyhow::Result<(Material, bool)> {
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), &self.namespace);
        let unusable = || format!("can't use Secret {}/{}", self.namespace, self.name);
        let stored = secrets.get_opt(&self.name).await.with_context(unusable)?;
        let data = stored.as_ref().and_then(|secret| secret.data.clone()).unwrap_or_default();
        let material = Material::from_data(&data);
        let unreadable = "can't read the webhook configurations";
        let mut hooks = self.hooks().await.context(unreadable)?;
        #[expect(clippy::disallowed_methods, reason = "the edge at which the clock is read")]
        let now = SystemTime::now();
        let material = match material.step(&self.policy, now, |authority| hooks.trust(authority))? {
            Some(step) => {
                self.write(&secrets, stored, &step).await.with_context(unusable)?;
                let written = secrets.get(&self.name).await.with_context(unusable)?;
                Material::from_data(&written.data.unwrap_or_default())
            }
            None => material,
        };
        if self.register(&mut hooks, &material.bundle()).await.context("can't keep the caBundle")? {
            // Another replica may have been faster, so the API server is asked what stands there now.
            hooks = self.hooks().await.context(unreadable)?;
        }
        let present = material.present.as_ref().context("the Secret holds no certificate")?;
        self.metrics.certificate_expiry.set(seconds(present.expires).parse().unwrap_or_default());
        let trusted = hooks.trust(&present.authority);
        Ok((material, trusted))
    }

    /// Writes the Secret, unless another replica was faster: then its material counts.
    async fn write(
        &self,
        secrets: &Api<Secret>,
        stored: Option<Secret>,
        material: &Material,
    ) -> Result<(), kube::Error> {
        let data: BTreeMap<String, ByteString> = material.to_data();
        let written = if let Some(mut secret) = stored {
            secret.data = Some(data);
            secrets.replace(&self.name, &PostParams::default(), &secret).await
        } else {
            let metadata = ObjectMeta { name: Some(self.name.clone()), ..ObjectMeta::default() };
            let secret = Secret { metadata, data: Some(data), ..Secret::default() };
            secrets.create(&PostParams::default(), &secret).await
        };
        settled(written)
    }

    /// Our webhook configurations, as the API server has them.
    async fn hooks(&self) -> Result<Hooks, kube::Error> {
        let mut hooks = Hooks::default();
        for name in &self.configurations {
            hooks.validating.extend(Api::all(self.client.clone()).get_opt(name).await?);
            hooks.mutating.extend(Api::all(self.client.clone()).get_opt(name).await?);
        }
        Ok(hooks)
    }

    /// Makes the API server trust these authorities; tells whether anything had to be written.
    async fn register(&self, hooks: &mut Hooks, wanted: &str) -> Result<bool, kube::Error> {
        let mut written = false;
        for configuration in &mut hooks.validating {
            let hooks = configuration.webhooks.iter_mut().flatten();
            if trust(hooks.map(|hook| (&hook.name, &mut hook.client_config)), wanted) {
                self.replace(configuration).await?;
                written = true;
            }
        }
        for configuration in &mut hooks.mutating {
            let hooks = configuration.webhooks.iter_mut().flatten();
            if trust(hooks.map(|hook| (&hook.name, &mut hook.client_config)), wanted) {
                self.replace(configuration).await?;
                written = true;
            }
        }
        Ok(written)
    }

    /// Whoever has written meanwhile is looked at in the next turn.
    async fn replace<K>(&self, configuration: &K) -> Result<(), kube::Error>
    where
        K: kube::Resource<DynamicType = (), Scope = kube::core::ClusterResourceScope>
            + Clone
            + std::fmt::Debug
            + serde::Serialize
            + serde::de::DeserializeOwned,
    {
        let api: Api<K> = Api::all(self.client.clone());
        settled(api.replace(&configuration.name_any(), &PostParams::default(), configuration).await)
    }
}

/// Our webhook configurations.
#[derive(Default)]
struct Hooks {
    validating: Vec<ValidatingWebhookConfiguration>,
    mutating: Vec<MutatingWebhookConfiguration>,
}

impl Hooks {
    /// Whether the API server trusts an authority wherever it calls us.
    fn trust(&self, authority: &str) -> bool {
        let validating =
            self.validating.iter().flat_map(|configuration| configuration.webhooks.iter().flatten());
        let validating = validating.map(|hook| (&hook.name, &hook.client_config));
        let mutating = self.mutating.iter().flat_map(|configuration| configuration.webhooks.iter().flatten());
        let mutating = mutating.map(|hook| (&hook.name, &hook.client_config));
        let mut ours = validating.chain(mutating).filter(|(hook, _)| hook.ends_with(OUR_HOOKS));
        ours.all(|(_, client_config)| bundle(client_config).contains(authority))
    }
}

fn bundle(client_config: &WebhookClientConfig) -> String {
    let bytes = client_config.ca_bundle.as_ref().map(|bundle| bundle.0.clone()).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Sets the caBundle of those hooks that are ours; tells whether any had another one.
fn trust<'h>(hooks: impl Iterator<Item = (&'h String, &'h mut WebhookClientConfig)>, wanted: &str) -> bool {
    let mut changed = false;
    for (hook, client_config) in hooks {
        if hook.ends_with(OUR_HOOKS) && bundle(client_config) != wanted {
            client_config.ca_bundle = Some(ByteString(wanted.as_bytes().to_vec()));
            changed = true;
        }
    }
    changed
}

fn config(material: &Material) -> anyhow::Result<ServerConfig> {
    let present = material.present.as_ref().context("the Secret holds no certificate")?;
    let chain = CertificateDer::pem_slice_iter(present.certificate.as_bytes()).collect::<Result<Vec<_>, _>>();
    let chain = chain.context("the certificate in the Secret can't be read")?;
    let key = PrivateKeyDer::from_pem_slice(present.key.as_bytes());
    server_config(chain, key.context("the key in the Secret can't be read")?)
}
