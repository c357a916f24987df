//! What the framework makes of what plugins say: upstream's tables with made-up plugins, and the answers that they expect.
//!
//! # Source
//! `pkg/scheduler/framework/runtime/framework_test.go`

use k8s_openapi::api::core::v1::{Node, Pod};
use plimsoll_fixtures::object;

use super::*;
use crate::config::{self, KubeSchedulerConfiguration, KubeSchedulerProfile, PluginRef, PluginSet, Plugins};
use crate::framework::{
    Filter, FilterPlugin, Plugin, PostFilterPlugin, PreFilter, PreScore, Score, ScorePlugin, Status,
};
use crate::plugins::{Registration, TABLE};

/// Upstream's `injectReason`.
const REASON: &str = "injected status";

/// What a made-up plugin does at each point where it does anything.
#[derive(Clone, Copy, Default)]
struct MadeUp {
    pre_filter: Option<Code>,
    filter: Option<Code>,
    post_filter: Option<Code>,
    score: Option<Scoring>,
}

#[derive(Clone, Copy)]
enum Scoring {
    Skip,
    Fail,
    /// The score of every node, and what normalizing makes of it.
    Give(i64, Option<i64>),
}

fn status(code: Code) -> Status {
    if code == Code::Success { Status::SUCCESS } else { Status::new(code, "", REASON) }
}

impl FilterPlugin for MadeUp {
    fn pre_filter<'a>(&'a self, _pod: &'a PodInfo<'a>, _snapshot: &'a Snapshot) -> PreFilter<'a> {
        match self.pre_filter.unwrap_or_default() {
            Code::Success => PreFilter::run(*self),
            Code::Skip => PreFilter::Skip,
            code => PreFilter::Reject(status(code)),
        }
    }
}

impl Filter for MadeUp {
    fn check(&self, _node: NodeIndex) -> Status {
        status(self.filter.unwrap_or_default())
    }

    fn can_fail(&self) -> bool {
        true
    }
}

impl PostFilterPlugin for MadeUp {
    fn post_filter(&self, _failed: &FailedCycle<'_>) -> PostFiltered {
        let code = self.post_filter.unwrap_or_default();
        PostFiltered { status: Status::new(code, "", REASON), nomination: Nomination::Keep }
    }
}

impl ScorePlugin for MadeUp {
    fn pre_score<'a>(&'a self, _: &'a PodInfo<'a>, _: &'a Snapshot, _: &'a [NodeIndex]) -> PreScore<'a> {
        match self.score {
            Some(Scoring::Give(..)) => PreScore::run(*self),
            Some(Scoring::Fail) => PreScore::Error(REASON.to_owned()),
            Some(Scoring::Skip) | None => PreScore::Skip,
        }
    }
}

impl Score for MadeUp {
    fn score(&self, _node: NodeIndex) -> i64 {
        if let Some(Scoring::Give(score, _)) = self.score { score } else { 0 }
    }

    fn normalize(&self, scores: &mut [i64]) {
        if let Some(Scoring::Give(_, Some(normalized))) = self.score {
            scores.fill(normalized);
        }
    }
}

/// Plugins that do nothing yet.
macro_rules! rows {
    ($($name:literal),*) => {
        [$(Registration {
            name: $name,
            points: &[
                ExtensionPoint::PreFilter,
                ExtensionPoint::Filter,
                ExtensionPoint::PostFilter,
                ExtensionPoint::PreScore,
                ExtensionPoint::Score,
            ],
            weight: 1,
            summary: "",
            new: |_| Ok(Plugin::new($name)),
        }),*]
    };
}
const ROWS: [Registration; 4] = rows!("plugin-1", "plugin-2", "plugin-3", "plugin-4");

