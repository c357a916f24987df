//! Base64 as Go's `base64.StdEncoding` reads it: padded, line breaks ignored.

/// The bytes, or nothing if the text is no base64.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    let symbols: Vec<u8> = text.bytes().filter(|b| !matches!(b, b'\n' | b'\r')).collect();
    let mut bytes = Vec::with_capacity(symbols.len() / 4 * 3);
    let (groups, rest) = symbols.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    for (index, group) in groups.iter().enumerate() {
        let padding = group.iter().rev().take_while(|b| **b == b'=').count();
        if padding > 2 || (padding > 0 && index + 1 != groups.len()) {
            return None;
        }
        let mut bits = 0_u32;
        for symbol in &group[..4 - padding] {
            bits = (bits << 6) | value(*symbol)?;
        }
        bits <<= 6 * padding;
        bytes.extend_from_slice(&bits.to_be_bytes()[1..4 - padding]);
    }
    Some(bytes)
}

fn value(symbol: u8) -> Option<u32> {
    let value = match symbol {
        b'A'..=b'Z' => symbol - b'A',
        b'a'..=b'z' => symbol - b'a' + 26,
        b'0'..=b'9' => symbol - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    };
    Some(u32::from(value))
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn reads_padded_groups_only() {
        assert_eq!(decode("aGVsbG8="), Some(b"hello".to_vec()));
        assert_eq!(decode("aG\nk=\n"), Some(b"hi".to_vec()));
        assert_eq!(decode(""), Some(Vec::new()));
        for bad in ["aGk", "a===", "aGk=aGk=", "!!!!"] {
            assert_eq!(decode(bad), None, "{bad}");
        }
    }
}
