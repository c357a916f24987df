//! Objects that make pods, with the fields that their validation looks at.

use rand::rngs::StdRng;
use serde_json::{Value, json};

use super::pod::pod_spec;
use super::{NAMESPACES, chance, list, maybe, metadata, number, object, pick};

/// An object of one of the kinds that make pods.
pub fn workload(rng: &mut StdRng) -> Value {
    let make = pick(
        rng,
        &[cron_job, daemon_set, deployment, job, replica_set, replication_controller, stateful_set]
            as &[fn(&mut StdRng) -> Value],
    );
    make(rng)
}

fn called(rng: &mut StdRng, api_version: &str, kind: &str, spec: Value) -> Value {
    let name = pick(rng, &["web", "db-0", "log.agent", "a"]);
    let namespace = pick(rng, NAMESPACES);
    let metadata = metadata(rng, name, Some(namespace));
    json!({"apiVersion": api_version, "kind": kind, "metadata": metadata, "spec": spec})
}

/// A template whose labels are mostly those that the selectors here select.
fn template(rng: &mut StdRng, restart_policies: &[&str]) -> Value {
    let mut spec = pod_spec(rng);
    if let Some(fields) = spec.as_object_mut() {
        fields.remove("ephemeralContainers");
        fields.remove("restartPolicy");
    }
    if chance(rng, 95) {
        spec["restartPolicy"] = pick(rng, restart_policies).into();
    }
    json!({"metadata": {"labels": {"app": if chance(rng, 95) { "web" } else { "other" }}}, "spec": spec})
}

fn selector(rng: &mut StdRng) -> Value {
    match number(rng, 0..=9) {
        0 => json!({"matchExpressions": [{"key": "app", "operator": "In", "values": ["web", "db"]}]}),
        1 => {
            json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "gone", "operator": "DoesNotExist"}]})
        }
        _ => json!({"matchLabels": {"app": "web"}}),
    }
}

fn count(rng: &mut StdRng) -> i64 {
    pick(rng, &[0, 1, 2, 3, 10])
}

fn number_or_percent(rng: &mut StdRng) -> Value {
    match number(rng, 0..=4) {
        0 => "25%".into(),
        1 => pick(rng, &["0%", "100%", "101%", "x%", "5"]).into(),
        _ => number(rng, -1..=3).into(),
    }
}

/// A rolling update, or the other way that a kind knows.
fn strategy(rng: &mut StdRng, other: &str) -> Value {
    let bounds = |rng: &mut StdRng| {
        object([
            ("maxUnavailable", maybe(rng, 60, number_or_percent)),
            ("maxSurge", maybe(rng, 60, number_or_percent)),
        ])
    };
    object([
        ("type", pick(rng, &["RollingUpdate", "RollingUpdate", other]).into()),
        ("rollingUpdate", maybe(rng, 50, bounds)),
    ])
}

fn daemon_set(rng: &mut StdRng) -> Value {
    let spec = object([
        ("selector", selector(rng)),
        ("template", template(rng, &["Always"])),
        ("updateStrategy", maybe(rng, 60, |rng| strategy(rng, "OnDelete"))),
        ("minReadySeconds", maybe(rng, 30, count)),
        ("revisionHistoryLimit", maybe(rng, 30, count)),
    ]);
    called(rng, "apps/v1", "DaemonSet", spec)
}

fn deployment(rng: &mut StdRng) -> Value {
    let spec = object([
        ("replicas", maybe(rng, 70, count)),
        ("selector", selector(rng)),
        ("template", template(rng, &["Always"])),
        ("strategy", maybe(rng, 60, |rng| strategy(rng, "Recreate"))),
        ("minReadySeconds", maybe(rng, 30, count)),
        ("revisionHistoryLimit", maybe(rng, 30, count)),
        ("paused", maybe(rng, 20, |rng| chance(rng, 50))),
        ("progressDeadlineSeconds", maybe(rng, 30, |rng| number(rng, 0..=600))),
    ]);
    called(rng, "apps/v1", "Deployment", spec)
}

fn replica_set(rng: &mut StdRng) -> Value {
    let spec = object([
        ("replicas", maybe(rng, 70, count)),
        ("selector", selector(rng)),
        ("template", template(rng, &["Always"])),
        ("minReadySeconds", maybe(rng, 30, count)),
    ]);
    called(rng, "apps/v1", "ReplicaSet", spec)
}

fn replication_controller(rng: &mut StdRng) -> Value {
    let spec = object([
        ("replicas", maybe(rng, 70, count)),
        ("selector", maybe(rng, 80, |_| json!({"app": "web"}))),
        ("template", maybe(rng, 97, |rng| template(rng, &["Always"]))),
        ("minReadySeconds", maybe(rng, 30, count)),
    ]);
    called(rng, "v1", "ReplicationController", spec)
}

