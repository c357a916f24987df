//! `cargo e2e conformance`: upstream's own e2e specs, against a cluster in which Plimsoll does the work.

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use anyhow::{Context as _, bail};
use clap::ValueEnum as _;
use serde::Deserialize;
use tokio::runtime::Runtime;

use crate::cluster::{Cluster, Deciders, Shape};
use crate::upstream;

/// What KWOK's nodes and a cluster without addons can't do, and what takes too long.
const SKIPPED: &str = r"\[Slow\]|\[Feature:";

/// Options of `cargo e2e conformance`.
#[derive(Debug, clap::Args)]
pub struct Options {
    /// Which specs.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Focus::value_variants().to_vec())]
    focus: Vec<Focus>,
    /// Whose work the specs look at.
    #[arg(long, value_enum, default_value_t = Of::Plimsoll)]
    of: Of,
}

/// Whose work the specs look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Of {
    /// Ours, with upstream's own turned off.
    Plimsoll,
    /// Upstream's own, which tells what can pass on such nodes at all.
    Upstream,
}

impl Of {
    fn deciders(self) -> Deciders {
        match self {
            Self::Plimsoll => Deciders::Plimsoll { webhooks: 2 },
            Self::Upstream => Deciders::BuiltIns,
        }
    }
}

/// A group of specs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Focus {
    /// ResourceQuota.
    Quota,
    /// LimitRange.
    #[value(name = "limitrange")]
    LimitRange,
    /// DaemonSet and ControllerRevision.
    #[value(name = "daemonset")]
    DaemonSet,
}

impl Focus {
    /// A regular expression for the full names of the specs.
    fn pattern(self) -> &'static str {
        match self {
            Self::Quota => r"\[sig-api-machinery\] ResourceQuota ",
            Self::LimitRange => r"\[sig-scheduling\] LimitRange ",
            Self::DaemonSet => r"\[sig-apps\] (Daemon set|ControllerRevision) ",
        }
    }
}

/// Ginkgo's report, as far as it is told on.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Suite {
    #[serde(default)]
    spec_reports: Vec<Spec>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Spec {
    #[serde(default)]
    container_hierarchy_texts: Option<Vec<String>>,
    #[serde(default)]
    leaf_node_text: String,
    leaf_node_type: String,
    state: String,
    /// In nanoseconds.
    #[serde(default)]
    run_time: f64,
    #[serde(default)]
    failure: Option<Failure>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    #[serde(default)]
    message: String,
}

impl Spec {
    fn name(&self) -> String {
        let texts = self.container_hierarchy_texts.iter().flatten();
        texts.chain([&self.leaf_node_text]).map(String::as_str).collect::<Vec<_>>().join(" ")
    }
}

/// Runs the specs and prints what became of each; false if one failed.
///
/// # Errors
/// The programs can't be built, the cluster does not start, or no spec ran.
pub fn run(options: &Options, output: &mut dyn Write) -> anyhow::Result<bool> {
    let program = upstream::build_conformance()?;
    let runtime = Runtime::new().context("can't start the runtime")?;
    let shape = Shape::new(options.of.deciders(), 3);
    let cluster = runtime.block_on(Cluster::start(shape))?;
    let report = cluster.folder().join("conformance.json");
    let log = cluster.folder().join("conformance.log");
    let patterns: Vec<_> = options.focus.iter().map(|focus| focus.pattern()).collect();
    writeln!(output, "log: {}", log.display())?;
    let log_file = std::fs::File::create(&log).with_context(|| format!("can't write {}", log.display()))?;
    let status = Command::new(&program)
        .arg("--provider=skeleton")
        .arg("--kubeconfig")
        .arg(cluster.kubeconfig())
        .arg("--allowed-not-ready-nodes=-1")
        .arg(format!("--ginkgo.focus={}", patterns.join("|")))
        .arg(format!("--ginkgo.skip={SKIPPED}"))
        .arg("--ginkgo.no-color")
        .arg(format!("--ginkgo.json-report={}", report.display()))
        .current_dir(cluster.folder())
        .stdin(Stdio::null())
        .stdout(log_file.try_clone().context("can't share the log")?)
        .stderr(log_file)
        .status()
        .with_context(|| format!("can't run {}", program.display()))?;
    let text = std::fs::read_to_string(&report)
        .with_context(|| format!("no report, see {}; the specs ended with {status}", log.display()))?;
    let suites: Vec<Suite> = serde_json::from_str(&text).context("ginkgo's report can't be read")?;
    let specs: Vec<Spec> = suites.into_iter().flat_map(|suite| suite.spec_reports).collect();
    let failed = tell(&specs, output)?;
    if failed == 0 {
        std::fs::remove_dir_all(cluster.folder()).context("can't remove the logs of a run that went well")?;
    }
    Ok(failed == 0)
}

/// Prints each spec that ran, and returns how many failed.
fn tell(specs: &[Spec], output: &mut dyn Write) -> anyhow::Result<usize> {
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let of_interest =
        |spec: &&Spec| spec.leaf_node_type == "It" && spec.state != "skipped" || spec.failure.is_some();
    for spec in specs.iter().filter(of_interest) {
        *counts.entry(spec.state.as_str()).or_default() += 1;
        writeln!(output, "{:<8}{:>6.1} s  {}", spec.state, spec.run_time / 1e9, spec.name())?;
        if let Some(failure) = &spec.failure {
            writeln!(output, "        {}", failure.message.replace('\n', "\n        "))?;
        }
    }
    let passed = counts.remove("passed").unwrap_or_default();
    let failed = counts.values().sum();
    writeln!(output, "\n{passed} passed, {failed} failed")?;
    if passed + failed == 0 {
        bail!("no spec ran");
    }
    Ok(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tells_of_each_spec_that_ran() {
        let report = r#"[{"SpecReports": [
            {"ContainerHierarchyTexts": null, "LeafNodeType": "SynchronizedBeforeSuite", "LeafNodeText": "", "State": "passed", "RunTime": 1},
            {"ContainerHierarchyTexts": ["[sig-a] Quota"], "LeafNodeType": "It", "LeafNodeText": "counts", "State": "passed", "RunTime": 1500000000},
            {"ContainerHierarchyTexts": ["[sig-a] Quota"], "LeafNodeType": "It", "LeafNodeText": "other", "State": "skipped", "RunTime": 0},
            {"ContainerHierarchyTexts": ["[sig-a] Quota"], "LeafNodeType": "It", "LeafNodeText": "refuses", "State": "failed", "RunTime": 0,
             "Failure": {"Message": "expected\nso"}}]}]"#;
        let suites: Vec<Suite> = serde_json::from_str(report).unwrap();
        let mut output = Vec::new();
        assert_eq!(tell(&suites[0].spec_reports, &mut output).unwrap(), 1);
        let expected = "\
passed     1.5 s  [sig-a] Quota counts
failed     0.0 s  [sig-a] Quota refuses
        expected
        so

1 passed, 1 failed
";
        assert_eq!(String::from_utf8(output).unwrap(), expected);
    }
}
