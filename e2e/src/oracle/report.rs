//! What the oracle prints.

use std::io::{self, IsTerminal as _, Write};

use serde_json::Value;

use super::compare::{Difference, Kind, compare};
use super::families::Family;
use super::ours;
use super::program::Program;
use super::shrink::shrink;
use super::survey::{Survey, Tally};

/// How many places of one case are listed.
const PLACES: usize = 12;

/// Tells somebody who watches a terminal which family runs; the next text overwrites it.
pub(super) fn progress(family: &str) {
    let mut terminal = io::stderr();
    if terminal.is_terminal() {
        // Nothing is lost when the terminal is gone.
        let _ = write!(terminal, "\r\x1b[K{family} ...\r");
    }
}

/// Prints each kept difference of a family with a small reproducer.
pub(super) fn differences(
    family: &Family,
    seed: u64,
    survey: &Survey,
    program: &mut Program,
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    for differing in &survey.kept {
        writeln!(output, "DIFFERENCE in family {}, case {}", family.name, differing.number)?;
        writeln!(
            output,
            "again: cargo e2e oracle --family {} --seed {seed} --case {}",
            family.name, differing.number
        )?;
        let small = reproducer(family, &differing.input, program)?;
        writeln!(output, "input: {}", serde_json::to_string_pretty(&small)?)?;
        let (places, ours, theirs) = answer(family, &small, program)?;
        for place in places.iter().take(PLACES) {
            writeln!(output, "  {place}")?;
        }
        if places.len() > PLACES {
            writeln!(output, "  and {} more places", places.len() - PLACES)?;
        }
        writeln!(output, "ours:     {ours}")?;
        writeln!(output, "upstream: {theirs}\n")?;
    }
    let shown = u64::try_from(survey.kept.len())?;
    if survey.tally.different > shown {
        writeln!(output, "... and {} more in family {}\n", survey.tally.different - shown, family.name)?;
    }
    Ok(())
}

/// A smaller input with the first difference that this one has.
fn reproducer(family: &Family, input: &Value, program: &mut Program) -> anyhow::Result<Value> {
    let (places, _, _) = answer(family, input, program)?;
    let Some(wanted) = places.first().map(Difference::kind) else {
        // Asked again it agrees: one of the two sides doesn't always answer the same.
        return Ok(input.clone());
    };
    shrink(input.clone(), |smaller| first_alike(family, smaller, &wanted, program))
}

/// The first input that shows the wanted kind of difference, and for no named reason.
fn first_alike(
    family: &Family,
    inputs: &[Value],
    wanted: &Kind,
    program: &mut Program,
) -> anyhow::Result<Option<usize>> {
    let answers = program.ask(family.name, inputs)?;
    Ok(inputs.iter().zip(answers).position(|(input, theirs)| {
        let ours = ours::evaluate(family, input);
        compare(&ours, &theirs).first().is_some_and(|place| place.kind() == *wanted)
            && family.explain(input, &ours, &theirs).is_none()
    }))
}

fn answer(
    family: &Family,
    input: &Value,
    program: &mut Program,
) -> anyhow::Result<(Vec<Difference>, Value, Value)> {
    let ours = ours::evaluate(family, input);
    let theirs = program.ask(family.name, std::slice::from_ref(input))?.remove(0);
    Ok((compare(&ours, &theirs), ours.to_value(), theirs.to_value()))
}

/// Prints the counts of all families and the closing line.
pub(super) fn totals(
    seed: u64,
    tallies: &[(&'static str, Tally)],
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    let width = tallies.iter().map(|(name, _)| name.len()).max().unwrap_or_default().max("family".len());
    writeln!(
        output,
        "{:width$}  {:>9}  {:>9}  {:>10}  {:>9}  named differences",
        "family", "cases", "same", "unreadable", "different"
    )?;
    for (name, tally) in tallies {
        let named: Vec<_> = tally.named.iter().map(|(id, count)| format!("{id}: {count}")).collect();
        let line = format!(
            "{name:width$}  {:>9}  {:>9}  {:>10}  {:>9}  {}",
            tally.cases(),
            tally.same,
            tally.unreadable,
            tally.different,
            named.join(", ")
        );
        writeln!(output, "{}", line.trim_end())?;
    }
    let sum = |count: fn(&Tally) -> u64| tallies.iter().map(|(_, tally)| count(tally)).sum::<u64>();
    writeln!(
        output,
        "oracle: seed {seed}, {} families, {} cases, {} named differences, {} differences",
        tallies.len(),
        sum(Tally::cases),
        sum(|tally| tally.named.values().sum()),
        sum(|tally| tally.different),
    )?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Tally, totals};

    #[test]
    fn the_totals_end_with_a_plain_line() {
        let tally = Tally { same: 7, unreadable: 1, named: [("D-quota-1", 2)].into(), different: 3 };
        let mut output = Vec::new();
        totals(5, &[("qos", Tally { same: 4, ..Tally::default() }), ("quantity", tally)], &mut output)
            .unwrap();
        assert_eq!(
            String::from_utf8(output).unwrap(),
            "\
family        cases       same  unreadable  different  named differences
qos               4          4           0          0
quantity         13          7           1          3  D-quota-1: 2
oracle: seed 5, 2 families, 17 cases, 2 named differences, 3 differences
"
        );
    }
}
