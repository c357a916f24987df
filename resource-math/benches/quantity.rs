//! How long a quantity takes from text and back to text.

use divan::{Bencher, black_box};
use plimsoll_resource_math::Quantity;

fn main() {
    divan::main();
}

/// Texts as they stand in manifests.
const COMMON: [&str; 12] =
    ["100m", "250m", "1", "2", "0.5", "1.5", "64Mi", "128Mi", "512Mi", "1Gi", "16Gi", "107374182400"];

#[divan::bench(args = ["100m", "2", "1.5", "128Mi", "64Gi", "1.5Gi", "1e3", "+1", "1T", "131896936Ki"])]
fn parse_and_print(bencher: Bencher<'_, '_>, text: &str) {
    let mut printed = String::with_capacity(32);
    bencher.bench_local(move || {
        printed.clear();
        if let Ok(quantity) = Quantity::parse(black_box(text)) {
            quantity.append_to(&mut printed);
        }
        black_box(printed.len())
    });
}

#[divan::bench]
fn parse_common(bencher: Bencher<'_, '_>) {
    bencher.bench(|| COMMON.map(|text| Quantity::parse(black_box(text))));
}

#[divan::bench]
fn add(bencher: Bencher<'_, '_>) {
    let (Ok(sum), Ok(more)) = (Quantity::parse("16Gi"), Quantity::parse("100M")) else {
        return;
    };
    bencher.bench(|| {
        let mut sum = black_box(&sum).clone();
        sum.add(black_box(&more));
        sum
    });
}
