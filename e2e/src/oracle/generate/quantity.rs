//! Quantities as text.

use plimsoll_resource_math::Quantity;
use plimsoll_resource_math::quantity::Format;
use rand::RngExt as _;
use rand::rngs::StdRng;

use super::{chance, number, pick};

const DECIMAL_SUFFIXES: &[&str] = &["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY_SUFFIXES: &[&str] = &["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

/// Texts that are quantities and have tripped somebody.
const ODD: &[&str] = &[
    "0",
    "0.0",
    "00",
    "0m",
    "0Ki",
    "0e5",
    "+0",
    "-0",
    ".5",
    "5.",
    "1.",
    "+1",
    "1e3",
    "1E3",
    "1e-3",
    "1E",
    "12E",
    "1e0",
    "1Ei",
    "8Ei",
    "7Ei",
    "0.5Gi",
    "1.5Gi",
    "1.5",
    "1.1Mi",
    "0.1Ki",
    "0.0001Ki",
    "0.5m",
    "1.5n",
    "1n",
    "0.1n",
    "999n",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551616",
    "9223372036854775807m",
    "9.223372036854775807E",
    "9223372036854775807E",
    "9223372036854775808Ki",
    "9007199254740993",
    "1000000000000000000",
    "999999999999999999",
    "0.000000001",
    "0.0000000001",
    "1.0000000001",
    "1000m",
    "1024Ki",
    "1000Ki",
    "1000",
    "1024",
    "1023",
    "100e-2",
    "1e18",
    "1e19",
    "1e30",
    "1e-9",
    "1e-10",
    "1e-30",
    "000100m",
    "1000000000000000000000000000000",
    "1048576Ti",
    "2048Pi",
    "1500m",
    "8192Pi",
    "123456789012345678.9",
    "0.1",
    "1e+2",
    "12e6",
    "1u",
    "1000u",
    "1k",
    "1000k",
    "0.001k",
];

/// Texts that are no quantities, or should not be.
const JUNK: &[&str] = &[
    "",
    " ",
    "1 ",
    " 1",
    "1K",
    "1KI",
    "1ki",
    "1gi",
    "1Gib",
    "0.5GB",
    "1mi",
    "1MI",
    "1kB",
    "100 m",
    "1,5",
    "1_000",
    "abc",
    "m",
    "Gi",
    "-",
    "+",
    ".",
    "..",
    "1..2",
    "1.2.3",
    "--1",
    "+-1",
    "1-",
    "1+",
    "1e",
    "1e+",
    "1e-",
    "1ee3",
    "1e3e",
    "1e1.5",
    "1eKi",
    "1E3Ki",
    "1mm",
    "1Km",
    "1iK",
    "1Ei3",
    "0x10",
    "1e99999999999999999999",
    "1e4294967297",
    "NaN",
    "inf",
    "1٣",
    "１",
    "1µ",
    "1\n",
    "1\t",
    "\u{feff}1",
    "1.m",
    ".m",
    ".",
    "-.",
    "+.5",
    "-.5",
    "1m1",
    "1Ki1",
    "1e3m",
    "1.5e-2",
    "e",
    "E",
    "e3",
    "1n1",
    "0K",
    "0e",
    "0.0K",
    "00K",
    ".0",
    "0.",
    "+",
    "1\u{0}",
    "1i",
    "1z",
];

/// A quantity that is valid: plain ones mostly, odd ones too. It is not negative and fits into 64 bits (its thousandths may not), so
/// that it can be in any object; what lies beyond is for the quantity family.
pub fn quantity(rng: &mut StdRng) -> String {
    let most = Quantity::from_units(i64::MAX, Format::DecimalSi);
    loop {
        let text = any_size(rng);
        if Quantity::parse(&text).is_ok_and(|quantity| quantity.sign().is_ge() && quantity <= most) {
            return text;
        }
    }
}

/// Any text: quantities of all kinds, and what somebody may have typed for one.
pub fn any_text(rng: &mut StdRng) -> String {
    match rng.random_range(0..10) {
        0..=5 => signed(rng),
        6..=7 => pick(rng, JUNK).to_owned(),
        8 => {
            let text = signed(rng);
            mutated(rng, &text)
        }
        _ => {
            let text = pick(rng, JUNK);
            mutated(rng, text)
        }
    }
}

/// A quantity, negative at times.
fn signed(rng: &mut StdRng) -> String {
    let text = any_size(rng);
    if chance(rng, 25) && !text.starts_with(['+', '-']) { format!("-{text}") } else { text }
}

fn any_size(rng: &mut StdRng) -> String {
    match rng.random_range(0..10) {
        0..=2 => plain(rng),
        3 => pick(rng, ODD).to_owned(),
        4..=6 => composed(rng),
        7 => cpu(rng),
        _ => memory(rng),
    }
}

/// An amount of CPU as people write it.
pub fn cpu(rng: &mut StdRng) -> String {
    pick(
        rng,
        &[
            "1m", "10m", "50m", "100m", "250m", "500m", "0.5", "1", "1000m", "1.5", "2", "2000m", "4", "8",
            "0", "0.1",
        ],
    )
    .to_owned()
}

/// An amount of memory as people write it.
pub fn memory(rng: &mut StdRng) -> String {
    pick(
        rng,
        &[
            "1Mi", "16Mi", "64Mi", "100Mi", "128Mi", "128M", "0.5Gi", "512Mi", "1Gi", "1G", "1024Mi", "1e9",
            "2Gi", "8Gi", "0", "1Ki",
        ],
    )
    .to_owned()
}

/// A count, as of pods or devices.
pub fn count(rng: &mut StdRng) -> String {
    pick(rng, &["0", "1", "2", "3", "4", "5", "8", "10", "1k", "2e0"]).to_owned()
}

/// Amounts that suit the resource, from the least to the largest.
pub fn steps(resource: &str) -> &'static [&'static str] {
    match resource {
        "cpu" => &["0", "10m", "100m", "250m", "0.5", "1", "1500m", "2", "4"],
        "memory" | "storage" | "ephemeral-storage" => {
            &["0", "1Mi", "64Mi", "100M", "128Mi", "0.5Gi", "1G", "1Gi", "2Gi"]
        }
        _ => &["0", "1", "2", "3", "4", "5", "8", "10", "1k"],
    }
}

