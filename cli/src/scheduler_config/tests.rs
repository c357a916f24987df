use plimsoll_fixtures::{Case, cases};
use plimsoll_scheduler::plugins::TABLE;
use serde_json::{Map, Value, json};

use super::*;

#[test]
fn configurations_are_filled_in_and_refused_as_upstream_does() {
    cases("testdata/scheduler_config.yaml").iter().for_each(check);
}

#[track_caller]
fn check(case: &Case) {
    let answer = answer(&case.given).map(|configuration| match case.expect.get("configuration") {
        Some(_) => json!({ "configuration": configuration }),
        None => json!({ "changes": changes(&configuration, &answer(&json!({})).unwrap()) }),
    });
    let answer = answer.unwrap_or_else(|refusal| refusal);
    assert_eq!(answer, case.expect, "{}: {}", case.source, case.name);
}

/// The configuration with what was filled in, or why it isn't taken.
fn answer(given: &Value) -> Result<Value, Value> {
    let mut given = given.clone();
    given["apiVersion"] = API_VERSION.into();
    given["kind"] = KIND.into();
    let made = from_value(given, Vec::new()).and_then(|made| profiles(&made, &TABLE).map(|_| made));
    made.map(|configuration| serde_json::to_value(configuration).unwrap()).map_err(|error| match &error {
        ConfigError::Yaml { .. } | ConfigError::Decoding(_) => json!({"decoding": true}),
        ConfigError::Strict(_) => json!({"strict": error.to_string()}),
        ConfigError::Invalid(message) => json!({ "invalid": message }),
        ConfigError::Extenders(_) | ConfigError::Profile(_) => json!({"profile": error.to_string()}),
    })
}

/// What of a value differs from another; null for a field that it doesn't have. What has a name keeps it, and what plugins are told is
/// compared by their names.
fn changes(value: &Value, from: &Value) -> Value {
    match (value, from) {
        (Value::Object(fields), Value::Object(others)) => {
            let other = |name: &str| others.get(name).unwrap_or(&Value::Null);
            let mut changed: Map<String, Value> = fields
                .iter()
                .filter(|(name, value)| *value != other(name))
                .map(|(name, value)| (name.clone(), changes(value, other(name))))
                .collect();
            let missing = others.keys().filter(|name| !fields.contains_key(*name));
            changed.extend(missing.map(|name| (name.clone(), Value::Null)));
            if let (Some(name), false) = (fields.get("name"), changed.is_empty()) {
                changed.insert("name".to_owned(), name.clone());
            }
            changed.into()
        }
        (Value::Array(items), Value::Array(others))
            if items.iter().any(|item| item.get("args").is_some()) =>
        {
            let of_the_name = |item: &Value| {
                others.iter().find(|other| other["name"] == item["name"]).cloned().unwrap_or_default()
            };
            let pairs = items.iter().map(|item| (item, of_the_name(item)));
            let changed = pairs.filter(|(item, other)| *item != other);
            changed.map(|(item, other)| changes(item, &other)).collect()
        }
        (Value::Array(items), Value::Array(others)) if items.len() == others.len() => {
            let pairs = items.iter().zip(others).filter(|(item, other)| item != other);
            pairs.map(|(item, other)| changes(item, other)).collect()
        }
        _ => value.clone(),
    }
}

/// What a file says of itself, and what YAML has twice: upstream's own tests, with the parts of the messages that they expect.
///
/// # Source
/// `cmd/kube-scheduler/app/options/{configfile,options}_test.go` (`TestLoadConfigFromFile`, `TestSchedulerOptions`)
#[test]
fn files_are_refused_as_upstream_does() {
    let kind = "kind: KubeSchedulerConfiguration\n";
    let v1 = "apiVersion: kubescheduler.config.k8s.io/v1\n";
    assert!(read(&format!("{v1}{kind}")).is_ok(), "Correct scheduler config");
    let not_registered = |version: &str| {
        format!("no kind \"KubeSchedulerConfiguration\" is registered for version \"{version}\"")
    };
    let rows = [
        ("Scheduler config with decode error", kind.to_owned(), "Object 'apiVersion' is missing".to_owned()),
        (
            "Scheduler config version too old",
            format!("apiVersion: kubescheduler.config.k8s.io/v1alpha1\n{kind}"),
            not_registered("kubescheduler.config.k8s.io/v1alpha1"),
        ),
        (
            "config file in componentconfig/v1alpha1",
            format!("apiVersion: componentconfig/v1alpha1\n{kind}"),
            not_registered("componentconfig/v1alpha1"),
        ),
        (
            "unknown version kubescheduler.config.k8s.io/unknown",
            format!("apiVersion: kubescheduler.config.k8s.io/unknown\n{kind}"),
            not_registered("kubescheduler.config.k8s.io/unknown"),
        ),
        ("unknown field", format!("{v1}{kind}foo: bar\n"), "unknown field \"foo\"".to_owned()),
        (
            "duplicate fields",
            format!("{v1}{kind}leaderElection:\n  leaderElect: true\n  leaderElect: false\n"),
            "key \"leaderElect\" already set".to_owned(),
        ),
    ];
    for (name, text, part) in rows {
        let message = read(&text).unwrap_err().to_string();
        assert!(message.contains(&part), "{name}: {message}");
    }
}
