//! The second webhook configuration, whose rules follow quotas.
//!
//! The first one, for what is always covered, is a manifest and belongs to whoever installs Plimsoll. This one belongs to the
//! process: it is a copy of the first's hook with other rules, and every replica keeps it as it should be.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::admissionregistration::v1::{ValidatingWebhook, ValidatingWebhookConfiguration};
use kube::api::{ObjectMeta, PostParams};
use kube::{Api, Client};
use plimsoll_api::group::GroupResource;
use plimsoll_quota::is_always_covered;

use super::conflict::settled;
use super::watch::Caches;
use crate::coverage::{followed, rules};

/// The hook of the first configuration that is copied.
const ENFORCING_HOOK: &str = "enforce.plimsoll.dev";
/// The hook of the second configuration.
const FOLLOWING_HOOK: &str = "quota.plimsoll.dev";
/// How often the configuration is compared with what it should be, even if no quota changes.
const COMPARE: Duration = Duration::from_secs(10);

/// Which configurations there are.
#[derive(Clone, Debug, clap::Args)]
#[group(skip)]
pub struct Flags {
    /// The MutatingWebhookConfiguration for LimitRange defaults.
    #[arg(long = "mutating-webhook-configuration", default_value = "zz-plimsoll", value_name = "NAME")]
    mutating: String,
    /// The ValidatingWebhookConfiguration for what is always covered, from which the one that follows quotas is copied.
    #[arg(long = "webhook-configuration", default_value = "plimsoll", value_name = "NAME")]
    validating: String,
    /// The ValidatingWebhookConfiguration whose rules follow quotas; this process keeps it.
    #[arg(long = "quota-webhook-configuration", default_value = "plimsoll-quota", value_name = "NAME")]
    quota: String,
}

impl Flags {
    /// The names of all configurations.
    pub(super) fn configurations(&self) -> Vec<String> {
        let Self { mutating, validating, quota } = self.clone();
        vec![mutating, validating, quota]
    }

    /// Keeps the configuration for as long as the process runs. `limited` is covered whatever quotas say.
    pub(super) async fn keep(self, client: Client, caches: Arc<Caches>, limited: BTreeSet<GroupResource>) {
        let mut is_missing = false;
        loop {
            tokio::select! {
                () = caches.quota_keys_changed() => {}
                () = tokio::time::sleep(COMPARE) => {}
            }
            if !caches.are_filled() {
                continue;
            }
            match self.renew(&client, &caches, &limited).await {
                Ok(is_found) => {
                    if !is_found && !is_missing {
                        tracing::warn!(
                            configuration = self.validating,
                            hook = ENFORCING_HOOK,
                            "not found, so quotas are enforced on pods and claims on volumes at most; \
                             --webhook-configuration names it"
                        );
                    }
                    is_missing = !is_found;
                }
                Err(error) => {
                    tracing::warn!(%error, configuration = self.quota, "can't keep the rules");
                }
            }
        }
    }

    /// Writes the configuration if it is not as it should be; false if there is none from which to copy the hook.
    async fn renew(
        &self,
        client: &Client,
        caches: &Caches,
        limited: &BTreeSet<GroupResource>,
    ) -> Result<bool, kube::Error> {
        let api: Api<ValidatingWebhookConfiguration> = Api::all(client.clone());
        let Some(first) = api.get_opt(&self.validating).await? else { return Ok(false) };
        let hooks = first.webhooks.unwrap_or_default();
        let Some(enforcing) = hooks.into_iter().find(|hook| hook.name == ENFORCING_HOOK) else {
            return Ok(false);
        };
        let wanted = hook(enforcing, caches, limited);
        let wanted: Vec<ValidatingWebhook> = wanted.into_iter().collect();
        match api.get_opt(&self.quota).await? {
            None if wanted.is_empty() => {}
            None => {
                let metadata = ObjectMeta {
                    name: Some(self.quota.clone()),
                    owner_references: first.metadata.owner_references,
                    labels: first.metadata.labels,
                    ..ObjectMeta::default()
                };
                let configuration = ValidatingWebhookConfiguration { metadata, webhooks: Some(wanted) };
                settled(api.create(&PostParams::default(), &configuration).await)?;
            }
            Some(mut present) => {
                if present.webhooks.as_deref().unwrap_or_default() == wanted {
                    return Ok(true);
                }
                tracing::info!(
                    rules = wanted.iter().flat_map(|hook| &hook.rules).flatten().count(),
                    "new rules"
                );
                present.webhooks = Some(wanted);
                settled(api.replace(&self.quota, &PostParams::default(), &present).await)?;
            }
        }
        Ok(true)
    }
}

/// The hook with the rules that quotas need; none if they need none.
fn hook(
    enforcing: ValidatingWebhook,
    caches: &Caches,
    limited: &BTreeSet<GroupResource>,
) -> Option<ValidatingWebhook> {
    let keys: BTreeSet<String> = caches.quota_keys();
    let mut resources = followed(keys.iter().map(String::as_str), &caches.device_classes());
    resources.extend(limited.iter().filter(|resource| !is_always_covered(resource)).cloned());
    let rules = rules(&resources);
    (!rules.is_empty()).then(|| ValidatingWebhook {
        name: FOLLOWING_HOOK.to_owned(),
        rules: Some(rules),
        // The conditions of the enforcing hook are about pods.
        match_conditions: None,
        ..enforcing
    })
}
