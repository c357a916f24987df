//! Runs the cases of one family through both sides at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use anyhow::anyhow;
use serde_json::Value;

use super::compare::{Kind, compare};
use super::families::Family;
use super::ours;
use super::program::{Outcome, Program, Questions};

/// How many cases may be under way. Questions are flushed well before this, or a case could wait for its own question.
const QUEUE: usize = 1024;
const FLUSH_EVERY: u64 = 64;

/// How many differing cases of a family are kept to be shown, and how many of them may be alike.
const KEPT: usize = 10;
const KEPT_ALIKE: usize = 2;

/// What the cases of one family came to.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// The counts.
    pub(super) tally: Tally,
    /// The first cases of each kind that differ for no named reason.
    pub(super) kept: Vec<Differing>,
}

/// How the cases came out. Each is in one of the counts.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Cases with the same answer.
    pub(super) same: u64,
    /// Cases that neither side can read.
    pub(super) unreadable: u64,
    /// Cases that differ for a named reason, by its id.
    pub(super) named: BTreeMap<&'static str, u64>,
    /// Cases that differ for no named reason.
    pub(super) different: u64,
}

impl Tally {
    /// All cases.
    pub(super) fn cases(&self) -> u64 {
        self.same + self.unreadable + self.named.values().sum::<u64>() + self.different
    }
}

/// A case on which the sides differ.
#[derive(Debug)]
pub(super) struct Differing {
    /// The number of the case.
    pub(super) number: u64,
    /// Its input.
    pub(super) input: Value,
    kind: Kind,
}

/// Runs the cases with these numbers.
pub(super) fn survey(
    family: &Family,
    seed: u64,
    numbers: Range<u64>,
    program: &mut Program,
) -> anyhow::Result<Survey> {
    let (questions, answers) = program.ends();
    let (ask, asked) = sync_channel(QUEUE);
    let (answer, answered) = sync_channel(QUEUE);
    thread::scope(|scope| {
        let questioner = scope.spawn(move || {
            let outcome = ask_all(family, seed, numbers, questions, &ask);
            // What was asked before a failure is waited for.
            let flushed = questions.flush();
            outcome.and(flushed)
        });
        // Takes answers as they come, so that upstream's program never waits for us; only what was asked is waited for.
        scope.spawn(move || {
            for (number, input) in asked {
                let outcome = answers.take(number);
                let failed = outcome.is_err();
                if answer.send((number, input, outcome)).is_err() || failed {
                    break;
                }
            }
        });
        let mut survey = Survey::default();
        for (number, input, theirs) in answered {
            let ours = ours::evaluate(family, &input);
            survey.add(family, number, input, &ours, &theirs?);
        }
        questioner.join().map_err(|_| anyhow!("the thread that asks panicked"))??;
        Ok(survey)
    })
}

fn ask_all(
    family: &Family,
    seed: u64,
    numbers: Range<u64>,
    questions: &mut Questions,
    ask: &SyncSender<(u64, Value)>,
) -> anyhow::Result<()> {
    for number in numbers {
        let input = ours::make_up(family, seed, number)?;
        questions.put(family.name, number, &input)?;
        if number % FLUSH_EVERY == 0 {
            questions.flush()?;
        }
        // Nobody listens any more once the other side has failed, which is reported there.
        if ask.send((number, input)).is_err() {
            break;
        }
    }
    Ok(())
}

impl Survey {
    fn add(&mut self, family: &Family, number: u64, input: Value, ours: &Outcome, theirs: &Outcome) {
        let places = compare(ours, theirs);
        let Some(first) = places.first() else {
            match ours {
                Outcome::Unreadable(_) => self.tally.unreadable += 1,
                _ => self.tally.same += 1,
            }
            return;
        };
        if let Some(id) = family.explain(&input, ours, theirs) {
            *self.tally.named.entry(id).or_default() += 1;
        } else {
            self.tally.different += 1;
            let kind = first.kind();
            let alike = self.kept.iter().filter(|kept| kept.kind == kind).count();
            if self.kept.len() < KEPT && alike < KEPT_ALIKE {
                self.kept.push(Differing { number, input, kind });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn a_case_that_cannot_be_made_up_ends_the_survey() {
        let family = Family {
            name: "never",
            generate: |_| panic!("no such case"),
            evaluate: |_| Ok(Value::Null),
            known_difference: None,
            bench: None,
        };
        // Gives every question back, which does for an answer.
        let mut program = Program::start(Path::new("cat")).unwrap();
        let error = survey(&family, 1, 0..100, &mut program).unwrap_err().to_string();
        assert!(error.contains("making up case 0 of family never, seed 1"), "{error}");
        program.stop().unwrap();
    }
}
