//! The command with the plugin, on the manifests beside it.

#![expect(clippy::unwrap_used, reason = "a test that can't go on fails")]
#![expect(clippy::needless_raw_string_hashes, reason = "they are written by expect-test")]

use std::process::Command;

use expect_test::{Expect, expect};

fn check(arguments: &[&str], expected: Expect) {
    let answer = Command::new(env!("CARGO_BIN_EXE_plimsoll-own-plugin"))
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .args(arguments)
        .output()
        .unwrap();
    let text = String::from_utf8([answer.stdout, answer.stderr].concat()).unwrap();
    expected.assert_eq(&text);
}

#[test]
fn pods_keep_off_nodes_with_a_window() {
    check(
        &["simulate", "--config", "scheduler.yaml", "manifests.yaml"],
        expect![[r#"
        PLACED
         pods                 nodes
        ────────────────────────────
         Pod default/report   b
         Pod default/video    a

        PENDING
         pods                   why
        ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
         Pod default/payments   0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had a maintenance window ahead. preemption: 0/2 nodes are available: 1 No
                                preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.

        NODES
         node   pods    cpu         memory        other
        ────────────────────────────────────────────────
         a      1/110   3/8 (37%)   0/16Gi (0%)
         b      1/110   1/2 (50%)   0/4Gi (0%)

        5 objects: 2 admitted, 2 placed, 1 pending
    "#]],
    );
}

#[test]
fn without_the_plugin_the_emptier_node_is_taken() {
    check(
        &["simulate", "manifests.yaml"],
        expect![[r#"
        PLACED
         pods                   nodes
        ──────────────────────────────
         Pod default/report     a
         Pod default/video      a
         Pod default/payments   a

        NODES
         node   pods    cpu             memory        other
        ────────────────────────────────────────────────────
         a      3/110   5500m/8 (68%)   0/16Gi (0%)
         b      0/110   0/2 (0%)        0/4Gi (0%)

        5 objects: 2 admitted, 3 placed
    "#]],
    );
}

#[test]
fn why_tells_what_the_plugin_says() {
    check(
        &["why", "payments", "--config", "scheduler.yaml", "manifests.yaml"],
        expect![[r#"
        Pod default/payments waits: 0/2 nodes are available: 1 Insufficient cpu, 1 node(s) had a maintenance window ahead. preemption: 0/2 nodes are available: 1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling.
        The smallest change: node b takes the pod if you lower the pod's request of cpu by 500m, or free as much on b.

        NODES THAT DON'T
         node   plugin              why
        ───────────────────────────────────────────────────────────────────────
         b      NodeResourcesFit    Insufficient cpu: wants 1500m, 1 of 2 free
         a      MaintenanceWindow   node(s) had a maintenance window ahead

    "#]],
    );
}

#[test]
fn arguments_that_the_plugin_refuses_are_told() {
    check(
        &["simulate", "--config", "tests/data/wrong-args.yaml", "manifests.yaml"],
        expect![[r#"
        error: tests/data/wrong-args.yaml: initializing profiles: creating profile for scheduler name default-scheduler: initializing plugin "MaintenanceWindow": decoding args: unknown field `keepAway`, expected `nodeLabel` or `keepOff`
    "#]],
    );
}
