//! One YAML document as a JSON value, with the meaning that Go's YAML and so every Kubernetes tool gives it.
//!
//! The parser delivers events; what scalars, keys, merge keys and aliases mean is decided here. Aliases are expanded
//! within the bound that Go sets, so that a small document can't grow without end.
//!
//! # Source
//! sigs.k8s.io/yaml `YAMLToJSON`, go.yaml.in/yaml/v2 `decode.go`

mod base64;
pub(crate) mod go_number;
mod scalar;

use std::borrow::Cow;

use granit_parser::{Event, Options, Parser, ScalarStyle, ScanError, Span, StrInput};
use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use scalar::{Tag, resolve};

/// How deep collections may nest. Go's own bound is far higher; ours protects the stack.
const DEPTH_LIMIT: usize = 250;

/// A document that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Document {
    /// Its content; null if it holds nothing.
    pub value: Value,
    /// The first key that stands twice in one mapping, with its line. The later value is the one in `value`.
    pub duplicate: Option<Duplicate>,
    /// Whether a key stands both in a mapping and in what is merged into it, which Go's strict reading refuses too.
    pub overridden: bool,
}

/// A key that stands twice in one mapping.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Duplicate {
    /// The key.
    pub key: String,
    /// The line of its second place, counted from 1.
    pub line: usize,
}

/// Why a document can't be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct YamlError {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub message: String,
}

/// Reads the first document of a text; what follows it is left alone, as Go does.
///
/// # Errors
/// The place and nature of the first fault.
pub fn load(text: &str) -> Result<Document, YamlError> {
    Loader::new(text).document()
}

/// The line, counted from 1, on which the value at a path of a document begins, or that of its nearest parent.
///
/// `path` is as [`crate::manifests::decode::DecodeError`] gives it. For messages only: it reads the text again.
pub fn line_of(text: &str, path: &[PathStep]) -> usize {
    let mut loader = Loader::new(text);
    loader.wanted = Some(Wanted { path, matched: 0, depth: 0, line: 1 });
    // A document that was read once is read again without an error; any error leaves the best line so far.
    drop(loader.document());
    loader.wanted.map_or(1, |wanted| wanted.line)
}

/// One step from a value to a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PathStep {
    /// A key of a mapping.
    Key(String),
    /// An index of a list.
    Index(usize),
}

/// The search for the line of a path.
struct Wanted<'p> {
    path: &'p [PathStep],
    /// How many steps of the path lead to where the reader is or was.
    matched: usize,
    depth: usize,
    line: usize,
}

impl Wanted<'_> {
    /// Takes note that the reader goes from a value at the present depth to the part `step`.
    fn enter(&mut self, step: impl Fn(&PathStep) -> bool, line: usize) {
        if self.matched == self.depth && self.path.get(self.depth).is_some_and(step) {
            self.matched += 1;
            self.line = line;
        }
        self.depth += 1;
    }

    fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// A value that an alias may repeat.
struct Anchored {
    value: Value,
    is_mapping: bool,
    /// How many steps Go would count to decode it.
    steps: u64,
}

struct Loader<'t, 'p> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: FxHashMap<usize, Option<Anchored>>,
    /// Steps of decoding so far, and those of them that aliases caused, as Go counts them.
    steps: u64,
    alias_steps: u64,
    duplicate: Option<Duplicate>,
    overridden: bool,
    wanted: Option<Wanted<'p>>,
}

