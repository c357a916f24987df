//! What a scalar of a YAML document means: null, boolean, number or text, by the rules of YAML 1.1 as Go reads them.
//!
//! # Source
//! go.yaml.in/yaml/v2 `resolve.go`, through sigs.k8s.io/yaml

use std::borrow::Cow;

use serde_json::Value;

use super::go_number::{go_key_float, whole_or_float};

/// The prefix of YAML's own tags.
const TAG_PREFIX: &str = "tag:yaml.org,2002:";

/// A scalar after resolution.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar<'a> {
    Null,
    Bool(bool),
    Integer(i64),
    /// A whole number beyond `i64`.
    Unsigned(u64),
    Float(f64),
    Text(Cow<'a, str>),
}

/// How the scalar stands in the document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tag<'a> {
    /// A plain scalar without a tag, or one with the tag `!`.
    Implicit,
    /// A quoted or block scalar without a tag.
    Text,
    /// A tag of YAML's own, without its prefix: `str`, `int`, `binary`.
    Core(&'a str),
    /// Any other tag.
    Foreign,
}

impl<'a> Tag<'a> {
    /// The tag of a node, from its two halves as the parser gives them.
    pub(super) fn of(handle_and_suffix: Option<(&'a str, &'a str)>, plain: bool) -> Self {
        match handle_and_suffix {
            None if plain => Self::Implicit,
            None => Self::Text,
            Some(("!", "") | ("", "!")) => Self::Implicit,
            Some((TAG_PREFIX, suffix)) => Self::Core(suffix),
            Some(("", tag)) if tag.starts_with(TAG_PREFIX) => Self::Core(&tag[TAG_PREFIX.len()..]),
            Some(_) => Self::Foreign,
        }
    }
}

/// Reads a scalar.
///
/// # Errors
/// A sentence if the text does not fit its tag.
pub(super) fn resolve<'a>(tag: Tag<'_>, text: Cow<'a, str>) -> Result<Scalar<'a>, String> {
    match tag {
        Tag::Implicit => Ok(plain(text)),
        Tag::Text | Tag::Foreign => Ok(Scalar::Text(text)),
        Tag::Core("str") => Ok(Scalar::Text(text)),
        Tag::Core("binary") => binary(&text),
        Tag::Core(name @ ("bool" | "int" | "float" | "null")) => {
            let resolved = plain(Cow::Borrowed(&text));
            match (name, resolved) {
                ("bool", Scalar::Bool(value)) => Ok(Scalar::Bool(value)),
                ("null", Scalar::Null) => Ok(Scalar::Null),
                ("int", Scalar::Integer(value)) => Ok(Scalar::Integer(value)),
                ("int", Scalar::Unsigned(value)) => Ok(Scalar::Unsigned(value)),
                #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float, as in Go")]
                ("float", Scalar::Integer(value)) => Ok(Scalar::Float(value as f64)),
                ("float", Scalar::Float(value)) => Ok(Scalar::Float(value)),
                (_, other) => Err(format!("cannot decode {} `{text}` as a !!{name}", other.tag())),
            }
        }
        Tag::Core("timestamp") if !looks_like_timestamp(&text) => {
            Err(format!("cannot decode `{text}` as a !!timestamp"))
        }
        Tag::Core(_) => Ok(Scalar::Text(text)),
    }
}

