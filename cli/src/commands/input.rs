//! What every command reads that runs manifests: files, static pods, nodes that are made up, and how to take them.

use std::path::{Path, PathBuf};

use clap::Args;
use jiff::Timestamp;
use plimsoll_resource_math::Quantity;
use plimsoll_scheduler::plugins::Registration;

use super::scheduler_config;
use crate::engine::Settings;
use crate::manifests::problem::Problem;
use crate::manifests::read_all;
use crate::manifests::source::{self, Source};
use crate::static_pods::{StaticPod, read_static_pod, static_pod};
use crate::world::made_up_nodes::MadeUpNodes;
use crate::world::{Inputs, read_inputs};

/// The arguments that say what to run, and how.
#[derive(Debug, Args)]
pub struct InputArguments {
    /// Files, folders (every *.yaml, *.yml and *.json below, in path order), or - for standard input.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The static pods of a node: the folder that its kubelet reads; may be given several times.
    #[arg(long, value_name = "NODE=FOLDER", value_parser = node_folder)]
    static_pods: Vec<(String, PathBuf)>,
    /// The time of the run; without it, that of the youngest object of the input, so that equal input gives equal output.
    #[arg(long, value_name = "TIMESTAMP")]
    now: Option<Timestamp>,
    /// Answer as an API server would where the default is lenient: namespaces and storage must be declared, unknown fields are refused,
    /// and UIDs in the input are not kept.
    #[arg(long)]
    strict: bool,
    /// Make up this many nodes: node-1 and so on, but for names that a declared node has.
    #[arg(long, value_name = "COUNT", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=NODE_LIMIT))]
    nodes: u32,
    /// The cores of each node that is made up.
    #[arg(long, value_name = "QUANTITY", default_value = "4", value_parser = quantity)]
    node_cpu: Quantity,
    /// The memory of each node that is made up.
    #[arg(long, value_name = "QUANTITY", default_value = "16Gi", value_parser = quantity)]
    node_memory: Quantity,
    /// How many pods each made-up node takes.
    #[arg(long, value_name = "COUNT", default_value_t = 110)]
    node_pods: u32,
    /// The scheduler's KubeSchedulerConfiguration, with all its profiles; without one, the default profile, looking at all nodes and
    /// choosing among equally good ones by a fixed seed.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
}

/// More nodes than any cluster has; a slip of the keyboard must not fill the memory.
const NODE_LIMIT: i64 = 100_000;

fn quantity(text: &str) -> Result<Quantity, String> {
    Quantity::parse(text).map_err(|error| error.to_string())
}

fn node_folder(text: &str) -> Result<(String, PathBuf), String> {
    match text.split_once('=') {
        Some((node, folder)) if !node.is_empty() && !folder.is_empty() => {
            Ok((node.to_owned(), PathBuf::from(folder)))
        }
        _ => Err("expected NODE=FOLDER".to_owned()),
    }
}

/// What was read.
pub(super) struct Read {
    /// The objects of the manifests.
    pub(super) inputs: Inputs,
    /// The pods that kubelets run by themselves.
    pub(super) static_pods: Vec<StaticPod>,
    /// How to take them.
    pub(super) settings: Settings,
}

/// Why there is nothing to run.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// No path was given.
    #[error("no manifests given\n  hint: name files or folders, or - for standard input")]
    NoPaths,
    /// The paths hold nothing.
    #[error("no objects found\n  hint: in folders, files that end with .yaml, .yml or .json are read")]
    NoObjects,
    /// The scheduler's configuration can't be read or is not valid.
    #[error("{0:#}")]
    SchedulerConfig(anyhow::Error),
    /// These places can't be read, or don't say what they should.
    #[error("{}", lines(.0))]
    Problems(Vec<Problem>),
}

fn lines(problems: &[Problem]) -> String {
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    texts.join("\nerror: ")
}

impl InputArguments {
    /// Reads everything that the arguments name. The scheduler's plugins are those of the table.
    ///
    /// # Errors
    /// Every fault of the kind that comes first: paths, documents, static pods.
    pub(super) fn read(&self, table: &[Registration]) -> Result<Read, ReadError> {
        self.read_with(None, table)
    }

    /// Reads everything that the arguments name, and one more path.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub(super) fn read_with(&self, more: Option<&Path>, table: &[Registration]) -> Result<Read, ReadError> {
        let paths: Vec<&Path> = self.paths.iter().map(PathBuf::as_path).chain(more).collect();
        if paths.is_empty() && self.static_pods.is_empty() {
            return Err(ReadError::NoPaths);
        }
        let inputs = read_paths(&paths)?;
        let static_pods = read_static_pods(&self.static_pods).map_err(ReadError::Problems)?;
        if inputs.objects.is_empty() && inputs.notes.is_empty() && static_pods.is_empty() {
            return Err(ReadError::NoObjects);
        }
        let scheduler =
            self.config.as_deref().map(|path| scheduler_config::read_checked(path, table)).transpose();
        let scheduler = scheduler.map(|read| read.map(|(configuration, _)| configuration));
        let settings = Settings {
            strict: self.strict,
            scheduler: scheduler.map_err(ReadError::SchedulerConfig)?,
            scheduler_plugins: table.to_vec(),
            now: self.now.unwrap_or_else(|| inputs.youngest()),
            made_up_nodes: (self.nodes > 0).then(|| MadeUpNodes {
                count: self.nodes,
                cpu: self.node_cpu.clone(),
                memory: self.node_memory.clone(),
                pods: self.node_pods,
            }),
        };
        Ok(Read { inputs, static_pods, settings })
    }
}

/// Reads the objects of a path.
///
/// # Errors
/// Every fault of the kind that comes first: paths, documents; or there is none.
pub(super) fn read_objects(path: &Path) -> Result<Inputs, ReadError> {
    let inputs = read_paths(&[path])?;
    if inputs.objects.is_empty() { Err(ReadError::NoObjects) } else { Ok(inputs) }
}

fn read_paths(paths: &[&Path]) -> Result<Inputs, ReadError> {
    let sources = read_sources(paths).map_err(ReadError::Problems)?;
    let inputs = read_all(&sources).and_then(|manifests| read_inputs(manifests, &sources));
    inputs.map_err(ReadError::Problems)
}

fn read_sources(paths: &[&Path]) -> Result<Vec<Source>, Vec<Problem>> {
    let mut sources = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        let (read, errors) = source::read(path);
        sources.extend(read);
        problems.extend(errors.into_iter().map(|error| Problem::new(&error.path, None, error.message)));
    }
    if problems.is_empty() { Ok(sources) } else { Err(problems) }
}

/// What the kubelets make of their folders.
fn read_static_pods(folders: &[(String, PathBuf)]) -> Result<Vec<StaticPod>, Vec<Problem>> {
    let mut static_pods = Vec::new();
    let mut problems = Vec::new();
    for (node, folder) in folders {
        let (files, errors) = source::read_static_pods(folder);
        problems.extend(errors.into_iter().map(|error| Problem::new(&error.path, None, error.message)));
        for file in files {
            match read_static_pod(&file) {
                Ok(read) => {
                    let mut read_pod = static_pod(read.pod, node, &file.name);
                    if let StaticPod::Runs { warnings, .. } = &mut read_pod {
                        warnings.extend(read.warnings);
                    }
                    static_pods.push(read_pod);
                }
                Err(problem) => problems.push(*problem),
            }
        }
    }
    if problems.is_empty() { Ok(static_pods) } else { Err(problems) }
}
