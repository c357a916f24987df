//! Expressions by type.

use rand::rngs::StdRng;

use crate::oracle::generate::{chance, number, pick};

/// Texts of all kinds that functions read.
pub(super) const TEXTS: &[&str] = &["", "a", "a100", "A-b.c", "10.0.0.1", "ab ab", "é", "1.2.3"];

const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "127.0.0.1",
    "0.0.0.0",
    "224.0.0.7",
    "169.254.1.2",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "ff02::1",
    "2001:db8::0:1",
    "1.2.3",
    "1.2.3.4.5",
    "01.2.3.4",
    "1.2.3.400",
    "1..3.4",
    "1.2.3.x",
    "::ffff:1.2.3.4",
    "fe80::1%eth0",
    "1::2::3",
    "12345::",
    "g::",
    "1:2",
    "1:",
    ":::",
    "1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:9",
    "1::2:3:4:5:6:7:8",
    "1:2:3:4:5:6:1.2.3.4",
    "1:1.2.3.4",
    "%a",
    "1:2%",
    "",
];
const NETWORKS: &[&str] = &[
    "10.0.0.0/8",
    "10.0.0.1/16",
    "0.0.0.0/0",
    "2001:db8::/32",
    "::/0",
    "10.0.0.0/33",
    "10.0.0.0/08",
    "10.0.0.0/x",
    "10.0.0.0",
    "10.0.0.1/32",
    "fe80::1%a/8",
    "::ffff:1.2.3.4/100",
    "1.2/8",
    "1.2.3.4/",
    "1.2.3.4/99999999999999999999",
];
const URLS: &[&str] = &[
    "https://example.com",
    "https://user:pass@Example.com:80/a%20b/c?x=1&y=2&x=3#frag",
    "/path?a=b;c&d=%zz&e=f+g",
    "*",
    "",
    "http://[::1]:80/x",
    "http://a b/",
    "http://a:b/",
    "mailto:x@y",
    "http://%zz/",
    "/%zz",
    ":foo",
    "1http://x",
    "http://a/é(b)",
    "http://[::1",
    "http://[1.2.3.4]/",
    "http://a:1:2/",
    "ftp://a:1:2/",
    "//host/path",
    "http://h%41/",
    "http:///x",
    "a/b",
    "http://a/?q=1?",
    "http://us er@h/",
    "http://h/x y",
];
const VERSIONS: &[&str] = &[
    "1.2.3",
    "1.2.4-rc.1",
    "1.2.3+b",
    "1.2",
    "v1.2.3",
    "01.2.3",
    "1.2.3-01",
    "1.2.3-",
    "1.2.3+",
    "1.2.3-a_b",
    "x",
    "1.2.x",
    "",
    "1.2.99999999999999999999",
];
const QUANTITIES: &[&str] = &["1", "1500m", "40Gi", "1e3", "x", "", "-1", "0.5"];
const PATTERNS: &[&str] =
    &["^a", "[0-9]+", "b$", "", "\\\\d", "\\\\w+", "(a|b)+", "[^a]", "a{2}", "\\\\bab", "\\\\s", "(?i)A"];
const FORMATS: &[&str] = &[
    "dns1123Label",
    "dns1123Subdomain",
    "dns1035Label",
    "qualifiedName",
    "dns1123LabelPrefix",
    "dns1123SubdomainPrefix",
    "dns1035LabelPrefix",
    "labelValue",
    "uri",
    "uuid",
    "byte",
    "date",
    "datetime",
];
const FORMATTED: &[&str] = &[
    "abc",
    "Abc",
    "a.b",
    "a-",
    "-",
    "1a",
    "a/b",
    "a_b",
    "",
    "123e4567-e89b-12d3-a456-426614174000",
    "aGVsbG8=",
    "aGVsbG8",
    "2021-01-01",
    "2021-02-30",
    "2021-01-01T00:00:00Z",
    "2021-01-01t23:59:59.5+01:00",
    "2021-01-01T24:00:00Z",
    "/x",
    "x y",
];

