//! When to pull an image, from its name.
//!
//! # Source
//! kubernetes `pkg/util/parsers` (`ParseImageName`); distribution `reference`

const MAX_NAME_LENGTH: usize = 255;
const MAX_TAG_LENGTH: usize = 128;

/// `Always` if the image is the latest there is, by its tag or because it has neither tag nor digest. A name that can't
/// be read counts as having a tag; validation has its say on it elsewhere.
pub(super) fn pull_policy(image: &str) -> &'static str {
    if is_latest(image) == Some(true) { "Always" } else { "IfNotPresent" }
}

/// Whether an image is tagged latest, be it for lack of another tag; nothing if the name is malformed.
fn is_latest(image: &str) -> Option<bool> {
    let is_identifier = image.len() == 64 && image.bytes().all(|b| matches!(b, b'a'..=b'f' | b'0'..=b'9'));
    if image.is_empty() || is_identifier {
        return None;
    }
    let (name, digest) = match image.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (image, None),
    };
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return None;
    }
    let (domain, remainder) = split_domain(name);
    let (path, tag) = match remainder.rsplit_once(':') {
        Some((path, tag)) => (path, Some(tag)),
        None => (remainder, None),
    };
    if !is_name(domain, path) || tag.is_some_and(|tag| !is_tag(tag)) {
        return None;
    }
    Some(tag.map_or(digest.is_none(), |tag| tag == "latest"))
}

/// The registry, if the first part of the name can only be one.
fn split_domain(name: &str) -> (Option<&str>, &str) {
    match name.split_once('/') {
        Some((first, rest))
            if first.contains(['.', ':'])
                || first == "localhost"
                || first.chars().any(char::is_uppercase) =>
        {
            (Some(first), rest)
        }
        _ => (None, name),
    }
}

fn is_name(domain: Option<&str>, path: &str) -> bool {
    if !path.split('/').all(is_path_component) {
        return false;
    }
    match domain {
        // Docker's own registry is left out of names, and its folder `library` too.
        None | Some("docker.io" | "index.docker.io") => {
            let folder = if path.contains('/') { 0 } else { "library/".len() };
            path.len() + folder <= MAX_NAME_LENGTH
        }
        Some(domain) if is_domain(domain) => path.len() <= MAX_NAME_LENGTH,
        // What is no domain may still be a folder.
        Some(folder) => is_path_component(folder) && folder.len() + 1 + path.len() <= MAX_NAME_LENGTH,
    }
}

fn is_domain(domain: &str) -> bool {
    let (host, port) = match domain.strip_prefix('[') {
        Some(rest) => {
            let Some((address, port)) = rest.split_once(']') else {
                return false;
            };
            if address.is_empty() || !address.bytes().all(|b| b.is_ascii_hexdigit() || b == b':') {
                return false;
            }
            return port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
        }
        None => match domain.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (domain, None),
        },
    };
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    host.split('.').all(is_label) && port.is_none_or(is_port)
}

fn is_port(port: &str) -> bool {
    !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())
}

/// Lower-case words joined by one dot, one or two underscores, or dashes.
fn is_path_component(component: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = component.as_bytes();
    let framed = bytes.first().is_some_and(|b| is_word(*b)) && bytes.last().is_some_and(|b| is_word(*b));
    framed
        && component
            .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
            .all(|between| matches!(between, "" | "." | "_" | "__") || between.bytes().all(|b| b == b'-'))
}

fn is_tag(tag: &str) -> bool {
    let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
    tag.len() <= MAX_TAG_LENGTH
        && tag.bytes().next().is_some_and(is_word)
        && tag.bytes().all(|b| is_word(b) || matches!(b, b'.' | b'-'))
}

/// The digests that registries use, each with its length.
fn is_digest(digest: &str) -> bool {
    let Some((algorithm, hex)) = digest.split_once(':') else {
        return false;
    };
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    hex.len() == length && hex.bytes().all(|b| matches!(b, b'a'..=b'f' | b'0'..=b'9'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulls_the_latest_image_always() {
        let digest = "sha256:e4355b66995c96b4b468159fc5c7e3540fcef961189ca13fee877798649f531a";
        for image in [
            "nginx",
            "nginx:latest",
            "localhost:5000/a/b",
            "my.registry/x:latest",
            &format!("a:latest@{digest}"),
        ] {
            assert_eq!(pull_policy(image), "Always", "{image}");
        }
        for image in [
            "nginx:1.27",
            "",
            "Nginx",
            "a//b",
            "a:",
            "a/b:1@x",
            &format!("a@{digest}"),
            "a@sha256:00",
            "a__b.c-d:v1",
        ] {
            assert_eq!(pull_policy(image), "IfNotPresent", "{image}");
        }
        assert_eq!(pull_policy("a_b.c/x"), "Always");
    }
}
