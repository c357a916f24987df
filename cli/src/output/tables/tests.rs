use expect_test::{Expect, expect};

use super::render;
use crate::report::{Change, NodeReport, ObjectReport, Outcome, QuotaReport, Report};

#[track_caller]
fn check(report: &Report, expected: Expect) {
    expected.assert_eq(&render(report, Some(100)));
}

fn pod(name: &str) -> ObjectReport {
    ObjectReport::admitted("v1", "Pod", Some("shop"), name)
}

fn amounts(amounts: &[(&str, &str)]) -> std::collections::BTreeMap<String, String> {
    amounts.iter().map(|(name, amount)| ((*name).to_owned(), (*amount).to_owned())).collect()
}

#[test]
fn says_nothing_of_nothing() {
    check(
        &Report::default(),
        expect![[r"
        0 objects
    "]],
    );
}

#[test]
fn shows_each_question_in_a_section() {
    let change = Change {
        path: "spec.containers[0].resources.limits[cpu]".to_owned(),
        value: "500m".to_owned(),
        from: "LimitRange/containers".to_owned(),
    };
    let placed = |name: &str, node: &str| ObjectReport {
        outcome: Outcome::Placed,
        node: Some(node.to_owned()),
        changes: vec![change.clone()],
        ..pod(name)
    };
    let denied = |name: &str| ObjectReport {
        outcome: Outcome::Denied,
        code: Some(403),
        message: Some(format!("pods \"{name}\" is forbidden: exceeded quota: compute")),
        ..pod(name)
    };
    let pending = ObjectReport {
        outcome: Outcome::Pending,
        message: Some("0/1 nodes are available: 1 Insufficient cpu.".to_owned()),
        warnings: vec!["hint: something".to_owned()],
        ..pod("cache")
    };
    let report = Report::new(
        vec![
            placed("web-7c-bbbbb", "a"),
            placed("web-7c-ccccc", "a"),
            placed("web-7c-ddddd", "b"),
            denied("api-7c-bbbbb"),
            denied("api-7c-ccccc"),
            pending,
        ],
        vec![QuotaReport {
            namespace: "shop".to_owned(),
            name: "compute".to_owned(),
            hard: amounts(&[("pods", "4"), ("count/x.example.com", "2")]),
            used: amounts(&[("pods", "3")]),
        }],
        vec![NodeReport {
            name: "a".to_owned(),
            allocatable: amounts(&[
                ("cpu", "4"),
                ("memory", "8Gi"),
                ("pods", "110"),
                ("example.com/gpu", "2"),
            ]),
            requested: amounts(&[("cpu", "1500m"), ("memory", "1Gi"), ("example.com/gpu", "1")]),
            pods: 2,
        }],
        Vec::new(),
        vec!["namespace \"shop\" is taken to exist".to_owned()],
    );
    check(
        &report,
        expect![[r#"
            FILLED IN
             object                  field                                      value   from
            ──────────────────────────────────────────────────────────────────────────────────────────────────
             Pod shop/web-7c-* (3)   spec.containers[0].resources.limits[cpu]   500m    LimitRange/containers

            REFUSED
             object                  code   message
            ──────────────────────────────────────────────────────────────────────────────────────────
             Pod shop/api-7c-* (2)   403    pods "api-7c-bbbbb" is forbidden: exceeded quota: compute

            PLACED
             pods                    nodes
            ─────────────────────────────────
             Pod shop/web-7c-* (3)   a x2, b

            PENDING
             pods             why
            ───────────────────────────────────────────────────────────────
             Pod shop/cache   0/1 nodes are available: 1 Insufficient cpu.

            QUOTAS
             quota          resource              used      hard   full
            ────────────────────────────────────────────────────────────
             shop/compute   count/x.example.com   unknown   2
                            pods                  3         4      75%

            NODES
             node   pods    cpu             memory          other
            ──────────────────────────────────────────────────────────────────────────
             a      2/110   1500m/4 (37%)   1Gi/8Gi (12%)   example.com/gpu 1/2 (50%)

            WARNINGS
             object           warning
            ──────────────────────────────────
             Pod shop/cache   hint: something

            note: namespace "shop" is taken to exist
            6 objects: 3 placed, 1 pending, 2 denied
        "#]],
    );
}
