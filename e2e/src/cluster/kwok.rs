//! KWOK, which plays the nodes and their pods.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context as _;
use serde_json::{Value, json};

use super::control_plane::Programs;
use crate::upstream;

/// Upstream's e2e specs give pods this image so that they never start; a kubelet would not find it.
const NON_EXISTENT_IMAGE: &str = "foo:non-existent";
/// The stage in which a pod starts.
const POD_READY: &str = "pod-ready.yaml";

/// KWOK for all nodes of the cluster that `kubeconfig` leads to.
pub(super) fn command(programs: &Programs, folder: &Path, kubeconfig: &Path) -> anyhow::Result<Command> {
    let mut kwok = programs.command("kwok");
    kwok.arg("--kubeconfig").arg(kubeconfig).arg("--manage-all-nodes=true");
    // Without leases the nodes, and their pods, would be taken for not ready after 50 s.
    kwok.arg("--node-lease-duration-seconds=40");
    for stages in ["node/fast", "node/heartbeat-with-lease", "pod/fast"] {
        for file in upstream::yaml_files(&programs.kwok_stages.join(stages))? {
            let is_pod_ready = file.file_name().is_some_and(|name| name == POD_READY);
            let file = if is_pod_ready { write_pod_ready(&file, folder)? } else { file };
            kwok.arg("--config").arg(file);
        }
    }
    Ok(kwok)
}

/// Writes KWOK's own stage into `folder` anew, so that pods whose image does not exist stay as they are.
fn write_pod_ready(original: &Path, folder: &Path) -> anyhow::Result<PathBuf> {
    let text =
        std::fs::read_to_string(original).with_context(|| format!("can't read {}", original.display()))?;
    let mut stage: Value = plimsoll_fixtures::object(&text);
    let conditions = stage.pointer_mut("/spec/selector/matchExpressions").and_then(Value::as_array_mut);
    let conditions = conditions.with_context(|| format!("{} selects by nothing", original.display()))?;
    conditions.push(json!({
        "key": ".spec.containers.[].image", "operator": "NotIn", "values": [NON_EXISTENT_IMAGE],
    }));
    let path = folder.join(POD_READY);
    // JSON is YAML.
    std::fs::write(&path, stage.to_string()).with_context(|| format!("can't write {}", path.display()))?;
    Ok(path)
}
