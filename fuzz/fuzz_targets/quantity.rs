//! Any text: reading it never panics, and what is printed reads back as the same amount.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll_resource_math::Quantity;

fuzz_target!(|text: &str| {
    let Ok(quantity) = Quantity::parse(text) else { return };
    let printed = quantity.to_string();
    assert_eq!(Quantity::parse(&printed).as_ref(), Ok(&quantity), "{text} printed as {printed}");
    let canonical = quantity.canonical();
    assert_eq!(Quantity::parse(&canonical).as_ref(), Ok(&quantity), "{text} is {canonical}");
    let mut sum = quantity.clone();
    sum.add(&quantity);
    sum.sub(&quantity);
    assert_eq!(sum, quantity);
    let _ = (quantity.value(), quantity.milli_value());
    let mut rounded = quantity.clone();
    rounded.round_up_to_milli();
    assert!(rounded >= quantity || quantity.sign().is_lt());
});
