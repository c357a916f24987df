//! A namespace of one's own, and what a test does in it.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use k8s_openapi::api::core::v1::{Namespace, ResourceQuota};
use kube::api::{DynamicObject, ListParams, Patch, PatchParams, PostParams};
use kube::client::Body;
use kube::core::{ApiResource, GroupVersionKind, Status};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::cluster::Cluster;

/// How long something that must come about may take.
const PATIENCE: Duration = Duration::from_mins(1);

/// A namespace of one's own.
pub struct Sandbox {
    pub(super) cluster: Arc<Cluster>,
    pub(super) client: Client,
    pub(super) namespace: String,
}

impl Sandbox {
    /// Makes a namespace for a test.
    ///
    /// # Errors
    /// The API server does not.
    pub async fn new(cluster: &Arc<Cluster>, test: &str) -> anyhow::Result<Self> {
        let namespace = test.replace([':', '_'], "-").replace("--", "-");
        let object: Namespace = serde_json::from_value(json!({"metadata": {"name": namespace}}))?;
        let api: Api<Namespace> = Api::all(cluster.client.clone());
        api.create(&PostParams::default(), &object).await.context("can't make a namespace")?;
        let sandbox = Self { cluster: Arc::clone(cluster), client: cluster.client.clone(), namespace };
        // Without it no pod may be created.
        sandbox
            .eventually("the default service account exists", async || {
                Ok(sandbox.get("v1", "ServiceAccount", "default").await.is_ok())
            })
            .await?;
        Ok(sandbox)
    }

    fn api(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Api::namespaced_with(self.client.clone(), &self.namespace, &resource)
    }

    /// Creates an object from YAML, and returns it as stored.
    ///
    /// # Errors
    /// The API server's refusal.
    pub(super) async fn create(&self, yaml: &str) -> Result<Value, kube::Error> {
        self.create_with(yaml, &PostParams::default()).await
    }

    pub(super) async fn create_with(
        &self,
        yaml: &str,
        parameters: &PostParams,
    ) -> Result<Value, kube::Error> {
        let object: DynamicObject = plimsoll_fixtures::object(yaml);
        let types = object.types.clone().unwrap_or_default();
        let created = self.api(&types.api_version, &types.kind).create(parameters, &object).await?;
        Ok(serde_json::to_value(created).unwrap_or_default())
    }

    /// Creates an object, and returns the warnings that come with it.
    pub(super) async fn create_and_read_warnings(&self, yaml: &str) -> anyhow::Result<Vec<String>> {
        let object: DynamicObject = plimsoll_fixtures::object(yaml);
        let types = object.types.clone().unwrap_or_default();
        let api = self.api(&types.api_version, &types.kind);
        let request = kube::core::Request::new(api.resource_url());
        let request = request.create(&PostParams::default(), serde_json::to_vec(&object)?)?;
        let response = self.client.send(request.map(Body::from)).await?;
        ensure!(response.status().is_success(), "not created: {}", response.status());
        let warnings = response.headers().get_all(http::header::WARNING).iter();
        // As in `299 - "text"`.
        let text = |header: &http::HeaderValue| {
            let text = header.to_str().ok()?.strip_prefix("299 - \"")?.strip_suffix('"')?;
            Some(text.replace("\\\"", "\""))
        };
        warnings.map(|header| text(header).context("a warning of another form")).collect()
    }

    /// The same as another user, who may do everything too.
    pub(super) async fn as_user(&self, name: &str) -> anyhow::Result<Self> {
        let client = self.cluster.client_of(name).await?;
        Ok(Self { cluster: Arc::clone(&self.cluster), client, namespace: self.namespace.clone() })
    }

    fn api_of_all(&self, version: &str, kind: &str) -> Api<DynamicObject> {
        let (group, version) = version.split_once('/').unwrap_or(("", version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, kind));
        Api::all_with(self.client.clone(), &resource)
    }

    /// Creates an object that has no namespace.
    pub(super) async fn create_cluster_wide(&self, yaml: &str) -> Result<(), kube::Error> {
        let object: DynamicObject = plimsoll_fixtures::object(yaml);
        let types = object.types.clone().unwrap_or_default();
        let api = self.api_of_all(&types.api_version, &types.kind);
        api.create(&PostParams::default(), &object).await.map(drop)
    }

