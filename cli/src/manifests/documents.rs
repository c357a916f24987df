//! The documents of a text, and the objects in them.

use serde_json::Value;

use super::problem::{Problem, describe};
use super::source::Source;
use super::{json, yaml};

/// The largest object that an API server takes, in bytes.
///
/// # Source
/// apiserver `pkg/server/config.go` (`MaxRequestBodyBytes`)
const OBJECT_LIMIT: usize = 3 * 1024 * 1024;

/// How deep lists may stand in lists.
const LIST_DEPTH_LIMIT: usize = 8;

/// Said of a text that is no YAML near to what a template engine would replace.
const TEMPLATE_HINT: &str = "this looks like a template; render it first, with `helm template` for one";

/// One object as it stands in a manifest.
#[derive(Clone, Debug, PartialEq)]
pub struct Manifest {
    /// The object.
    pub value: Value,
    /// Its `apiVersion`.
    pub api_version: String,
    /// Its `kind`.
    pub kind: String,
    /// Where it stands.
    pub place: Place,
}

/// Where an object stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The index of the source.
    pub source: usize,
    /// The bytes of its document in the source.
    pub range: std::ops::Range<usize>,
    /// The line on which its document begins, counted from 1.
    pub line: usize,
    /// The way from the document to the object: indexes of lists.
    pub items: Vec<usize>,
}

impl Place {
    /// The line of a value of the object, counted from 1. For messages only: it reads the document again.
    pub fn line_of(&self, source: &Source, path: &[yaml::PathStep]) -> usize {
        let mut steps = Vec::with_capacity(self.items.len() * 2 + path.len());
        for index in &self.items {
            steps.push(yaml::PathStep::Key("items".to_owned()));
            steps.push(yaml::PathStep::Index(*index));
        }
        steps.extend_from_slice(path);
        self.line + yaml::line_of(&source.text[self.range.clone()], &steps).saturating_sub(1)
    }
}

/// Reads all objects of the sources, in order.
///
/// # Errors
/// Everything that is wrong with any of them.
pub fn read_all(sources: &[Source]) -> Result<Vec<Manifest>, Vec<Problem>> {
    let mut reader = Reader { sources, source: 0, manifests: Vec::new(), problems: Vec::new() };
    for source in 0..sources.len() {
        reader.source = source;
        reader.text();
    }
    if reader.problems.is_empty() { Ok(reader.manifests) } else { Err(reader.problems) }
}

struct Reader<'s> {
    sources: &'s [Source],
    source: usize,
    manifests: Vec<Manifest>,
    problems: Vec<Problem>,
}

