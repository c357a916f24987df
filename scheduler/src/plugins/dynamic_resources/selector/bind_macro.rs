//! `cel.bind(name, value, expression)`: a name for a value within an expression.
//!
//! # Source
//! github.com/google/cel-go `ext/bindings.go`

use cel::common::ast::{ComprehensionExpr, Expr, ListExpr, LiteralValue};
use cel::parser::{Expression, Macro, MacroExprHelper, ParseError};
use cel::{DeclarationError, Env};

pub(super) fn add_to(env: &mut Env) -> Result<(), DeclarationError> {
    env.add_macro(Macro::receiver("bind", 3, expand))
}

fn expand(
    helper: &mut MacroExprHelper<'_>,
    target: &mut Option<Expression>,
    arguments: &mut Vec<Expression>,
) -> Result<Option<Expression>, ParseError> {
    let is_cel =
        matches!(target.as_ref().map(|target| &target.expr), Some(Expr::Ident(name)) if name == "cel");
    let [name, ..] = arguments.as_slice() else { return Ok(None) };
    let id = name.id;
    let Expr::Ident(name) = &name.expr else {
        return if is_cel {
            Err(helper.new_error(id, "cel.bind() variable names must be simple identifiers"))
        } else {
            Ok(None)
        };
    };
    if !is_cel {
        return Ok(None);
    }
    let name = name.clone();
    let (Some(result), Some(value)) = (arguments.pop(), arguments.pop()) else { return Ok(None) };
    Ok(Some(bind(helper, name, value, result)))
}

/// An expression that sees a name for a value: a loop over nothing, whose result sees the name as what the loop would have
/// gathered.
pub(super) fn bind(
    helper: &mut MacroExprHelper<'_>,
    name: String,
    value: Expression,
    result: Expression,
) -> Expression {
    let bound = bound(name, value, result, |part| helper.next_expr(part));
    helper.next_expr(bound)
}

/// The same for expressions that `made` makes of their parts.
pub(super) fn bound(
    name: String,
    value: Expression,
    result: Expression,
    mut made: impl FnMut(Expr) -> Expression,
) -> Expr {
    Expr::Comprehension(Box::new(ComprehensionExpr {
        iter_range: made(Expr::List(ListExpr::new(Vec::new()))),
        iter_var: "#unused".to_owned(),
        iter_var2: None,
        accu_var: name.clone(),
        accu_init: value,
        loop_cond: made(Expr::Literal(LiteralValue::Boolean(false.into()))),
        loop_step: made(Expr::Ident(name)),
        result,
    }))
}
