//! A JSON value as a typed object, read as the API server's decoder reads it.
//!
//! Numbers stand for quantities in the text that Go gives them, `null` stands for an empty value, amounts are checked,
//! and fields that the type does not know are noted by path instead of being dropped in silence.

use std::cell::RefCell;
use std::fmt;

use plimsoll_resource_math::Quantity;
use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};
use serde_json::{Map, Number, Value, map};

use super::yaml::PathStep;
use super::yaml::go_number::go_json_float;

/// A value that does not fit the type of the object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeError {
    /// Where it stands, from the outside in.
    pub path: Vec<PathStep>,
    /// What is wrong with it.
    pub message: String,
}

impl DecodeError {
    /// The path as messages show it: `spec.containers[0].resources.limits[cpu]`.
    pub fn field(&self) -> String {
        field(&self.path)
    }
}

impl fmt::Display for DecodeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            formatter.write_str(&self.message)
        } else {
            write!(formatter, "{}: {}", self.field(), self.message)
        }
    }
}

impl std::error::Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self { path: Vec::new(), message: message.to_string() }
    }

    fn invalid_type(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("expected {}, found {found}", in_words(expected)))
    }

    fn invalid_value(found: de::Unexpected<'_>, expected: &dyn de::Expected) -> Self {
        Self::custom(format_args!("expected {}, found {found}", in_words(expected)))
    }
}

/// What is expected, without the names that Rust has for numbers.
fn in_words(expected: &dyn de::Expected) -> String {
    match expected.to_string().as_str() {
        "i32" => "a whole number of 32 bits".to_owned(),
        "i64" => "a whole number of 64 bits".to_owned(),
        "f64" => "a number".to_owned(),
        other => other.to_owned(),
    }
}

fn field(path: &[PathStep]) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            PathStep::Index(index) => text.extend(["[", &index.to_string(), "]"]),
            PathStep::Key(key) if text.is_empty() => text.push_str(key),
            PathStep::Key(key) if key.contains(['.', '/']) => text.extend(["[", key, "]"]),
            PathStep::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
        }
    }
    text
}

/// A typed object and the fields of its input that its type does not know.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded<T> {
    /// The object.
    pub object: T,
    /// Paths of unknown fields, in order of appearance.
    pub unknown_fields: Vec<String>,
}

/// Reads an object.
///
/// # Errors
/// The first value that does not fit.
pub fn decode<T: DeserializeOwned>(value: Value) -> Result<Decoded<T>, DecodeError> {
    let unknown_fields = RefCell::new(Vec::new());
    let decoder =
        Decoder { value, place: Place { parent: None, step: Step::Root }, unknown: &unknown_fields };
    let object = T::deserialize(decoder).map_err(|mut error| {
        error.path.reverse();
        error
    })?;
    Ok(Decoded { object, unknown_fields: unknown_fields.into_inner() })
}

/// Where the decoder is. It lives on the stack and is printed only for an unknown field.
#[derive(Clone, Copy)]
struct Place<'p> {
    parent: Option<&'p Place<'p>>,
    step: Step<'p>,
}

#[derive(Clone, Copy)]
enum Step<'p> {
    Root,
    Key(&'p str),
    Index(usize),
}

impl Place<'_> {
    fn steps(&self) -> Vec<PathStep> {
        let mut steps = self.parent.map_or_else(Vec::new, Place::steps);
        match self.step {
            Step::Root => {}
            Step::Key(key) => steps.push(PathStep::Key(key.to_owned())),
            Step::Index(index) => steps.push(PathStep::Index(index)),
        }
        steps
    }
}

struct Decoder<'p> {
    value: Value,
    place: Place<'p>,
    unknown: &'p RefCell<Vec<String>>,
}

impl Decoder<'_> {
    fn mismatch(&self, expected: &dyn de::Expected) -> DecodeError {
        de::Error::invalid_type(unexpected(&self.value), expected)
    }
}

fn unexpected(value: &Value) -> de::Unexpected<'_> {
    match value {
        Value::Null => de::Unexpected::Other("null"),
        Value::Bool(value) => de::Unexpected::Bool(*value),
        Value::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(value), _) => de::Unexpected::Signed(value),
            (None, Some(value)) => de::Unexpected::Unsigned(value),
            (None, None) => de::Unexpected::Float(number.as_f64().unwrap_or_default()),
        },
        Value::String(text) => de::Unexpected::Str(text),
        Value::Array(_) => de::Unexpected::Other("a list"),
        Value::Object(_) => de::Unexpected::Other("a mapping"),
    }
}