impl Scalar<'_> {
    fn tag(&self) -> &'static str {
        match self {
            Self::Null => "!!null",
            Self::Bool(_) => "!!bool",
            Self::Integer(_) | Self::Unsigned(_) => "!!int",
            Self::Float(_) => "!!float",
            Self::Text(_) => "!!str",
        }
    }

    /// The scalar as a JSON value.
    ///
    /// # Errors
    /// A sentence for infinities and NaN, which JSON has no form for.
    pub(super) fn into_value(self) -> Result<Value, String> {
        Ok(match self {
            Self::Null => Value::Null,
            Self::Bool(value) => Value::Bool(value),
            Self::Integer(value) => Value::Number(value.into()),
            Self::Unsigned(value) => Value::Number(value.into()),
            Self::Float(value) => match whole_or_float(value) {
                Some(number) => Value::Number(number),
                None => return Err(format!("{} has no form in JSON", go_key_float(value))),
            },
            Self::Text(text) => Value::String(text.into_owned()),
        })
    }

    /// The scalar as a key of a JSON object.
    ///
    /// # Errors
    /// A sentence for null and for numbers beyond `i64`, which Go refuses as keys.
    pub(super) fn into_key(self) -> Result<String, String> {
        match self {
            Self::Text(text) => Ok(text.into_owned()),
            Self::Bool(value) => Ok(value.to_string()),
            Self::Integer(value) => Ok(value.to_string()),
            Self::Float(value) => Ok(go_key_float(value)),
            Self::Null => Err("a key may not be null".to_owned()),
            Self::Unsigned(value) => Err(format!("a key may not be as large as {value}")),
        }
    }
}

