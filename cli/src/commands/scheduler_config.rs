//! `plimsoll scheduler-config`: what a scheduler's configuration comes to.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use plimsoll_scheduler::Profile;
use plimsoll_scheduler::config::KubeSchedulerConfiguration;
use plimsoll_scheduler::framework::ExtensionPoint;
use plimsoll_scheduler::plugins::Registration;

use super::{ALL_WELL, print};
use crate::manifests::source;
use crate::output::{self, OutputFormat};
use crate::scheduler_config::{self, ConfigError};

/// Print a scheduler's configuration with all defaults filled in, and the plugins of each profile at each extension point.
///
/// A file that kube-scheduler would refuse is refused, in its words.
#[derive(Debug, Args)]
pub struct Arguments {
    /// The KubeSchedulerConfiguration, `-` for the standard input; without one, the one that a scheduler has with no file.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The form of the output. The table has the plugins, `yaml` and `json` the whole file.
    #[arg(short, long, value_enum, default_value_t)]
    output: OutputFormat,
}

/// Runs the command; the answer is the exit status.
///
/// # Errors
/// The file can't be read or is no valid configuration, or the output can't be written.
pub fn run(arguments: &Arguments, table: &[Registration]) -> anyhow::Result<u8> {
    let (configuration, profiles) = match &arguments.file {
        Some(path) => read_checked(path, table)?,
        None => with_profiles(scheduler_config::read(EMPTY)?, table)?,
    };
    let plugins = |_: &_| profiles.iter().map(plugins_of).collect::<Vec<_>>().join("\n");
    print::to_standard_output(|_, writer| {
        output::print_as(&configuration, arguments.output, writer, plugins)
    })?;
    Ok(ALL_WELL)
}

/// A file that says nothing.
const EMPTY: &str = "{apiVersion: kubescheduler.config.k8s.io/v1, kind: KubeSchedulerConfiguration}";

type Read = (KubeSchedulerConfiguration, Vec<Profile>);

fn with_profiles(
    configuration: KubeSchedulerConfiguration,
    table: &[Registration],
) -> Result<Read, ConfigError> {
    let profiles = scheduler_config::profiles(&configuration, table)?;
    Ok((configuration, profiles))
}

/// Reads the configuration in a file, or on the standard input, and makes its profiles of the plugins of the table.
///
/// # Errors
/// It can't be read, or is no valid configuration, or its profiles can't be made.
pub(super) fn read_checked(path: &Path, table: &[Registration]) -> anyhow::Result<Read> {
    let (mut sources, errors) = source::read(path);
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let Some(source) = sources.pop().filter(|_| sources.is_empty()) else {
        bail!("{}: expected one file", path.display());
    };
    let read = scheduler_config::read(&source.text);
    read.and_then(|configuration| with_profiles(configuration, table)).with_context(|| source.name)
}

fn plugins_of(profile: &Profile) -> String {
    let mut lines = vec![format!("PROFILE {}\n", profile.scheduler_name)];
    for point in ExtensionPoint::OF_A_POD {
        let at_point = profile.expanded.get(&point).map(Vec::as_slice).unwrap_or_default();
        let names: Vec<String> = at_point
            .iter()
            .map(|plugin| match point {
                _ if profile.missing.contains(&plugin.name) => format!("{} (not here yet)", plugin.name),
                ExtensionPoint::Score => format!("{} {}", plugin.name, plugin.weight),
                _ => plugin.name.clone(),
            })
            .collect();
        let names = if names.is_empty() { "-".to_owned() } else { names.join(", ") };
        lines.push(format!("  {:<11} {names}\n", point.as_str()));
    }
    lines.concat()
}