/// A number with a suffix.
fn plain(rng: &mut StdRng) -> String {
    let suffix = if chance(rng, 60) { pick(rng, DECIMAL_SUFFIXES) } else { pick(rng, BINARY_SUFFIXES) };
    format!(
        "{}{suffix}",
        pick(
            rng,
            &[0, 1, 2, 3, 5, 7, 8, 9, 10, 12, 16, 64, 99, 100, 128, 250, 500, 512, 999, 1000, 1023, 1024]
        )
    )
}

/// Digits, point, digits and suffix or exponent, each of any length.
fn composed(rng: &mut StdRng) -> String {
    let whole = digits(rng, 0);
    let fraction = if chance(rng, 40) { format!(".{}", digits(rng, 0)) } else { String::new() };
    let whole = if whole.is_empty() && fraction.len() < 2 { "1".to_owned() } else { whole };
    let suffix = match rng.random_range(0..10) {
        0..=3 => pick(rng, DECIMAL_SUFFIXES).to_owned(),
        4..=6 => pick(rng, BINARY_SUFFIXES).to_owned(),
        _ => exponent(rng),
    };
    format!("{}{whole}{fraction}{suffix}", pick(rng, &["", "", "", "+"]))
}

/// An exponent that leaves the number short enough to be written out.
fn exponent(rng: &mut StdRng) -> String {
    let exponent = if chance(rng, 90) { number(rng, -20..=25) } else { number(rng, -300..=300) };
    let plus = if exponent >= 0 { pick(rng, &["", "", "+", "0"]) } else { "" };
    format!("{}{plus}{exponent}", pick(rng, &["e", "E"]))
}

fn digits(rng: &mut StdRng, least: usize) -> String {
    let most = if chance(rng, 80) { 5 } else { 40 };
    let length = rng.random_range(least..=most);
    // Zeros and nines are where carrying and trimming go wrong.
    let alphabet = pick(rng, &["0123456789", "0009", "09", "01", "999990"]).as_bytes();
    (0..length).map(|_| char::from(pick(rng, alphabet))).collect()
}

/// The text with one symbol dropped, doubled or replaced.
fn mutated(rng: &mut StdRng, text: &str) -> String {
    let mut symbols: Vec<char> = text.chars().collect();
    let at = rng.random_range(0..=symbols.len());
    let symbol = pick(
        rng,
        &[
            '0', '9', '.', '-', '+', 'e', 'E', 'i', 'n', 'u', 'm', 'k', 'K', 'M', 'G', 'T', 'P', ' ', ',',
            'µ', 'x',
        ],
    );
    match rng.random_range(0..3) {
        0 if at < symbols.len() => drop(symbols.remove(at)),
        1 if at < symbols.len() => symbols[at] = symbol,
        _ => symbols.insert(at, symbol),
    }
    tame(symbols.into_iter().collect())
}

/// Keeps a mutation from growing an exponent that takes seconds and gigabytes to write out. Upstream keeps 32 bits of it.
fn tame(text: String) -> String {
    let exponent = text.rsplit(['e', 'E']).next().unwrap_or_default();
    let kept = exponent.parse::<i64>().map_or(0, |exponent| exponent.rem_euclid(1 << 32));
    let far = (500..(1 << 32) - 500).contains(&kept);
    if far && exponent.len() < text.len() { "1e400".to_owned() } else { text }
}
