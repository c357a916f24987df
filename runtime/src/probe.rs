//! Whether the API server's own LimitRanger and ResourceQuota plugins, and kube-controller-manager's quota controller, are at work.
//!
//! Nothing tells of that, so it is tried: with a LimitRange and a quota that can only ever concern the claims on volumes that are
//! tried here as dry runs. A claim, not a pod: whatever is said of pods in a LimitRange or quota also concerns Plimsoll's own.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail};
use k8s_openapi::api::core::v1::{LimitRange, PersistentVolumeClaim, ResourceQuota};
use kube::api::{DeleteParams, ListParams, ObjectMeta, PostParams};
use kube::{Api, Client, ResourceExt as _};
use serde_json::json;
use tokio::time::Instant;

/// Marks the probe's objects; the quota controller leaves such quotas alone.
pub const LABEL: &str = "plimsoll.dev/probe";
/// For how long a plugin or controller that is on may take to show it: their caches lag a little.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often it is tried.
const EVERY: Duration = Duration::from_millis(100);
/// How old objects are whose process has ended before it could delete them.
const LEFT_OVER_SECONDS: i64 = 600;
/// More than the LimitRange admits, and more than there is.
const HUGE: &str = "2Ei";

/// What was found at work.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuiltIns {
    /// The admission plugin LimitRanger.
    pub limit_ranger: bool,
    /// The admission plugin ResourceQuota.
    pub resource_quota: bool,
    /// The controller that counts quotas.
    pub quota_controller: bool,
}

