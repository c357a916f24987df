use k8s_openapi::api::resource::v1::Device;
use plimsoll_fixtures::cases::cases;
use serde_json::json;

use super::{CompiledSelectors, SelectorError, device_matches};

fn device() -> Device {
    serde_json::from_value(json!({
        "name": "gpu-0",
        "attributes": {
            "model": {"string": "a100"},
            "index": {"int": 3},
            "other.example.com/healthy": {"bool": true},
            "firmware": {"version": "1.2.3-rc.1+build5"},
        },
        "capacity": {"memory": {"value": "40Gi"}, "other.example.com/cores": {"value": "7"}},
    }))
    .unwrap()
}

fn matches(expression: &str) -> Result<bool, SelectorError> {
    CompiledSelectors::default().matches(expression, "gpu.example.com", &device())
}

#[test]
fn expressions_see_a_device_as_upstreams_do() {
    for (expression, expected) in [
        ("true", true),
        ("device.driver == 'gpu.example.com'", true),
        ("device.allowMultipleAllocations", false),
        ("device.attributes['gpu.example.com'].model == 'a100'", true),
        ("device.attributes['gpu.example.com'].index > 2", true),
        ("device.attributes['other.example.com'].healthy", true),
        ("'none.example.com' in device.attributes", false),
        ("'gpu.example.com' in device.attributes", true),
        ("has(device.attributes['none.example.com'].model)", false),
        ("'model' in device.attributes['none.example.com']", false),
        ("device.attributes['none.example.com'].?model.orValue('x') == 'x'", true),
        (
            "cel.bind(gpu, device.attributes['gpu.example.com'], gpu.model.startsWith('a') && gpu.index == 3)",
            true,
        ),
        ("device.attributes['gpu.example.com'].exists(name, name == 'index')", true),
        ("device.attributes['gpu.example.com'].model.matches('^a[0-9]+$')", true),
        ("device.attributes['gpu.example.com'].model.lowerAscii().indexOf('1') == 1", true),
        ("device.attributes['gpu.example.com'].model in ['h100', 'a100']", true),
        ("device.capacity['gpu.example.com'].memory.compareTo(quantity('40Gi')) == 0", true),
        ("device.capacity['gpu.example.com'].memory.isGreaterThan(quantity('40G'))", true),
        ("device.capacity['gpu.example.com'].memory.isLessThan(quantity('40G'))", false),
        ("device.capacity['gpu.example.com'].memory == quantity('40960Mi')", true),
        ("device.capacity['other.example.com'].cores.asInteger() == 7", true),
        (
            "device.capacity['other.example.com'].cores.add(1).sub(quantity('3')).asApproximateFloat() == 5.0",
            true,
        ),
        ("quantity('0.5').isInteger() || !isQuantity('1.5gi') && sign(quantity('-1')) == -1", true),
        ("device.attributes['gpu.example.com'].firmware.isLessThan(semver('1.2.3'))", true),
        ("device.attributes['gpu.example.com'].firmware == semver('1.2.3-rc.1')", true),
        ("device.attributes['gpu.example.com'].firmware.compareTo(semver('v1.02', true)) == 1", true),
        ("device.attributes['gpu.example.com'].firmware.minor() == 2", true),
        ("isSemver('1.2') || !isSemver('v1.2', true)", false),
    ] {
        assert_eq!(matches(expression), Ok(expected), "{expression}");
    }
}

#[test]
fn answers_are_upstreams() {
    let mut others = Vec::new();
    for case in cases("testdata/device_selectors.yaml") {
        let expression = case.given["expression"].as_str().unwrap();
        let driver = case.given["driver"].as_str().unwrap();
        let device: Device = serde_json::from_value(case.given["device"].clone()).unwrap();
        let answer = match device_matches(expression, driver, &device) {
            Ok(matches) => json!({"matches": matches}),
            Err(SelectorError::Runtime(problem)) => json!({"runtime_error": problem}),
            Err(SelectorError::Compile(problem)) => json!({"compile_error": problem}),
        };
        if answer != case.expect {
            others.push(format!("{}: {answer}, not {}", case.name, case.expect));
        }
    }
    assert!(others.is_empty(), "{}", others.join("\n"));
}

