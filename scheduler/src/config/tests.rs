use plimsoll_fixtures::cases;
use serde_json::{Value, json};

use super::*;
use crate::framework::ExtensionPoint;
use crate::plugins::TABLE;
use crate::profile::Profile;

fn defaulted(mut configuration: KubeSchedulerConfiguration) -> KubeSchedulerConfiguration {
    set_defaults(&mut configuration);
    configuration
}

fn names(expanded: &Expanded, point: ExtensionPoint) -> Vec<&str> {
    expanded[&point].iter().map(|plugin| plugin.name.as_str()).collect()
}

fn with_plugins(plugins: Plugins) -> Result<Expanded, String> {
    let profile = KubeSchedulerProfile { plugins: Some(plugins), ..KubeSchedulerProfile::default() };
    let configuration = KubeSchedulerConfiguration { profiles: vec![profile], ..Default::default() };
    let configuration = defaulted(configuration);
    let profile = &configuration.profiles[0];
    expand("default-scheduler", profile.plugins.as_ref().unwrap(), &|name| points_of(name))
}

fn set(enabled: &[(&str, i32)], disabled: &[&str]) -> PluginSet {
    let enabled =
        enabled.iter().map(|(name, weight)| PluginRef { weight: Some(*weight), ..PluginRef::new(name) });
    let disabled = disabled.iter().map(|name| PluginRef::new(name));
    PluginSet { enabled: enabled.collect(), disabled: disabled.collect() }
}

#[test]
fn a_file_that_says_nothing_is_valid() {
    let configuration = defaulted(KubeSchedulerConfiguration::default());
    assert_eq!(validate(&configuration), []);
    let profile = &configuration.profiles[0];
    assert_eq!(profile.scheduler_name.as_deref(), Some(DEFAULT_SCHEDULER_NAME));
    let made = Profile::new(profile, &configuration, &TABLE).unwrap();
    assert_eq!(made.scheduler_name, DEFAULT_SCHEDULER_NAME);
}

#[test]
fn each_plugin_of_the_table_is_on_by_default() {
    let expanded = with_plugins(Plugins::default()).unwrap();
    for row in &TABLE {
        for point in row.points {
            assert!(names(&expanded, *point).contains(&row.name), "{} at {point:?}", row.name);
        }
    }
}

#[test]
fn multi_point_is_expanded_around_what_a_point_says() {
    let score = set(&[("Own", 7), ("ImageLocality", 5)], &["TaintToleration"]);
    let plugins = Plugins { score, ..Plugins::default() };
    let own: &[ExtensionPoint] = &[ExtensionPoint::Score];
    let mut configuration = KubeSchedulerConfiguration::default();
    let profile = KubeSchedulerProfile { plugins: Some(plugins), ..KubeSchedulerProfile::default() };
    configuration.profiles.push(profile);
    let configuration = defaulted(configuration);
    let plugins = configuration.profiles[0].plugins.as_ref().unwrap();
    let known = |name: &str| if name == "Own" { Some(own) } else { points_of(name) };
    let expanded = expand("default-scheduler", plugins, &known).unwrap();
    let weights: Vec<(&str, i64)> =
        expanded[&ExtensionPoint::Score].iter().map(|plugin| (plugin.name.as_str(), plugin.weight)).collect();
    // What the point says again comes first, then multiPoint, then what only the point says.
    assert_eq!(
        weights,
        [
            ("ImageLocality", 5),
            ("NodeAffinity", 2),
            ("NodeResourcesFit", 1),
            ("VolumeBinding", 1),
            ("PodTopologySpread", 2),
            ("InterPodAffinity", 2),
            ("DynamicResources", 2),
            ("NodeResourcesBalancedAllocation", 1),
            ("Own", 7),
        ]
    );
}

