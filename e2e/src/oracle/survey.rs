//! Runs the cases of one family through both sides at once.

use std::collections::BTreeMap;
use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::mpsc::sync_channel;
use std::thread;

use anyhow::{anyhow, bail};
use serde_json::Value;

use super::compare::{Kind, compare};
use super::families::Family;
use super::program::{Outcome, Program};
use super::{case, ours};

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
    let (give, asked) = sync_channel(QUEUE);
    let (answer, answered) = sync_channel(QUEUE);
    thread::scope(|scope| {
        let numbers_to_ask = numbers.clone();
        let questioner = scope.spawn(move || -> anyhow::Result<()> {
            for number in numbers_to_ask {
                let Ok(input) = catch_unwind(|| case::input(family, seed, number)) else {
                    // The answers to what was asked so far are waited for.
                    questions.flush()?;
                    bail!("making up case {number} of family {} panicked", family.name);
                };
                questions.put(family.name, number, &input)?;
                if number % FLUSH_EVERY == 0 {
                    questions.flush()?;
                }
                // Nobody listens any more once the other side has failed, which is reported there.
                if give.send((number, input)).is_err() {
                    break;
                }
            }
            questions.flush()
        });
        scope.spawn(move || {
            for number in numbers {
                let outcome = answers.take(number);
                let failed = outcome.is_err();
                if answer.send(outcome).is_err() || failed {
                    break;
                }
            }
        });
        let mut survey = Survey::default();
        for (number, input) in asked {
            let ours = ours::evaluate(family, &input);
            let theirs = answered.recv().map_err(|_| anyhow!("the oracle's answers ended early"))??;
            survey.add(family, number, input, &ours, &theirs);
        }
        drop(answered);
        questioner.join().map_err(|_| anyhow!("the thread that asks panicked"))??;
        Ok(survey)
    })
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
