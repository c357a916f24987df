//! DaemonSets on nodes of a test's own, kept by our controller and bound by the scheduler.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, ensure};
use futures::FutureExt as _;
use serde_json::{Value, json};

use super::Test;
use super::client::{Sandbox, same};
use crate::cluster::DaemonSets;

pub(super) const TESTS: &[(&str, Test)] = &[
    ("daemon_sets::one_pod_a_node_bound_by_the_scheduler", |sandbox| one_pod_a_node(sandbox).boxed_local()),
    ("daemon_sets::nodes_come_change_and_go", |sandbox| nodes_change(sandbox).boxed_local()),
    ("daemon_sets::kubectl_rolls_out_and_back", |sandbox| kubectl_rolls_out(sandbox).boxed_local()),
    ("daemon_sets::orphans_are_adopted_without_a_restart", |sandbox| orphans(sandbox).boxed_local()),
    ("daemon_sets::a_surge_keeps_every_node_served", |sandbox| surge(sandbox).boxed_local()),
    ("daemon_sets::pods_without_the_label_are_let_go", |sandbox| let_go(sandbox).boxed_local()),
    ("daemon_sets::one_selector_for_two", |sandbox| one_selector_for_two(sandbox).boxed_local()),
    ("daemon_sets::a_quota_refuses_the_pods", |sandbox| quota_refuses(sandbox).boxed_local()),
    ("daemon_sets::pods_that_find_no_room_say_so", |sandbox| no_room(sandbox).boxed_local()),
    ("daemon_sets::a_failed_pod_is_replaced", |sandbox| failed_pod(sandbox).boxed_local()),
    ("daemon_sets::revisions_edited_by_hand", |sandbox| edited_revisions(sandbox).boxed_local()),
    ("daemon_sets::a_namespace_goes_with_its_daemon_sets", |sandbox| namespace_goes(sandbox).boxed_local()),
];

pub(super) const DISTURBING: &[(&str, Test)] = &[
    // Each node that another test adds or changes is a try more, after which the next wait is longer.
    ("daemon_sets::calls_that_are_refused_are_made_again", |sandbox| refused_calls(sandbox).boxed_local()),
    ("daemon_sets::taken_over_and_given_back", |sandbox| taken_over(sandbox).boxed_local()),
    ("daemon_sets::killed_in_mid_batch", |sandbox| killed(sandbox).boxed_local()),
    ("daemon_sets::two_controllers_for_a_moment", |sandbox| two_controllers(sandbox).boxed_local()),
];

/// A DaemonSet for the nodes of a test.
fn daemon_set(sandbox: &Sandbox, name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": name},
        "spec": {
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "nodeSelector": {"of": sandbox.namespace},
                    "terminationGracePeriodSeconds": 0,
                    "containers": [{"name": "agent", "image": image}],
                },
            },
        },
    })
}

async fn create(sandbox: &Sandbox, daemon_set: &Value) -> anyhow::Result<()> {
    sandbox.create(&daemon_set.to_string()).await?;
    Ok(())
}

fn node_name(sandbox: &Sandbox, number: usize) -> String {
    format!("{}-{number}", sandbox.namespace)
}

/// Creates nodes that only this test uses.
async fn add_nodes(sandbox: &Sandbox, numbers: impl IntoIterator<Item = usize>) -> anyhow::Result<()> {
    for number in numbers {
        let name = node_name(sandbox, number);
        let amounts = json!({"cpu": "4", "memory": "16Gi", "pods": "20"});
        let node = json!({
            "apiVersion": "v1", "kind": "Node",
            "metadata": {"name": name, "labels": {"of": sandbox.namespace, "kubernetes.io/hostname": name}},
            "status": {"allocatable": amounts, "capacity": amounts},
        });
        sandbox.create_cluster_wide(&node.to_string()).await?;
    }
    Ok(())
}

