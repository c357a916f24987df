use super::Quantity;

#[track_caller]
fn check(text: &str, canonical: &str) {
    assert_eq!(Quantity::parse(text).unwrap().canonical(), canonical, "{text}");
}

#[test]
fn prints_the_canonical_text() {
    check("1.5", "1500m");
    check("1000m", "1");
    check("1e6", "1e6");
    check("1.2e6", "1200e3");
    check("1.5Gi", "1536Mi");
    check("1.1Gi", "1181116006400m");
    check("0.1n", "1n");
    check("-1.5", "-1500m");
    check("1e100", "10e99");
}