#[test]
fn errors_are_upstreams() {
    let missing = "no such key: speed. consider using CEL optional chaining (.? followed by orValue()) or guarding the check with has() for optional fields";
    for (expression, text) in [
        ("device.attributes['gpu.example.com'].speed > 1", missing),
        ("device.attributes['none.example.com']['speed'] > 1", missing),
        ("device.attributes['gpu.example.com'].model > 1", "no such overload"),
        ("1 / (device.attributes['gpu.example.com'].index - 3) == 1", "division by zero"),
        (
            "quantity('x') == quantity('1')",
            "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
        ),
    ] {
        assert_eq!(matches(expression), Err(SelectorError::Runtime(text.to_owned())), "{expression}");
    }
    assert!(matches!(matches("device.attributes["), Err(SelectorError::Compile(_))));
}

#[test]
fn an_attribute_that_cannot_be_read_is_an_error_whatever_is_asked() {
    let device: Device =
        serde_json::from_value(json!({"name": "gpu-0", "attributes": {"model": {}}})).unwrap();
    let found = CompiledSelectors::default().matches("true", "gpu.example.com", &device);
    let text = "attribute model: unsupported attribute value".to_owned();
    assert_eq!(found, Err(SelectorError::Runtime(text)));
}

/// `[0, 1, ..]`
fn numbers(count: usize) -> String {
    format!("[{}]", (0..count).map(|number| number.to_string()).collect::<Vec<_>>().join(","))
}

/// `cel.bind(v1, first, cel.bind(v2, grown, ...))`, where `v` in `grown` stands for the name before.
fn bound(times: usize, first: &str, grown: &str, end: &str) -> String {
    let mut expression = format!("cel.bind(v0, {first}, ");
    for number in 1..=times {
        let before = format!("v{}", number - 1);
        expression.extend(["cel.bind(v", &number.to_string(), ", ", &grown.replace('v', &before), ", "]);
    }
    expression + &end.replace('v', &format!("v{times}")) + &")".repeat(times + 1)
}

#[test]
fn an_evaluation_ends_at_upstreams_limit() {
    let hundred = numbers(100);
    let four = |body: &str| {
        format!("{hundred}.all(a, {hundred}.all(b, {hundred}.all(c, {hundred}.all(d, {body}))))")
    };
    let nested = four("a + b + c + d >= 0");
    for expression in [
        nested.as_str(),
        &four("1 / 0 == 1 || d >= 0"),
        &format!("{nested} || true"),
        &format!("!({nested}) || true"),
        &format!("[1].exists(x, {nested}) || [1].all(x, true)"),
        &format!("{hundred}.map(a, {hundred}.map(b, {hundred}.map(c, c))).size() == 100"),
        &format!(
            "{hundred}.filter(a, {hundred}.filter(b, {hundred}.filter(c, 1 / 0 == 1 || true).size() > 0).size() > 0).size() > 0"
        ),
        &format!(
            "{hundred}.exists_one(a, {hundred}.exists_one(b, {hundred}.exists_one(c, {hundred}.exists_one(d, false))))"
        ),
        "lists.range(1000000).all(x, true)",
        "[lists.range(1000000).map(x, lists.range(1000000))].size() == 1",
        &bound(60, "[1]", "v + v", "v.all(x, x == 1)"),
        &bound(60, "'a'", "v + v", "v.size() > 0"),
        &bound(60, "[1]", "[v, v]", "v.size() == 2"),
        &bound(60, "{'a': 1}", "{'a': v, 'b': v}", "v.size() == 2"),
        &bound(60, "[1, 2]", "v.map(x, v)", "v.size() == 2"),
        &bound(60, "'aa'", "v.replace('a', v)", "v.size() > 0"),
        &bound(60, "'aa'", "v.split('').join(v)", "v.size() > 0"),
        &bound(60, "'aa'", "'%s%s'.format([v, v])", "v.size() > 0"),
        &bound(60, "[[1]]", "(v + v).flatten() + v", "v.size() > 0"),
        &format!(
            "{hundred}.all(a, {hundred}.all(b, 'a'.matches('((a{{100}}){{100}}){{' + string(a * 100 + b + 1) + '}}') || true))"
        ),
        &format!(
            "{hundred}.all(a, {hundred}.all(b, ('{}' + string(a * 100 + b)).matches('(a|a)*(a|a)*b') || true))",
            "a".repeat(4000)
        ),
        "cel.bind(strings, lists.range(10000), lists.range(10000).all(x, strings.contains(x)))",
        "cel.bind(big, lists.range(10000), big.distinct().size() > 0)",
    ] {
        let limit = "operation cancelled: actual cost limit exceeded".to_owned();
        assert_eq!(matches(expression), Err(SelectorError::Runtime(limit)), "{expression:.200}");
    }
}