/// Waits until the newest template runs on so many nodes, and nothing else does.
async fn rolled_out(sandbox: &Sandbox, name: &str, count: usize) -> anyhow::Result<Value> {
    let mut last = Value::Null;
    let waited = sandbox
        .eventually("", async || {
            let set = sandbox.get("apps/v1", "DaemonSet", name).await?;
            last = set["status"].clone();
            let is = |field: &str, expected: usize| last[field].as_u64().unwrap_or(0) == expected as u64;
            let observed = last["observedGeneration"] == set["metadata"]["generation"];
            let full = ["desired", "current", "updated"].map(|what| format!("{what}NumberScheduled"));
            Ok(observed
                && full.iter().all(|field| is(field, count))
                && is("numberReady", count)
                && is("numberAvailable", count)
                && is("numberMisscheduled", 0)
                && is("numberUnavailable", 0))
        })
        .await;
    waited.with_context(|| format!("the status of {name} is {last}, not that of {count} nodes"))?;
    Ok(last)
}

/// The pods of a DaemonSet that aren't going.
async fn pods_of(sandbox: &Sandbox, name: &str) -> anyhow::Result<Vec<Value>> {
    let mut pods = sandbox.list("v1", "Pod").await?;
    pods.retain(|pod| {
        pod["metadata"]["labels"]["app"] == name && pod["metadata"]["deletionTimestamp"].is_null()
    });
    Ok(pods)
}

fn uids(pods: &[Value]) -> BTreeSet<String> {
    pods.iter().map(|pod| pod["metadata"]["uid"].to_string()).collect()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Waits until exactly one pod runs on each of these nodes.
async fn one_on_each(sandbox: &Sandbox, name: &str, count: usize) -> anyhow::Result<()> {
    sandbox
        .eventually("there is one pod on each node", async || {
            let pods = pods_of(sandbox, name).await?;
            let nodes: BTreeSet<&str> = pods.iter().map(|pod| text(&pod["spec"]["nodeName"])).collect();
            Ok(pods.len() == count && nodes.len() == count && !nodes.contains(""))
        })
        .await
}

/// The messages of the events of a reason, with how often each was told.
async fn events(sandbox: &Sandbox, reason: &str) -> anyhow::Result<BTreeMap<String, u64>> {
    let events = sandbox.list("v1", "Event").await?;
    let told = events.iter().filter(|event| event["reason"] == reason);
    Ok(told.map(|event| (text(&event["message"]).to_owned(), event["count"].as_u64().unwrap_or(1))).collect())
}

async fn one_pod_a_node(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, 1..=3).await?;
    create(&sandbox, &daemon_set(&sandbox, "agent", "pause:1")).await?;
    rolled_out(&sandbox, "agent", 3).await?;
    let set = sandbox.get("apps/v1", "DaemonSet", "agent").await?;
    let revisions = sandbox.list("apps/v1", "ControllerRevision").await?;
    let [revision] = &revisions[..] else { anyhow::bail!("there are {} revisions", revisions.len()) };
    let hash = &revision["metadata"]["labels"]["controller-revision-hash"];
    same(&revision["metadata"]["name"], json!(format!("agent-{}", text(hash))))?;
    same(&revision["revision"], json!(1))?;
    let mut template = set["spec"]["template"].clone();
    template["$patch"] = "replace".into();
    same(&revision["data"], json!({"spec": {"template": template}}))?;
    let pods = pods_of(&sandbox, "agent").await?;
    ensure!(pods.len() == 3, "there are {} pods", pods.len());
    for pod in &pods {
        let node = &pod["spec"]["nodeName"];
        let pinned = json!({"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [
            {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]},
        ]}}});
        same(&pod["spec"]["affinity"], pinned)?;
        let labels =
            json!({"app": "agent", "controller-revision-hash": hash, "pod-template-generation": "1"});
        same(&pod["metadata"]["labels"], labels)?;
        let owner = json!([{
            "apiVersion": "apps/v1", "kind": "DaemonSet", "name": "agent", "uid": set["metadata"]["uid"],
            "controller": true, "blockOwnerDeletion": true,
        }]);
        same(&pod["metadata"]["ownerReferences"], owner)?;
        same(&pod["metadata"]["generateName"], json!("agent-"))?;
        let tolerated =
            ["not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure", "unschedulable"];
        let tolerated = tolerated.map(|condition| json!(format!("node.kubernetes.io/{condition}")));
        let keys: Vec<&Value> =
            pod["spec"]["tolerations"].as_array().into_iter().flatten().map(|one| &one["key"]).collect();
        ensure!(keys == tolerated.iter().collect::<Vec<_>>(), "tolerates {keys:?}");
    }
    let told: BTreeSet<String> =
        pods.iter().map(|pod| format!("Created pod: {}", text(&pod["metadata"]["name"]))).collect();
    sandbox
        .eventually("events tell of the pods", async || {
            Ok(events(&sandbox, "SuccessfulCreate").await?.into_keys().collect::<BTreeSet<_>>() == told)
        })
        .await
}

