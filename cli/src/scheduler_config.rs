//! Reads a KubeSchedulerConfiguration strictly, fills in what it doesn't say, checks it, and makes its profiles.
//!
//! # Source
//! `cmd/kube-scheduler/app/options/configfile.go`, k8s.io/kube-scheduler `config/v1/types.go` (`DecodeNestedObjects`)

use plimsoll_api::field::aggregate;
use plimsoll_api::quote::go_quote;
use plimsoll_scheduler::Profile;
use plimsoll_scheduler::config::{
    API_VERSION, KIND, KubeSchedulerConfiguration, PluginArgs, PluginConfig, ReadArgs, set_defaults, validate,
};
use plimsoll_scheduler::extender::ignore_managed_resources;
use plimsoll_scheduler::plugins::Registration;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::manifests::decode::{DecodeError, decode};
use crate::manifests::yaml;

/// A file that is no valid configuration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The text is no YAML.
    #[error("line {line}: {message}")]
    Yaml {
        /// The line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A value doesn't fit its field, or the file is of another kind.
    #[error("{0}")]
    Decoding(String),
    /// Fields that there are not, or that stand there twice.
    #[error("strict decoding error: {}", .0.join(", "))]
    Strict(Vec<String>),
    /// Values that are out of bounds.
    #[error("{0}")]
    Invalid(String),
    /// Extenders that don't fit the profiles.
    #[error("couldn't build extenders: {0}")]
    Extenders(String),
    /// Plugins that don't exist or don't fit, or arguments that a plugin refuses.
    #[error("initializing profiles: {0}")]
    Profile(String),
}

/// Reads a configuration and fills in what it doesn't say.
///
/// # Errors
/// The text is no configuration, or not a valid one.
pub fn read(text: &str) -> Result<KubeSchedulerConfiguration, ConfigError> {
    let document =
        yaml::load(text).map_err(|error| ConfigError::Yaml { line: error.line, message: error.message })?;
    let duplicate = document.duplicate.map(|duplicate| {
        format!("line {}: key {} already set in map", duplicate.line, go_quote(&duplicate.key))
    });
    from_value(document.value, duplicate.into_iter().collect())
}

/// The same of a value; `faults` are those that reading the text has found.
///
/// # Errors
/// As [`read`].
pub fn from_value(value: Value, mut faults: Vec<String>) -> Result<KubeSchedulerConfiguration, ConfigError> {
    check_kind(&value)?;
    let decoded = decode::<KubeSchedulerConfiguration>(value)
        .map_err(|error| ConfigError::Decoding(error.to_string()))?;
    faults.extend(decoded.unknown_fields.iter().map(|field| unknown_field(field)));
    let mut configuration = decoded.object;
    for (profile_index, profile) in configuration.profiles.iter_mut().enumerate() {
        for (index, config) in profile.plugin_config.iter_mut().enumerate() {
            let place = format!("decoding .profiles[{profile_index}].pluginConfig[{index}]");
            let unknown =
                read_args(config).map_err(|error| ConfigError::Decoding(format!("{place}: {error}")))?;
            if !unknown.is_empty() {
                let args = format!("strict decoding error: decoding args for plugin {}", config.name);
                let fields: Vec<String> = unknown.iter().map(|field| unknown_field(field)).collect();
                faults.push(format!("{place}: {args}: strict decoding error: {}", fields.join(", ")));
            }
        }
    }
    if !faults.is_empty() {
        return Err(ConfigError::Strict(faults));
    }
    set_defaults(&mut configuration);
    let errors = validate(&configuration);
    if errors.is_empty() { Ok(configuration) } else { Err(ConfigError::Invalid(aggregate(&errors))) }
}

/// The profiles of a configuration, of the plugins in a table. Its extenders are left for the caller to add, who knows how to ask them.
///
/// # Errors
/// Extenders that don't fit, plugins that don't exist or don't fit, or arguments that a plugin refuses.
pub fn profiles(
    configuration: &KubeSchedulerConfiguration,
    table: &[Registration],
) -> Result<Vec<Profile>, ConfigError> {
    let configuration = ignore_managed_resources(configuration).map_err(ConfigError::Extenders)?;
    let profiles = configuration.profiles.iter().map(|profile| {
        let name = profile.scheduler_name.as_deref().unwrap_or_default();
        Profile::new(profile, &configuration, table).map_err(|error| {
            ConfigError::Profile(format!("creating profile for scheduler name {name}: {error}"))
        })
    });
    profiles.collect()
}

fn unknown_field(field: &str) -> String {
    format!("unknown field {}", go_quote(field))
}

/// # Source
/// apimachinery `pkg/runtime/error.go` (`notRegisteredErr`)
fn check_kind(value: &Value) -> Result<(), ConfigError> {
    let text = |field: &str| value.get(field).and_then(Value::as_str).unwrap_or_default();
    let (api_version, kind) = (text("apiVersion"), text("kind"));
    let message = match (api_version, kind) {
        (API_VERSION, KIND) => return Ok(()),
        (_, "") => "Object 'Kind' is missing".to_owned(),
        ("", _) => "Object 'apiVersion' is missing".to_owned(),
        _ => format!("no kind {} is registered for version {}", go_quote(kind), go_quote(api_version)),
    };
    Err(ConfigError::Decoding(message))
}

/// Reads what a plugin is told; returns the fields that there are not.
fn read_args(config: &mut PluginConfig) -> Result<Vec<String>, String> {
    let Some(given) = config.given.take().filter(|given| !given.is_null()) else {
        config.read = PluginArgs::absent(&config.name);
        return Ok(Vec::new());
    };
    let is_known = PluginArgs::absent(&config.name).is_some();
    let given = if is_known { without_kind(given, &config.name)? } else { given };
    let mut reader = Reader::default();
    let args = PluginArgs::read(&config.name, given, &mut reader)
        .map_err(|error| format!("decoding args for plugin {}: {error}", config.name))?;
    config.read = Some(args);
    Ok(reader.unknown_fields)
}

/// The arguments of a plugin without their version and kind, which have to be the plugin's if they are there.
fn without_kind(mut given: Value, plugin: &str) -> Result<Value, String> {
    let Some(fields) = given.as_object_mut() else { return Ok(given) };
    let version = fields.remove("apiVersion");
    let kind = fields.remove("kind");
    let expected = format!("{plugin}Args");
    match (version.as_ref().and_then(Value::as_str), kind.as_ref().and_then(Value::as_str)) {
        (Some(version), _) if version != API_VERSION => {
            let kind = kind.as_ref().and_then(Value::as_str).unwrap_or(&expected);
            Err(format!(
                "decoding args for plugin {plugin}: no kind {} is registered for version {}",
                go_quote(kind),
                go_quote(version)
            ))
        }
        (_, Some(kind)) if kind != expected => {
            let group = API_VERSION.split('/').next().unwrap_or_default();
            Err(format!("args for plugin {plugin} were not of type {expected}.{group}, got {kind}.{group}"))
        }
        _ => Ok(given),
    }
}

#[derive(Default)]
struct Reader {
    unknown_fields: Vec<String>,
}

impl ReadArgs for Reader {
    type Error = DecodeError;

    fn read<T: DeserializeOwned>(&mut self, given: Value) -> Result<T, DecodeError> {
        let decoded = decode::<T>(given)?;
        self.unknown_fields.extend(decoded.unknown_fields);
        Ok(decoded.object)
    }
}

#[cfg(test)]
mod tests;