#[test]
fn contradictions_are_told_in_upstreams_words() {
    let with = |change: &dyn Fn(&mut Plugins)| {
        let mut plugins = Plugins::default();
        change(&mut plugins);
        with_plugins(plugins).unwrap_err()
    };
    assert_eq!(
        with(&|plugins| plugins.score = set(&[("Nope", 1)], &[])),
        "ScorePlugin \"Nope\" does not exist"
    );
    assert_eq!(
        with(&|plugins| plugins.score = set(&[("NodePorts", 1)], &[])),
        "plugin \"NodePorts\" does not extend ScorePlugin plugin"
    );
    assert_eq!(
        with(&|plugins| plugins.filter = set(&[("NodePorts", 0), ("NodePorts", 0)], &[])),
        "plugin \"NodePorts\" already registered as \"FilterPlugin\""
    );
    assert_eq!(
        with(&|plugins| plugins.queue_sort = set(&[], &["*"])),
        "only one queue sort plugin required for profile with scheduler name \"default-scheduler\", but got 0"
    );
    assert_eq!(
        with(&|plugins| plugins.bind = set(&[], &["*"])),
        "at least one bind plugin is needed for profile with scheduler name \"default-scheduler\""
    );
}

#[test]
fn plugins_of_a_profile_go_over_the_default_ones() {
    for case in cases("testdata/merge_plugins.yaml") {
        let read = |field: &str| serde_json::from_value(case.given[field].clone()).unwrap();
        let mut merged = serde_json::to_value(merge::merge(read("default"), read("custom"))).unwrap();
        merged.as_object_mut().unwrap().retain(|_, set: &mut Value| *set != json!({}));
        assert_eq!(merged, case.expect, "{}: {}", case.source, case.name);
    }
}

/// At which points upstream's made-up plugins can be asked.
fn made_up_points(name: &str) -> Option<&'static [ExtensionPoint]> {
    use ExtensionPoint as P;
    match name {
        "test-plugin" => Some(&[
            P::QueueSort,
            P::PreFilter,
            P::Filter,
            P::PostFilter,
            P::PreScore,
            P::Score,
            P::Reserve,
            P::Permit,
            P::PreBind,
            P::Bind,
            P::PostBind,
            P::PlacementGenerate,
            P::PlacementScore,
            P::PodGroupPostFilter,
        ]),
        "score-plugin-1" | "score-plugin-2" => Some(&[P::PreScore, P::Score]),
        "score-with-normalize-plugin-1" => Some(&[P::Score]),
        "placement-score-plugin-1" => Some(&[P::PlacementScore]),
        "queue-sort-plugin" => Some(&[P::QueueSort]),
        "bind-plugin" => Some(&[P::Bind]),
        "duplicate-plugin" => Some(&[P::PreFilter]),
        "plugin-not-implementing-score" => Some(&[]),
        _ => None,
    }
}

#[test]
fn multi_point_is_expanded_as_upstream_does() {
    for case in cases("testdata/multi_point_expansion.yaml") {
        let plugins: Plugins = serde_json::from_value(case.given).unwrap();
        let expanded = expand("test-profile", &plugins, &made_up_points);
        if let Some(part) = case.expect.get("error").and_then(Value::as_str) {
            let message = expanded.unwrap_err();
            assert!(message.contains(part), "{}: {}: {message}", case.source, case.name);
            continue;
        }
        let told = |point: ExtensionPoint, plugin: &PointPlugin| match point {
            ExtensionPoint::Score => format!("{}: {}", plugin.name, plugin.weight),
            _ => plugin.name.clone(),
        };
        let points: serde_json::Map<String, Value> = expanded
            .unwrap()
            .into_iter()
            .filter(|(_, plugins)| !plugins.is_empty())
            .map(|(point, plugins)| {
                let told: Vec<String> = plugins.iter().map(|plugin| told(point, plugin)).collect();
                (lower_first(point.as_str()), json!(told))
            })
            .collect();
        assert_eq!(Value::Object(points), case.expect, "{}: {}", case.source, case.name);
    }
}

/// As the configuration writes it.
fn lower_first(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    first.to_lowercase() + rest
}
