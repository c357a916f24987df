//! Parts of expressions, recognized and made.

use cel::common::ast::{CallExpr, ComprehensionExpr, Expr, LiteralValue, operators};
use cel::common::types::CelInt;
use cel::parser::Expression;

use crate::plugins::dynamic_resources::selector::cost::{METER, SPEND};

/// A part that no place in the text stands for.
pub(super) fn made(expr: Expr) -> Expression {
    Expression { id: 0, expr }
}

/// The condition and the element, where each turn appends one to what the loop gathers: `map` and `filter`.
pub(super) fn appended(
    comprehension: &mut ComprehensionExpr,
) -> Option<(Option<&mut Expression>, &mut Expression)> {
    fn element<'e>(step: &'e mut Expression, gathered: &str) -> Option<&'e mut Expression> {
        let Expr::Call(CallExpr { func_name, target: None, args }) = &mut step.expr else { return None };
        let [list, Expression { expr: Expr::List(new), .. }] = args.as_mut_slice() else { return None };
        let [element] = new.elements.as_mut_slice() else { return None };
        (func_name == operators::ADD && is_name(list, gathered)).then_some(element)
    }
    let gathered = comprehension.accu_var.as_str();
    if !is_name(&comprehension.result, gathered) || !matches!(comprehension.loop_cond.expr, Expr::Literal(_))
    {
        return None;
    }
    if let Expr::Call(CallExpr { func_name, target: None, args }) = &comprehension.loop_step.expr
        && func_name == operators::CONDITIONAL
        && args.len() == 3
    {
        let Expr::Call(CallExpr { args, .. }) = &mut comprehension.loop_step.expr else { return None };
        let [guard, step, otherwise] = args.as_mut_slice() else { return None };
        return is_name(otherwise, gathered)
            .then_some(())
            .and_then(|()| Some((Some(guard), element(step, gathered)?)));
    }
    Some((None, element(&mut comprehension.loop_step, gathered)?))
}

fn is_name(expression: &Expression, name: &str) -> bool {
    matches!(&expression.expr, Expr::Ident(found) if found == name)
}

/// `@spend(@meter, n) ? expression : false`: the cost is counted even if the expression then fails.
pub(super) fn spend_before(expression: &mut Expression, cost: u64) {
    let mut spend = number(cost);
    wrap(&mut spend, SPEND, &[]);
    let inner = std::mem::take(expression);
    let no = made(Expr::Literal(LiteralValue::Boolean(false.into())));
    *expression = call(operators::CONDITIONAL, vec![spend, inner, no]);
}

/// `function(@meter, numbers.., expression)`
pub(super) fn wrap(expression: &mut Expression, function: &str, numbers: &[u64]) {
    let meter = made(Expr::Ident(METER.to_owned()));
    let inner = std::mem::take(expression);
    let numbers = numbers.iter().map(|value| number(*value));
    *expression = call(function, [meter].into_iter().chain(numbers).chain([inner]).collect());
}

fn number(value: u64) -> Expression {
    let value = CelInt::from(i64::try_from(value).unwrap_or(i64::MAX));
    made(Expr::Literal(LiteralValue::Int(value)))
}

fn call(function: &str, args: Vec<Expression>) -> Expression {
    made(Expr::Call(CallExpr { func_name: function.to_owned(), target: None, args }))
}