async fn nodes_change(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, 1..=2).await?;
    create(&sandbox, &daemon_set(&sandbox, "agent", "pause:1")).await?;
    rolled_out(&sandbox, "agent", 2).await?;
    add_nodes(&sandbox, [3]).await?;
    rolled_out(&sandbox, "agent", 3).await?;
    // A cordoned node keeps its pod, and gets a new one.
    let node = node_name(&sandbox, 1);
    let change = async |patch: Value| sandbox.patch_cluster_wide("v1", "Node", &node, patch).await;
    change(json!({"spec": {"unschedulable": true}})).await?;
    let pods = pods_of(&sandbox, "agent").await?;
    let there = pods.iter().find(|pod| pod["spec"]["nodeName"] == node).context("no pod on the node")?;
    sandbox.delete("v1", "Pod", text(&there["metadata"]["name"])).await?;
    one_on_each(&sandbox, "agent", 3).await?;
    rolled_out(&sandbox, "agent", 3).await?;
    ensure!(uids(&pods) != uids(&pods_of(&sandbox, "agent").await?), "the pod is still the same");
    // A taint that its pods don't tolerate drives them away.
    change(json!({"spec": {"taints": [{"key": "maintenance", "effect": "NoExecute"}]}})).await?;
    rolled_out(&sandbox, "agent", 2).await?;
    one_on_each(&sandbox, "agent", 2).await?;
    change(json!({"spec": {"taints": null, "unschedulable": null}})).await?;
    rolled_out(&sandbox, "agent", 3).await?;
    // So does a label that the node has lost.
    change(json!({"metadata": {"labels": {"of": "nobody"}}})).await?;
    rolled_out(&sandbox, "agent", 2).await?;
    one_on_each(&sandbox, "agent", 2).await?;
    // A node that goes is not counted any more, though its pod may stay for a while.
    sandbox.delete_cluster_wide("v1", "Node", &node_name(&sandbox, 2)).await?;
    rolled_out(&sandbox, "agent", 1).await?;
    Ok(())
}

async fn kubectl_rolls_out(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, 1..=3).await?;
    let path = sandbox.cluster.folder().join("kubectl-daemon-set.json");
    let apply = async |image: &str| {
        std::fs::write(&path, daemon_set(&sandbox, "agent", image).to_string())?;
        sandbox.kubectl(&["apply", "-f", &path.display().to_string()]).await
    };
    let status = async || sandbox.kubectl(&["rollout", "status", "daemonset/agent", "--timeout=60s"]).await;
    let history = async || {
        let told = sandbox.kubectl(&["rollout", "history", "daemonset/agent"]).await?;
        let numbers = told.lines().filter_map(|line| line.split_whitespace().next()?.parse::<u32>().ok());
        anyhow::Ok(numbers.collect::<Vec<_>>())
    };
    apply("pause:1").await?;
    // Until the controller has heard of the nodes, no pod is as many as it wants.
    rolled_out(&sandbox, "agent", 3).await?;
    ensure!(status().await?.ends_with("daemon set \"agent\" successfully rolled out\n"));
    let first = pods_of(&sandbox, "agent").await?;
    apply("pause:2").await?;
    ensure!(status().await?.ends_with("daemon set \"agent\" successfully rolled out\n"));
    ensure!(history().await? == [1, 2], "{:?}", history().await?);
    let second = pods_of(&sandbox, "agent").await?;
    ensure!(uids(&first).is_disjoint(&uids(&second)), "not every pod was replaced");
    let undone = sandbox.kubectl(&["rollout", "undo", "daemonset/agent"]).await?;
    ensure!(undone == "daemonset.apps/agent rolled back\n", "{undone}");
    ensure!(status().await?.ends_with("daemon set \"agent\" successfully rolled out\n"));
    // The first revision counts anew.
    sandbox.eventually("the history is in order", async || Ok(history().await? == [2, 3])).await?;
    let hash = |pods: &[Value]| pods[0]["metadata"]["labels"]["controller-revision-hash"].clone();
    same(&hash(&pods_of(&sandbox, "agent").await?), hash(&first))?;
    let again = sandbox.kubectl(&["rollout", "undo", "daemonset/agent", "--to-revision=3"]).await?;
    ensure!(again.contains("skipped rollback (current template already matches revision 3)"), "{again}");
    sandbox.kubectl(&["rollout", "restart", "daemonset/agent"]).await?;
    ensure!(status().await?.ends_with("daemon set \"agent\" successfully rolled out\n"));
    sandbox.eventually("the history goes on", async || Ok(history().await? == [2, 3, 4])).await
}

