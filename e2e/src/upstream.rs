//! Builds the programs that come from `e2e/upstream`, the pinned Go module.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

/// The folder of the Go module.
fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("upstream")
}

/// Builds the oracle program, where Go finds that anything changed, and returns its path.
///
/// # Errors
/// When `go` is missing or the build fails; Go has then printed why.
pub fn build_oracle() -> anyhow::Result<PathBuf> {
    let program = programs().join("oracle");
    let build = ["build", "-trimpath", "-o"].map(OsStr::new);
    go(".", build.into_iter().chain([program.as_os_str(), OsStr::new("./oracle")]))?;
    Ok(program)
}

/// Builds the programs of a cluster (`kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `kubectl`, `server`, which is etcd,
/// and `kwok`), where Go finds that anything changed, and returns the folder in which they lie.
///
/// # Errors
/// When `go` is missing or a build fails; Go has then printed why.
pub fn build_programs() -> anyhow::Result<PathBuf> {
    let flags = version_flags()?;
    for module in ["etcd", "kwok", "."] {
        go(module, ["install", "-ldflags", &flags, "tool"].map(OsStr::new))?;
    }
    Ok(programs())
}

/// Builds upstream's e2e specs, where Go finds that anything changed, and returns the program's path.
///
/// # Errors
/// When `go` is missing or the build fails; Go has then printed why.
pub fn build_conformance() -> anyhow::Result<PathBuf> {
    let program = programs().join("e2e.test");
    let flags = version_flags()?;
    let build = ["test", "-c", "-ldflags", &flags, "-o"].map(OsStr::new);
    go(".", build.into_iter().chain([program.as_os_str(), OsStr::new("k8s.io/kubernetes/test/e2e")]))?;
    Ok(program)
}

/// The folder of what is built here.
fn programs() -> PathBuf {
    folder().join("bin")
}

/// Without these the programs would call themselves v0.0.0.
fn version_flags() -> anyhow::Result<String> {
    let version = kubernetes_version()?;
    let (major, minor) = ("1", version.split('.').nth(1).unwrap_or_default());
    Ok(format!(
        "-s -w -X k8s.io/component-base/version.gitVersion={version} -X k8s.io/component-base/version.gitMajor={major} \
         -X k8s.io/component-base/version.gitMinor={minor} -X k8s.io/client-go/pkg/version.gitVersion={version}"
    ))
}

/// Runs `go` in one of the modules.
fn go<'a>(module: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> anyhow::Result<()> {
    let mut command = Command::new("go");
    command.current_dir(folder().join(module)).args(arguments);
    command.env("CGO_ENABLED", "0").env("GOBIN", programs());
    let status = command.status().context("can't run go: upstream's programs need Go 1.26 on the PATH")?;
    if !status.success() {
        bail!("{command:?} in e2e/upstream/{module} failed: {status}");
    }
    Ok(())
}

/// The version of Kubernetes that is pinned, such as `v1.37.2`.
fn kubernetes_version() -> anyhow::Result<String> {
    let module =
        std::fs::read_to_string(folder().join("go.mod")).context("can't read e2e/upstream/go.mod")?;
    let pin = module.lines().find_map(|line| line.trim().strip_prefix("k8s.io/kubernetes "));
    pin.map(str::to_owned).context("e2e/upstream/go.mod does not pin k8s.io/kubernetes")
}

/// The folder of the stages with which KWOK plays nodes and pods.
///
/// # Errors
/// When `go` is missing or can't fetch the module.
pub fn kwok_stages() -> anyhow::Result<PathBuf> {
    Ok(module_folder("kwok", "sigs.k8s.io/kwok")?.join("kustomize/stage"))
}

/// The YAML files of a folder, in order of name, without kustomize's own.
///
/// # Errors
/// The folder can't be read.
pub fn yaml_files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("can't read {}", folder.display()))?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    let is_stage = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "yaml")
            && path.file_name().is_some_and(|name| name != "kustomization.yaml")
    };
    let mut files: Vec<PathBuf> = paths.into_iter().filter(is_stage).collect();
    files.sort();
    Ok(files)
}

/// The folder of the pinned Kubernetes module, which Go fetches where it isn't there yet.
///
/// # Errors
/// When `go` is missing or can't fetch it.
pub fn kubernetes_folder() -> anyhow::Result<PathBuf> {
    module_folder(".", "k8s.io/kubernetes")
}

fn module_folder(of: &str, module: &str) -> anyhow::Result<PathBuf> {
    let run = |arguments: &[&str]| -> anyhow::Result<String> {
        let mut command = Command::new("go");
        command.current_dir(folder().join(of)).args(arguments);
        let answer = command.output().context("can't run go: upstream's modules need Go 1.26 on the PATH")?;
        if !answer.status.success() {
            bail!("{command:?} failed: {}", String::from_utf8_lossy(&answer.stderr));
        }
        Ok(String::from_utf8_lossy(&answer.stdout).trim().to_owned())
    };
    run(&["mod", "download", module])?;
    run(&["list", "-m", "-f", "{{.Dir}}", module]).map(PathBuf::from)
}
