//! The oracle: random cases, answered by our code and by upstream's, must have the same answers.
//!
//! A [family](families::Family) is one kind of case. Case N of a family depends on the seed and N alone, so that any case
//! can be made again by itself. What differs is shrunk to a small reproducer; a difference that we chose to have carries
//! the id that `docs/design.md` explains.

mod bench;
mod case;
mod compare;
pub mod families;
pub mod generate;
mod ours;
mod program;
mod report;
mod shrink;
mod survey;

use std::io::{Read, Write};
use std::ops::Range;

use anyhow::Context as _;
use clap::Args;
use serde_json::{Value, json};

use crate::counts::Counts;
use crate::upstream;
use families::Family;
use program::Program;

/// Options of `oracle`.
#[derive(Debug, Args)]
pub struct Options {
    /// How many cases to make up for each family.
    #[arg(long, default_value_t = 2000)]
    cases: u64,
    /// Where the random numbers start; the same seed makes the same cases.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this family; can be given again.
    #[arg(long = "family", value_name = "NAME")]
    families: Vec<String>,
    /// Only the case with this number.
    #[arg(long, value_name = "NUMBER")]
    case: Option<u64>,
}

/// Options of `oracle-eval`.
#[derive(Debug, Args)]
pub struct EvaluateOptions {
    /// The family that the cases belong to.
    #[arg(long, value_name = "NAME")]
    family: String,
}

/// Options of `oracle-bench`.
#[derive(Debug, Args)]
pub struct BenchOptions {
    /// The family to time.
    #[arg(long, value_name = "NAME")]
    family: String,
    /// How many cases to make up, for a family that has no cases of its own to time.
    #[arg(long, default_value_t = 1000)]
    cases: u64,
    /// Where their random numbers start.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Compares the families on random cases and reports; true where no unnamed difference was found.
///
/// # Errors
/// When upstream's program can't be built or stops answering.
pub fn run(options: &Options, output: &mut dyn Write) -> anyhow::Result<bool> {
    let numbers = match options.case {
        Some(number) => number..number.saturating_add(1),
        None => 0..options.cases,
    };
    let counts = survey_all(&choose(&options.families)?, options.seed, &numbers, output)?;
    Ok(counts.failed == 0)
}

/// Compares every family on random cases and reports; counts the cases that agree, named differences among them, and
/// those that differ.
///
/// # Errors
/// When upstream's program can't be built or stops answering.
pub fn run_all(cases: u64, seed: u64, output: &mut dyn Write) -> anyhow::Result<Counts> {
    survey_all(&choose(&[])?, seed, &(0..cases), output)
}

fn survey_all(
    families: &[&'static Family],
    seed: u64,
    numbers: &Range<u64>,
    output: &mut dyn Write,
) -> anyhow::Result<Counts> {
    let mut program = Program::start(&upstream::build_oracle()?)?;
    ours::catch_panics_quietly();
    let mut tallies = Vec::new();
    let mut counts = Counts::default();
    for family in families {
        report::progress(family.name);
        let found = survey::survey(family, seed, numbers.clone(), &mut program)?;
        report::differences(family, seed, &found, &mut program, output)?;
        counts.failed += found.tally.different;
        counts.passed += found.tally.cases() - found.tally.different;
        tallies.push((family.name, found.tally));
    }
    program.stop()?;
    report::totals(seed, &tallies, output)?;
    Ok(counts)
}

/// Answers hand-made cases with both sides; true where all answers agree.
///
/// # Errors
/// When the input is not JSON, or upstream's program can't be built or stops answering.
pub fn evaluate(
    options: &EvaluateOptions,
    input: &mut dyn Read,
    output: &mut dyn Write,
) -> anyhow::Result<bool> {
    let family = families::find(&options.family)?;
    let inputs = serde_json::Deserializer::from_reader(input)
        .into_iter::<Value>()
        .collect::<Result<Vec<_>, _>>()
        .context("can't read the cases from standard input")?;
    let mut program = Program::start(&upstream::build_oracle()?)?;
    let answers = program.ask(family.name, &inputs)?;
    program.stop()?;
    ours::catch_panics_quietly();
    let mut same = true;
    for (input, theirs) in inputs.iter().zip(answers) {
        let ours = ours::evaluate(family, input);
        same &= compare::compare(&ours, &theirs).is_empty();
        let both = json!({"upstream": theirs.to_value(), "ours": ours.to_value()});
        writeln!(output, "{}", serde_json::to_string_pretty(&both)?)?;
    }
    Ok(same)
}

/// Times both sides on the same cases.
///
/// # Errors
/// When the family has nothing to time, or upstream's program can't be built or fails.
pub fn bench(options: &BenchOptions, output: &mut dyn Write) -> anyhow::Result<bool> {
    let family = families::find(&options.family)?;
    bench::bench(family, options.seed, options.cases, &upstream::build_oracle()?, output)?;
    Ok(true)
}

fn choose(names: &[String]) -> anyhow::Result<Vec<&'static Family>> {
    if names.is_empty() {
        return Ok(families::FAMILIES.iter().collect());
    }
    names.iter().map(|name| families::find(name)).collect()
}
