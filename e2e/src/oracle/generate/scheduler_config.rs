//! Configurations of schedulers.

use rand::rngs::StdRng;
use serde_json::{Map, Value, json};

use super::matching::{node_affinity, topology_spread_constraint};
use super::{chance, list, maybe, number, object, pick};

const PLUGINS: &[&str] = &[
    "SchedulingGates",
    "PrioritySort",
    "NodeName",
    "TaintToleration",
    "NodeAffinity",
    "NodeResourcesFit",
    "VolumeBinding",
    "PodTopologySpread",
    "InterPodAffinity",
    "DefaultPreemption",
    "NodeResourcesBalancedAllocation",
    "ImageLocality",
    "DefaultBinder",
    "DynamicResources",
];
const POINTS: &[&str] = &[
    "preEnqueue",
    "queueSort",
    "preFilter",
    "filter",
    "postFilter",
    "preScore",
    "score",
    "reserve",
    "permit",
    "preBind",
    "bind",
    "postBind",
    "multiPoint",
];

/// A configuration, valid about half of the time.
pub fn scheduler_config(rng: &mut StdRng) -> Value {
    let mut configuration = object([
        ("apiVersion", "kubescheduler.config.k8s.io/v1".into()),
        ("kind", "KubeSchedulerConfiguration".into()),
        ("parallelism", maybe(rng, 10, |rng| number(rng, -1..=32))),
        ("percentageOfNodesToScore", maybe(rng, 20, |rng| pick(rng, &[0, 50, 100, 100, -1, 101]))),
        ("podInitialBackoffSeconds", maybe(rng, 10, |rng| pick(rng, &[1, 2, 5, 0]))),
        ("podMaxBackoffSeconds", maybe(rng, 10, |rng| pick(rng, &[10, 20, 1, 0]))),
        ("enableProfiling", maybe(rng, 10, |rng| chance(rng, 50))),
        ("delayCacheUntilActive", maybe(rng, 10, |rng| chance(rng, 50))),
        ("leaderElection", maybe(rng, 20, leader_election)),
        (
            "clientConnection",
            maybe(
                rng,
                10,
                |rng| json!({"qps": pick(rng, &[0, 5, 100]), "burst": pick(rng, &[0, 10, 200, -1])}),
            ),
        ),
        ("profiles", maybe(rng, 85, |rng| list(rng, 0..=2, profile))),
        ("extenders", maybe(rng, 15, |rng| list(rng, 0..=2, |rng, _| extender(rng)))),
    ]);
    if chance(rng, 3) {
        configuration["unknown"] = json!({"a": 1});
    }
    if chance(rng, 2) {
        configuration["apiVersion"] = pick(rng, &["kubescheduler.config.k8s.io/v1beta3", "", "v1"]).into();
    }
    configuration
}

fn leader_election(rng: &mut StdRng) -> Value {
    let seconds = &["15s", "1m", "10s", "0s", "-1s", "1500ms"];
    object([
        ("leaderElect", maybe(rng, 40, |rng| chance(rng, 70))),
        ("leaseDuration", maybe(rng, 40, |rng| pick(rng, seconds))),
        ("renewDeadline", maybe(rng, 40, |rng| pick(rng, seconds))),
        ("retryPeriod", maybe(rng, 30, |rng| pick(rng, seconds))),
        ("resourceLock", maybe(rng, 20, |rng| pick(rng, &["leases", "endpoints"]))),
        ("resourceName", maybe(rng, 20, |_| "second")),
    ])
}

fn profile(rng: &mut StdRng, index: usize) -> Value {
    let name = if chance(rng, 90) { format!("scheduler-{index}") } else { "scheduler-0".to_owned() };
    let mut plugins = Map::new();
    if chance(rng, 60) {
        for _ in 0..number(rng, 1..=3) {
            plugins.insert(pick(rng, POINTS).to_owned(), plugin_set(rng));
        }
    }
    let mut config: Vec<Value> = Vec::new();
    for _ in 0..number(rng, 0..=3) {
        let (name, args) = plugin_args(rng);
        let known = config.iter().any(|other| other["name"] == name);
        if !known || chance(rng, 10) {
            config.push(json!({"name": name, "args": args}));
        }
    }
    object([
        ("schedulerName", maybe(rng, 92, |_| name)),
        ("percentageOfNodesToScore", maybe(rng, 10, |rng| pick(rng, &[0, 30, 100, 200]))),
        ("plugins", if plugins.is_empty() { Value::Null } else { plugins.into() }),
        ("pluginConfig", if config.is_empty() { Value::Null } else { config.into() }),
    ])
}

fn plugin_set(rng: &mut StdRng) -> Value {
    let enabled = |rng: &mut StdRng, _| {
        let name = if chance(rng, 3) { pick(rng, &["Nope", "EBSLimits"]) } else { pick(rng, PLUGINS) };
        object([
            ("name", name.into()),
            ("weight", maybe(rng, 40, |rng| pick(rng, &[0, 1, 5, 100, 2_147_483_647]))),
        ])
    };
    let disabled = |rng: &mut StdRng, _| {
        let name = if chance(rng, 30) { "*" } else { pick(rng, PLUGINS) };
        json!({ "name": name })
    };
    object([
        ("enabled", maybe(rng, 60, |rng| list(rng, 0..=3, enabled))),
        ("disabled", maybe(rng, 50, |rng| list(rng, 0..=2, disabled))),
    ])
}

