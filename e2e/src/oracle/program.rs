//! The Go program that answers cases with upstream's code.

use std::io::{BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::thread;

use anyhow::{Context as _, anyhow, bail};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What one side makes of a case.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    /// The answer.
    Output(Value),
    /// The case can't be read, and why.
    Unreadable(String),
    /// The code panicked, with what message.
    Panic(String),
}

impl Outcome {
    /// The outcome as one JSON value.
    pub(super) fn to_value(&self) -> Value {
        match self {
            Self::Output(output) => output.clone(),
            Self::Unreadable(reason) => json!({"error": reason}),
            Self::Panic(reason) => json!({"panic": reason}),
        }
    }
}

/// The running program, which answers in the order of the questions.
#[derive(Debug)]
pub(super) struct Program {
    child: Child,
    questions: Questions,
    answers: Answers,
}

/// The half of the program that takes questions.
#[derive(Debug)]
pub(super) struct Questions(BufWriter<ChildStdin>);

/// The half of the program that gives answers.
#[derive(Debug)]
pub(super) struct Answers(BufReader<ChildStdout>);

#[derive(Serialize)]
struct Question<'a> {
    family: &'a str,
    id: u64,
    input: &'a Value,
}

#[derive(Deserialize)]
struct Answer {
    id: u64,
    #[serde(default)]
    output: Value,
    error: Option<String>,
    panic: Option<String>,
    stack: Option<String>,
}

impl Program {
    /// Starts the program at that path.
    pub(super) fn start(path: &Path) -> anyhow::Result<Self> {
        let mut child = Command::new(path)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("can't start {}", path.display()))?;
        let questions = child.stdin.take().ok_or_else(|| anyhow!("the oracle has no standard input"))?;
        let answers = child.stdout.take().ok_or_else(|| anyhow!("the oracle has no standard output"))?;
        Ok(Self {
            child,
            questions: Questions(BufWriter::new(questions)),
            answers: Answers(BufReader::new(answers)),
        })
    }

    /// Both ends, to be used from two threads.
    pub(super) fn ends(&mut self) -> (&mut Questions, &mut Answers) {
        (&mut self.questions, &mut self.answers)
    }

    /// Answers a handful of cases.
    pub(super) fn ask(&mut self, family: &str, inputs: &[Value]) -> anyhow::Result<Vec<Outcome>> {
        let (questions, answers) = self.ends();
        thread::scope(|scope| {
            let writer = scope.spawn(move || -> anyhow::Result<()> {
                for (id, input) in (0..).zip(inputs) {
                    questions.put(family, id, input)?;
                }
                questions.flush()
            });
            let outcomes = (0..).zip(inputs).map(|(id, _)| answers.take(id)).collect();
            writer.join().map_err(|_| anyhow!("the thread that asks panicked"))??;
            outcomes
        })
    }

    /// Ends the program and checks that it ended well.
    pub(super) fn stop(self) -> anyhow::Result<()> {
        let Self { mut child, questions, answers } = self;
        drop(questions);
        drop(answers);
        let status = child.wait().context("can't wait for the oracle")?;
        if !status.success() {
            bail!("the oracle ended with {status}");
        }
        Ok(())
    }
}

impl Questions {
    /// Asks one case; it may wait in a buffer until [`Questions::flush`].
    pub(super) fn put(&mut self, family: &str, id: u64, input: &Value) -> anyhow::Result<()> {
        serde_json::to_writer(&mut self.0, &Question { family, id, input }).context(STOPPED)?;
        self.0.write_all(b"\n").context(STOPPED)
    }

    /// Sends what waits in the buffer.
    pub(super) fn flush(&mut self) -> anyhow::Result<()> {
        self.0.flush().context(STOPPED)
    }
}

impl Answers {
    /// The next answer, which must be that of case `id`.
    pub(super) fn take(&mut self, id: u64) -> anyhow::Result<Outcome> {
        let mut line = String::new();
        let length = self.0.read_line(&mut line).context(STOPPED)?;
        if length == 0 {
            bail!("{STOPPED}, at case {id} or soon after");
        }
        let answer: Answer = serde_json::from_str(&line).with_context(|| format!("no answer: {line}"))?;
        if answer.id != id {
            bail!("the oracle answered case {} when case {id} was due: {line}", answer.id);
        }
        Ok(match answer {
            Answer { panic: Some(reason), stack, .. } => {
                Outcome::Panic(format!("{reason}{}", stack.map(culprit).unwrap_or_default()))
            }
            Answer { error: Some(reason), .. } => Outcome::Unreadable(reason),
            Answer { output, .. } => Outcome::Output(output),
        })
    }
}

const STOPPED: &str = "the oracle stopped answering";

/// The first upstream function on a Go stack, as " in FUNCTION".
fn culprit(stack: String) -> String {
    stack
        .lines()
        .filter(|line| !line.starts_with('\t'))
        .find(|line| line.starts_with("k8s.io/") || line.starts_with("sigs.k8s.io/"))
        .and_then(|line| line.rsplit_once('('))
        .map(|(function, _arguments)| format!(" in {function}"))
        .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::culprit;

    #[test]
    fn the_culprit_is_the_first_upstream_function() {
        let stack = "goroutine 7 [running]:\nruntime/debug.Stack()\n\truntime/debug/stack.go:26 +0x5e\n\
                     main.evaluate.func1()\n\tfamily.go:70\npanic({0x1, 0x2})\n\
                     k8s.io/api/core/v1.(*Pod).Get(...)\n\ttypes.go:1\nmain.evaluate(...)\n";
        assert_eq!(culprit(stack.to_owned()), " in k8s.io/api/core/v1.(*Pod).Get");
    }
}
