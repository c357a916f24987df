//! From a file to the pod in it, by the kubelet's lenient rules.

use k8s_openapi::api::core::v1::Pod;
use plimsoll_apiserver::defaults;
use serde_json::Value;

use crate::manifests::decode::decode;
use crate::manifests::problem::describe;
use crate::manifests::{Problem, Source, yaml};

/// The size from which a kubelet reads no file, in bytes.
///
/// # Source
/// kubernetes `pkg/kubelet/config/common.go` (`maxConfigLength`)
const FILE_LIMIT: usize = 10 << 20;

/// The pod of one file.
#[derive(Clone, Debug, PartialEq)]
pub struct StaticPodFile {
    /// The pod, defaulted.
    pub pod: Pod,
    /// What the kubelet passes over in silence.
    pub warnings: Vec<String>,
}

/// Reads the pod of a file.
///
/// # Errors
/// What keeps the kubelet from reading it.
///
/// # Source
/// kubernetes `pkg/kubelet/config/file.go` (`extractFromFile`), `pkg/kubelet/config/common.go` (`tryDecodeSinglePod`)
pub fn read_static_pod(source: &Source) -> Result<StaticPodFile, Box<Problem>> {
    let problem = |line, message: String| Box::new(Problem::new(&source.name, line, message));
    if source.text.len() >= FILE_LIMIT {
        return Err(problem(None, "the read limit is reached".to_owned()));
    }
    let document = yaml::load(&source.text).map_err(|error| problem(Some(error.line), error.message))?;
    let mut warnings = surprises(source, &document);
    let title = describe(&document.value);
    let text = |field: &str| document.value.get(field).and_then(Value::as_str).unwrap_or_default();
    match (text("apiVersion"), text("kind")) {
        ("v1", "Pod") => {}
        (_, "") => {
            return Err(problem(
                Some(1),
                "Object 'Kind' is missing: a static pod is one object of kind Pod".to_owned(),
            ));
        }
        (api_version, kind) => {
            let message = format!("a kubelet reads only v1 Pod, not {api_version} {kind}");
            return Err(problem(Some(1), message));
        }
    }
    let decoded = decode::<Pod>(document.value).map_err(|error| {
        let field = Some(error.field());
        let mut problem = problem(Some(yaml::line_of(&source.text, &error.path)), error.message);
        problem.object.clone_from(&title);
        problem.field = field;
        problem
    })?;
    warnings.extend(
        decoded.unknown_fields.iter().map(|field| format!("unknown field \"{field}\": the kubelet drops it")),
    );
    let mut pod = decoded.object;
    defaults::pod(&mut pod).map_err(|error| {
        let mut problem = problem(None, error.to_string());
        problem.object = title;
        problem
    })?;
    Ok(StaticPodFile { pod, warnings })
}

/// What the kubelet does without a word, and few expect.
fn surprises(source: &Source, document: &yaml::Document) -> Vec<String> {
    let mut warnings = Vec::new();
    let named_as_manifest =
        [".yaml", ".yml", ".json"].iter().any(|extension| source.name.ends_with(extension));
    if !named_as_manifest {
        warnings.push(format!("{}: the kubelet runs files of any extension, backups too", source.name));
    }
    if let Some(duplicate) = &document.duplicate {
        let key = &duplicate.key;
        warnings.push(format!(
            "{}:{}: key {key:?} stands twice: the last one counts",
            source.name, duplicate.line
        ));
    }
    let documents = source.text.split("\n---").filter(|part| {
        let mut lines = part.lines().map(str::trim);
        lines.any(|line| !line.is_empty() && !line.starts_with('#') && !line.starts_with("---"))
    });
    if documents.count() > 1 {
        warnings.push(format!("{}: the kubelet reads the first document only", source.name));
    }
    warnings
}