/// What a plugin is told, and which one.
pub fn plugin_args(rng: &mut StdRng) -> (&'static str, Value) {
    let (name, mut args) = match number(rng, 0..=8) {
        0 => (
            "DefaultPreemption",
            object([
                ("minCandidateNodesPercentage", maybe(rng, 60, |rng| pick(rng, &[0, 10, 100, 101, -1]))),
                ("minCandidateNodesAbsolute", maybe(rng, 60, |rng| pick(rng, &[0, 1, 100, -1]))),
            ]),
        ),
        1 => (
            "InterPodAffinity",
            object([
                ("hardPodAffinityWeight", maybe(rng, 60, |rng| pick(rng, &[0, 1, 100, 101, -1]))),
                ("ignorePreferredTermsOfExistingPods", maybe(rng, 50, |rng| chance(rng, 50))),
            ]),
        ),
        2 => ("NodeAffinity", object([("addedAffinity", maybe(rng, 80, node_affinity))])),
        3 => (
            "NodeResourcesBalancedAllocation",
            object([("resources", maybe(rng, 80, |rng| resources(rng, &[0, 1, 1, 2])))]),
        ),
        4 | 5 => (
            "NodeResourcesFit",
            object([
                (
                    "ignoredResources",
                    maybe(rng, 30, |rng| {
                        list(rng, 0..=2, |rng, _| pick(rng, &["example.com/gpu", "a b", "cpu"]))
                    }),
                ),
                (
                    "ignoredResourceGroups",
                    maybe(rng, 30, |rng| list(rng, 0..=2, |rng, _| pick(rng, &["example.com", "a/b", ""]))),
                ),
                ("scoringStrategy", maybe(rng, 70, scoring_strategy)),
            ]),
        ),
        6 => (
            "PodTopologySpread",
            object([
                ("defaultingType", maybe(rng, 70, |rng| pick(rng, &["System", "List", "List", "Other"]))),
                (
                    "defaultConstraints",
                    maybe(rng, 60, |rng| list(rng, 0..=2, |rng, _| default_constraint(rng))),
                ),
            ]),
        ),
        7 => (
            "VolumeBinding",
            object([
                ("bindTimeoutSeconds", maybe(rng, 60, |rng| pick(rng, &[0, 60, -1]))),
                ("shape", maybe(rng, 50, shape)),
            ]),
        ),
        _ => (
            "DynamicResources",
            object([
                ("filterTimeout", maybe(rng, 60, |rng| pick(rng, &["5s", "0s", "-1s"]))),
                ("bindingTimeout", maybe(rng, 60, |rng| pick(rng, &["5m", "500ms", "1s"]))),
            ]),
        ),
    };
    match number(rng, 0..=19) {
        0 => args["unknown"] = 1.into(),
        1 => args["kind"] = "NodeAffinityArgs".into(),
        2..=5 => {
            args["apiVersion"] = "kubescheduler.config.k8s.io/v1".into();
            args["kind"] = format!("{name}Args").into();
        }
        _ => {}
    }
    (name, args)
}

fn resources(rng: &mut StdRng, weights: &[i64]) -> Value {
    list(rng, 0..=3, |rng, _| {
        let name = pick(rng, &["cpu", "memory", "example.com/gpu"]);
        object([("name", name.into()), ("weight", maybe(rng, 80, |rng| pick(rng, weights)))])
    })
}

fn scoring_strategy(rng: &mut StdRng) -> Value {
    let strategies =
        &["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio", "RequestedToCapacityRatio", "Other"];
    let strategy = pick(rng, strategies);
    let ratio = if strategy == "RequestedToCapacityRatio" { 90 } else { 5 };
    object([
        ("type", maybe(rng, 95, |_| strategy)),
        ("resources", maybe(rng, 60, |rng| resources(rng, &[0, 1, 3, 100, 101]))),
        ("requestedToCapacityRatio", maybe(rng, ratio, |rng| object([("shape", maybe(rng, 95, shape))]))),
    ])
}

fn shape(rng: &mut StdRng) -> Value {
    let mut at = 0;
    list(rng, 0..=3, |rng, _| {
        at += number(rng, 0..=60);
        json!({"utilization": at, "score": number(rng, 0..=11)})
    })
}

fn default_constraint(rng: &mut StdRng) -> Value {
    let mut constraint = topology_spread_constraint(rng);
    if let Some(fields) = constraint.as_object_mut().filter(|_| chance(rng, 95)) {
        fields.remove("labelSelector");
    }
    if chance(rng, 10) {
        constraint["maxSkew"] = 0.into();
    }
    if chance(rng, 5) {
        constraint["topologyKey"] = pick(rng, &["", "a b"]).into();
    }
    if chance(rng, 5) {
        constraint["whenUnsatisfiable"] = pick(rng, &["", "Never"]).into();
    }
    constraint
}

fn extender(rng: &mut StdRng) -> Value {
    object([
        ("urlPrefix", "https://extender.example".into()),
        ("filterVerb", maybe(rng, 50, |_| "filter")),
        ("prioritizeVerb", maybe(rng, 50, |_| "prioritize")),
        ("weight", maybe(rng, 70, |rng| number(rng, -1..=5))),
        ("bindVerb", maybe(rng, 40, |_| "bind")),
        ("enableHTTPS", maybe(rng, 30, |rng| chance(rng, 50))),
        ("httpTimeout", maybe(rng, 30, |rng| pick(rng, &["5s", "100ms"]))),
        ("nodeCacheCapable", maybe(rng, 30, |_| true)),
        ("ignorable", maybe(rng, 30, |_| true)),
        (
            "managedResources",
            maybe(rng, 40, |rng| {
                list(rng, 0..=2, |rng, _| {
                    let name = pick(rng, &["example.com/gpu", "example.com/fpga", "cpu", "a b"]);
                    object([("name", name.into()), ("ignoredByScheduler", maybe(rng, 40, |_| true))])
                })
            }),
        ),
    ])
}