fn stateful_set(rng: &mut StdRng) -> Value {
    let claim = |rng: &mut StdRng, index: usize| {
        json!({
            "metadata": {"name": format!("data-{index}")},
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": pick(rng, &["1Gi", "500m", "10Gi"])}},
            },
        })
    };
    let spec = object([
        ("replicas", maybe(rng, 70, count)),
        ("selector", selector(rng)),
        ("template", template(rng, &["Always"])),
        ("serviceName", maybe(rng, 90, |rng| pick(rng, &["db", "db.example", ""]))),
        ("podManagementPolicy", maybe(rng, 50, |rng| pick(rng, &["OrderedReady", "Parallel"]))),
        (
            "updateStrategy",
            maybe(rng, 50, |rng| {
                object([
                    ("type", pick(rng, &["RollingUpdate", "RollingUpdate", "OnDelete"]).into()),
                    (
                        "rollingUpdate",
                        maybe(rng, 50, |rng| {
                            object([
                                ("partition", maybe(rng, 70, |rng| number(rng, -1..=3))),
                                ("maxUnavailable", maybe(rng, 40, number_or_percent)),
                            ])
                        }),
                    ),
                ])
            }),
        ),
        ("minReadySeconds", maybe(rng, 30, count)),
        ("revisionHistoryLimit", maybe(rng, 30, |rng| number(rng, -1..=3))),
        ("volumeClaimTemplates", maybe(rng, 30, |rng| list(rng, 1..=1, claim))),
        ("ordinals", maybe(rng, 20, |rng| json!({"start": number(rng, -1..=3)}))),
        (
            "persistentVolumeClaimRetentionPolicy",
            maybe(rng, 20, |rng| {
                object([
                    ("whenDeleted", maybe(rng, 70, |rng| pick(rng, &["Retain", "Delete"]))),
                    ("whenScaled", maybe(rng, 70, |rng| pick(rng, &["Retain", "Delete"]))),
                ])
            }),
        ),
    ]);
    called(rng, "apps/v1", "StatefulSet", spec)
}

fn failure_rule(rng: &mut StdRng) -> Value {
    let action = pick(rng, &["FailJob", "FailIndex", "Ignore", "Count"]);
    if chance(rng, 50) {
        let container = maybe(rng, 40, |rng| pick(rng, &["app-0", "init-0", "none"]));
        let operator = pick(rng, &["In", "NotIn"]);
        let values = list(rng, 0..=3, |rng, _| number(rng, 0..=3));
        json!({"action": action, "onExitCodes": object([
            ("containerName", container), ("operator", operator.into()), ("values", values),
        ])})
    } else {
        json!({"action": action, "onPodConditions": [{"type": "DisruptionTarget", "status": pick(rng, &["True", "False"])}]})
    }
}

fn job_spec(rng: &mut StdRng) -> Value {
    let mode = maybe(rng, 50, |rng| pick(rng, &["Indexed", "Indexed", "NonIndexed"]));
    let is_indexed = mode == "Indexed";
    object([
        ("parallelism", maybe(rng, 60, count)),
        ("completions", maybe(rng, if is_indexed { 90 } else { 50 }, |rng| number(rng, 0..=5))),
        ("activeDeadlineSeconds", maybe(rng, 20, |rng| number(rng, 0..=600))),
        ("backoffLimit", maybe(rng, 30, count)),
        ("backoffLimitPerIndex", maybe(rng, if is_indexed { 30 } else { 3 }, count)),
        ("maxFailedIndexes", maybe(rng, if is_indexed { 15 } else { 2 }, count)),
        ("completionMode", mode),
        ("suspend", maybe(rng, 20, |rng| chance(rng, 50))),
        ("ttlSecondsAfterFinished", maybe(rng, 20, count)),
        ("podReplacementPolicy", maybe(rng, 20, |rng| pick(rng, &["TerminatingOrFailed", "Failed"]))),
        (
            "podFailurePolicy",
            maybe(rng, 20, |rng| json!({"rules": list(rng, 1..=2, |rng, _| failure_rule(rng))})),
        ),
        (
            "successPolicy",
            maybe(rng, if is_indexed { 25 } else { 3 }, |rng| {
                json!({"rules": [object([
                    ("succeededIndexes", maybe(rng, 70, |rng| pick(rng, &["0-2", "1,3", "0", "3-1", "x"]))),
                    ("succeededCount", maybe(rng, 50, |rng| number(rng, 0..=3))),
                ])]})
            }),
        ),
        (
            "managedBy",
            maybe(rng, 8, |rng| pick(rng, &["example.com/controller", "kubernetes.io/job-controller", "x"])),
        ),
        ("manualSelector", maybe(rng, 10, |rng| chance(rng, 70))),
        ("selector", maybe(rng, 10, selector)),
        ("template", template(rng, &["Never", "OnFailure"])),
    ])
}

fn job(rng: &mut StdRng) -> Value {
    let spec = job_spec(rng);
    called(rng, "batch/v1", "Job", spec)
}

fn cron_job(rng: &mut StdRng) -> Value {
    let schedules =
        ["*/5 * * * *", "@daily", "0 0 31 2 *", "TZ=UTC 0 * * * *", "60 * * * *", "* * *", "@every 5m"];
    let spec = object([
        ("schedule", pick(rng, &schedules).into()),
        (
            "timeZone",
            maybe(rng, 30, |rng| pick(rng, &["Etc/UTC", "Europe/Berlin", "Nowhere/Else", "Local", ""])),
        ),
        ("concurrencyPolicy", maybe(rng, 40, |rng| pick(rng, &["Allow", "Forbid", "Replace"]))),
        ("suspend", maybe(rng, 20, |rng| chance(rng, 50))),
        ("startingDeadlineSeconds", maybe(rng, 20, |rng| number(rng, -1..=600))),
        ("successfulJobsHistoryLimit", maybe(rng, 20, |rng| number(rng, -1..=5))),
        ("failedJobsHistoryLimit", maybe(rng, 20, |rng| number(rng, -1..=5))),
        ("jobTemplate", json!({"metadata": {"labels": {"app": "web"}}, "spec": job_spec(rng)})),
    ]);
    called(rng, "batch/v1", "CronJob", spec)
}
