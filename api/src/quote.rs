//! Text as Go's `%q` and `encoding/json` print it, which is how upstream shows bad values in messages.

/// Quotes a text as Go's `strconv.Quote` does: double quotes, Go escapes, non-printable characters as `\x`, `\u` or `\U`.
///
/// # Source
/// Go `strconv.Quote`, used through `%q` all over apimachinery.
pub fn go_quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{07}' => quoted.push_str("\\a"),
            '\u{08}' => quoted.push_str("\\b"),
            '\u{0c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\u{0b}' => quoted.push_str("\\v"),
            c if is_printable(c) => quoted.push(c),
            c => push_escape(&mut quoted, c),
        }
    }
    quoted.push('"');
    quoted
}

/// Writes a text as Go's `json.Marshal` does, with `<`, `>`, `&` and the line separators escaped.
///
/// # Source
/// Go `encoding/json` with its default HTML escaping.
pub fn go_json_string(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\u{08}' => quoted.push_str("\\b"),
            '\u{0c}' => quoted.push_str("\\f"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\u{00}'..='\u{1f}' => {
                quoted.push_str("\\u");
                push_hex(&mut quoted, character, 4);
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

fn is_printable(character: char) -> bool {
    if character.is_ascii() {
        return character == ' ' || character.is_ascii_graphic();
    }
    // Rust and Go agree on what is printable but for spaces: Go prints only U+0020. A combining character is escaped
    // only where it comes first, so another is put before it.
    !character.is_whitespace() && format!("a{character}").escape_debug().count() == 2
}

fn push_escape(quoted: &mut String, character: char) {
    let code = u32::from(character);
    let (prefix, digits) = match code {
        0..=0x7f => ("\\x", 2),
        0x80..=0xffff => ("\\u", 4),
        _ => ("\\U", 8),
    };
    quoted.push_str(prefix);
    push_hex(quoted, character, digits);
}

fn push_hex(quoted: &mut String, character: char, digits: u32) {
    let code = u32::from(character);
    for position in (0..digits).rev() {
        let nibble = (code >> (4 * position)) & 0xf;
        quoted.push(char::from_digit(nibble, 16).unwrap_or('0'));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_as_go_does() {
        assert_eq!(go_quote("plain ü 日"), "\"plain ü 日\"");
        assert_eq!(go_quote("a\"b\\c\n\u{1}\u{7f}"), r#""a\"b\\c\n\x01\x7f""#);
        assert_eq!(go_quote("\u{a0}\u{200b}"), r#""\u00a0\u200b""#);
    }

    #[test]
    fn marshals_as_go_does() {
        assert_eq!(go_json_string("<a&b>\u{1}"), r#""\u003ca\u0026b\u003e\u0001""#);
    }
}
