//! `or` and `orValue`: what stands for an optional value is computed only where there is none.
//!
//! # Source
//! github.com/google/cel-go `cel/library.go` (`decorateOptionalOr`)

use cel::common::ast::{CallExpr, Expr, operators};
use cel::parser::{Expression, Macro, MacroExprHelper};
use cel::{DeclarationError, Env};

use super::bind_macro::bind;

/// The variable for the optional value.
const OPTIONAL: &str = "@optional";

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    for (name, is_value) in [("or", false), ("orValue", true)] {
        env.add_macro(Macro::receiver(name, 1, move |helper, target, arguments| {
            if target.is_none() || arguments.is_empty() {
                return Ok(None);
            }
            let both = target.take().zip(arguments.pop());
            Ok(both.map(|(target, other)| expand(helper, target, other, is_value)))
        }))?;
    }
    Ok(())
}

/// `optional.hasValue() ? optional : other`, or `optional.value()`.
fn expand(
    helper: &mut MacroExprHelper<'_>,
    target: Expression,
    other: Expression,
    is_value: bool,
) -> Expression {
    let has_value = of_optional(helper, "hasValue");
    let optional = if is_value {
        of_optional(helper, "value")
    } else {
        helper.next_expr(Expr::Ident(OPTIONAL.to_owned()))
    };
    let choice = helper.next_expr(Expr::Call(CallExpr {
        func_name: operators::CONDITIONAL.to_owned(),
        target: None,
        args: vec![has_value, optional, other],
    }));
    bind(helper, OPTIONAL.to_owned(), target, choice)
}

fn of_optional(helper: &mut MacroExprHelper<'_>, function: &str) -> Expression {
    let optional = helper.next_expr(Expr::Ident(OPTIONAL.to_owned()));
    helper.next_expr(Expr::Call(CallExpr {
        func_name: function.to_owned(),
        target: Some(Box::new(optional)),
        args: Vec::new(),
    }))
}