pub(super) fn boolean(rng: &mut StdRng, depth: u32) -> String {
    if depth == 0 {
        return pick(rng, &["true", "false", "device.attributes['other.example.com'].healthy"]).to_owned();
    }
    let less = depth - 1;
    match number(rng, 0..=29) {
        0 => format!("({} && {})", boolean(rng, less), boolean(rng, less)),
        1 => format!("({} || {})", boolean(rng, less), boolean(rng, less)),
        2 => format!("!{}", boolean(rng, less)),
        3 => format!("({} ? {} : {})", boolean(rng, less), boolean(rng, less), boolean(rng, less)),
        4 => format!("{} {} {}", integer(rng, less), comparison(rng), integer(rng, less)),
        5 => format!("{} {} {}", text(rng, less), comparison(rng), text(rng, less)),
        6 => format!("{} == {}", integers(rng, less), integers(rng, less)),
        7 => format!("{} == {}", texts(rng, less), texts(rng, less)),
        8 => format!("{} in {}", text(rng, less), texts(rng, less)),
        9 => format!("{} in {}", integer(rng, less), integers(rng, less)),
        10 => {
            let function = pick(rng, &["contains", "startsWith", "endsWith"]);
            format!("{}.{function}({})", text(rng, less), text(rng, less))
        }
        11 => format!("{}.matches({})", text(rng, less), pattern(rng)),
        12 => {
            let function = pick(rng, &["all", "exists", "exists_one"]);
            format!("{}.{function}(x, x {} {})", integers(rng, less), comparison(rng), integer(rng, less))
        }
        13 => {
            let function = pick(rng, &["all", "exists", "existsOne"]);
            format!("{}.{function}(i, x, x {} i)", integers(rng, less), comparison(rng))
        }
        14 => {
            let function = pick(rng, &["contains", "equivalent", "intersects"]);
            format!("sets.{function}({}, {})", integers(rng, less), integers(rng, less))
        }
        15 => format!("{}.isSorted()", integers(rng, less)),
        16 => format!("{}.includes({})", texts(rng, less), text(rng, less)),
        17 => format!("has({}.{})", domain(rng), name(rng)),
        18 => format!("{}.?{}.hasValue()", domain(rng), name(rng)),
        19 => {
            let function =
                pick(rng, &["isIP", "isCIDR", "isURL", "isQuantity", "isSemver", "ip.isCanonical"]);
            let texts = pick(rng, &[ADDRESSES, NETWORKS, URLS, VERSIONS, QUANTITIES]);
            format!("{function}('{}')", pick(rng, texts))
        }
        20 => {
            let function = pick(
                rng,
                &[
                    "isUnspecified",
                    "isLoopback",
                    "isLinkLocalMulticast",
                    "isLinkLocalUnicast",
                    "isGlobalUnicast",
                ],
            );
            format!("{}.{function}()", address(rng, less))
        }
        21 => format!("{} == {}", address(rng, less), address(rng, less)),
        22 => format!("{}.containsIP({})", network(rng), address(rng, less)),
        23 => format!("{}.containsIP('{}')", network(rng), pick(rng, ADDRESSES)),
        24 => format!("{}.containsCIDR({})", network(rng), network(rng)),
        25 => format!("{}.containsCIDR('{}')", network(rng), pick(rng, NETWORKS)),
        26 => {
            let function = pick(rng, &["isLessThan", "isGreaterThan"]);
            format!("{}.{function}({})", version(rng), version(rng))
        }
        27 => {
            let function = pick(rng, &["isLessThan", "isGreaterThan"]);
            format!("{}.{function}({})", quantity(rng), quantity(rng))
        }
        28 => format!("cel.bind(y, {}, y {} {})", integer(rng, less), comparison(rng), integer(rng, less)),
        _ => format!("{}.hasValue()", problems(rng)),
    }
}

fn comparison(rng: &mut StdRng) -> &'static str {
    pick(rng, &["==", "!=", "<", "<=", ">", ">="])
}