/// An amount as Go's `Quantity` reads it from JSON, in the text with which it is stored.
///
/// # Source
/// apimachinery `pkg/api/resource` (`Quantity.UnmarshalJSON`)
fn quantity(value: Value) -> Result<String, DecodeError> {
    let text = match value {
        Value::Null => return Ok("0".to_owned()),
        Value::String(text) if text.trim().len() == text.len() => text,
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number_text(&number),
        Value::Bool(_) | Value::Array(_) | Value::Object(_) => {
            return Err(de::Error::invalid_type(unexpected(&value), &"a quantity"));
        }
    };
    match Quantity::parse(&text) {
        Ok(quantity) => Ok(quantity.to_string()),
        Err(error) => Err(de::Error::custom(format_args!("{error}: {text:?}"))),
    }
}

fn number_text(number: &Number) -> String {
    if number.is_f64() { go_json_float(number.as_f64().unwrap_or_default()) } else { number.to_string() }
}

macro_rules! numbers {
    ($($method:ident => $visit:ident, $zero:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            match &self.value {
                Value::Null => visitor.$visit($zero),
                Value::Number(number) => match (number.as_i64(), number.as_u64(), number.as_f64()) {
                    (Some(value), _, _) => visitor.visit_i64(value),
                    (None, Some(value), _) => visitor.visit_u64(value),
                    (None, None, Some(value)) => visitor.visit_f64(value),
                    (None, None, None) => Err(self.mismatch(&visitor)),
                },
                _ => Err(self.mismatch(&visitor)),
            }
        }
    )*};
}

impl<'de> Deserializer<'de> for Decoder<'_> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(value),
            Value::Number(_) => self.deserialize_i64(visitor),
            Value::String(text) => visitor.visit_string(text),
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Null => visitor.visit_bool(false),
            Value::Bool(value) => visitor.visit_bool(value),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    numbers! {
        deserialize_i8 => visit_i8, 0;
        deserialize_i16 => visit_i16, 0;
        deserialize_i32 => visit_i32, 0;
        deserialize_i64 => visit_i64, 0;
        deserialize_u8 => visit_u8, 0;
        deserialize_u16 => visit_u16, 0;
        deserialize_u32 => visit_u32, 0;
        deserialize_u64 => visit_u64, 0;
        deserialize_f32 => visit_f32, 0.0;
        deserialize_f64 => visit_f64, 0.0;
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Null => visitor.visit_string(String::new()),
            Value::String(text) => visitor.visit_string(text),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.value.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if name == "Quantity" {
            return visitor.visit_string(quantity(self.value)?);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Null => visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<Nothing>())),
            Value::Array(items) => visitor.visit_seq(Items {
                rest: items.into_iter().enumerate(),
                place: &self.place,
                unknown: self.unknown,
            }),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Null => visitor.visit_map(MapDeserializer::new(std::iter::empty::<(Nothing, Nothing)>())),
            Value::Object(fields) => visitor.visit_map(Fields::new(fields, None, &self.place, self.unknown)),
            _ => Err(self.mismatch(&visitor)),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.value {
            Value::Object(fields) => {
                visitor.visit_map(Fields::new(fields, Some(known), &self.place, self.unknown))
            }
            _ => self.deserialize_map(visitor),
        }
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }

    serde::forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct enum identifier
    }
}

/// The element of an empty list.
struct Nothing;

impl IntoDeserializer<'_, DecodeError> for Nothing {
    type Deserializer = serde::de::value::UnitDeserializer<DecodeError>;

    fn into_deserializer(self) -> Self::Deserializer {
        ().into_deserializer()
    }
}

struct Items<'p> {
    rest: std::iter::Enumerate<std::vec::IntoIter<Value>>,
    place: &'p Place<'p>,
    unknown: &'p RefCell<Vec<String>>,
}

