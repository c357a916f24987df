use k8s_openapi::api::resource::v1::Device;
use serde_json::json;

use super::{CompiledSelectors, SelectorError};

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
