//! The hash of a pod template, by which a controller tells the revisions of its pods apart.

use k8s_openapi::api::core::v1::PodTemplateSpec;
use serde_json::Value;

/// The characters of hashes and of generated names: no vowels and nothing that looks alike.
///
/// # Source
/// apimachinery `pkg/util/rand` (`alphanums`)
pub const SAFE_ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";

/// The hash of a pod template, in upstream's alphabet. A collision count, where there is one, changes it.
///
/// DIFFERENCE: D-DaemonSet-1. Upstream hashes Go's dump of the whole struct, whose text names every field that the Go
/// type has and so changes with each release; this hashes the template's JSON with sorted keys.
///
/// # Source
/// `pkg/controller/controller_utils.go` (`ComputeHash`)
pub fn template_hash(template: &PodTemplateSpec, collision_count: Option<i32>) -> String {
    // A struct of plain fields and maps with text keys always has a JSON form.
    hash_of_json(&serde_json::to_value(template).unwrap_or_default(), collision_count)
}

/// The same for a template whose JSON is at hand.
pub(crate) fn hash_of_json(template: &Value, collision_count: Option<i32>) -> String {
    let mut hash = Fnv32a::new();
    hash.write(template.to_string().as_bytes());
    if let Some(count) = collision_count {
        hash.write(&count.to_le_bytes());
        hash.write(&[0; 4]);
    }
    safe_encode(&hash.0.to_string())
}

/// Writes each byte of a text as one of [`SAFE_ALPHABET`].
///
/// # Source
/// apimachinery `pkg/util/rand` (`SafeEncodeString`)
pub fn safe_encode(text: &str) -> String {
    text.bytes().map(|byte| char::from(SAFE_ALPHABET[usize::from(byte) % SAFE_ALPHABET.len()])).collect()
}

/// The 32-bit Fowler-Noll-Vo hash, exclusive-or first.
struct Fnv32a(u32);

impl Fnv32a {
    fn new() -> Self {
        Self(0x811c_9dc5)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plimsoll_fixtures::object;

    #[test]
    fn encodes_as_upstream_does() {
        // The code of '0' is 48, which is 21 modulo 27.
        assert_eq!(safe_encode("0123456789"), "456789bcdf");
    }

    #[test]
    fn depends_on_the_template_and_the_collision_count_alone() {
        let template: PodTemplateSpec =
            object("metadata: {labels: {b: x, a: y}}\nspec: {containers: [{name: c}]}");
        let reordered: PodTemplateSpec =
            object("spec: {containers: [{name: c}]}\nmetadata: {labels: {a: y, b: x}}");
        let other: PodTemplateSpec = object("spec: {containers: [{name: d}]}");
        let hash = template_hash(&template, None);
        assert_eq!(hash, template_hash(&reordered, None));
        assert_ne!(hash, template_hash(&other, None));
        assert_ne!(hash, template_hash(&template, Some(0)));
        assert!(hash.bytes().all(|byte| SAFE_ALPHABET.contains(&byte)));
    }
}