impl<'de> SeqAccess<'de> for Items<'_> {
    type Error = DecodeError;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, DecodeError> {
        let Some((index, value)) = self.rest.next() else { return Ok(None) };
        let place = Place { parent: Some(self.place), step: Step::Index(index) };
        let decoder = Decoder { value, place, unknown: self.unknown };
        seed.deserialize(decoder).map(Some).map_err(|mut error| {
            error.path.push(PathStep::Index(index));
            error
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

struct Fields<'p> {
    rest: map::IntoIter,
    /// The fields of the type, if the value is no free map.
    known: Option<&'static [&'static str]>,
    current: Option<(String, Value)>,
    place: &'p Place<'p>,
    unknown: &'p RefCell<Vec<String>>,
}

impl<'p> Fields<'p> {
    fn new(
        fields: Map<String, Value>,
        known: Option<&'static [&'static str]>,
        place: &'p Place<'p>,
        unknown: &'p RefCell<Vec<String>>,
    ) -> Self {
        Self { rest: fields.into_iter(), known, current: None, place, unknown }
    }
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = DecodeError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, DecodeError> {
        let Some((key, value)) = self.rest.next() else { return Ok(None) };
        if self.known.is_some_and(|known| !known.contains(&key.as_str())) {
            let place = Place { parent: Some(self.place), step: Step::Key(&key) };
            self.unknown.borrow_mut().push(field(&place.steps()));
        }
        let read = if self.known.is_some() {
            seed.deserialize(key.as_str().into_deserializer())
        } else {
            seed.deserialize(key.clone().into_deserializer())
        };
        self.current = Some((key, value));
        read.map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, DecodeError> {
        let (key, value) = self.current.take().unwrap_or_default();
        let place = Place { parent: Some(self.place), step: Step::Key(&key) };
        let result = seed.deserialize(Decoder { value, place, unknown: self.unknown });
        result.map_err(|mut error| {
            error.path.push(PathStep::Key(key));
            error
        })
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.rest.len())
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::{Pod, Secret};
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check_error(value: Value, expected: &str) {
        let error = decode::<Pod>(value).map(|decoded| decoded.object).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn reads_numbers_at_quantities_as_go_does() {
        let pod: Pod = decode(json!({"spec": {"containers": [{"name": "a", "resources": {
            "requests": {"cpu": 1, "memory": 1.5, "x.io/a": 1e30, "x.io/b": " 5 ", "x.io/c": null}}}]}}))
        .unwrap()
        .object;
        let requests = pod.spec.unwrap().containers[0].resources.clone().unwrap().requests.unwrap();
        let texts: Vec<&str> = requests.values().map(|quantity| quantity.0.as_str()).collect();
        assert_eq!(texts, ["1", "1500m", "1e+30", "5", "0"]);
    }

    #[test]
    fn notes_unknown_fields_by_path() {
        let decoded = decode::<Pod>(json!({"foo": 1, "metadata": {"labels": {"any": "x"}}, "spec": {
            "containers": [{"name": "a", "imagee": "x"}]}}))
        .unwrap();
        assert_eq!(decoded.unknown_fields, ["foo", "spec.containers[0].imagee"]);
    }

    #[test]
    fn takes_null_for_empty() {
        let pod: Pod = decode(
            json!({"spec": {"containers": [null, {"name": null}]}, "metadata": {"labels": {"a": null}}}),
        )
        .unwrap()
        .object;
        assert_eq!(pod.spec.unwrap().containers.len(), 2);
        assert_eq!(pod.metadata.labels.unwrap()["a"], "");
        assert!(decode::<Pod>(Value::Null).is_ok());
        assert!(decode::<Secret>(json!({"data": {"a": "aGk="}})).is_ok());
    }

    #[test]
    fn says_where_a_value_does_not_fit() {
        check_error(
            json!({"spec": {"containers": [{"name": "a", "ports": "x"}]}}),
            "spec.containers[0].ports: expected a sequence, found string \"x\"",
        );
        check_error(
            json!({"spec": {"overhead": {"cpu": "1K"}}}),
            "spec.overhead.cpu: unable to parse quantity's suffix: \"1K\"",
        );
        check_error(
            json!({"spec": {"priority": 3_000_000_000_i64}}),
            "spec.priority: expected a whole number of 32 bits, found integer `3000000000`",
        );
        check_error(json!([]), "expected Pod, found a list");
    }
}
