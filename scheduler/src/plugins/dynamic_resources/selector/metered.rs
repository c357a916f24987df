//! Writes calls into an expression that count what its evaluation costs.
//!
//! What doesn't depend on values is summed up: once for the expression, and once for each turn of a loop, as if both sides of
//! `&&` and `||` were evaluated. Arguments whose size matters to a call are weighed, as are values that the library copies.

mod functions;
mod nodes;

use cel::common::ast::{CallExpr, ComprehensionExpr, EntryExpr, Expr, LiteralValue, operators};
use cel::parser::Expression;

use self::functions::{Costs, costs, is_qualified};
use self::nodes::{appended, made, spend_before, wrap};
use super::bind_macro::bound;
use super::cost::{METER, MULTIPLY, NOTE, RANGE, WEIGH};
use super::regular_expressions::{is_matching, metered_name};
use super::weight::of_text;

/// What lists and maps that are written down cost beside what is in them.
///
/// # Source
/// github.com/google/cel-go `common/cost.go` (`ListCreateBaseCost`, `MapCreateBaseCost`)
const LIST_COST: u64 = 10;
const MAP_COST: u64 = 30;

/// The variable for what a function is called on.
const RECEIVER: &str = "@receiver";

/// An expression that counts what it costs.
#[derive(Debug)]
pub(super) struct Metered {
    pub(super) expression: Expression,
    /// What it costs whatever the values.
    pub(super) cost: u64,
    /// In how many slots it notes weights.
    pub(super) slots: usize,
}

pub(super) fn metered(mut expression: Expression) -> Metered {
    let mut writer = Writer::default();
    let cost = writer.visit(&mut expression);
    Metered { expression, cost, slots: writer.slots }
}

#[derive(Default)]
struct Writer {
    slots: usize,
}

impl Writer {
    /// Writes into an expression, and says what it costs beside.
    fn visit(&mut self, expression: &mut Expression) -> u64 {
        match &mut expression.expr {
            Expr::Unspecified => 0,
            Expr::Literal(literal) => literal_weight(literal),
            Expr::Ident(_) => 1,
            Expr::Select(select) => self.visit(&mut select.operand) + u64::from(!select.test),
            Expr::List(list) => {
                LIST_COST + list.elements.iter_mut().map(|element| self.copied(element)).sum::<u64>()
            }
            Expr::Map(map) => {
                MAP_COST + map.entries.iter_mut().map(|entry| self.entry(&mut entry.expr)).sum::<u64>()
            }
            Expr::Struct(fields) => {
                MAP_COST + fields.entries.iter_mut().map(|entry| self.entry(&mut entry.expr)).sum::<u64>()
            }
            Expr::Comprehension(comprehension) => self.comprehension(comprehension),
            Expr::Call(call) => {
                if let Some((receiver, call)) = receiver_first(call) {
                    expression.expr = bound(RECEIVER.to_owned(), receiver, call, made);
                    return self.visit(expression);
                }
                self.call(call)
            }
        }
    }

    fn entry(&mut self, entry: &mut EntryExpr) -> u64 {
        match entry {
            EntryExpr::StructField(field) => self.copied(&mut field.value),
            EntryExpr::MapEntry(entry) => self.copied(&mut entry.key) + self.copied(&mut entry.value),
        }
    }

    /// An expression whose value is copied.
    fn copied(&mut self, expression: &mut Expression) -> u64 {
        let cost = 1 + self.visit(expression);
        if !matches!(expression.expr, Expr::Literal(_)) {
            wrap(expression, WEIGH, &[1]);
        }
        cost
    }

    fn comprehension(&mut self, comprehension: &mut ComprehensionExpr) -> u64 {
        // Each turn has a copy of its element.
        let mut cost = match &comprehension.iter_range.expr {
            Expr::List(list) if list.elements.is_empty() => 0,
            _ => self.copied(&mut comprehension.iter_range),
        };
        cost += match &comprehension.accu_init.expr {
            Expr::List(list) if list.elements.is_empty() => 0,
            _ => self.copied(&mut comprehension.accu_init),
        };
        if let Some((guard, element)) = appended(comprehension) {
            // The library appends in place as long as the loop looks like this.
            let guard_cost = guard.map(|guard| (self.visit(guard), guard));
            let turn = self.copied(element) + LIST_COST + 3;
            match guard_cost {
                Some((guard_cost, guard)) => spend_before(guard, turn + guard_cost),
                None => spend_before(element, turn),
            }
            return cost + 1;
        }
        let turn = 1 + self.visit(&mut comprehension.loop_cond) + self.visit(&mut comprehension.loop_step);
        spend_before(&mut comprehension.loop_cond, turn);
        cost + self.copied(&mut comprehension.result)
    }