async fn orphans(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, 1..=2).await?;
    let set = daemon_set(&sandbox, "agent", "pause:1");
    create(&sandbox, &set).await?;
    rolled_out(&sandbox, "agent", 2).await?;
    let before = pods_of(&sandbox, "agent").await?;
    sandbox.kubectl(&["delete", "daemonset/agent", "--cascade=orphan"]).await?;
    let orphaned = pods_of(&sandbox, "agent").await?;
    ensure!(orphaned.iter().all(|pod| pod["metadata"]["ownerReferences"].is_null()), "they have an owner");
    create(&sandbox, &set).await?;
    rolled_out(&sandbox, "agent", 2).await?;
    let after = pods_of(&sandbox, "agent").await?;
    ensure!(uids(&before) == uids(&after), "pods were replaced");
    let set = sandbox.get("apps/v1", "DaemonSet", "agent").await?;
    for adopted in after.iter().chain(&sandbox.list("apps/v1", "ControllerRevision").await?) {
        same(&adopted["metadata"]["ownerReferences"][0]["uid"], set["metadata"]["uid"].clone())?;
    }
    let revisions = sandbox.list("apps/v1", "ControllerRevision").await?;
    ensure!(revisions.len() == 1, "there are {} revisions", revisions.len());
    Ok(())
}

async fn surge(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, 1..=4).await?;
    let mut set = daemon_set(&sandbox, "agent", "pause:1");
    set["spec"]["updateStrategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": 0}});
    create(&sandbox, &set).await?;
    rolled_out(&sandbox, "agent", 4).await?;
    let image =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "agent", "image": "pause:2"}]}}}});
    sandbox.patch("apps/v1", "DaemonSet", "agent", "", image).await?;
    sandbox
        .eventually("the surge is over", async || {
            let pods = pods_of(&sandbox, "agent").await?;
            let ready = pods.iter().filter(|pod| {
                let conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
                conditions.clone().any(|one| one["type"] == "Ready" && one["status"] == "True")
            });
            let served: BTreeSet<&str> = ready.map(|pod| text(&pod["spec"]["nodeName"])).collect();
            ensure!(served.len() == 4, "only {served:?} are served");
            ensure!(pods.len() <= 5, "there are {} pods", pods.len());
            Ok(pods.len() == 4 && pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == "pause:2"))
        })
        .await?;
    rolled_out(&sandbox, "agent", 4).await?;
    Ok(())
}

async fn let_go(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, [1]).await?;
    create(&sandbox, &daemon_set(&sandbox, "agent", "pause:1")).await?;
    rolled_out(&sandbox, "agent", 1).await?;
    let pods = pods_of(&sandbox, "agent").await?;
    let name = text(&pods[0]["metadata"]["name"]);
    sandbox.patch("v1", "Pod", name, "", json!({"metadata": {"labels": {"app": "debugged"}}})).await?;
    sandbox
        .eventually("it is nobody's", async || {
            let pod = sandbox.get("v1", "Pod", name).await?;
            Ok(pod["metadata"]["ownerReferences"].is_null())
        })
        .await?;
    one_on_each(&sandbox, "agent", 1).await?;
    // With its label back it is one too many; the older one is kept, and of two of the same second the first by name.
    let both = [pods_of(&sandbox, "agent").await?, pods.clone()].concat();
    let age = |pod: &&Value| {
        let metadata = &pod["metadata"];
        (text(&metadata["creationTimestamp"]).to_owned(), text(&metadata["name"]).to_owned())
    };
    let older = both.iter().min_by_key(age).cloned().context("no pod")?;
    sandbox.patch("v1", "Pod", name, "", json!({"metadata": {"labels": {"app": "agent"}}})).await?;
    sandbox
        .eventually("the older one is kept", async || {
            Ok(uids(&pods_of(&sandbox, "agent").await?) == uids(std::slice::from_ref(&older)))
        })
        .await
}

