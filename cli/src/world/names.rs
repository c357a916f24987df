//! Names and uids as an API server would choose them, but the same ones in each run.

use plimsoll_api::group::GroupResource;
use plimsoll_controller::template_hash::SAFE_ALPHABET;

/// The longest beginning of a generated name, in bytes.
///
/// # Source
/// apiserver `pkg/storage/names` (`maxGeneratedNameLength`)
const GENERATED_NAME_BASE_LIMIT: usize = 58;
const SUFFIX_LENGTH: usize = 5;

/// Chooses names. Equal calls in equal order give equal names.
#[derive(Clone, Debug, Default)]
pub struct NameGenerator {
    calls: u64,
}

impl NameGenerator {
    /// A name that begins with `prefix`, as the API server makes of `generateName`.
    ///
    /// # Source
    /// apiserver `pkg/storage/names` (`simpleNameGenerator.GenerateName`)
    pub fn generate(&mut self, prefix: &str) -> String {
        self.calls += 1;
        let mut end = prefix.len().min(GENERATED_NAME_BASE_LIMIT);
        while !prefix.is_char_boundary(end) {
            end -= 1;
        }
        let mut name = String::with_capacity(end + SUFFIX_LENGTH);
        name.push_str(&prefix[..end]);
        let mut bits = mix(self.calls);
        for _ in 0..SUFFIX_LENGTH {
            let letter = bits % SAFE_ALPHABET.len() as u64;
            bits /= SAFE_ALPHABET.len() as u64;
            name.push(char::from(SAFE_ALPHABET[usize::try_from(letter).unwrap_or(0)]));
        }
        name
    }
}

/// The uid that stands for an object wherever others refer to it.
pub fn uid_of(resource: &GroupResource, namespace: &str, name: &str) -> String {
    let mut halves = [0xcbf2_9ce4_8422_2325_u64, 0x9e37_79b9_7f4a_7c15];
    for byte in format!("{resource}/{namespace}/{name}").bytes() {
        for half in &mut halves {
            *half = (*half ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    let (high, low) = (mix(halves[0]), mix(halves[1]));
    format!(
        "{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}",
        high >> 32,
        (high >> 16) & 0xffff,
        high & 0xfff,
        (low >> 48) & 0xfff,
        low & 0xffff_ffff_ffff
    )
}

/// Spreads a number over all bits (the finisher of SplitMix64); different numbers stay different.
fn mix(number: u64) -> u64 {
    let mut bits = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chooses_the_same_names_in_each_run() {
        let mut first = NameGenerator::default();
        let mut second = NameGenerator::default();
        let name = first.generate("web-");
        assert_eq!(name, second.generate("web-"));
        assert_eq!(name.len(), 9);
        assert_ne!(name, first.generate("web-"));
        assert_eq!(first.generate(&"ü".repeat(40)).chars().count(), 29 + 5);
    }

    #[test]
    fn uids_have_the_form_of_a_uuid() {
        let uid = uid_of(&GroupResource::new("", "pods"), "a", "b");
        assert_eq!(uid.len(), 36);
        assert_ne!(uid, uid_of(&GroupResource::new("", "pods"), "a", "c"));
    }
}
