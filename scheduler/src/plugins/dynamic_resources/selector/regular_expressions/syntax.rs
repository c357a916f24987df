//! Regular expressions as Go reads them, in the syntax of ours.
//!
//! # Source
//! Go `regexp/syntax`

/// The same expression for our library. Go's classes have letters and digits of ASCII only, and no classes within them.
pub(super) fn translated(pattern: &str) -> String {
    let mut written = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    let mut is_class = false;
    let mut previous = None;
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some('Q') if !is_class => quote(&mut characters, &mut written),
                Some('d') => written.push_str("[0-9]"),
                Some('D') => written.push_str("[^0-9]"),
                Some('s') => written.push_str(r"[\t\n\f\r ]"),
                Some('S') => written.push_str(r"[^\t\n\f\r ]"),
                Some('w') => written.push_str("[0-9A-Za-z_]"),
                Some('W') => written.push_str("[^0-9A-Za-z_]"),
                Some('b') if !is_class => written.push_str(r"(?-u:\b)"),
                Some('B') if !is_class => written.push_str(r"(?-u:\B)"),
                escaped => {
                    written.push('\\');
                    written.extend(escaped);
                }
            },
            '[' if !is_class => {
                is_class = true;
                written.push('[');
                written.extend(characters.next_if_eq(&'^'));
                // The first one in a class is a part of it.
                if characters.next_if_eq(&']').is_some() {
                    written.push_str(r"\]");
                }
            }
            '[' if characters.peek() != Some(&':') => written.push_str(r"\["),
            ']' if is_class => {
                is_class = false;
                written.push(']');
            }
            '&' | '-' | '~' if is_class && previous == Some(character) => {
                written.push('\\');
                written.push(character);
            }
            other => written.push(other),
        }
        previous = Some(character);
    }
    written
}

/// What stands between `\Q` and `\E` stands for itself.
fn quote(characters: &mut std::iter::Peekable<std::str::Chars<'_>>, written: &mut String) {
    while let Some(character) = characters.next() {
        if character == '\\' && characters.next_if_eq(&'E').is_some() {
            return;
        }
        written.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
    }
}

#[cfg(test)]
mod tests {
    use super::translated;

    #[test]
    fn expressions_mean_the_same() {
        for (theirs, ours) in [
            (r"^a\d+$", "^a[0-9]+$"),
            (r"[\w.-]\b", r"[[0-9A-Za-z_].-](?-u:\b)"),
            ("[]a[&&b]", r"[\]a\[&\&b]"),
            ("[[:alpha:]]", "[[:alpha:]]"),
            (r"\Qa.b\E.\.", r"a\.b.\."),
        ] {
            assert_eq!(translated(theirs), ours, "{theirs}");
        }
    }
}
