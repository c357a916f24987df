//! The objects of the manifests, typed, with what there is to say about each before anything is decided.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use plimsoll_api::group::{GroupKind, GroupResource};
use plimsoll_apiserver::kinds::{Kind, Kinds, Lookup};
use serde_json::Value;

use super::object::Object;
use crate::hints;
use crate::manifests::decode::DecodeError;
use crate::manifests::problem::describe;
use crate::manifests::yaml::PathStep;
use crate::manifests::{Manifest, Problem, Source};

/// One object of the input.
#[derive(Clone, Debug)]
pub struct Input {
    /// The object.
    pub object: Object,
    /// Its `apiVersion` as given.
    pub api_version: String,
    /// What is known of its kind.
    pub kind: Arc<InputKind>,
    /// What the API server warns of when it reads the object, and hints.
    pub warnings: Vec<String>,
    /// Fields that its type does not know.
    pub unknown_fields: Vec<String>,
}

/// The kind of an object of the input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InputKind {
    /// The kind in camel case.
    pub kind: String,
    /// Its resource, which may be a guess.
    pub resource: GroupResource,
    /// Whether it lives in namespaces.
    pub namespaced: bool,
    /// Whether the kind is served in the version given.
    pub known: bool,
}

impl InputKind {
    /// The kind, as messages about invalid objects name it.
    pub fn group_kind(&self) -> GroupKind {
        GroupKind::new(&self.resource.group, &self.kind)
    }
}

/// All objects of the input.
#[derive(Debug, Default)]
pub struct Inputs {
    /// In the order of the input.
    pub objects: Vec<Input>,
    /// The kinds that the cluster serves, those that the input defines among them.
    pub kinds: Kinds,
    /// What is to be said about kinds that nobody defines.
    pub notes: Vec<String>,
}

impl Inputs {
    /// When the youngest object was created; the beginning of the Unix epoch if none says.
    pub fn youngest(&self) -> Timestamp {
        let times =
            self.objects.iter().filter_map(|input| input.object.metadata().creation_timestamp.as_ref());
        times.map(|time| time.0).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }
}

/// Types the objects of manifests.
///
/// # Errors
/// Everything that does not fit its type.
pub fn read_inputs(manifests: Vec<Manifest>, sources: &[Source]) -> Result<Inputs, Vec<Problem>> {
    let mut inputs = Inputs::default();
    for manifest in manifests.iter().filter(|manifest| manifest.kind == "CustomResourceDefinition") {
        inputs.kinds.define(&manifest.value);
    }
    let mut problems = Vec::new();
    let mut unknown = BTreeSet::new();
    let mut nameless = BTreeSet::new();
    let mut last_kind: Option<(String, String, Arc<InputKind>)> = None;
    for manifest in manifests {
        let Manifest { value, api_version, kind, place } = manifest;
        let input_kind = match &last_kind {
            Some((version, name, last)) if *version == api_version && *name == kind => Arc::clone(last),
            _ => Arc::new(input_kind(&inputs.kinds, &api_version, &kind, &value)),
        };
        if !input_kind.known {
            let names = [&value["metadata"]["name"], &value["metadata"]["generateName"]];
            if names.iter().all(|name| name.as_str().is_none_or(str::is_empty)) {
                nameless.insert(format!("{kind} ({api_version})"));
                continue;
            }
            unknown.insert(format!("{kind} ({api_version})"));
        }
        last_kind = Some((api_version.clone(), kind.clone(), Arc::clone(&input_kind)));
        let title = describe(&value);
        match Object::read(&api_version, &kind, value) {
            Ok((object, unknown_fields)) => {
                inputs.objects.push(Input {
                    object,
                    api_version,
                    kind: input_kind,
                    warnings: Vec::new(),
                    unknown_fields,
                });
            }
            Err(error) => {
                let source = &sources[place.source];
                problems.push(Problem {
                    source: source.name.clone(),
                    line: Some(place.line_of(source, &error.path)),
                    object: title,
                    field: Some(error.field()).filter(|field| !field.is_empty()),
                    hint: quantity_hint(&error),
                    message: error.message,
                });
            }
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    note(&mut inputs, "passed through without a look inside, as no such kind is defined", unknown);
    // The settings of other programs have this form too.
    note(&mut inputs, "left out, as no such kind is defined and they have no name", nameless);
    Ok(inputs)
}

fn note(inputs: &mut Inputs, what: &str, kinds: BTreeSet<String>) {
    if !kinds.is_empty() {
        let kinds: Vec<String> = kinds.into_iter().collect();
        inputs.notes.push(format!("{what}: {}", kinds.join(", ")));
    }
}

/// What was probably meant by a text that is no quantity; it stands quoted at the end of the message.
fn quantity_hint(error: &DecodeError) -> Option<String> {
    let quoted = error.message.rsplit_once(": ").map(|(_, text)| text)?;
    let text: String = serde_json::from_str(quoted).ok()?;
    let resource = match error.path.last() {
        Some(PathStep::Key(key)) => key.as_str(),
        _ => "",
    };
    hints::quantity_hint(resource, &text)
}

fn input_kind(kinds: &Kinds, api_version: &str, kind: &str, value: &Value) -> InputKind {
    let known = |known: &Kind, served| InputKind {
        kind: kind.to_owned(),
        resource: known.group_resource(),
        namespaced: known.namespaced,
        known: served,
    };
    match kinds.find(api_version, kind) {
        Lookup::Known(found) => known(&found, true),
        Lookup::OtherVersion(found) => known(&found, false),
        Lookup::Unknown(resource) => InputKind {
            kind: kind.to_owned(),
            resource,
            namespaced: value.pointer("/metadata/namespace").is_some(),
            known: false,
        },
    }
}