async fn one_selector_for_two(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, 1..=2).await?;
    let first = daemon_set(&sandbox, "agent", "pause:1");
    let mut second = first.clone();
    second["metadata"]["name"] = "other".into();
    create(&sandbox, &first).await?;
    create(&sandbox, &second).await?;
    rolled_out(&sandbox, "agent", 2).await?;
    rolled_out(&sandbox, "other", 2).await?;
    // Each has its own, and leaves the other's alone.
    let pods = pods_of(&sandbox, "agent").await?;
    let owned_by =
        |name: &str| pods.iter().filter(|pod| pod["metadata"]["ownerReferences"][0]["name"] == name).count();
    ensure!(pods.len() == 4 && owned_by("agent") == 2 && owned_by("other") == 2, "{pods:?}");
    Ok(())
}

async fn quota_refuses(sandbox: Sandbox) -> anyhow::Result<()> {
    sandbox
        .quota("{apiVersion: v1, kind: ResourceQuota, metadata: {name: team}, spec: {hard: {pods: 2}}}")
        .await?;
    add_nodes(&sandbox, 1..=3).await?;
    create(&sandbox, &daemon_set(&sandbox, "agent", "pause:1")).await?;
    let expected = "is forbidden: exceeded quota: team, requested: pods=1, used: pods=2, limited: pods=2";
    sandbox
        .eventually("an event tells of the refusal", async || {
            let told = events(&sandbox, "FailedCreate").await?;
            Ok(told.keys().any(|message| {
                message.starts_with("Error creating: admission webhook") && message.ends_with(expected)
            }))
        })
        .await?;
    let set = sandbox.get("apps/v1", "DaemonSet", "agent").await?;
    same(&set["status"]["desiredNumberScheduled"], json!(3))?;
    sandbox.patch("v1", "ResourceQuota", "team", "", json!({"spec": {"hard": {"pods": "3"}}})).await?;
    rolled_out(&sandbox, "agent", 3).await?;
    // A refused pod was tried again a few times only, later and later.
    let tries: u64 = events(&sandbox, "FailedCreate").await?.values().sum();
    ensure!(tries <= 20, "tried {tries} times");
    Ok(())
}

async fn no_room(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, [1]).await?;
    let mut set = daemon_set(&sandbox, "agent", "pause:1");
    set["spec"]["template"]["spec"]["containers"][0]["resources"] = json!({"requests": {"cpu": "5"}});
    create(&sandbox, &set).await?;
    sandbox
        .eventually("an event tells that there is no room", async || {
            let told = events(&sandbox, "FailedScheduling").await?;
            Ok(told.keys().any(|message| {
                message.contains("1 Insufficient cpu, ")
                    && message.contains("node(s) didn't satisfy plugin(s) [NodeAffinity]")
            }))
        })
        .await?;
    sandbox
        .eventually("the status counts the pod that waits", async || {
            let status = sandbox.get("apps/v1", "DaemonSet", "agent").await?["status"].clone();
            Ok(status["currentNumberScheduled"] == 1 && status["numberUnavailable"] == 1)
        })
        .await?;
    // The node goes, and nobody but us deletes the pod that waits for it.
    sandbox.delete_cluster_wide("v1", "Node", &node_name(&sandbox, 1)).await?;
    sandbox.eventually("the pod is gone", async || Ok(pods_of(&sandbox, "agent").await?.is_empty())).await
}

async fn failed_pod(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, [1]).await?;
    create(&sandbox, &daemon_set(&sandbox, "agent", "pause:1")).await?;
    rolled_out(&sandbox, "agent", 1).await?;
    let pods = pods_of(&sandbox, "agent").await?;
    let name = text(&pods[0]["metadata"]["name"]);
    sandbox.patch("v1", "Pod", name, "status", json!({"status": {"phase": "Failed"}})).await?;
    sandbox
        .eventually("another is there", async || {
            let now = pods_of(&sandbox, "agent").await?;
            Ok(now.len() == 1 && uids(&now).is_disjoint(&uids(&pods)))
        })
        .await?;
    let told = format!(
        "Found failed daemon pod {}/{name} on node {}, will try to kill it",
        sandbox.namespace,
        node_name(&sandbox, 1)
    );
    sandbox
        .eventually("an event tells of it", async || {
            Ok(events(&sandbox, "FailedDaemonPod").await?.contains_key(&told))
        })
        .await
}

