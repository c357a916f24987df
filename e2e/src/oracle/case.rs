//! Where a case comes from: the seed, the family and the number of the case decide all of it.

use rand::SeedableRng as _;
use rand::rngs::StdRng;
use serde_json::Value;

use super::families::Family;

/// The input of one case.
pub(super) fn input(family: &Family, seed: u64, number: u64) -> Value {
    (family.generate)(&mut random(family.name, seed, number))
}

fn random(family: &str, seed: u64, number: u64) -> StdRng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&number.to_le_bytes());
    key[16..24].copy_from_slice(&fingerprint(family).to_le_bytes());
    StdRng::from_seed(key)
}

/// FNV-1a: the same on every machine and in every version of Rust, unlike the standard library's hash.
fn fingerprint(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