    fn call(&mut self, call: &mut CallExpr) -> u64 {
        let short = [operators::LOGICAL_AND, operators::LOGICAL_OR, operators::NOT_STRICTLY_FALSE];
        if short.contains(&call.func_name.as_str()) {
            return call.args.iter_mut().map(|argument| self.visit(argument)).sum();
        }
        if let (operators::CONDITIONAL, [condition, first, second]) =
            (call.func_name.as_str(), call.args.as_mut_slice())
        {
            return self.visit(condition) + self.visit(first).max(self.visit(second));
        }
        if call.target.is_none() {
            // A dot in front only says that the name is to be looked for nowhere else.
            call.func_name = call.func_name.trim_start_matches('.').to_owned();
        }
        let is_qualified = is_qualified(call);
        let mut cost = 1 + call.args.iter_mut().map(|argument| self.visit(argument)).sum::<u64>();
        if let Some(target) = call.target.as_mut().filter(|_| !is_qualified) {
            cost += self.visit(target);
        }
        if is_matching(call) {
            call.args.splice(0..0, call.target.take().map(|target| *target));
            call.args.insert(0, made(Expr::Ident(METER.to_owned())));
            call.func_name = metered_name(&call.func_name);
            return cost;
        }
        let mut arguments: Vec<&mut Expression> = call.args.iter_mut().collect();
        arguments.extend(call.target.as_deref_mut().filter(|_| !is_qualified));
        self.weigh(&call.func_name, arguments);
        cost
    }

    /// Weighs the arguments of a call, in the order in which they are evaluated.
    fn weigh(&mut self, function: &str, mut arguments: Vec<&mut Expression>) {
        match (function, arguments.as_mut_slice()) {
            // As much is compared as the smaller one has.
            (operators::EQUALS | operators::NOT_EQUALS, [one, other]) => {
                if !is_plain(one) && !is_plain(other) {
                    wrap(one, WEIGH, &[1]);
                }
                return;
            }
            (operators::INDEX, [_, index]) if is_plain(index) => return,
            (operators::IN, [_, list]) if matches!(list.expr, Expr::List(_)) => return,
            _ => {}
        }
        match costs(function) {
            Costs::Sum(times) => {
                for argument in arguments.into_iter().filter(|argument| times > 1 || !is_plain(argument)) {
                    wrap(argument, WEIGH, &[times]);
                }
            }
            Costs::Number => {
                for argument in arguments {
                    wrap(argument, RANGE, &[]);
                }
            }
            Costs::Square => {
                for argument in arguments {
                    self.multiply(1, vec![], argument, true);
                }
            }
            Costs::Product(times) => {
                if let Some(last) = arguments.pop() {
                    self.multiply(times, arguments, last, false);
                }
            }
        }
    }

    fn multiply(&mut self, times: u64, before: Vec<&mut Expression>, last: &mut Expression, square: bool) {
        let first = self.slots;
        for argument in before {
            wrap(argument, NOTE, &[self.slots as u64]);
            self.slots += 1;
        }
        if square {
            wrap(last, NOTE, &[self.slots as u64]);
            self.slots += 1;
        }
        wrap(last, MULTIPLY, &[times, first as u64, self.slots as u64]);
    }
}

/// The receiver of a call, and the call with a name for it, where the arguments may fail: the library computes them first, but
/// upstream tells of the receiver's failure.
fn receiver_first(call: &mut CallExpr) -> Option<(Expression, Expression)> {
    let target = call.target.as_deref_mut()?;
    let name = Expr::Ident(RECEIVER.to_owned());
    if call.args.iter().all(is_plain) || matches!(target.expr, Expr::Literal(_)) || target.expr == name {
        return None;
    }
    if is_qualified(call) || is_matching(call) {
        return None;
    }
    let receiver = std::mem::replace(call.target.as_deref_mut()?, made(name));
    Some((receiver, made(Expr::Call(std::mem::take(call)))))
}

/// A value that is small and can't be copied into an error at length.
fn is_plain(expression: &Expression) -> bool {
    matches!(&expression.expr, Expr::Literal(_))
}

fn literal_weight(literal: &LiteralValue) -> u64 {
    match literal {
        LiteralValue::String(text) => of_text(text.inner().len()),
        LiteralValue::Bytes(bytes) => of_text(bytes.inner().len()),
        _ => 0,
    }
}
