//! The names that the API server generates: a prefix and five characters that look random.

use plimsoll_controller::template_hash::SAFE_ALPHABET;

/// The longest prefix that is kept: 63 characters less the suffix.
///
/// # Source
/// apiserver `pkg/storage/names/generate.go` (`MaxGeneratedNameLength`)
pub(super) const MAX_PREFIX_LENGTH: usize = 58;
const SUFFIX_LENGTH: u32 = 5;
/// How many suffixes there are.
const SUFFIXES: u64 = (SAFE_ALPHABET.len() as u64).pow(SUFFIX_LENGTH);

/// The names generated for one prefix. The same seed and prefix give the same names, in the same order; no name comes
/// twice before all 14 million have been used.
#[derive(Clone, Debug)]
pub struct GeneratedNames {
    prefix: String,
    /// Constants of the two permutations of all suffixes, drawn from the seed and the prefix.
    steps: [u64; 2],
    offsets: [u64; 2],
}

impl GeneratedNames {
    /// The names that start with `prefix`, which is cut to [`MAX_PREFIX_LENGTH`].
    ///
    /// # Source
    /// apiserver `pkg/storage/names/generate.go` (`simpleNameGenerator.GenerateName`)
    pub fn new(seed: u64, prefix: &str) -> Self {
        let end = (0..=MAX_PREFIX_LENGTH.min(prefix.len())).rev().find(|end| prefix.is_char_boundary(*end));
        let mut state = prefix.bytes().fold(seed ^ 0xcbf2_9ce4_8422_2325, |state, byte| {
            (state ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Self {
            prefix: prefix[..end.unwrap_or_default()].to_owned(),
            steps: [step(&mut state), step(&mut state)],
            offsets: [draw(&mut state), draw(&mut state)],
        }
    }

    /// The name number `index`.
    pub fn nth(&self, index: u64) -> String {
        let mut name = String::with_capacity(self.prefix.len() + SUFFIX_LENGTH as usize);
        name.push_str(&self.prefix);
        let mut number = self.permute(index % SUFFIXES);
        for _ in 0..SUFFIX_LENGTH {
            name.push(character(number));
            number /= BASE;
        }
        name
    }

    /// Maps each number below [`SUFFIXES`] to another one: two linear permutations with the digits reversed between them,
    /// so that neighbours share no characters.
    fn permute(&self, number: u64) -> u64 {
        let first = (number * self.steps[0] + self.offsets[0]) % SUFFIXES;
        (reverse_digits(first) * self.steps[1] + self.offsets[1]) % SUFFIXES
    }
}

const BASE: u64 = SAFE_ALPHABET.len() as u64;

fn character(number: u64) -> char {
    let digits = SAFE_ALPHABET.iter().zip(0..);
    digits.into_iter().find(|(_, digit)| *digit == number % BASE).map_or('b', |(byte, _)| char::from(*byte))
}

fn reverse_digits(mut number: u64) -> u64 {
    let mut reversed = 0;
    for _ in 0..SUFFIX_LENGTH {
        reversed = reversed * BASE + number % BASE;
        number /= BASE;
    }
    reversed
}

/// A multiplier that permutes the numbers below [`SUFFIXES`]: since that is a power of 3, any that 3 does not divide.
fn step(state: &mut u64) -> u64 {
    let drawn = draw(state);
    if drawn.is_multiple_of(3) { drawn + 1 } else { drawn }
}

/// The next number below [`SUFFIXES`] of the SplitMix64 sequence.
fn draw(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31)) % SUFFIXES
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_well_formed_and_distinct() {
        let names = GeneratedNames::new(1, "web-5d8c7b9f6-");
        let made: HashSet<String> = (0..20_000).map(|index| names.nth(index)).collect();
        assert_eq!(made.len(), 20_000);
        for name in made {
            let suffix = name.strip_prefix("web-5d8c7b9f6-").unwrap();
            assert_eq!(suffix.len(), 5);
            assert!(suffix.bytes().all(|byte| SAFE_ALPHABET.contains(&byte)));
        }
    }

    #[test]
    fn seed_and_prefix_decide() {
        let first = |seed, prefix| GeneratedNames::new(seed, prefix).nth(0);
        assert_eq!(first(1, "web-"), first(1, "web-"));
        assert_ne!(first(1, "web-"), first(2, "web-"));
        assert_ne!(first(1, "web-")[4..], first(1, "api-")[4..]);
    }

    #[test]
    fn long_prefixes_are_cut() {
        assert_eq!(GeneratedNames::new(1, &"a".repeat(253)).nth(7).len(), 63);
        assert_eq!(GeneratedNames::new(1, &"é".repeat(40)).nth(7).len(), 63);
    }

    #[test]
    fn permutations_are_permutations() {
        for seed in 0..1000 {
            let names = GeneratedNames::new(seed, "a");
            assert!(names.steps.iter().all(|step| !step.is_multiple_of(3)));
        }
    }
}