async fn edited_revisions(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, [1]).await?;
    create(&sandbox, &daemon_set(&sandbox, "agent", "pause:1")).await?;
    rolled_out(&sandbox, "agent", 1).await?;
    let pods = pods_of(&sandbox, "agent").await?;
    let revision = sandbox.list("apps/v1", "ControllerRevision").await?.remove(0);
    let name = text(&revision["metadata"]["name"]).to_owned();
    // One of the same template, with a higher number: it becomes the one, and the pods carry its hash.
    let mut copy = revision.clone();
    copy["metadata"] = json!({
        "name": "by-hand", "ownerReferences": revision["metadata"]["ownerReferences"],
        "labels": {"app": "agent", "controller-revision-hash": "by-hand"},
    });
    // The items of a list don't tell.
    copy["apiVersion"] = "apps/v1".into();
    copy["kind"] = "ControllerRevision".into();
    copy["revision"] = json!(7);
    sandbox.create(&copy.to_string()).await?;
    sandbox
        .eventually("one of them is left", async || {
            let revisions = sandbox.list("apps/v1", "ControllerRevision").await?;
            Ok(revisions.len() == 1 && revisions[0]["metadata"]["name"] == "by-hand")
        })
        .await?;
    rolled_out(&sandbox, "agent", 1).await?;
    let after = pods_of(&sandbox, "agent").await?;
    ensure!(uids(&after) == uids(&pods), "the pod was replaced");
    same(&after[0]["metadata"]["labels"]["controller-revision-hash"], json!("by-hand"))?;
    // Deleted, it comes back under the name that its template has.
    sandbox.delete("apps/v1", "ControllerRevision", "by-hand").await?;
    sandbox
        .eventually("the revision is back", async || {
            Ok(sandbox.get("apps/v1", "ControllerRevision", &name).await.is_ok())
        })
        .await?;
    rolled_out(&sandbox, "agent", 1).await?;
    // Its pod is known by the number of the template.
    ensure!(uids(&pods_of(&sandbox, "agent").await?) == uids(&pods), "the pod was replaced");
    Ok(())
}

async fn namespace_goes(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, 1..=3).await?;
    create(&sandbox, &daemon_set(&sandbox, "agent", "pause:1")).await?;
    rolled_out(&sandbox, "agent", 3).await?;
    let namespace = sandbox.namespace.clone();
    sandbox.delete_cluster_wide("v1", "Namespace", &namespace).await?;
    sandbox
        .eventually("the namespace is gone", async || {
            Ok(sandbox.get_cluster_wide("v1", "Namespace", &namespace).await.is_err())
        })
        .await
}

