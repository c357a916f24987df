//! Planning a DaemonSet for 5,000 nodes that have a pod each.

use divan::{Bencher, black_box};
use k8s_openapi::api::apps::v1::DaemonSet;
use k8s_openapi::api::core::v1::Node;
use k8s_openapi::jiff::Timestamp;
use plimsoll_controller::daemon_set::{DaemonPod, FailedPods, PodMaker, Situation, plan};
use plimsoll_fixtures::object;

fn main() {
    divan::main();
}

const NODES: usize = 5_000;

const DAEMON_SET: &str = "
metadata: {name: exporter, namespace: monitoring, uid: u1}
spec:
  selector: {matchLabels: {app: exporter}}
  updateStrategy: {type: RollingUpdate, rollingUpdate: {maxUnavailable: 10%, maxSurge: 0}}
  template:
    metadata: {labels: {app: exporter}}
    spec:
      nodeSelector: {kubernetes.io/os: linux}
      tolerations: [{key: dedicated, operator: Exists}]
      containers: [{name: app, image: exporter}]
";

/// Takes stock and plans, while pods of this revision run.
fn plan_for_pods_of(bencher: Bencher<'_, '_>, hash: &str) {
    let daemon_set: DaemonSet = object(DAEMON_SET);
    let maker = PodMaker::new(&daemon_set, "u1", hash);
    let names: Vec<String> = (0..NODES).map(|number| format!("node-{number}")).collect();
    let nodes: Vec<Node> = names
        .iter()
        .map(|name| {
            object(&format!(
                "metadata: {{name: {name}, labels: {{kubernetes.io/hostname: {name}, kubernetes.io/os: linux}}}}
spec: {{taints: [{{key: dedicated, value: a, effect: NoSchedule}}]}}"
            ))
        })
        .collect();
    let pods: Vec<DaemonPod> = names
        .iter()
        .map(|name| {
            let mut pod = maker.pod_for(name);
            pod.metadata.name = Some(format!("exporter-{name}"));
            pod.status = object("{phase: Running, conditions: [{type: Ready, status: 'True'}]}");
            DaemonPod::from(&pod)
        })
        .collect();
    let mut failed = FailedPods::default();
    bencher.bench_local(|| {
        let situation = Situation::new(black_box(&daemon_set), "new", &nodes, &pods, Timestamp::UNIX_EPOCH);
        plan(&situation, Some(&mut failed))
    });
}

/// Nothing is to be done.
#[divan::bench]
fn steady(bencher: Bencher<'_, '_>) {
    plan_for_pods_of(bencher, "new");
}

/// All pods are of an older revision.
#[divan::bench]
fn rolling_update(bencher: Bencher<'_, '_>) {
    plan_for_pods_of(bencher, "old");
}
