//! `plimsoll simulate`: what would become of manifests in a cluster.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;
use clap::Args;
use jiff::Timestamp;
use plimsoll_resource_math::Quantity;

use super::{ALL_WELL, NOT_ALL_WELL, WRONG_INPUT};
use crate::engine::{self, Settings};
use crate::manifests::problem::Problem;
use crate::manifests::read_all;
use crate::manifests::source::{self, Source};
use crate::output::{self, OutputFormat};
use crate::static_pods::{StaticPod, read_static_pod, static_pod};
use crate::world::made_up_nodes::MadeUpNodes;
use crate::world::read_inputs;

/// Say what would be filled in, refused, placed and left waiting if these manifests were applied.
#[derive(Debug, Args)]
pub struct Arguments {
    /// Files, folders (every *.yaml, *.yml and *.json below, in path order), or - for standard input.
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,
    /// The static pods of a node: the folder that its kubelet reads; may be given several times.
    #[arg(long, value_name = "NODE=FOLDER", value_parser = node_folder)]
    static_pods: Vec<(String, PathBuf)>,
    /// The time of the run; without it, that of the youngest object of the input, so that equal input gives equal output.
    #[arg(long, value_name = "TIMESTAMP")]
    now: Option<Timestamp>,
    /// The form of the output.
    #[arg(short, long, value_enum, default_value_t)]
    output: OutputFormat,
    /// Answer as an API server would where the default is lenient: namespaces must be declared, fields must be known.
    #[arg(long)]
    strict: bool,
    /// Make up this many nodes.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    nodes: usize,
    /// The cores of each node that is made up.
    #[arg(long, value_name = "QUANTITY", default_value = "4", value_parser = quantity)]
    node_cpu: Quantity,
    /// The memory of each node that is made up.
    #[arg(long, value_name = "QUANTITY", default_value = "16Gi", value_parser = quantity)]
    node_memory: Quantity,
    /// How many pods each node takes that is made up.
    #[arg(long, value_name = "COUNT", default_value_t = 110)]
    node_pods: u32,
}

/// More nodes than any cluster has; a slip of the keyboard must not fill the memory.
const NODE_LIMIT: usize = 100_000;

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

/// Runs the command; the answer is the exit status.
///
/// # Errors
/// The call is wrong, or the output can't be written.
pub fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    if arguments.paths.is_empty() && arguments.static_pods.is_empty() {
        bail!("no manifests given\n  hint: name files or folders, or - for standard input");
    }
    if arguments.nodes > NODE_LIMIT {
        bail!("--nodes: at most {NODE_LIMIT}");
    }
    let sources = match read_sources(&arguments.paths) {
        Ok(sources) => sources,
        Err(problems) => return Ok(refuse(&problems)),
    };
    let inputs = read_all(&sources).and_then(|manifests| read_inputs(manifests, &sources));
    let inputs = match inputs {
        Ok(inputs) => inputs,
        Err(problems) => return Ok(refuse(&problems)),
    };
    drop(sources);
    let static_pods = match read_static_pods(&arguments.static_pods) {
        Ok(static_pods) => static_pods,
        Err(problems) => return Ok(refuse(&problems)),
    };
    let settings = Settings {
        strict: arguments.strict,
        now: arguments.now.unwrap_or_else(|| inputs.youngest()),
        made_up_nodes: (arguments.nodes > 0).then(|| MadeUpNodes {
            count: arguments.nodes,
            cpu: arguments.node_cpu.clone(),
            memory: arguments.node_memory.clone(),
            pods: arguments.node_pods,
        }),
    };
    let report = engine::run(inputs, static_pods, &settings, &mut |_| {});
    let mut standard_output = io::BufWriter::new(io::stdout().lock());
    let printed = output::print(&report, arguments.output, None, &mut standard_output)
        .and_then(|()| standard_output.flush());
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(error.into()),
        _ => {}
    }
    Ok(if report.all_well() { ALL_WELL } else { NOT_ALL_WELL })
}

fn read_sources(paths: &[PathBuf]) -> Result<Vec<Source>, Vec<Problem>> {
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

#[expect(clippy::print_stderr, reason = "this is where problems reach the user")]
fn refuse(problems: &[Problem]) -> u8 {
    for problem in problems {
        eprintln!("error: {problem}");
    }
    WRONG_INPUT
}