#[test]
fn below_the_limit_nothing_changes() {
    let hundred = numbers(100);
    let model = "device.attributes['gpu.example.com'].model";
    for expression in [
        &format!("{hundred}.all(a, {hundred}.all(b, a + b >= 0))"),
        &format!("{hundred}.filter(a, a % 2 == 0).map(a, a * 2).size() == 50"),
        &format!("{hundred}.map(a, a > 50, [a]).size() == 49 && {hundred}.exists_one(a, a == 7)"),
        &format!("{} in {hundred}", "device.attributes['gpu.example.com'].index"),
        &format!(
            "{model}.replace('a', 'b').matches('^b[0-9]+$') && [{model}, 'x'].join('-').split('-').size() == 2"
        ),
        &bound(12, "[1]", "v + v", "v.size() == 4096"),
        "lists.range(10000).all(x, x < 10000)",
        "[3, 1, 2].sort() == [1, 2, 3] && [[1], [2]].flatten() == [1, 2] && [1, 1].distinct().size() == 1",
        "optional.of(1).optMap(x, x + 1).value() == 2 && ['b', 'a'].sortBy(x, x) == ['a', 'b']",
        &format!("{}true", "!!".repeat(250)),
    ] {
        assert_eq!(matches(expression), Ok(true), "{expression:.200}");
    }
}

#[test]
fn expressions_are_as_deep_as_the_stack_allows() {
    for (expression, expected) in [
        (format!("0 < 990{}", "-1".repeat(290)), true),
        (["true"; 450].join("&&"), true),
        (format!("{}{}.size() == 1", "[".repeat(90), "]".repeat(90)), true),
        (format!("{}1{} != {{}}", "{1:".repeat(90), "}".repeat(90)), true),
        (format!("{}true{}", "true?(".repeat(40), "):true".repeat(40)), true),
        (format!("[1]{} == [1]", ".map(x,x)".repeat(180)), true),
        (bound(90, "1", "v", "v == 1"), true),
        (format!("{}true{}", "[1].all(a,".repeat(20), ")".repeat(20)), true),
        (format!("{}true{}", "[1].all(a,".repeat(90), ")".repeat(90)), false),
        (format!("0 < 990{}", "-1".repeat(900)), false),
        (format!("{}{}.size() == 1", "[".repeat(900), "]".repeat(900)), false),
    ] {
        let matches = matches(&expression);
        assert_eq!(matches.is_ok(), expected, "{expression:.80}: {matches:.200?}");
        assert!(expected || matches!(matches, Err(SelectorError::Compile(_))), "{expression:.80}");
    }
}

#[test]
fn regular_expressions_are_gos() {
    for (expression, expected) in [
        (r"'a1'.matches('^[a-z]\\d$') && !'a٣'.matches('\\d')", true),
        (r"'é'.matches('^\\W$') && 'a b'.find('\\b.$') == 'b'", true),
        (r"'a1b22'.findAll('[0-9]+') == ['1', '22'] && 'a1b22'.findAll('[0-9]+', 1) == ['1']", true),
        (r"'a1b22'.find('x') == '' && 'abc'.findAll('x') == [] && matches('abc', 'b')", true),
        (r"'ab'.find('\\B.') == 'b'", true),
    ] {
        assert_eq!(matches(expression), Ok(expected), "{expression}");
    }
}
