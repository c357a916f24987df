//! How deep an expression is.

use cel::common::ast::{EntryExpr, Expr};
use cel::parser::Expression;

/// How many levels a loop counts for what it does in each turn: its evaluation takes so much more of the stack.
const LEVELS_OF_LOOP: usize = 25;

/// How many levels an expression has. It doesn't call itself, as the expression may be too deep for that.
pub(super) fn depth(expression: &Expression) -> usize {
    let mut deepest = 0;
    let mut open = vec![(expression, 1)];
    while let Some((expression, level)) = open.pop() {
        deepest = deepest.max(level);
        open.extend(parts(expression).into_iter().map(|part| (part, level + 1)));
        if let Expr::Comprehension(all) = &expression.expr {
            open.extend([(&all.loop_cond, level + LEVELS_OF_LOOP), (&all.loop_step, level + LEVELS_OF_LOOP)]);
        }
    }
    deepest
}

fn parts(expression: &Expression) -> Vec<&Expression> {
    match &expression.expr {
        Expr::Unspecified | Expr::Literal(_) | Expr::Ident(_) => Vec::new(),
        Expr::Select(select) => vec![&select.operand],
        Expr::Call(call) => call.target.as_deref().into_iter().chain(&call.args).collect(),
        Expr::List(list) => list.elements.iter().collect(),
        Expr::Map(map) => map.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Struct(fields) => fields.entries.iter().flat_map(|entry| entry_parts(&entry.expr)).collect(),
        Expr::Comprehension(all) => vec![&all.iter_range, &all.accu_init, &all.result],
    }
}

fn entry_parts(entry: &EntryExpr) -> Vec<&Expression> {
    match entry {
        EntryExpr::StructField(field) => vec![&field.value],
        EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
    }
}