impl<'t> Loader<'t, '_> {
    fn new(text: &'t str) -> Self {
        let mut options = Options::default();
        options.set_emit_comments(false);
        options.block_nesting_limit = DEPTH_LIMIT;
        options.flow_nesting_limit = DEPTH_LIMIT;
        Self {
            parser: Parser::new_from_str_with_options(text, options),
            anchors: FxHashMap::default(),
            steps: 0,
            alias_steps: 0,
            duplicate: None,
            overridden: false,
            wanted: None,
        }
    }

    fn document(&mut self) -> Result<Document, YamlError> {
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(Document::default()),
                (Event::DocumentStart(..), _) => break,
                _ => {}
            }
        }
        self.steps = 1;
        let (event, span) = self.next()?;
        let value = self.node(event, span, 0)?;
        // The rest of the document must be well-formed up to its end.
        self.next()?;
        Ok(Document { value, duplicate: self.duplicate.take(), overridden: self.overridden })
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), YamlError> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(syntax_error(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    fn node(&mut self, event: Event<'t>, span: Span, depth: usize) -> Result<Value, YamlError> {
        if depth > DEPTH_LIMIT {
            return Err(error_at(&span, "collections are nested too deeply"));
        }
        let steps_before = self.steps;
        self.count(1, 0, &span)?;
        let (value, anchor) = match event {
            Event::Alias(id) => return self.alias(id, &span),
            Event::Scalar(text, style, anchor, tag) => {
                let tag = tag.as_deref().map(granit_parser::Tag::parts);
                let value = resolve(Tag::of(tag, style == ScalarStyle::Plain), text)
                    .and_then(scalar::Scalar::into_value)
                    .map_err(|message| error_at(&span, message))?;
                (value, anchor)
            }
            Event::SequenceStart(_, anchor, _) => {
                self.begin(anchor);
                (self.sequence(depth)?, anchor)
            }
            Event::MappingStart(_, anchor, _) => {
                self.begin(anchor);
                (self.mapping(depth)?, anchor)
            }
            _ => return Err(error_at(&span, "expected a value")),
        };
        if anchor != 0 {
            let anchored = Anchored {
                is_mapping: value.is_object(),
                value: value.clone(),
                steps: self.steps - steps_before,
            };
            self.anchors.insert(anchor, Some(anchored));
        }
        Ok(value)
    }

    /// An anchor is known from here on, but its value is not complete.
    fn begin(&mut self, anchor: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, None);
        }
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut items = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                return Ok(Value::Array(items));
            }
            if let Some(wanted) = &mut self.wanted {
                let index = items.len();
                wanted.enter(|step| *step == PathStep::Index(index), span.start.line());
            }
            items.push(self.node(event, span, depth + 1)?);
            if let Some(wanted) = &mut self.wanted {
                wanted.leave();
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, YamlError> {
        let mut fields = Map::new();
        // Keys that came in by merging may be set again; keys that stand in the mapping itself may not.
        let mut merged: Option<Vec<String>> = None;
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                return Ok(Value::Object(fields));
            }
            if is_merge_key(&event) {
                let source = self.merge_source(depth)?;
                let merged = merged.get_or_insert_default();
                for (key, value) in source.into_iter().flatten() {
                    merged.push(key.clone());
                    self.overridden |= fields.insert(key, value).is_some();
                }
                continue;
            }
            let key = self.key(event, &span, depth)?;
            let (event, value_span) = self.next()?;
            if let Some(wanted) = &mut self.wanted {
                wanted.enter(|step| matches!(step, PathStep::Key(name) if *name == key), span.start.line());
            }
            let value = self.node(event, value_span, depth + 1)?;
            if let Some(wanted) = &mut self.wanted {
                wanted.leave();
            }
            if fields.contains_key(&key) {
                if merged.as_ref().is_some_and(|merged| merged.contains(&key)) {
                    self.overridden = true;
                } else if self.duplicate.is_none() {
                    self.duplicate = Some(Duplicate { key: key.clone(), line: span.start.line() });
                }
            }
            fields.insert(key, value);
        }
    }

    fn key(&mut self, event: Event<'t>, span: &Span, depth: usize) -> Result<String, YamlError> {
        // The usual key: a plain word. It counts as a step, and is no alias, anchor or tagged value.
        if let Event::Scalar(text, style, 0, tag) = event {
            self.count(1, 0, span)?;
            let tag = tag.as_deref().map(granit_parser::Tag::parts);
            return resolve(Tag::of(tag, style == ScalarStyle::Plain), text)
                .and_then(scalar::Scalar::into_key)
                .map_err(|message| error_at(span, message));
        }
        match self.node(event, *span, depth + 1)? {
            Value::String(key) => Ok(key),
            Value::Bool(key) => Ok(key.to_string()),
            Value::Number(key) => match key.as_i64() {
                Some(key) => Ok(key.to_string()),
                None => Ok(go_number::go_key_float(key.as_f64().unwrap_or_default())),
            },
            Value::Null => Err(error_at(span, "a key may not be null")),
            Value::Array(_) | Value::Object(_) => Err(error_at(span, "a list or mapping may not be a key")),
        }
    }

    /// What a merge key merges, in the order in which it is to be set: later entries win.
    fn merge_source(&mut self, depth: usize) -> Result<Vec<Map<String, Value>>, YamlError> {
        let (event, span) = self.next()?;
        match &event {
            Event::Alias(id) if !self.is_mapping(*id) => Err(error_at(&span, WANT_MAPPING)),
            Event::MappingStart(..) | Event::Alias(_) => match self.node(event, span, depth + 1)? {
                Value::Object(fields) => Ok(vec![fields]),
                _ => Err(error_at(&span, WANT_MAPPING)),
            },
            Event::SequenceStart(..) => {
                let mut sources = Vec::new();
                loop {
                    let (event, span) = self.next()?;
                    let fits = match &event {
                        Event::SequenceEnd => break,
                        Event::Alias(id) => self.is_mapping(*id),
                        event => matches!(event, Event::MappingStart(..)),
                    };
                    match self.node(event, span, depth + 1)? {
                        Value::Object(fields) if fits => sources.push(fields),
                        _ => return Err(error_at(&span, WANT_MAPPING)),
                    }
                }
                // Earlier sources take precedence, so they are set last.
                sources.reverse();
                Ok(sources)
            }
            _ => Err(error_at(&span, WANT_MAPPING)),
        }
    }

    fn is_mapping(&self, anchor: usize) -> bool {
        matches!(self.anchors.get(&anchor), Some(Some(anchored)) if anchored.is_mapping)
    }

    fn alias(&mut self, id: usize, span: &Span) -> Result<Value, YamlError> {
        match self.anchors.get(&id) {
            Some(Some(anchored)) => {
                let steps = anchored.steps;
                // Counted before the copy is made, so that a bomb is refused and not built.
                self.count(steps, steps, span)?;
                match self.anchors.get(&id) {
                    Some(Some(anchored)) => Ok(anchored.value.clone()),
                    _ => Ok(Value::Null),
                }
            }
            Some(None) => Err(error_at(span, "the value of an anchor contains itself")),
            None => Err(error_at(span, "unknown anchor")),
        }
    }

    /// Counts steps of decoding and refuses a document that consists of aliases for the most part.
    ///
    /// # Source
    /// go.yaml.in/yaml/v2 `decode.go` (`allowedAliasRatio`)
    fn count(&mut self, steps: u64, alias_steps: u64, span: &Span) -> Result<(), YamlError> {
        const SMALL: f64 = 400_000.0;
        const LARGE: f64 = 4_000_000.0;
        self.steps = self.steps.saturating_add(steps);
        self.alias_steps = self.alias_steps.saturating_add(alias_steps);
        if self.alias_steps <= 100 || self.steps <= 1000 {
            return Ok(());
        }
        #[expect(clippy::cast_precision_loss, reason = "a ratio that Go computes in floats too")]
        let (all, by_alias) = (self.steps as f64, self.alias_steps as f64);
        let allowed = 0.99 - 0.89 * ((all - SMALL) / (LARGE - SMALL)).clamp(0.0, 1.0);
        if by_alias / all > allowed {
            return Err(error_at(span, "document contains excessive aliasing"));
        }
        Ok(())
    }
}

const WANT_MAPPING: &str = "map merge requires map or sequence of maps as the value";

fn is_merge_key(event: &Event<'_>) -> bool {
    match event {
        Event::Scalar(text, style, _, tag) if text == "<<" => {
            match Tag::of(tag.as_deref().map(granit_parser::Tag::parts), *style == ScalarStyle::Plain) {
                Tag::Implicit | Tag::Core("merge") => true,
                Tag::Text | Tag::Core(_) | Tag::Foreign => false,
            }
        }
        _ => false,
    }
}

fn error_at(span: &Span, message: impl Into<Cow<'static, str>>) -> YamlError {
    YamlError { line: span.start.line(), message: message.into().into_owned() }
}

fn syntax_error(error: &ScanError) -> YamlError {
    YamlError { line: error.marker().line(), message: error.info() }
}

#[cfg(test)]
mod tests;
