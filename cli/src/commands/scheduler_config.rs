//! `plimsoll scheduler-config`: what a scheduler's configuration comes to.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::Args;
use plimsoll_scheduler::config::{KubeSchedulerConfiguration, expand};
use plimsoll_scheduler::framework::ExtensionPoint;
use plimsoll_scheduler::plugins::TABLE;

use super::ALL_WELL;
use crate::manifests::source;
use crate::output::{self, OutputFormat};
use crate::scheduler_config;

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
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let configuration = match &arguments.file {
        Some(path) => read_checked(path)?,
        None => scheduler_config::read(EMPTY)?,
    };
    let mut stdout = io::stdout().lock();
    output::print_as(&configuration, arguments.output, &mut stdout, plugins_of_profiles)?;
    stdout.flush()?;
    Ok(ALL_WELL)
}

/// A file that says nothing.
const EMPTY: &str = "{apiVersion: kubescheduler.config.k8s.io/v1, kind: KubeSchedulerConfiguration}";

/// Reads the configuration in a file, or on the standard input.
///
/// # Errors
/// It can't be read, or is no valid configuration, or its profiles can't be made.
pub(super) fn read_checked(path: &Path) -> anyhow::Result<KubeSchedulerConfiguration> {
    let (mut sources, errors) = source::read(path);
    if let Some(error) = errors.into_iter().next() {
        return Err(error.into());
    }
    let Some(source) = sources.pop().filter(|_| sources.is_empty()) else {
        bail!("{}: expected one file", path.display());
    };
    let read = scheduler_config::read(&source.text);
    let made = read.and_then(|config| scheduler_config::profiles(&config, &TABLE).map(|_| config));
    made.with_context(|| source.name)
}

/// The points in the order in which a pod comes by them.
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

fn plugins_of_profiles(configuration: &KubeSchedulerConfiguration) -> String {
    let of_profile = |profile: &plimsoll_scheduler::config::KubeSchedulerProfile| {
        let name = profile.scheduler_name.as_deref().unwrap_or_default();
        let plugins = profile.plugins.clone().unwrap_or_default();
        let row = |name: &str| TABLE.iter().find(|row| row.name == name);
        let points_of =
            |name: &str| plimsoll_scheduler::config::points_of(name).or_else(|| Some(row(name)?.points));
        // The profiles have been made before, so they expand.
        let expanded = expand(name, &plugins, &points_of).unwrap_or_default();
        let mut lines = vec![format!("PROFILE {name}\n")];
        for point in POINTS {
            let at_point = expanded.get(&point).map(Vec::as_slice).unwrap_or_default();
            let names: Vec<String> = at_point
                .iter()
                .map(|plugin| match (row(&plugin.name), point) {
                    (None, _) if point != ExtensionPoint::Bind => format!("{} (not here yet)", plugin.name),
                    (_, ExtensionPoint::Score) => format!("{} {}", plugin.name, plugin.weight),
                    _ => plugin.name.clone(),
                })
                .collect();
            let names = if names.is_empty() { "-".to_owned() } else { names.join(", ") };
            lines.push(format!("  {:<11} {names}\n", point.as_str()));
        }
        lines.concat()
    };
    configuration.profiles.iter().map(of_profile).collect::<Vec<_>>().join("\n")
}