/// A profile of made-up plugins, each with what its score counts, and of those without which there is no profile.
fn profile(made_up: &[(MadeUp, i32)]) -> Profile {
    let named: Vec<&str> = ROWS[..made_up.len()].iter().map(|row| row.name).collect();
    let weighted = named.iter().zip(made_up);
    let score =
        weighted.map(|(name, (_, weight))| PluginRef { weight: Some(*weight), ..PluginRef::new(name) });
    let needed = ["PrioritySort", "DefaultBinder"];
    let plugins = Plugins {
        multi_point: PluginSet {
            enabled: needed.iter().chain(&named).map(|name| PluginRef::new(name)).collect(),
            disabled: vec![PluginRef::new("*")],
        },
        score: PluginSet { enabled: score.collect(), ..PluginSet::default() },
        ..Plugins::default()
    };
    let given = KubeSchedulerProfile { plugins: Some(plugins), ..KubeSchedulerProfile::default() };
    let mut configuration = KubeSchedulerConfiguration { profiles: vec![given], ..Default::default() };
    config::set_defaults(&mut configuration);
    let table: Vec<Registration> = TABLE.into_iter().chain(ROWS).collect();
    let mut profile = Profile::new(&configuration.profiles[0], &configuration, &table).unwrap();
    for plugin in profile.plugins_mut() {
        let Some(place) = ROWS.iter().position(|row| row.name == plugin.name) else { continue };
        let does = made_up[place].0;
        plugin.filter = Some(Box::new(does));
        plugin.post_filter = does.post_filter.map(|_| Box::new(does) as Box<dyn PostFilterPlugin>);
        plugin.score = does.score.map(|_| Box::new(does) as Box<dyn ScorePlugin>);
    }
    profile
}

