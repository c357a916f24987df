//! What holds of all quantities.

use std::cmp::Ordering;

use proptest::prelude::*;

use super::super::Quantity;

/// Texts that are quantities: any number of digits, any suffix, exponents within range.
fn quantity_text() -> impl Strategy<Value = String> {
    let suffix = prop_oneof![
        prop::sample::select(vec!["", "n", "u", "m", "k", "M", "G", "T", "P", "E"]).prop_map(str::to_owned),
        prop::sample::select(vec!["Ki", "Mi", "Gi", "Ti", "Pi", "Ei"]).prop_map(str::to_owned),
        (-40..40_i32).prop_map(|exponent| format!("e{exponent}")),
    ];
    let number = prop_oneof!["[0-9]{1,4}", "[0-9]{1,4}\\.[0-9]{0,4}", "[0-9]{1,40}(\\.[0-9]{0,20})?"];
    (prop::sample::select(vec!["", "-", "+"]), number, suffix)
        .prop_map(|(sign, number, suffix)| format!("{sign}{number}{suffix}"))
}

fn quantity() -> impl Strategy<Value = Quantity> {
    quantity_text().prop_map(|text| Quantity::parse(&text).unwrap())
}

fn plus(a: &Quantity, b: &Quantity) -> Quantity {
    let mut sum = a.clone();
    sum.add(b);
    sum
}

fn minus(a: &Quantity, b: &Quantity) -> Quantity {
    let mut difference = a.clone();
    difference.sub(b);
    difference
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC*") {
        let _ = Quantity::parse(&text);
    }

    #[test]
    fn texts_of_the_alphabet_are_read_or_refused(text in "[-+.0-9eEinumkKMGTP]{0,40}") {
        if let Ok(quantity) = Quantity::parse(&text) {
            prop_assert_eq!(Quantity::parse(&quantity.to_string()), Ok(quantity));
        }
    }

    #[test]
    fn what_is_printed_reads_back_the_same(quantity in quantity()) {
        prop_assert_eq!(&Quantity::parse(&quantity.to_string()).unwrap(), &quantity);
        let canonical = Quantity::parse(&quantity.canonical()).unwrap();
        prop_assert_eq!(&canonical, &quantity);
        prop_assert_eq!(canonical.to_string(), quantity.canonical());
    }

    #[test]
    fn addition_commutes(a in quantity(), b in quantity()) {
        prop_assert_eq!(plus(&a, &b), plus(&b, &a));
    }

    #[test]
    fn addition_associates(a in quantity(), b in quantity(), c in quantity()) {
        prop_assert_eq!(plus(&plus(&a, &b), &c), plus(&a, &plus(&b, &c)));
    }

    #[test]
    fn subtraction_undoes_addition(a in quantity(), b in quantity()) {
        prop_assert_eq!(minus(&plus(&a, &b), &b), a);
    }

    #[test]
    fn order_agrees_with_subtraction(a in quantity(), b in quantity()) {
        prop_assert_eq!(a.cmp(&b), minus(&a, &b).sign());
        prop_assert_eq!((-b.clone()).cmp(&-a.clone()), a.cmp(&b));
    }

    #[test]
    fn rounding_moves_away_from_zero_by_less_than_a_step(quantity in quantity()) {
        let mut rounded = quantity.clone();
        rounded.round_up_to_milli();
        let (size, rounded_size) = (absolute(&quantity), absolute(&rounded));
        prop_assert!(rounded_size >= size);
        prop_assert!(minus(&rounded_size, &size) < Quantity::parse("1m").unwrap());
    }
}

fn absolute(quantity: &Quantity) -> Quantity {
    if quantity.sign() == Ordering::Less { -quantity.clone() } else { quantity.clone() }
}