    /// Reads an object that has no namespace.
    pub(super) async fn get_cluster_wide(
        &self,
        version: &str,
        kind: &str,
        name: &str,
    ) -> Result<(), kube::Error> {
        self.api_of_all(version, kind).get(name).await.map(drop)
    }

    /// Merges a patch into an object that has no namespace.
    pub(super) async fn patch_cluster_wide(
        &self,
        version: &str,
        kind: &str,
        name: &str,
        patch: Value,
    ) -> Result<(), kube::Error> {
        let (api, patch) = (self.api_of_all(version, kind), Patch::Merge(patch));
        api.patch(name, &PatchParams::default(), &patch).await.map(drop)
    }

    /// Deletes an object that has no namespace.
    pub(super) async fn delete_cluster_wide(
        &self,
        version: &str,
        kind: &str,
        name: &str,
    ) -> anyhow::Result<()> {
        self.api_of_all(version, kind).delete(name, &kube::api::DeleteParams::default()).await?;
        Ok(())
    }

    /// Runs kubectl in the namespace as an administrator would, and returns what it prints.
    pub(super) async fn kubectl(&self, arguments: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(self.cluster.program("kubectl"));
        command.arg("--kubeconfig").arg(self.cluster.kubeconfig());
        command.args(["--namespace", &self.namespace]).args(arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await?;
        let output = output.context("can't run kubectl")?;
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "kubectl {arguments:?}: {errors}");
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// The same in another namespace.
    pub(super) fn in_namespace(&self, namespace: &str) -> Self {
        let (cluster, client) = (Arc::clone(&self.cluster), self.client.clone());
        Self { cluster, client, namespace: namespace.to_owned() }
    }

    /// Applies an object, the API server merging it.
    pub(super) async fn apply(&self, object: Value) -> Result<Value, kube::Error> {
        let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
        let api = self.api(&text(&object["apiVersion"]), &text(&object["kind"]));
        let parameters = PatchParams::apply("plimsoll-e2e");
        let applied =
            api.patch(&text(&object["metadata"]["name"]), &parameters, &Patch::Apply(object)).await?;
        Ok(serde_json::to_value(applied).unwrap_or_default())
    }

    /// Reads an object.
    pub(super) async fn get(&self, version: &str, kind: &str, name: &str) -> Result<Value, kube::Error> {
        let object = self.api(version, kind).get(name).await?;
        Ok(serde_json::to_value(object).unwrap_or_default())
    }

    pub(super) async fn list(&self, version: &str, kind: &str) -> Result<Vec<Value>, kube::Error> {
        let list = self.api(version, kind).list(&ListParams::default()).await?;
        Ok(list.items.into_iter().map(|object| serde_json::to_value(object).unwrap_or_default()).collect())
    }

    /// Merges a patch into an object or one of its subresources.
    pub(super) async fn patch(
        &self,
        version: &str,
        kind: &str,
        name: &str,
        subresource: &str,
        patch: Value,
    ) -> Result<Value, kube::Error> {
        let (api, patch) = (self.api(version, kind), Patch::Merge(patch));
        let parameters = PatchParams::default();
        let object = match subresource {
            "" => api.patch(name, &parameters, &patch).await?,
            _ => api.patch_subresource(subresource, name, &parameters, &patch).await?,
        };
        Ok(serde_json::to_value(object).unwrap_or_default())
    }

    /// Changes the amounts of a running pod.
    pub(super) async fn resize(&self, pod: &str, patch: Value) -> Result<Value, kube::Error> {
        let (api, patch) = (self.api("v1", "Pod"), Patch::Strategic(patch));
        let object = api.patch_subresource("resize", pod, &PatchParams::default(), &patch).await?;
        Ok(serde_json::to_value(object).unwrap_or_default())
    }

    pub(super) async fn delete(&self, version: &str, kind: &str, name: &str) -> anyhow::Result<()> {
        self.api(version, kind).delete(name, &kube::api::DeleteParams::default().grace_period(0)).await?;
        Ok(())
    }

    /// Creates a quota, and waits until it counts.
    pub(super) async fn quota(&self, yaml: &str) -> anyhow::Result<()> {
        let created = self.create(yaml).await.context("can't create the quota")?;
        let name = created["metadata"]["name"].as_str().context("a quota has a name")?.to_owned();
        let keys = created["spec"]["hard"].as_object().map_or(0, serde_json::Map::len);
        self.eventually("the quota counts", async || {
            let used = self.used(&name).await?;
            Ok(used.as_object().is_some_and(|used| used.len() == keys))
        })
        .await
    }

    /// Creates a priority class, and waits until the API server, which asks a cache of its own, knows it.
    pub(super) async fn priority_class(&self, name: &str, value: i32) -> anyhow::Result<()> {
        let class = json!({"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
            "metadata": {"name": name}, "value": value});
        self.create_cluster_wide(&class.to_string()).await.context("can't create the priority class")?;
        let pod = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "of-the-class"},
            "spec": {"priorityClassName": name, "containers": [{"name": "a", "image": "pause"}]}});
        let dry_run = PostParams { dry_run: true, ..PostParams::default() };
        self.eventually("the API server knows the priority class", async || {
            match self.create_with(&pod.to_string(), &dry_run).await {
                Err(kube::Error::Api(status)) => Ok(!status.message.contains("no PriorityClass with name")),
                other => Ok(other.map(|_| true)?),
            }
        })
        .await
    }

    /// What a quota says is used.
    pub(super) async fn used(&self, quota: &str) -> anyhow::Result<Value> {
        let api: Api<ResourceQuota> = Api::namespaced(self.client.clone(), &self.namespace);
        let quota = api.get(quota).await?;
        Ok(serde_json::to_value(quota.status.and_then(|status| status.used))?)
    }

    /// Waits until a quota says that this is used.
    pub(super) async fn uses(&self, quota: &str, expected: Value) -> anyhow::Result<()> {
        let mut last = Value::Null;
        let waited = self
            .eventually("", async || {
                last = self.used(quota).await?;
                Ok(last == expected)
            })
            .await;
        waited.with_context(|| format!("quota {quota} says {last}, not {expected}"))
    }

    /// Waits until a condition holds.
    pub(super) async fn eventually(
        &self,
        what: &str,
        condition: impl AsyncFnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        self.eventually_within(PATIENCE, what, condition).await
    }

    /// Waits until a condition holds, but not for ever.
    pub(super) async fn eventually_within(
        &self,
        patience: Duration,
        what: &str,
        mut condition: impl AsyncFnMut() -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let deadline = Instant::now() + patience;
        while !condition().await? {
            if Instant::now() > deadline {
                bail!("waited {} s in vain until {what}", patience.as_secs());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }
}

/// A pod without amounts that no scheduler takes.
pub(super) fn pod(name: &str) -> String {
    format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}}}, spec: {{schedulerName: none, containers: [{{name: a, image: pause}}]}}}}"
    )
}

/// Makes sure that a request was refused with this message, which follows the API server's own words about the webhook.
pub(super) fn refused(result: Result<Value, kube::Error>, code: u16, message: &str) -> anyhow::Result<()> {
    let status = status(result)?;
    let ours = status.message.strip_prefix("admission webhook \"").and_then(|rest| {
        let (hook, said) = rest.split_once("\" denied the request: ")?;
        hook.ends_with(".plimsoll.dev").then_some(said)
    });
    let said = ours.unwrap_or(&status.message);
    ensure!(said == message, "refused with {said:?}, not {message:?}");
    ensure!(status.code == code, "refused with {}, not {code}", status.code);
    Ok(())
}

pub(super) fn status(result: Result<Value, kube::Error>) -> anyhow::Result<Status> {
    match result {
        Ok(object) => bail!("not refused: {object}"),
        Err(kube::Error::Api(status)) => Ok(*status),
        Err(error) => Err(error.into()),
    }
}

pub(super) fn same(found: &Value, expected: Value) -> anyhow::Result<()> {
    ensure!(*found == expected, "found {found}, not {expected}");
    Ok(())
}
