//! Several messages as one text.

/// Joins messages as upstream's aggregate error does: one message stands bare, several are listed once each as `[a, b]`.
///
/// Returns the empty text for no messages.
///
/// # Source
/// apimachinery `pkg/util/errors` (`aggregate.Error`)
pub fn aggregate<S: AsRef<str>>(messages: &[S]) -> String {
    let mut distinct: Vec<&str> = Vec::with_capacity(messages.len());
    for message in messages {
        if !distinct.contains(&message.as_ref()) {
            distinct.push(message.as_ref());
        }
    }
    match distinct.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        several => format!("[{}]", several.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::aggregate;

    #[test]
    fn lists_each_message_once() {
        assert_eq!(aggregate::<&str>(&[]), "");
        assert_eq!(aggregate(&["a", "a"]), "a");
        assert_eq!(aggregate(&["a", "b", "a"]), "[a, b]");
    }
}
