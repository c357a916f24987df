use expect_test::{Expect, expect};
use k8s_openapi::api::core::v1::{LimitRange, Node, Pod, ResourceQuota};
use k8s_openapi::jiff::Timestamp;
use plimsoll_fixtures::object;
use plimsoll_quota::Quota;
use plimsoll_quota::device_classes::DeviceClasses;
use plimsoll_quota::surroundings::{NoNeighbours, Surroundings};
use plimsoll_webhook::limit_range::{LimitRanges, Limits};

use super::{Fate, Subject, explain};
use crate::report::{Change, Outcome};

#[track_caller]
fn check(given: &str, stored: &str, changes: &[Change], expected: Expect) {
    let limit_range: LimitRange = object(
        "{metadata: {name: containers}, spec: {limits: [{type: Container, default: {cpu: 500m}, max: {cpu: '2'}}]}}",
    );
    let quota: ResourceQuota = object(
        "{metadata: {name: compute}, spec: {hard: {requests.cpu: '1'}}, status: {hard: {requests.cpu: '1'}, used: {requests.cpu: 750m}}}",
    );
    let elsewhere: ResourceQuota = object(
        "{metadata: {name: other}, spec: {hard: {pods: '1'}, scopes: [BestEffort]}, status: {hard: {pods: '1'}, used: {pods: '0'}}}",
    );
    let node: Node =
        object("{metadata: {name: n}, status: {capacity: {memory: 8Gi}, allocatable: {memory: 7Gi}}}");
    let (given, stored): (Pod, Pod) = (object(given), object(stored));
    let explanation = explain(&Subject {
        given: &given,
        stored: &stored,
        changes,
        fate: Fate { outcome: Outcome::Admitted, message: None },
        limit_ranges: &LimitRanges::from_iter([Limits::parse(&limit_range).unwrap()]),
        quotas: &[elsewhere, quota].map(|quota| Quota::parse(&quota).unwrap()),
        node: Some(&node),
        surroundings: &Surroundings {
            now: Timestamp::UNIX_EPOCH,
            device_classes: &DeviceClasses::default(),
            neighbours: &NoNeighbours,
        },
    });
    expected.assert_eq(&explanation.map(|explanation| explanation.render(Some(120))).unwrap_or_default());
}

#[test]
fn tells_where_each_amount_comes_from() {
    check(
        "
        metadata: {name: web, namespace: shop}
        spec:
          containers:
          - {name: web, resources: {requests: {cpu: 250m}}}
          - {name: log, resources: {limits: {memory: 64Mi}}}
        ",
        "
        metadata: {name: web, namespace: shop}
        spec:
          containers:
          - {name: web, resources: {requests: {cpu: 250m}, limits: {cpu: 500m}}}
          - {name: log, resources: {requests: {memory: 64Mi}, limits: {memory: 64Mi}}}
        ",
        &[Change {
            path: "spec.containers[0].resources.limits[cpu]".to_owned(),
            value: "500m".to_owned(),
            from: "LimitRange/containers".to_owned(),
        }],
        expect![[r#"
            Pod shop/web: admitted
            Burstable: not Guaranteed, as the cpu request 250m is not the limit 500m in container web

            REQUESTS AND LIMITS
             container   field      resource   given   stored   from
            ──────────────────────────────────────────────────────────────────────────
             web         requests   cpu        250m    250m
                         limits     cpu                500m     LimitRange/containers
             log         requests   memory             64Mi     the limit
                         limits     memory     64Mi    64Mi
             total       requests   cpu                250m
                         requests   memory             64Mi
                         limits     cpu                500m
                         limits     memory             64Mi

            ON THE NODE
             cgroup   cpu.weight               cpu.max        memory.max   cpu.shares (v1)   oom_score_adj
            ───────────────────────────────────────────────────────────────────────────────────────────────
             pod      10                                                   256
             web      35 (older runtimes 10)   50000 100000                256               999
             log      1                        max 100000     67108864     2                 993

            LIMITRANGES
             LimitRange   type        rule      resource   value   met
            ───────────────────────────────────────────────────────────
             containers   Container   max       cpu        2       NO
             containers   Container   default   cpu        500m

            QUOTAS THAT COUNT IT
             quota     resource       this pod   used   hard   left
            ────────────────────────────────────────────────────────
             compute   requests.cpu   250m       750m   1      250m

            CHANGING IT WHILE IT RUNS
             container   change                                            by       what happens
            ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
             web         more or less cpu; more or less memory             resize   done while the container runs
             log         more or less cpu; more or less memory             resize   done while the container runs
             web         no cpu request any more; ten times the cpu        resize   refused: spec.terminationGracePeriodSeconds:
                         request alone; no cpu limit any more; ten times            Required value
                         the cpu limit alone
             log         no memory request any more; ten times the         resize   refused: spec.terminationGracePeriodSeconds:
                         memory request alone; no memory limit any more;            Required value
                         ten times the memory limit alone
             any         any amount                                        edit     refused: spec: Forbidden: pod updates may not
                                                                                    change fields other than `spec.containers[*].im
                                                                                    age`,`spec.initContainers[*].image`,`spec.activ
                                                                                    eDeadlineSeconds`,`spec.tolerations` (only
                                                                                    additions to existing tolerations),`spec.termin
                                                                                    ationGracePeriodSeconds` (allow it to be set to
                                                                                    1 if it was previously negative)

        "#]],
    );
}