fn with_nodes<T>(names: &[&str], ask: impl FnOnce(&PodInfo<'_>, &Snapshot) -> T) -> T {
    let node = |name: &&str| object(&format!("{{metadata: {{name: {name}}}}}"));
    let nodes: Vec<Node> = names.iter().map(node).collect();
    let pod: Pod = object("{metadata: {name: testPod, namespace: default}, spec: {containers: []}}");
    ask(&PodInfo::new(&pod).unwrap(), &Snapshot::new(&nodes).unwrap())
}

/// # Source
/// `TestRunPreFilterPlugins`
#[test]
fn pre_filter_plugins() {
    use Code::{Error, Skip, Success, Unschedulable, UnschedulableAndUnresolvable};
    // What the plugins say, what the framework says then, and how many filters judge nodes.
    let rows: [(&str, &[Code], Code, Option<usize>); 7] = [
        ("all PreFilter returned success", &[Success, Success], Success, Some(2)),
        (
            "one PreFilter plugin returned success, but another PreFilter plugin returned non-success",
            &[Success, Error],
            Error,
            None,
        ),
        (
            "one PreFilter plugin returned skip, but another PreFilter plugin returned non-success",
            &[Skip, Error],
            Error,
            None,
        ),
        ("all PreFilter plugins returned skip", &[Skip, Skip, Skip], Success, Some(0)),
        ("some PreFilter plugins returned skip", &[Skip, Success, Skip, Success], Success, Some(2)),
        (
            "one PreFilter plugin returned Unschedulable, but another PreFilter plugin should be executed",
            &[Unschedulable, Success],
            Unschedulable,
            Some(1),
        ),
        (
            "one PreFilter plugin returned UnschedulableAndUnresolvable, and all other plugins aren't executed",
            &[UnschedulableAndUnresolvable, Error],
            UnschedulableAndUnresolvable,
            None,
        ),
    ];
    for (name, codes, expected, filters) in rows {
        let made_up = |code: &Code| (MadeUp { pre_filter: Some(*code), ..MadeUp::default() }, 1);
        let profile = profile(&codes.iter().map(made_up).collect::<Vec<_>>());
        let answer = with_nodes(&["node1"], |pod, snapshot| match pre_filter(pod, snapshot, &profile) {
            PreFiltered::Run(filters) => (Success, Some(filters.count())),
            PreFiltered::Rejected { status, filters, .. } => {
                (status.code, filters.map(|filters| filters.count()))
            }
        });
        assert_eq!(answer, (expected, filters), "{name}");
    }
}

/// # Source
/// `TestFilterPlugins`
#[test]
fn filter_plugins() {
    use Code::{Error, Skip, Success, Unschedulable, UnschedulableAndUnresolvable};
    let rows: [(&str, &[Code], Code, &str); 12] = [
        ("SuccessFilter", &[Success], Success, ""),
        ("ErrorFilter", &[Error], Error, "plugin-1"),
        ("UnschedulableFilter", &[Unschedulable], Unschedulable, "plugin-1"),
        (
            "UnschedulableAndUnresolvableFilter",
            &[UnschedulableAndUnresolvable],
            UnschedulableAndUnresolvable,
            "plugin-1",
        ),
        ("ErrorAndErrorFilters", &[Error, Error], Error, "plugin-1"),
        ("UnschedulableAndUnschedulableFilters", &[Unschedulable, Unschedulable], Unschedulable, "plugin-1"),
        (
            "UnschedulableAndUnschedulableAndUnresolvableFilters",
            &[UnschedulableAndUnresolvable, Unschedulable],
            UnschedulableAndUnresolvable,
            "plugin-1",
        ),
        ("SuccessAndSuccessFilters", &[Success, Success], Success, ""),
        ("SuccessAndSkipFilters", &[Success, Skip], Success, ""),
        ("ErrorAndSuccessFilters", &[Error, Success], Error, "plugin-1"),
        ("SuccessAndErrorFilters", &[Success, Error], Error, "plugin-2"),
        ("SuccessAndUnschedulableFilters", &[Success, Unschedulable], Unschedulable, "plugin-2"),
    ];
    for (name, codes, code, plugin) in rows {
        let made_up = |code: &Code| {
            // A filter that is skipped was so at PreFilter.
            let (pre_filter, filter) = if *code == Skip { (Skip, Error) } else { (Success, *code) };
            (MadeUp { pre_filter: Some(pre_filter), filter: Some(filter), ..MadeUp::default() }, 1)
        };
        let profile = profile(&codes.iter().map(made_up).collect::<Vec<_>>());
        let said = with_nodes(&["node1"], |pod, snapshot| {
            let PreFiltered::Run(filters) = pre_filter(pod, snapshot, &profile) else { unreachable!() };
            filters.check(0)
        });
        assert_eq!((said.code, said.plugin), (code, plugin), "{name}");
    }
}

/// # Source
/// `TestPostFilterPlugins`
#[test]
fn post_filter_plugins() {
    use Code::{Error, Success, Unschedulable, UnschedulableAndUnresolvable};
    let both = format!("{REASON}, {REASON}");
    let rows: [(&str, &[Code], &str); 6] = [
        ("a single plugin makes a Pod schedulable", &[Success], REASON),
        (
            "plugin1 failed to make a Pod schedulable, followed by plugin2 which makes the Pod schedulable",
            &[Unschedulable, Success],
            REASON,
        ),
        (
            "plugin1 makes a Pod schedulable, followed by plugin2 which cannot make the Pod schedulable",
            &[Success, Unschedulable],
            REASON,
        ),
        ("plugin1 fails, followed by plugin2 which makes the Pod schedulable", &[Error, Success], REASON),
        (
            "plugin1 failed to make a Pod schedulable, followed by plugin2 which makes the Pod unresolvable",
            &[Unschedulable, UnschedulableAndUnresolvable],
            REASON,
        ),
        ("both plugins failed to make a Pod schedulable", &[Unschedulable, Unschedulable], &both),
    ];
    for (name, codes, expected) in rows {
        let made_up = |code: &Code| {
            let filter = Some(Unschedulable);
            (MadeUp { filter, post_filter: Some(*code), ..MadeUp::default() }, 1)
        };
        let profile = profile(&codes.iter().map(made_up).collect::<Vec<_>>());
        let outcome = with_nodes(&["node1"], |pod, snapshot| {
            schedule(pod, snapshot, &profile, &mut CycleState::default())
        });
        let Outcome::Unschedulable(error) = outcome else { unreachable!() };
        assert_eq!(error.post_filter_message, expected, "{name}");
    }
}

/// # Source
/// `TestRunScorePlugins`, `TestRunPreScorePlugins`
#[test]
fn score_plugins() {
    use Scoring::{Fail, Give, Skip};
    let invalid = |score: i64| {
        format!(
            "applying score defaultWeights on Score plugins: plugin \"plugin-1\" returns an invalid score {score}, it should in the range of [0, 100] after normalizing"
        )
    };
    type Row = (&'static str, Vec<(Scoring, i32)>, Result<Vec<(&'static str, i64, i64)>, String>);
    let failed = |name: &str| Err(format!("running PreScore plugin {name:?}: {REASON}"));
    let rows: [Row; 13] = [
        ("no Score plugins", vec![], Ok(vec![])),
        ("single Score plugin", vec![(Give(1, None), 1)], Ok(vec![("plugin-1", 1, 1)])),
        ("single ScoreWithNormalize plugin", vec![(Give(10, Some(5)), 1)], Ok(vec![("plugin-1", 10, 5)])),
        (
            "3 Score plugins, 2 NormalizeScore plugins",
            vec![(Give(1, None), 1), (Give(3, Some(4)), 1), (Give(4, Some(5)), 1)],
            Ok(vec![("plugin-1", 1, 1), ("plugin-2", 3, 4), ("plugin-3", 4, 5)]),
        ),
        (
            "Score plugin return score greater than MaxNodeScore",
            vec![(Give(101, None), 1)],
            Err(invalid(101)),
        ),
        ("Score plugin return score less than MinNodeScore", vec![(Give(-1, None), 1)], Err(invalid(-1))),
        (
            "ScoreWithNormalize plugin return score greater than MaxNodeScore",
            vec![(Give(0, Some(101)), 1)],
            Err(invalid(101)),
        ),
        (
            "ScoreWithNormalize plugin return score less than MinNodeScore",
            vec![(Give(0, Some(-1)), 1)],
            Err(invalid(-1)),
        ),
        (
            "single Score plugin with MultiPointExpansion",
            vec![(Give(1, None), 3)],
            Ok(vec![("plugin-1", 1, 3)]),
        ),
        (
            "one success plugin, one skip plugin",
            vec![(Give(1, None), 1), (Skip, 1)],
            Ok(vec![("plugin-1", 1, 1)]),
        ),
        ("all plugins are skipped in prescore", vec![(Skip, 1)], Ok(vec![])),
        (
            "one PreScore plugin returned success, but another PreScore plugin returned non-success",
            vec![(Give(1, None), 1), (Fail, 1)],
            failed("plugin-2"),
        ),
        (
            "one PreScore plugin returned skip, but another PreScore plugin returned non-success",
            vec![(Skip, 1), (Fail, 1)],
            failed("plugin-2"),
        ),
    ];
    for (name, plugins, expected) in rows {
        let made_up = |(score, weight)| (MadeUp { score: Some(score), ..MadeUp::default() }, weight);
        let profile = profile(&plugins.into_iter().map(made_up).collect::<Vec<_>>());
        let said =
            with_nodes(&["node1", "node2"], |pod, snapshot| score_nodes(pod, snapshot, &profile, &[0, 1]));
        let expected = expected.map(|scores| {
            let both = |(plugin, raw, weighted)| PluginScores {
                plugin,
                raw: vec![raw; 2],
                weighted: vec![weighted; 2],
            };
            scores.into_iter().map(both).collect::<Vec<_>>()
        });
        assert_eq!(said, expected, "{name}");
    }
}