fn integer(rng: &mut StdRng, depth: u32) -> String {
    if depth == 0 {
        return match number(rng, 0..=2) {
            0 => "device.attributes['gpu.example.com'].index".to_owned(),
            1 => pick(rng, &["9223372036854775807", "0", "100"]).to_owned(),
            _ => number(rng, -3..=5).to_string(),
        };
    }
    let less = depth - 1;
    match number(rng, 0..=13) {
        0 | 1 => integer(rng, 0),
        2 => {
            let operator = pick(rng, &["+", "-", "*", "/", "%"]);
            format!("({} {operator} {})", integer(rng, less), integer(rng, less))
        }
        3 => format!("size({})", texts(rng, less)),
        4 => format!("{}.size()", text(rng, less)),
        5 => {
            let function = pick(rng, &["sum", "min", "max"]);
            format!("{}.{function}()", integers(rng, less))
        }
        6 => {
            let function = pick(rng, &["indexOf", "lastIndexOf"]);
            format!("{}.{function}({})", integers(rng, less), integer(rng, less))
        }
        7 => {
            let function = pick(rng, &["indexOf", "lastIndexOf"]);
            format!("{}.{function}({})", text(rng, less), text(rng, less))
        }
        8 => format!("{}[{}]", integers(rng, less), integer(rng, 0)),
        9 => format!("{}.prefixLength()", network(rng)),
        10 => format!("{}.family()", address(rng, less)),
        11 => {
            let function = pick(rng, &["major", "minor", "patch"]);
            format!("{}.{function}()", version(rng))
        }
        12 => {
            let function = pick(rng, &["first", "last"]);
            format!("{}.{function}().orValue({})", integers(rng, less), integer(rng, less))
        }
        _ => format!("{}.?{}.orValue({})", domain(rng), name(rng), integer(rng, less)),
    }
}

fn text(rng: &mut StdRng, depth: u32) -> String {
    if depth == 0 {
        return match number(rng, 0..=2) {
            0 => "device.attributes['gpu.example.com'].model".to_owned(),
            _ => format!("'{}'", pick(rng, TEXTS)),
        };
    }
    let less = depth - 1;
    match number(rng, 0..=13) {
        0 | 1 => text(rng, 0),
        2 => format!("({} + {})", text(rng, less), text(rng, less)),
        3 => {
            let function = pick(rng, &["lowerAscii", "upperAscii", "trim"]);
            format!("{}.{function}()", text(rng, less))
        }
        4 => format!("{}.replace({}, {})", text(rng, less), text(rng, 0), text(rng, 0)),
        5 => format!("{}.substring({})", text(rng, less), integer(rng, 0)),
        6 => format!("{}.charAt({})", text(rng, less), integer(rng, 0)),
        7 => format!("{}.join({})", texts(rng, less), text(rng, 0)),
        8 => format!("{}.find({})", text(rng, less), pattern(rng)),
        9 => format!("'%d-%s'.format([{}, {}])", integer(rng, less), text(rng, less)),
        10 => {
            let function = pick(rng, &["getScheme", "getHost", "getHostname", "getPort", "getEscapedPath"]);
            format!("url('{}').{function}()", pick(rng, URLS))
        }
        11 => format!("string({})", address(rng, less)),
        12 => format!("string({}.masked())", network(rng)),
        _ => format!("strings.quote({})", text(rng, less)),
    }
}

fn integers(rng: &mut StdRng, depth: u32) -> String {
    if depth == 0 {
        return match number(rng, 0..=2) {
            0 => "device.attributes['gpu.example.com'].sizes".to_owned(),
            _ => pick(rng, &["[1]", "[3, 1, 2]", "[0, 0, 5]", "[1, 2, 3]"]).to_owned(),
        };
    }
    let less = depth - 1;
    match number(rng, 0..=12) {
        0 | 1 => integers(rng, 0),
        2 => format!("({} + {})", integers(rng, less), integers(rng, less)),
        3 => format!("{}.map(x, x + {})", integers(rng, less), integer(rng, less)),
        4 => format!("{}.filter(x, x {} {})", integers(rng, less), comparison(rng), integer(rng, less)),
        5 => format!("{}.transformList(i, x, x - i)", integers(rng, less)),
        6 => format!("{}.transformList(i, x, i > 0, x * {})", integers(rng, less), integer(rng, less)),
        7 => {
            let function = pick(rng, &["distinct", "reverse"]);
            format!("{}.{function}()", integers(rng, less))
        }
        8 => format!("{}.slice({}, {})", integers(rng, less), number(rng, 0..=3), number(rng, 0..=3)),
        9 => format!("lists.range({})", number(rng, -1..=4)),
        10 => format!("[{}, {}].flatten()", integers(rng, less), integers(rng, less)),
        11 => format!("optional.unwrap([optional.of({}), optional.none()])", integer(rng, less)),
        _ => pick(rng, &["[3, 1, 2].sortBy(x, -x)", "[3, 1, 2].sort()"]).to_owned(),
    }
}

