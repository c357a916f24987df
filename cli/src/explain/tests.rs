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
    let (given, mut stored): (Pod, Pod) = (object(given), object(stored));
    plimsoll_apiserver::defaults::pod(&mut stored).unwrap();
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
          - {name: web, image: a, resources: {requests: {cpu: 250m}}}
          - {name: log, image: a, resources: {limits: {memory: 64Mi}}}
        ",
        "
        metadata: {name: web, namespace: shop}
        spec:
          containers:
          - {name: web, image: a, resources: {requests: {cpu: 250m}, limits: {cpu: 500m}}}
          - {name: log, image: a, resources: {requests: {memory: 64Mi}, limits: {memory: 64Mi}}}
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
             container   change                                  by       what happens
            ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
             web         more or less cpu; more or less memory   resize   done while the container runs
             log         more or less cpu; more or less memory   resize   done while the container runs
             web         no cpu request any more                 resize   refused: spec.containers[0].resources.requests:
                                                                          Forbidden: resource requests cannot be removed
             web         ten times the cpu request alone         resize   refused: spec.containers[0].resources.requests: Invalid
                                                                          value: "2500m": must be less than or equal to cpu limit
                                                                          of 500m
             web         no cpu limit any more                   resize   refused: spec.containers[0].resources.limits: Forbidden:
                                                                          resource limits cannot be removed
             log         no memory request any more              resize   refused: spec.containers[1].resources.requests:
                                                                          Forbidden: resource requests cannot be removed
             log         ten times the memory request alone      resize   refused: spec.containers[1].resources.requests: Invalid
                                                                          value: "640Mi": must be less than or equal to memory
                                                                          limit of 64Mi
             log         no memory limit any more                resize   refused: spec.containers[1].resources.limits: Forbidden:
                                                                          resource limits cannot be removed
             any         any amount                              edit     refused: spec: Forbidden: pod updates may not change
                                                                          fields other than `spec.containers[*].image`,`spec.initCo
                                                                          ntainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tol
                                                                          erations` (only additions to existing
                                                                          tolerations),`spec.terminationGracePeriodSeconds` (allow
                                                                          it to be set to 1 if it was previously negative)

        "#]],
    );
}