impl BuiltIns {
    /// Each by the name that upstream's flags have for it.
    pub(crate) fn by_name(self) -> [(&'static str, bool); 3] {
        [
            ("LimitRanger", self.limit_ranger),
            ("ResourceQuota", self.resource_quota),
            ("resourcequota-controller", self.quota_controller),
        ]
    }
}

/// Looks, in a namespace that Plimsoll's own webhooks leave out.
///
/// # Errors
/// It can't be told, because something refuses the probe's objects or the API server does not answer.
pub(crate) async fn look(client: &Client, namespace: &str) -> anyhow::Result<BuiltIns> {
    let probe = Probe::begin(client, namespace).await?;
    let found = probe.look().await;
    // What can't be deleted now is deleted by a later probe.
    let _ = probe.end().await.inspect_err(|error| tracing::warn!(%error, "can't delete the probe's objects"));
    found
}

struct Probe {
    limit_ranges: Api<LimitRange>,
    quotas: Api<ResourceQuota>,
    claims: Api<PersistentVolumeClaim>,
    /// Of its objects, and of the storage class that its quota counts: other probes run at the same time.
    name: String,
}

impl Probe {
    async fn begin(client: &Client, namespace: &str) -> anyhow::Result<Self> {
        let limit_ranges: Api<LimitRange> = Api::namespaced(client.clone(), namespace);
        let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), namespace);
        let labels = BTreeMap::from([(LABEL.to_owned(), "true".to_owned())]);
        let metadata = ObjectMeta {
            generate_name: Some("plimsoll-probe-".to_owned()),
            labels: Some(labels),
            ..ObjectMeta::default()
        };
        let limits = json!([{"type": "PersistentVolumeClaim", "max": {"storage": "1Ei"}}]);
        let limit_range: LimitRange =
            serde_json::from_value(json!({"metadata": metadata, "spec": {"limits": limits}}))?;
        let limit_range = limit_ranges.create(&PostParams::default(), &limit_range).await;
        let limit_range = limit_range.context("can't make a LimitRange")?;
        let name = limit_range.name_any();
        let claims = Api::namespaced(client.clone(), namespace);
        let probe = Self { limit_ranges, quotas, claims, name };
        probe.delete_what_others_left(&limit_range).await?;
        let metadata = ObjectMeta { generate_name: None, name: Some(probe.name.clone()), ..metadata };
        let quota: ResourceQuota =
            serde_json::from_value(json!({"metadata": metadata, "spec": {"hard": {probe.key(): "0"}}}))?;
        probe.quotas.create(&PostParams::default(), &quota).await.context("can't make a ResourceQuota")?;
        Ok(probe)
    }

    /// The key that the quota counts.
    fn key(&self) -> String {
        format!("{}.storageclass.storage.k8s.io/persistentvolumeclaims", self.name)
    }

    async fn look(&self) -> anyhow::Result<BuiltIns> {
        let (limit_ranger, quota_controller) = tokio::try_join!(
            self.refuses(HUGE, "maximum storage usage per PersistentVolumeClaim is 1Ei"),
            self.counts(),
        )?;
        if !quota_controller {
            // The plugin enforces what stands in the status, whoever wrote it.
            let zero = json!({self.key(): "0"});
            let mut quota = self.quotas.get(&self.name).await.context("can't read the ResourceQuota")?;
            quota.status = serde_json::from_value(json!({"hard": zero, "used": zero}))?;
            let written = self.quotas.replace_status(&self.name, &PostParams::default(), &quota).await;
            written.context("can't write the status of the ResourceQuota")?;
        }
        let resource_quota = self.refuses("1Gi", &format!("exceeded quota: {}", self.name)).await?;
        Ok(BuiltIns { limit_ranger, resource_quota, quota_controller })
    }

    /// Whether a claim of a size is refused by a plugin that says this.
    async fn refuses(&self, size: &str, saying: &str) -> anyhow::Result<bool> {
        let claim: PersistentVolumeClaim = serde_json::from_value(json!({
            "metadata": {"name": self.name},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": self.name,
                "resources": {"requests": {"storage": size}}},
        }))?;
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        comes_about(|| async {
            match self.claims.create(&dry_run, &claim).await {
                Ok(_) => Ok(false),
                Err(kube::Error::Api(status)) if status.message.contains(saying) => {
                    if status.message.starts_with("admission webhook") {
                        bail!("a webhook watches over this namespace: {}", status.message);
                    }
                    Ok(true)
                }
                Err(error) => Err(error).context("can't try a claim on a volume"),
            }
        })
        .await
    }

    /// Whether someone else gives the quota a status.
    async fn counts(&self) -> anyhow::Result<bool> {
        comes_about(|| async {
            let quota = self.quotas.get(&self.name).await.context("can't read the ResourceQuota")?;
            Ok(quota.status.is_some_and(|status| status.hard.is_some()))
        })
        .await
    }

    async fn delete_what_others_left(&self, own: &LimitRange) -> anyhow::Result<()> {
        let labelled = ListParams::default().labels(LABEL);
        // Both times are the API server's.
        let now = own.metadata.creation_timestamp.as_ref().map_or(0, |time| time.0.as_second());
        let is_old = |metadata: &ObjectMeta| {
            let made = metadata.creation_timestamp.as_ref().map_or(now, |time| time.0.as_second());
            now - made > LEFT_OVER_SECONDS
        };
        for left in
            self.limit_ranges.list(&labelled).await?.items.iter().filter(|left| is_old(&left.metadata))
        {
            gone(self.limit_ranges.delete(&left.name_any(), &DeleteParams::default()).await.map(drop))?;
        }
        for left in self.quotas.list(&labelled).await?.items.iter().filter(|left| is_old(&left.metadata)) {
            gone(self.quotas.delete(&left.name_any(), &DeleteParams::default()).await.map(drop))?;
        }
        Ok(())
    }

    async fn end(&self) -> Result<(), kube::Error> {
        let quota = self.quotas.delete(&self.name, &DeleteParams::default()).await.map(drop);
        let limit_range = self.limit_ranges.delete(&self.name, &DeleteParams::default()).await.map(drop);
        gone(quota).and(gone(limit_range))
    }
}

/// Whether something that is tried again and again comes about while there is patience.
async fn comes_about<T>(tried: impl Fn() -> T) -> anyhow::Result<bool>
where
    T: Future<Output = anyhow::Result<bool>>,
{
    let until = Instant::now() + PATIENCE;
    loop {
        if tried().await? {
            return Ok(true);
        }
        if Instant::now() >= until {
            return Ok(false);
        }
        tokio::time::sleep(EVERY).await;
    }
}

/// Deleted, be it by another process.
fn gone(deleted: Result<(), kube::Error>) -> Result<(), kube::Error> {
    match deleted {
        Err(kube::Error::Api(status)) if status.code == 404 => Ok(()),
        deleted => deleted,
    }
}
