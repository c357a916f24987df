//! A scheduler's configuration: what is filled in, what is refused, and which plugins each profile asks at which point.

use plimsoll_cli::scheduler_config::{ConfigError, from_value, profiles};
use plimsoll_scheduler::Profile;
use plimsoll_scheduler::config::PointPlugin;
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

#[expect(clippy::unnecessary_wraps, reason = "families with inputs that can't be read have an error")]
fn evaluate(input: &Value) -> anyhow::Result<Value> {
    let made = from_value(input.clone(), Vec::new())
        .and_then(|configuration| Ok((profiles(&configuration, &TABLE)?, configuration)));
    Ok(match made {
        Err(ConfigError::Yaml { .. } | ConfigError::Decoding(_)) => json!({"decoding": true}),
        Err(error @ ConfigError::Strict(_)) => json!({"strict": error.to_string()}),
        Err(ConfigError::Invalid(message)) => json!({ "invalid": message }),
        Err(error @ (ConfigError::Profile(_) | ConfigError::Extenders(_))) => {
            json!({"profile": error.to_string()})
        }
        Ok((profiles, configuration)) => {
            let plugins: Map<String, Value> = profiles.iter().map(plugins_of).collect();
            json!({"configuration": configuration, "profiles": plugins})
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

fn plugins_of(profile: &Profile) -> (String, Value) {
    let names = |point: ExtensionPoint| -> Vec<String> {
        let plugins = profile.expanded.get(&point).into_iter().flatten();
        let name = |plugin: &PointPlugin| match point {
            ExtensionPoint::Score => format!("{} {}", plugin.name, plugin.weight),
            _ => plugin.name.clone(),
        };
        plugins.map(name).collect()
    };
    let at_point = |point: ExtensionPoint| (point.as_str().to_owned(), names(point).into());
    let points = ExtensionPoint::OF_A_POD.into_iter().map(at_point).collect();
    (profile.scheduler_name.clone(), Value::Object(points))
}
