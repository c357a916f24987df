//! A scheduler's configuration: what is filled in, what is refused, and which plugins each profile asks at which point.

use plimsoll_cli::scheduler_config::{ConfigError, from_value, profiles};
use plimsoll_scheduler::config::{KubeSchedulerConfiguration, expand, points_of};
use plimsoll_scheduler::framework::ExtensionPoint;
use plimsoll_scheduler::plugins::TABLE;
use serde_json::{Map, Value, json};

use super::Family;
use crate::oracle::generate::scheduler_config::scheduler_config;

pub(super) const FAMILY: Family = Family {
    name: "scheduler_config",
    generate: scheduler_config,
    evaluate,
    known_difference: Some(known_difference),
    bench: None,
};

const POINTS: [ExtensionPoint; 12] = [
    ExtensionPoint::PreEnqueue,
    ExtensionPoint::QueueSort,
    ExtensionPoint::PreFilter,
    ExtensionPoint::Filter,
    ExtensionPoint::PostFilter,
    ExtensionPoint::PreScore,
    ExtensionPoint::Score,
    ExtensionPoint::Reserve,
    ExtensionPoint::Permit,
    ExtensionPoint::PreBind,
    ExtensionPoint::Bind,
    ExtensionPoint::PostBind,
];

#[expect(clippy::unnecessary_wraps, reason = "families with inputs that can't be read have an error")]
fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let read = from_value(input.clone(), Vec::new());
    let made = read.and_then(|configuration| profiles(&configuration, &TABLE).map(|_| configuration));
    Ok(match made {
        Err(ConfigError::Yaml { .. } | ConfigError::Decoding(_)) => json!({"decoding": true}),
        Err(error @ ConfigError::Strict(_)) => json!({"strict": error.to_string()}),
        Err(ConfigError::Invalid(message)) => json!({ "invalid": message }),
        Err(error @ ConfigError::Profile(_)) => json!({"profile": error.to_string()}),
        Ok(configuration) => {
            json!({"configuration": &configuration, "profiles": plugins_of_profiles(&configuration)})
        }
    })
}

/// Whether both refuse the same: what two profiles tell the plugin that sorts the queue is shown in another form, and removed plugins
/// come in any order.
fn known_difference(_input: &Value, ours: &Value, theirs: &Value) -> Option<&'static str> {
    let without_args = |answer: &Value| {
        let text = answer["invalid"].as_str()?;
        let (before, rest) = text.split_once("pluginConfig.args: Invalid value: ")?;
        let (_, after) = rest.split_once(": queueSort must be the same for all profiles")?;
        Some(format!("{before}{after}"))
    };
    if without_args(ours).is_some() && without_args(ours) == without_args(theirs) {
        return Some("D-scheduler-11");
    }
    let sorted = |answer: &Value| {
        let text = answer["invalid"].as_str().filter(|text| text.contains("was invalid in version"))?;
        let mut errors: Vec<String> = text
            .trim_matches(['[', ']'])
            .split(", profiles[")
            .map(|error| error.replace("profiles[", ""))
            .collect();
        errors.sort_unstable();
        Some(errors)
    };
    (sorted(ours).is_some() && sorted(ours) == sorted(theirs)).then_some("D-scheduler-12")
}

fn plugins_of_profiles(configuration: &KubeSchedulerConfiguration) -> Value {
    let of_profile = |profile: &plimsoll_scheduler::config::KubeSchedulerProfile| {
        let name = profile.scheduler_name.clone().unwrap_or_default();
        let plugins = profile.plugins.clone().unwrap_or_default();
        let expanded = expand(&name, &plugins, &|name| points_of(name)).unwrap_or_default();
        let names = |point: ExtensionPoint| -> Vec<String> {
            let plugins = expanded.get(&point).into_iter().flatten();
            let name = |plugin: &plimsoll_scheduler::config::PointPlugin| match point {
                ExtensionPoint::Score => format!("{} {}", plugin.name, plugin.weight),
                _ => plugin.name.clone(),
            };
            plugins.map(name).collect()
        };
        let points: Map<String, Value> =
            POINTS.into_iter().map(|point| (point.as_str().to_owned(), names(point).into())).collect();
        (name, Value::Object(points))
    };
    Value::Object(configuration.profiles.iter().map(of_profile).collect())
}