impl Reader<'_> {
    fn text(&mut self) {
        let text = self.sources[self.source].text.as_str();
        if !json::looks_like_json(text) {
            return self.yaml(text);
        }
        match json::load_all(text) {
            Ok(documents) => {
                for (line, document) in documents {
                    let range = offset_of_line(text, line)..text.len();
                    self.document(Place { source: self.source, range, line, items: Vec::new() }, document);
                }
            }
            // What begins with a brace may still be YAML; if it is not, the fault of the JSON is the better message.
            Err(error) => {
                let problems = self.problems.len();
                let manifests = self.manifests.len();
                self.yaml(text);
                if self.problems.len() > problems {
                    self.problems.truncate(problems);
                    self.manifests.truncate(manifests);
                    self.problem(error.line, error.message);
                }
            }
        }
    }

    fn yaml(&mut self, text: &str) {
        let chunks = match split(text) {
            Ok(chunks) => chunks,
            Err((line, message)) => return self.problem(line, message),
        };
        for (range, line) in chunks {
            match yaml::load(&text[range.clone()]) {
                Ok(document) => {
                    self.document(Place { source: self.source, range, line, items: Vec::new() }, document);
                }
                Err(error) => self.problem(line + error.line - 1, error.message),
            }
        }
    }

    fn document(&mut self, place: Place, document: yaml::Document) {
        if document.value.is_null() {
            return;
        }
        if let Some(duplicate) = document.duplicate {
            let line = if json::looks_like_json(&self.sources[self.source].text) {
                duplicate.line
            } else {
                place.line + duplicate.line - 1
            };
            let message = format!("key {:?} stands twice in one mapping", duplicate.key);
            let mut problem = Problem::new(&self.sources[self.source].name, Some(line), message);
            problem.object = describe(&document.value);
            return self.problems.push(problem);
        }
        let may_be_large = place.range.len() > OBJECT_LIMIT;
        self.object(place, document.value, None, may_be_large);
    }

    fn object(&mut self, place: Place, value: Value, of_list: Option<(&str, &str)>, may_be_large: bool) {
        let Value::Object(mut fields) = value else {
            let line = place.line_of(&self.sources[self.source], &[]);
            return self.problem(line, "expected an object with apiVersion and kind".to_owned());
        };
        if let Some((api_version, kind)) = of_list {
            for (field, text) in [("apiVersion", api_version), ("kind", kind)] {
                if !text.is_empty() && fields.get(field).is_none_or(|value| value.as_str() == Some("")) {
                    fields.insert(field.to_owned(), Value::from(text));
                }
            }
        }
        let header = |field: &str| fields.get(field).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (api_version, kind) = (header("apiVersion"), header("kind"));
        let missing = match (api_version.is_empty(), kind.is_empty()) {
            (_, true) => Some("kind"),
            (true, false) => Some("apiVersion"),
            (false, false) => None,
        };
        if let Some(field) = missing {
            let line = place.line_of(&self.sources[self.source], &[]);
            let mut problem =
                Problem::new(&self.sources[self.source].name, Some(line), "is missing".to_owned());
            problem.object = describe(&Value::Object(fields));
            problem.field = Some(field.to_owned());
            return self.problems.push(problem);
        }
        match fields.get("items") {
            None | Some(Value::Null) if kind == "List" => return,
            Some(Value::Array(_)) if kind.ends_with("List") => {
                let Some(Value::Array(items)) = fields.remove("items") else { return };
                return self.list(&place, items, &api_version, &kind, may_be_large);
            }
            Some(_) if kind == "List" => {
                let line = place.line_of(&self.sources[self.source], &[]);
                let mut problem =
                    Problem::new(&self.sources[self.source].name, Some(line), "expected a list".to_owned());
                problem.object = Some(kind);
                problem.field = Some("items".to_owned());
                return self.problems.push(problem);
            }
            _ => {}
        }
        let value = Value::Object(fields);
        if may_be_large && value.to_string().len() > OBJECT_LIMIT {
            let line = place.line_of(&self.sources[self.source], &[]);
            let message = format!("Request entity too large: limit is {OBJECT_LIMIT}");
            let mut problem = Problem::new(&self.sources[self.source].name, Some(line), message);
            problem.object = describe(&value);
            return self.problems.push(problem);
        }
        self.manifests.push(Manifest { value, api_version, kind, place });
    }

    fn list(&mut self, place: &Place, items: Vec<Value>, api_version: &str, kind: &str, may_be_large: bool) {
        if place.items.len() >= LIST_DEPTH_LIMIT {
            let line = place.line_of(&self.sources[self.source], &[]);
            return self.problem(line, "lists are nested too deeply".to_owned());
        }
        // The items of a typed list may leave out what the list says already.
        let item_kind = kind.strip_suffix("List").unwrap_or_default();
        let of_list = (!item_kind.is_empty()).then_some((api_version, item_kind));
        for (index, item) in items.into_iter().enumerate() {
            let mut place = place.clone();
            place.items.push(index);
            self.object(place, item, of_list, may_be_large);
        }
    }

    fn problem(&mut self, line: usize, message: String) {
        let source = &self.sources[self.source];
        let mut problem = Problem::new(&source.name, Some(line), message);
        // The fault may lie a line or two after what it comes from.
        let mut around = source.text.lines().skip(line.saturating_sub(2)).take(3);
        if around.any(|text| text.contains("{{")) {
            problem.hint = Some(TEMPLATE_HINT.to_owned());
        }
        self.problems.push(problem);
    }
}

fn offset_of_line(text: &str, line: usize) -> usize {
    let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at + 1);
    std::iter::once(0).chain(ends).nth(line.saturating_sub(1)).unwrap_or(text.len())
}

type Chunk = (std::ops::Range<usize>, usize);

/// Cuts a text at lines that begin with `---`, as kubectl does; each part comes with its first line.
///
/// # Errors
/// The line of a separator that is followed by something else than a comment, and a message.
///
/// # Source
/// apimachinery `pkg/util/yaml` (`YAMLReader.Read`)
fn split(text: &str) -> Result<Vec<Chunk>, (usize, String)> {
    let mut chunks = Vec::new();
    let (mut start, mut start_line) = (0, 1);
    let mut offset = 0;
    for (index, line) in text.split_inclusive('\n').enumerate() {
        if let Some(rest) = line.strip_prefix("---") {
            let rest = rest.trim();
            if !rest.is_empty() && !rest.starts_with('#') {
                return Err((index + 1, format!("invalid Yaml document separator: {rest}")));
            }
            // A separator with nothing before it stays in the document that it opens.
            if start < offset {
                chunks.push((start..offset, start_line));
                start = offset + line.len();
                start_line = index + 2;
            }
        }
        offset += line.len();
    }
    if start < text.len() {
        chunks.push((start..text.len(), start_line));
    }
    Ok(chunks)
}

#[cfg(test)]
mod tests;