/// A plain scalar, whose first character decides what it may be.
fn plain(text: Cow<'_, str>) -> Scalar<'_> {
    let bytes = text.as_bytes();
    match bytes.first() {
        None => Scalar::Null,
        Some(b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' | b'~') => {
            word(&text).unwrap_or(Scalar::Text(text))
        }
        Some(b'.') => word(&text).or_else(|| finite(&text).map(Scalar::Float)).unwrap_or(Scalar::Text(text)),
        Some(b'+' | b'-' | b'0'..=b'9') => {
            word(&text).or_else(|| number(&text)).unwrap_or(Scalar::Text(text))
        }
        Some(_) => Scalar::Text(text),
    }
}

/// The words that stand for a value.
fn word(text: &str) -> Option<Scalar<'static>> {
    Some(match text {
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        "~" | "null" | "Null" | "NULL" => Scalar::Null,
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

/// A number, with underscores anywhere but in front.
fn number(text: &str) -> Option<Scalar<'static>> {
    let digits: Cow<'_, str> =
        if text.contains('_') { Cow::Owned(text.replace('_', "")) } else { Cow::Borrowed(text) };
    integer(&digits)
        .or_else(|| is_float(&digits).then(|| finite(&digits).map(Scalar::Float)).flatten())
        .or_else(|| signed_binary(&digits).map(Scalar::Integer))
}

/// A whole number as Go's `ParseInt` with base 0 reads it: `0x`, `0o`, `0b`, and a bare leading zero for octal.
fn integer(text: &str) -> Option<Scalar<'static>> {
    let (negative, unsigned) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let (digits, radix) = match unsigned.as_bytes() {
        [b'0', b'x' | b'X', ..] => (&unsigned[2..], 16),
        [b'0', b'o' | b'O', ..] => (&unsigned[2..], 8),
        [b'0', b'b' | b'B', ..] => (&unsigned[2..], 2),
        [b'0', _, ..] => (&unsigned[1..], 8),
        _ => (unsigned, 10),
    };
    if !digits.as_bytes().first()?.is_ascii_alphanumeric() {
        return None;
    }
    let magnitude = u64::from_str_radix(digits, radix).ok()?;
    let signed = if negative { -i128::from(magnitude) } else { i128::from(magnitude) };
    match i64::try_from(signed) {
        Ok(value) => Some(Scalar::Integer(value)),
        // Go's unsigned parser takes no sign at all.
        Err(_) if unsigned.len() == text.len() => Some(Scalar::Unsigned(magnitude)),
        Err(_) => None,
    }
}

/// What is left of binary numbers with a sign behind the prefix, such as `0b-1`, which Go's second attempt accepts.
fn signed_binary(text: &str) -> Option<i64> {
    if let Some(digits) = text.strip_prefix("0b") {
        return i64::from_str_radix(digits, 2).ok();
    }
    let digits = text.strip_prefix("-0b")?;
    i64::from_str_radix(&format!("-{digits}"), 2).ok()
}

/// Whether a text is `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?`.
fn is_float(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let mantissa_is_right = match mantissa.split_once('.') {
        Some(("", fraction)) => !fraction.is_empty() && digits(fraction),
        Some((whole, fraction)) => digits(whole) && digits(fraction),
        None => !mantissa.is_empty() && digits(mantissa),
    };
    mantissa_is_right
        && exponent.is_none_or(|exponent| {
            let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
            !exponent.is_empty() && digits(exponent)
        })
}

/// A float in Go's decimal grammar that does not overflow.
fn finite(text: &str) -> Option<f64> {
    if !is_float(text) {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Whether a text has one of the forms of a date that Go accepts, in outline: a year of four digits, then `-`.
fn looks_like_timestamp(text: &str) -> bool {
    let (year, rest) = text.split_at_checked(4).unwrap_or(("", ""));
    year.bytes().all(|b| b.is_ascii_digit()) && rest.len() >= 4 && rest.starts_with('-')
}

/// Text from base64. Bytes that are no text become the replacement character, as in Go's JSON.
fn binary(text: &str) -> Result<Scalar<'static>, String> {
    let bytes = super::base64::decode(text).ok_or("!!binary value contains invalid base64 data")?;
    Ok(Scalar::Text(Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Scalar<'_>) {
        assert_eq!(resolve(Tag::Implicit, Cow::Borrowed(text)), Ok(expected), "{text}");
    }

    #[test]
    fn reads_the_words_of_yaml_1_1() {
        for text in ["y", "Yes", "on", "TRUE"] {
            check(text, Scalar::Bool(true));
        }
        for text in ["n", "No", "OFF", "false"] {
            check(text, Scalar::Bool(false));
        }
        for text in ["", "~", "null", "NULL"] {
            check(text, Scalar::Null);
        }
        for text in ["yEs", "nil", "oN", "<<", "a", "_1", "2001-01-01", "1:30"] {
            check(text, Scalar::Text(text.into()));
        }
    }

    #[test]
    fn reads_numbers_as_go_does() {
        check("0777", Scalar::Integer(511));
        check("0o17", Scalar::Integer(15));
        check("0x1F", Scalar::Integer(31));
        check("-0b11", Scalar::Integer(-3));
        check("0b-1", Scalar::Integer(-1));
        check("1_000", Scalar::Integer(1000));
        check("+12", Scalar::Integer(12));
        check("08", Scalar::Float(8.0));
        check("18446744073709551615", Scalar::Unsigned(u64::MAX));
        check("1e3", Scalar::Float(1000.0));
        check(".5", Scalar::Float(0.5));
        check("5.", Scalar::Float(5.0));
        check("-.inf", Scalar::Float(f64::NEG_INFINITY));
        for text in ["0x", "-", "+", ".", "1e", "1e999", "--1", "0b", "1.2.3", "0x-1"] {
            check(text, Scalar::Text(text.into()));
        }
    }

    #[test]
    fn keeps_whole_floats_whole() {
        assert_eq!(Scalar::Float(1e3).into_value(), Ok(Value::from(1000)));
        assert_eq!(Scalar::Float(1.5).into_value(), Ok(Value::from(1.5)));
        assert!(Scalar::Float(f64::NAN).into_value().is_err());
    }

    #[test]
    fn a_tag_overrules_the_form() {
        let resolved = |tag, text| resolve(Tag::Core(tag), Cow::Borrowed(text));
        assert_eq!(resolved("str", "1"), Ok(Scalar::Text("1".into())));
        assert_eq!(resolved("float", "1"), Ok(Scalar::Float(1.0)));
        assert_eq!(resolved("binary", "aGk="), Ok(Scalar::Text("hi".into())));
        assert!(resolved("int", "x").is_err() && resolved("int", "1.5").is_err());
    }
}
