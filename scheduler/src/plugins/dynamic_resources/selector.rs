//! Selectors of devices: expressions of the Common Expression Language over one device.
//!
//! # Source
//! k8s.io/dynamic-resource-allocation `cel/compile.go`, `cel/cache.go`, `cel/errors.go`

mod address_value;
mod bind_macro;
mod cost;
mod depth;
mod device_value;
mod entries_macros;
mod error_text;
mod format_value;
mod list_functions;
mod metered;
mod opaque_value;
mod optional_macros;
mod quantity_value;
mod regular_expressions;
mod set_functions;
mod url_value;
mod version_value;
mod weight;

use std::sync::{Arc, LazyLock};

use cel::common::types::CelBool;
use cel::{Context, DeclarationError, Env, ParseErrors, Value, extensions};
use k8s_openapi::api::resource::v1::Device;
use parking_lot::Mutex;
use rustc_hash::FxHashMap;

use self::cost::{LIMIT_EXCEEDED, METER, Meter};
use self::depth::depth;
use self::device_value::device_value;
use self::error_text::text;
use self::metered::{Metered, metered};

/// How many expressions are kept compiled; then all are forgotten.
const MAX_COMPILED: usize = 128;

/// How long an expression may be.
///
/// # Source
/// k8s.io/api `resource/v1/types.go` (`CELSelectorExpressionMaxLength`)
const MAX_LENGTH: usize = 10 * 1024;
/// How many operators, dots and brackets an expression may have, as each may make it one level deeper for functions that call
/// themselves.
const MAX_OPERATORS: usize = 1000;
/// How many levels an expression may have, with what counts its cost: evaluation calls itself for each.
const MAX_DEPTH: usize = 600;

/// How many characters of the parser's errors are told.
const MAX_ERROR_LENGTH: usize = 1000;

/// The functions and macros that an expression may use.
static ENV: LazyLock<Arc<Env>> = LazyLock::new(|| Arc::new(env()));

fn env() -> Env {
    // Each names its own functions, so there is no conflict; a test makes the environment and calls them.
    extended_env().unwrap_or_else(|_| Env::stdlib())
}

fn extended_env() -> Result<Env, DeclarationError> {
    let mut env = Env::stdlib();
    env.set_error_on_duplicate_map_keys(false);
    env.add_extension(extensions::strings)?;
    env.add_extension(extensions::lists)?;
    env.add_extension(bind_macro::add_to)?;
    env.add_extension(entries_macros::add_to)?;
    env.add_extension(optional_macros::add_to)?;
    env.add_extension(cost::add_to)?;
    env.add_extension(list_functions::add_to)?;
    env.add_extension(set_functions::add_to)?;
    env.add_extension(address_value::add_to)?;
    env.add_extension(url_value::add_to)?;
    env.add_extension(format_value::add_to)?;
    env.add_extension(regular_expressions::add_to)?;
    env.add_extension(quantity_value::add_to)?;
    env.add_extension(version_value::add_to)?;
    Ok(env)
}

/// An expression that was read, or what is wrong with it.
type Compiled = Result<Arc<Metered>, String>;

/// Expressions that were read before.
#[derive(Debug, Default)]
pub(super) struct CompiledSelectors {
    by_expression: Mutex<FxHashMap<String, Compiled>>,
}

/// Whether a selector chooses a device of that driver.
///
/// # Errors
/// It can't be said.
///
/// # Source
/// k8s.io/dynamic-resource-allocation `cel/compile.go`
pub fn device_matches(expression: &str, driver: &str, device: &Device) -> Result<bool, SelectorError> {
    CompiledSelectors::default().matches(expression, driver, device)
}

/// Why it can't be said whether a selector chooses a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SelectorError {
    /// It isn't an expression.
    Compile(String),
    /// It makes no sense for the device.
    Runtime(String),
}

impl CompiledSelectors {
    /// Whether an expression chooses a device of that driver.
    ///
    /// # Source
    /// k8s.io/dynamic-resource-allocation `cel/compile.go` (`DeviceMatches`)
    pub(super) fn matches(
        &self,
        expression: &str,
        driver: &str,
        device: &Device,
    ) -> Result<bool, SelectorError> {
        let expression = self.compile(expression).map_err(SelectorError::Compile)?;
        evaluate(&expression, driver, device).map_err(SelectorError::Runtime)
    }

    fn compile(&self, expression: &str) -> Compiled {
        let mut known = self.by_expression.lock();
        if let Some(compiled) = known.get(expression) {
            return compiled.clone();
        }
        if known.len() >= MAX_COMPILED {
            known.clear();
        }
        let compiled = check_size(expression).and_then(|()| {
            // DIFFERENCE: D-scheduler-31.
            let program = ENV.compile(expression).map_err(|errors| compilation_failed(&errors))?;
            let metered = metered(program.expression().clone());
            if depth(&metered.expression) > MAX_DEPTH {
                return Err(format!("compilation failed: an expression may have {MAX_DEPTH} levels"));
            }
            Ok(Arc::new(metered))
        });
        known.insert(expression.to_owned(), compiled.clone());
        compiled
    }
}

fn compilation_failed(errors: &ParseErrors) -> String {
    // Each error cites the line it is about; the first few say enough.
    let text: String = errors.to_string().chars().take(MAX_ERROR_LENGTH).collect();
    format!("compilation failed: {text}")
}

fn check_size(expression: &str) -> Result<(), String> {
    let is_operator = |byte: &u8| b".[(+-*/%?<>=!&|,{".contains(byte);
    let operators = expression.bytes().filter(is_operator).count();
    if expression.len() > MAX_LENGTH || operators > MAX_OPERATORS {
        return Err(format!(
            "compilation failed: an expression may have {MAX_LENGTH} bytes and {MAX_OPERATORS} operators, not {} and {operators}",
            expression.len()
        ));
    }
    Ok(())
}

fn evaluate(metered: &Metered, driver: &str, device: &Device) -> Result<bool, String> {
    let meter = Meter::new(metered.slots);
    let mut context = Context::with_env(Arc::clone(&ENV));
    context.add_variable_as_val("device", device_value(driver, device)?);
    context.add_variable_as_val(METER, Box::new(meter.clone()));
    let result = meter.spend(metered.cost).and_then(|()| Value::resolve_val(&metered.expression, &context));
    if meter.is_exceeded() {
        // Other errors may be none for `||` and `&&`, this one stops all.
        return Err(LIMIT_EXCEEDED.to_owned());
    }
    let result = result.map_err(|error| text(&error))?;
    let chosen = result.downcast_ref::<CelBool>().map(|chosen| *chosen.inner());
    chosen.ok_or_else(|| {
        let found = result.get_type().name();
        format!(
            "CEL result of type {found} could not be converted to bool: unsupported native conversion from {found} to 'bool'"
        )
    })
}

#[cfg(test)]
mod tests;
