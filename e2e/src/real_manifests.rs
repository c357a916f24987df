//! Manifests that others wrote: those that come with the pinned Kubernetes module. They must be read as the API server
//! reads them, and nothing in them may bring the simulator down.

use std::collections::BTreeSet;
use std::io::Write;
use std::panic;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use jiff::Timestamp;
use plimsoll_cli::engine::{self, Settings};
use plimsoll_cli::manifests::{read_all, source};
use plimsoll_cli::world::read_inputs;

use crate::counts::Counts;
use crate::upstream;

/// The folders of the module that hold manifests.
const FOLDERS: [&str; 3] = ["test/e2e/testing-manifests", "test/fixtures", "cluster/addons"];

/// Files in them that are no manifests: data of other programs, and templates of a shell script.
const NO_MANIFESTS: [&str; 5] = [
    "cluster/addons/fluentd-gcp/fluentd-gcp-ds.yaml",
    "cluster/addons/metadata-agent/stackdriver/metadata-agent.yaml",
    "test/e2e/testing-manifests/auth/encrypt/softhsm-config.json",
    "test/fixtures/doc-yaml/user-guide/update-demo/images/kitten/html/data.json",
    "test/fixtures/doc-yaml/user-guide/update-demo/images/nautilus/html/data.json",
];

/// Simulates every file by itself; counts those that went as they should, and names the others.
///
/// # Errors
/// When the module isn't there or the output can't be written.
pub fn check(output: &mut dyn Write) -> anyhow::Result<Counts> {
    let module = upstream::kubernetes_folder()?;
    let mut files = Vec::new();
    for folder in FOLDERS {
        let (sources, errors) = source::read(&module.join(folder));
        if let Some(error) = errors.first() {
            anyhow::bail!("can't read upstream's manifests: {error}");
        }
        files.extend(sources.into_iter().map(|source| PathBuf::from(source.name)));
    }
    let mut counts = Counts::default();
    let expected: BTreeSet<&str> = NO_MANIFESTS.into();
    for file in files {
        let name =
            file.strip_prefix(&module).context("the folder holds its files")?.to_string_lossy().into_owned();
        let fault = match (simulate(&file), expected.contains(name.as_str())) {
            (Simulated::Done, false) | (Simulated::Unreadable(_), true) => None,
            (Simulated::Done, true) => Some("is read, though it is no manifest".to_owned()),
            (Simulated::Unreadable(problem), false) => Some(problem),
            (Simulated::Panicked, _) => Some("brings the simulator down".to_owned()),
        };
        match fault {
            None => counts.passed += 1,
            Some(fault) => {
                counts.failed += 1;
                writeln!(output, "{name}: {fault}")?;
            }
        }
    }
    writeln!(output, "{} files, {} not as expected", counts.passed + counts.failed, counts.failed)?;
    Ok(counts)
}

/// What becomes of one file.
enum Simulated {
    Done,
    Unreadable(String),
    Panicked,
}

fn simulate(file: &Path) -> Simulated {
    let run = || {
        let (sources, _) = source::read(file);
        let inputs = read_all(&sources).and_then(|manifests| read_inputs(manifests, &sources));
        inputs.map(|inputs| {
            let settings = Settings {
                strict: false,
                now: Timestamp::UNIX_EPOCH,
                made_up_nodes: None,
                scheduler: None,
                scheduler_plugins: Vec::new(),
            };
            engine::run(inputs, Vec::new(), None, &settings, &mut |_| {});
        })
    };
    match panic::catch_unwind(run) {
        Ok(Ok(())) => Simulated::Done,
        Ok(Err(problems)) => {
            Simulated::Unreadable(problems.first().map(ToString::to_string).unwrap_or_default())
        }
        Err(_) => Simulated::Panicked,
    }
}