/// A policy of the API server refuses one kind of call after the other.
async fn refused_calls(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, 1..=2).await?;
    let calls = [
        ("apps", "controllerrevisions", "CREATE"),
        ("", "pods", "CREATE"),
        ("apps", "daemonsets/status", "UPDATE"),
        ("", "pods", "DELETE"),
    ];
    for (turn, (group, resource, operation)) in calls.into_iter().enumerate() {
        let policy = format!("refuse-{turn}");
        let spec = json!({
            "failurePolicy": "Fail",
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": sandbox.namespace}},
                "resourceRules": [{
                    "apiGroups": [group], "apiVersions": ["v1"], "resources": [resource], "operations": [operation],
                }],
            },
            "validations": [{"expression": "false", "message": "not now"}],
        });
        let object = |kind: &str, spec: Value| {
            let version = "admissionregistration.k8s.io/v1";
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": policy}, "spec": spec})
                .to_string()
        };
        sandbox.create_cluster_wide(&object("ValidatingAdmissionPolicy", spec)).await?;
        let binding = json!({"policyName": policy, "validationActions": ["Deny"]});
        sandbox.create_cluster_wide(&object("ValidatingAdmissionPolicyBinding", binding)).await?;
        let image = format!("pause:{turn}");
        let mut set = daemon_set(&sandbox, "agent", &image);
        set["spec"]["updateStrategy"] =
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}});
        // Until the policy is in force a change may get through, so there is one more until one is refused.
        let mut number = 0_u64;
        sandbox
            .eventually(&format!("a first {operation} of {resource} is refused"), async || {
                number += 1;
                set["spec"]["template"]["metadata"]["annotations"] =
                    json!({"try": format!("{turn}-{number}")});
                sandbox.apply(set.clone()).await?;
                Ok(refusals(&sandbox, &policy).await? > 0)
            })
            .await?;
        // No hot loop: each try waits twice as long as the last, so that in a first minute there are fourteen, of two calls at most,
        // and some for the news that came before.
        let before = refusals(&sandbox, &policy).await?;
        sandbox
            .eventually(&format!("two more {operation} of {resource} are refused"), async || {
                Ok(refusals(&sandbox, &policy).await? >= before + 2)
            })
            .await?;
        let refused = refusals(&sandbox, &policy).await?;
        ensure!(refused <= 2 * (14 + number), "{refused} times {operation} {resource}");
        let version = "admissionregistration.k8s.io/v1";
        sandbox.delete_cluster_wide(version, "ValidatingAdmissionPolicyBinding", &policy).await?;
        sandbox.delete_cluster_wide(version, "ValidatingAdmissionPolicy", &policy).await?;
        rolled_out(&sandbox, "agent", 2).await?;
        one_on_each(&sandbox, "agent", 2).await?;
    }
    Ok(())
}

/// How often a policy of the API server has refused a call.
async fn refusals(sandbox: &Sandbox, policy: &str) -> anyhow::Result<u64> {
    let metrics = sandbox.client.request_text(http::Request::get("/metrics").body(Vec::new())?).await?;
    let refused = metrics.lines().filter(|line| {
        line.starts_with("apiserver_validating_admission_policy_check_total{")
            && line.contains(&format!("policy=\"{policy}\""))
            && line.contains("enforcement_action=\"deny\"")
    });
    let counts = refused.filter_map(|line| line.rsplit_once(' ')?.1.parse::<u64>().ok());
    Ok(counts.sum())
}

/// kube-controller-manager makes the pods, ours takes them over, changes them, and gives them back: nothing restarts, and no
/// revision is made that its template has already.
async fn taken_over(sandbox: Sandbox) -> anyhow::Result<()> {
    add_nodes(&sandbox, 1..=3).await?;
    let seen = async || {
        let pods = pods_of(&sandbox, "agent").await?;
        let revisions = sandbox.list("apps/v1", "ControllerRevision").await?;
        let revisions =
            revisions.iter().map(|one| (one["metadata"]["name"].to_string(), one["revision"].to_string()));
        anyhow::Ok((uids(&pods), revisions.collect::<BTreeSet<_>>()))
    };
    // A node more shows that the one who keeps them now does.
    let add_node = async |number: usize| {
        let before = seen().await?;
        add_nodes(&sandbox, [number]).await?;
        rolled_out(&sandbox, "agent", number).await?;
        let after = seen().await?;
        ensure!(before.0.is_subset(&after.0), "a pod was replaced");
        ensure!(before.1 == after.1, "the revisions were {:?} and are {:?}", before.1, after.1);
        anyhow::Ok(after)
    };
    sandbox.cluster.hand_daemon_sets_to(DaemonSets::Upstream).await?;
    create(&sandbox, &daemon_set(&sandbox, "agent", "pause:1")).await?;
    rolled_out(&sandbox, "agent", 3).await?;
    sandbox.cluster.hand_daemon_sets_to(DaemonSets::Others).await?;
    let taken_over = add_node(4).await?;
    let image =
        json!({"spec": {"template": {"spec": {"containers": [{"name": "agent", "image": "pause:2"}]}}}});
    sandbox.patch("apps/v1", "DaemonSet", "agent", "", image).await?;
    rolled_out(&sandbox, "agent", 4).await?;
    let ours = seen().await?;
    ensure!(ours.0.is_disjoint(&taken_over.0) && ours.1.len() == 2, "{ours:?}");
    sandbox.cluster.hand_daemon_sets_to(DaemonSets::Upstream).await?;
    add_node(5).await?;
    // Upstream's controller finds the revision again that ours has taken over from it.
    let undone = sandbox.kubectl(&["rollout", "undo", "daemonset/agent"]).await?;
    ensure!(undone == "daemonset.apps/agent rolled back\n", "{undone}");
    rolled_out(&sandbox, "agent", 5).await?;
    ensure!(seen().await?.1.len() == 2, "there are other revisions: {:?}", seen().await?.1);
    sandbox.cluster.hand_daemon_sets_to(DaemonSets::Others).await
}

