//! Times our code and upstream's on the same cases, one after the other in one run.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, bail};
use serde::Deserialize;
use serde_json::{Value, json};

use super::case;
use super::families::{Family, Pass};

/// How long our side repeats its cases, at the least; upstream's program does the same.
const BENCH_TIME: Duration = Duration::from_secs(2);

/// What upstream's program prints.
#[derive(Deserialize)]
struct Timing {
    ns_per_op: f64,
}

/// Times both sides and prints both.
pub(super) fn bench(
    family: &'static Family,
    seed: u64,
    cases: u64,
    program: &Path,
    output: &mut dyn Write,
) -> anyhow::Result<()> {
    let inputs: Vec<_> = (0..cases).map(|number| case::input(family, seed, number)).collect();
    let theirs = time_upstream(family, &inputs, program)?;
    let ours = time_ours(family, &inputs)?;
    writeln!(
        output,
        "{}: ours {ours:.1} ns a case, upstream {theirs:.1} ns; {:.2} times upstream's rate ({} cases, seed {seed})",
        family.name,
        theirs / ours,
        inputs.len()
    )?;
    Ok(())
}

fn time_ours(family: &'static Family, inputs: &[Value]) -> anyhow::Result<f64> {
    let mut pass: Pass = if let Some(prepare) = family.bench {
        prepare(inputs)?
    } else {
        let inputs = inputs.to_vec();
        Box::new(move || {
            for input in &inputs {
                let _ = std::hint::black_box((family.evaluate)(input));
            }
        })
    };
    pass();
    let (started, mut runs) = (Instant::now(), 0_u32);
    while started.elapsed() < BENCH_TIME {
        pass();
        runs += 1;
    }
    let nanoseconds = started.elapsed().as_secs_f64() * 1e9;
    Ok(nanoseconds / f64::from(runs) / f64::from(u32::try_from(inputs.len())?))
}

fn time_upstream(family: &Family, inputs: &[Value], program: &Path) -> anyhow::Result<f64> {
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
    let timing: Timing = serde_json::from_slice(&result.stdout)?;
    Ok(timing.ns_per_op)
}