fn texts(rng: &mut StdRng, depth: u32) -> String {
    if depth == 0 {
        return match number(rng, 0..=2) {
            0 => "device.attributes['gpu.example.com'].models".to_owned(),
            _ => pick(rng, &["['a']", "['a', 'b', 'a100']", "['', 'é']"]).to_owned(),
        };
    }
    let less = depth - 1;
    match number(rng, 0..=8) {
        0 | 1 => texts(rng, 0),
        2 => format!("[{}, {}]", text(rng, less), text(rng, less)),
        3 => format!("{}.split({})", text(rng, less), text(rng, 0)),
        4 => format!("{}.findAll({})", text(rng, less), pattern(rng)),
        5 => format!("{}.findAll({}, {})", text(rng, less), pattern(rng), number(rng, -1..=2)),
        6 => format!("url('{}').getQuery()['{}']", pick(rng, URLS), pick(rng, &["x", "e", "q"])),
        7 => format!("{}.value()", problems(rng)),
        _ => "{'b': 1}.transformMapEntry(k, v, {string(v): k}).transformList(k, v, k + v)".to_owned(),
    }
}

/// What is wrong with a text of a form.
fn problems(rng: &mut StdRng) -> String {
    let format = pick(rng, FORMATS);
    let text = pick(rng, FORMATTED);
    if chance(rng, 30) {
        let format = if chance(rng, 80) { format } else { "other" };
        return format!("format.named('{format}').value().validate('{text}')");
    }
    format!("format.{format}().validate('{text}')")
}

fn address(rng: &mut StdRng, depth: u32) -> String {
    if depth > 0 && chance(rng, 20) {
        return format!("{}.ip()", network(rng));
    }
    // The first ones are fine.
    let most = if chance(rng, 70) { 11 } else { ADDRESSES.len() };
    format!("ip('{}')", pick(rng, &ADDRESSES[..most]))
}

fn network(rng: &mut StdRng) -> String {
    let most = if chance(rng, 70) { 5 } else { NETWORKS.len() };
    format!("cidr('{}')", pick(rng, &NETWORKS[..most]))
}

fn version(rng: &mut StdRng) -> String {
    match number(rng, 0..=3) {
        0 => "device.attributes['gpu.example.com'].firmware".to_owned(),
        1 => format!("semver('{}', true)", pick(rng, VERSIONS)),
        _ => format!("semver('{}')", pick(rng, VERSIONS)),
    }
}

fn quantity(rng: &mut StdRng) -> String {
    match number(rng, 0..=2) {
        0 => "device.capacity['gpu.example.com'].memory".to_owned(),
        1 => "device.capacity['other.example.com'].cores".to_owned(),
        _ => format!("quantity('{}')", pick(rng, QUANTITIES)),
    }
}

fn pattern(rng: &mut StdRng) -> String {
    format!("'{}'", pick(rng, PATTERNS))
}

fn domain(rng: &mut StdRng) -> &'static str {
    pick(
        rng,
        &[
            "device.attributes['gpu.example.com']",
            "device.attributes['other.example.com']",
            "device.attributes['none.example.com']",
        ],
    )
}

fn name(rng: &mut StdRng) -> &'static str {
    pick(rng, &["model", "index", "healthy", "none"])
}