/// Controllers are killed while they create and delete pods; what has begun is neither done twice nor forgotten.
async fn killed(sandbox: Sandbox) -> anyhow::Result<()> {
    const NODES: usize = 60;
    add_nodes(&sandbox, 1..=NODES).await?;
    let mut set = daemon_set(&sandbox, "agent", "pause:1");
    set["spec"]["updateStrategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "100%"}});
    let plimsoll = sandbox.cluster.plimsoll()?;
    create(&sandbox, &set).await?;
    let of_image = async |image: &str| {
        let pods = pods_of(&sandbox, "agent").await?;
        anyhow::Ok(pods.iter().filter(|pod| pod["spec"]["containers"][0]["image"] == image).count())
    };
    for (image, first) in [("pause:1", 3), ("pause:2", 20)] {
        if image != "pause:1" {
            let containers = json!([{"name": "agent", "image": image}]);
            let change = json!({"spec": {"template": {"spec": {"containers": containers}}}});
            sandbox.patch("apps/v1", "DaemonSet", "agent", "", change).await?;
        }
        sandbox.eventually("it is in the middle of it", async || Ok(of_image(image).await? >= first)).await?;
        for place in 0..plimsoll.controllers() {
            plimsoll.crash_controller(place).await?;
        }
        rolled_out(&sandbox, "agent", NODES).await?;
        one_on_each(&sandbox, "agent", NODES).await?;
    }
    Ok(())
}

/// As while an operator changes over without turning the other off: both create pods, and what is too much goes again.
async fn two_controllers(sandbox: Sandbox) -> anyhow::Result<()> {
    const NODES: usize = 20;
    const ROLLOUTS: usize = 5;
    add_nodes(&sandbox, 1..=NODES).await?;
    sandbox.cluster.add_upstream_for_daemon_sets()?;
    // Returns who has created the pods.
    let seen = async |image: &str| {
        sandbox
            .eventually("no old pod is left", async || {
                let pods = pods_of(&sandbox, "agent").await?;
                Ok(pods.iter().all(|pod| pod["spec"]["containers"][0]["image"] == image))
            })
            .await?;
        one_on_each(&sandbox, "agent", NODES).await?;
        rolled_out(&sandbox, "agent", NODES).await?;
        let pods = pods_of(&sandbox, "agent").await?;
        let creators =
            pods.iter().map(|pod| text(&pod["metadata"]["managedFields"][0]["manager"]).to_owned());
        anyhow::Ok(creators.collect::<BTreeSet<String>>())
    };
    let roll_out = async |image: &str| {
        let change =
            json!({"spec": {"template": {"spec": {"containers": [{"name": "agent", "image": image}]}}}});
        sandbox.patch("apps/v1", "DaemonSet", "agent", "", change).await?;
        seen(image).await.with_context(|| format!("rollout of {image}"))
    };
    let mut set = daemon_set(&sandbox, "agent", "pause:0");
    set["spec"]["updateStrategy"] =
        json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "50%"}});
    create(&sandbox, &set).await?;
    seen("pause:0").await?;
    // Upstream's takes some seconds to begin.
    let mut images = (1..).map(|number| format!("pause:{number}"));
    let mut together = 0;
    for image in images.by_ref().take(200) {
        together += usize::from(roll_out(&image).await?.len() == 2);
        if together == ROLLOUTS {
            break;
        }
    }
    ensure!(together == ROLLOUTS, "both created pods in {together} rollouts");
    sandbox.cluster.hand_daemon_sets_to(DaemonSets::Others).await?;
    let last = images.next().unwrap_or_default();
    roll_out(&last).await?;
    Ok(())
}
