//! JSON texts: one object after another, as kubectl reads them.

use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::yaml::{Document, Duplicate, YamlError};

/// Whether a text is taken for JSON: its first character that is no white space is an opening brace.
///
/// # Source
/// apimachinery `pkg/util/yaml` (`IsJSONBuffer`)
pub(super) fn looks_like_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}

/// Reads all values of a text, each with the line on which it begins.
///
/// # Errors
/// The first fault.
pub(super) fn load_all(text: &str) -> Result<Vec<(usize, Document)>, YamlError> {
    let mut documents = Vec::new();
    let mut offset = 0;
    let mut line = 1;
    loop {
        let rest = &text[offset..];
        let blank = rest.len() - rest.trim_start().len();
        line += count_lines(&rest[..blank]);
        let rest = &rest[blank..];
        if rest.is_empty() {
            return Ok(documents);
        }
        let mut duplicate = None;
        let mut reader = serde_json::Deserializer::from_str(rest).into_iter::<Skipped>();
        let end = match reader.next() {
            Some(Ok(Skipped)) => reader.byte_offset(),
            Some(Err(error)) => return Err(fault(line, &error)),
            None => return Ok(documents),
        };
        let mut value = serde_json::Deserializer::from_str(&rest[..end]);
        let value = Builder { duplicate: &mut duplicate }
            .deserialize(&mut value)
            .map_err(|error| fault(line, &error))?;
        let duplicate = duplicate.map(|key| Duplicate { line: line_of_last(&rest[..end], &key, line), key });
        documents.push((line, Document { value, duplicate, overridden: false }));
        line += count_lines(&rest[..end]);
        offset += blank + end;
    }
}

fn count_lines(text: &str) -> usize {
    text.bytes().filter(|b| *b == b'\n').count()
}

fn fault(first_line: usize, error: &serde_json::Error) -> YamlError {
    let text = error.to_string();
    let message = text.split(" at line ").next().unwrap_or_default().to_owned();
    YamlError { line: first_line + error.line().saturating_sub(1), message }
}

/// The line of the last place of a key, which is close enough for a message about its standing twice.
fn line_of_last(text: &str, key: &str, first_line: usize) -> usize {
    let quoted = Value::from(key).to_string();
    text.rfind(&quoted).map_or(first_line, |at| first_line + count_lines(&text[..at]))
}

/// A value that is passed over, to find its end.
struct Skipped;

impl<'de> de::Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        de::IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

/// Builds a value and notes the first key that stands twice in an object.
struct Builder<'d> {
    duplicate: &'d mut Option<String>,
}

impl<'de> DeserializeSeed<'de> for Builder<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Builder<'_> {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(super::yaml::go_number::whole_or_float(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::from(value))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(Builder { duplicate: &mut *self.duplicate })? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            let value = fields.next_value_seed(Builder { duplicate: &mut *self.duplicate })?;
            if map.contains_key(&key) {
                self.duplicate.get_or_insert_with(|| key.clone());
            }
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn reads_values_one_after_another() {
        let documents = load_all("{\"a\": 1.0}\n\n{\"b\": [1.5, null, \"x\"]} ").unwrap();
        let values: Vec<(usize, Value)> =
            documents.into_iter().map(|(line, document)| (line, document.value)).collect();
        assert_eq!(values, [(1, json!({"a": 1})), (3, json!({"b": [1.5, null, "x"]}))]);
    }

    #[test]
    fn names_faults_and_keys_that_stand_twice() {
        let documents = load_all("{\"a\": 1,\n\"a\": 2}").unwrap();
        assert_eq!(documents[0].1.duplicate, Some(Duplicate { key: "a".to_owned(), line: 2 }));
        assert_eq!(load_all("{}\n{\n  \"a\": }").unwrap_err().line, 3);
        assert!(load_all(&"{\"a\":".repeat(10_000)).is_err());
    }
}
