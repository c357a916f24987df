//! Times our code and upstream's on the same cases, one after the other in one run.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use super::case;
use super::families::{Bench, Family, Pass};

/// How long our side repeats its cases, at the least; upstream's program does the same.
const BENCH_TIME: Duration = Duration::from_secs(2);

/// What a side needs for one operation, and the count that its passes return. Upstream's program prints it.
#[derive(Deserialize)]
struct Timing {
    ns_per_op: f64,
    operations: usize,
    count: usize,
}

/// Times both sides and prints both: a line for each of the family's own cases, or one for random cases.
pub(super) fn bench(
    family: &'static Family,
    seed: u64,
    cases: u64,
    program: &Path,
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    let Some(own_cases) = family.bench.and_then(|bench| bench.cases) else {
        let inputs: Vec<_> = (0..cases).map(|number| case::input(family, seed, number)).collect();
        let of_cases = format!(" ({cases} cases, seed {seed})");
        return compare(family, family.name, &inputs, &of_cases, program, output);
    };
    for (name, input) in own_cases() {
        let name = format!("{} {name}", family.name);
        compare(family, &name, &[input], "", program, output).with_context(|| name.clone())?;
    }
    Ok(())
}

/// Times both sides on these inputs.
fn compare(
    family: &'static Family,
    name: &str,
    inputs: &[Value],
    of_cases: &str,
    program: &Path,
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    let theirs = time_upstream(family, inputs, program)?;
    let ours = time_ours(family, inputs)?;
    ensure!(
        (ours.operations, ours.count) == (theirs.operations, theirs.count),
        "of {} operations {} count here, {} of {} upstream",
        ours.operations,
        ours.count,
        theirs.count,
        theirs.operations,
    );
    let times = theirs.ns_per_op / ours.ns_per_op;
    writeln!(
        output,
        "{name}: ours {}, upstream {}; {times:.1} times upstream's rate{of_cases}",
        duration(ours.ns_per_op),
        duration(theirs.ns_per_op),
    )?;
    Ok(())
}

/// A duration with three digits or so.
fn duration(nanoseconds: f64) -> String {
    match nanoseconds {
        short if short < 1e3 => format!("{short:.1} ns"),
        medium if medium < 1e6 => format!("{:.1} µs", medium / 1e3),
        long => format!("{:.2} ms", long / 1e6),
    }
}

fn time_ours(family: &'static Family, inputs: &[Value]) -> anyhow::Result<Timing> {
    let mut pass = match family.bench {
        Some(Bench { prepare, .. }) => prepare(inputs)?,
        None => whole_evaluation(family, inputs),
    };
    (pass.run)()?;
    let (started, mut runs, mut count) = (Instant::now(), 0_u32, 0);
    while started.elapsed() < BENCH_TIME {
        count = (pass.run)()?;
        runs += 1;
    }
    let nanoseconds = started.elapsed().as_secs_f64() * 1e9;
    let operations = f64::from(runs) * f64::from(u32::try_from(pass.operations)?);
    Ok(Timing { ns_per_op: nanoseconds / operations, operations: pass.operations, count })
}

fn whole_evaluation(family: &'static Family, inputs: &[Value]) -> Pass {
    let inputs = inputs.to_vec();
    Pass {
        operations: inputs.len(),
        run: Box::new(move || {
            for input in &inputs {
                let _ = std::hint::black_box((family.evaluate)(input));
            }
            Ok(0)
        }),
    }
}

fn time_upstream(family: &Family, inputs: &[Value], program: &Path) -> anyhow::Result<Timing> {
    let mut child = Command::new(program)
        .args(["bench", family.name])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("can't start {}", program.display()))?;
    let mut questions = child.stdin.take().ok_or_else(|| anyhow!("the oracle has no standard input"))?;
    // It reads all cases before it prints, so that writing them first can't block for ever.
    for input in inputs {
        writeln!(questions, "{}", json!({"family": family.name, "input": input}))?;
    }
    drop(questions);
    let result = child.wait_with_output()?;
    if !result.status.success() {
        bail!("upstream's bench of {} failed: {}", family.name, result.status);
    }
    Ok(serde_json::from_slice(&result.stdout)?)
}
