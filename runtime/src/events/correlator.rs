//! Which events are written, and which are told as repetitions of others.
//!
//! # Source
//! client-go `tools/record/events_cache.go`

use std::collections::{BTreeSet, HashMap};

use k8s_openapi::jiff::{SignedDuration, Timestamp};

use super::Happening;

/// From so many different messages of the same reason on they are told in one event.
const SIMILAR: usize = 10;
/// For how long events are similar to earlier ones.
const SIMILAR_WITHIN: SignedDuration = SignedDuration::from_mins(10);
/// How the message of an event begins that stands for several.
const COMBINED: &str = "(combined from similar events): ";
/// How many events of an object are written at once; after them one each [`REFILL`].
const BURST: f64 = 25.0;
/// # Source
/// client-go `tools/record/events_cache.go` (`defaultSpamQPS`)
const REFILL: SignedDuration = SignedDuration::from_mins(5);
/// For how long an event is known to be there: by default the API server keeps events for an hour.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// How many keys are remembered before old ones are looked for.
const REMEMBERED: usize = 4096;

/// An event as it is to stand in the store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Occurrence {
    /// Its name.
    pub(super) name: String,
    /// When it happened first.
    pub(super) first: Timestamp,
    /// How often it has happened by now; the first time it has to be created.
    pub(super) count: i32,
    /// What it says.
    pub(super) message: String,
}

/// The uid of the object, the reason, and the message unless several are told in one.
type Key = (String, String, Option<String>);

/// What has happened lately.
#[derive(Clone, Debug, Default)]
pub(super) struct Correlator {
    similar: HashMap<(String, String), Similar>,
    written: HashMap<Key, Written>,
    budgets: HashMap<String, Budget>,
}

#[derive(Clone, Debug)]
struct Similar {
    messages: BTreeSet<String>,
    last: Timestamp,
}

#[derive(Clone, Debug)]
struct Written {
    name: String,
    first: Timestamp,
    last: Timestamp,
    count: i32,
}

#[derive(Clone, Copy, Debug)]
struct Budget {
    tokens: f64,
    at: Timestamp,
}

impl Correlator {
    /// Takes note of what has happened; none if so much happens to the object that it isn't told.
    pub(super) fn observe(&mut self, happening: &Happening, now: Timestamp) -> Option<Occurrence> {
        self.forget_old(now);
        let uid = happening.regarding.uid.clone().unwrap_or_default();
        // A reason is either of what is normal or of what is not.
        let reason = happening.reason.to_owned();
        let is_combined = self.are_many(&uid, &reason, &happening.message, now);
        let message =
            if is_combined { format!("{COMBINED}{}", happening.message) } else { happening.message.clone() };
        let told = (!is_combined).then(|| happening.message.clone());
        let written = self.written.entry((uid.clone(), reason, told)).or_insert_with(|| Written {
            name: name_of(happening, now),
            first: now,
            last: now,
            count: 0,
        });
        written.count = written.count.saturating_add(1);
        written.last = now;
        let Written { name, first, count, .. } = written.clone();
        self.may_tell(uid, now).then_some(Occurrence { name, first, count, message })
    }

    fn are_many(&mut self, uid: &str, reason: &str, message: &str, now: Timestamp) -> bool {
        let new = || Similar { messages: BTreeSet::new(), last: now };
        let similar = self.similar.entry((uid.to_owned(), reason.to_owned())).or_insert_with(new);
        if now.duration_since(similar.last) > SIMILAR_WITHIN {
            similar.messages.clear();
        }
        similar.last = now;
        similar.messages.insert(message.to_owned());
        let are_many = similar.messages.len() >= SIMILAR;
        if are_many {
            similar.messages.pop_first();
        }
        are_many
    }

    fn may_tell(&mut self, uid: String, now: Timestamp) -> bool {
        let budget = self.budgets.entry(uid).or_insert(Budget { tokens: BURST, at: now });
        let gained = now.duration_since(budget.at).as_secs_f64().max(0.0) / REFILL.as_secs_f64();
        budget.tokens = (budget.tokens + gained).min(BURST);
        budget.at = now;
        let may = budget.tokens >= 1.0;
        if may {
            budget.tokens -= 1.0;
        }
        may
    }

    fn forget_old(&mut self, now: Timestamp) {
        if self.written.len() < REMEMBERED && self.budgets.len() < REMEMBERED {
            return;
        }
        let within = |at: Timestamp, kept| now.duration_since(at) <= kept;
        self.written.retain(|_, written| within(written.last, KEPT));
        self.similar.retain(|_, similar| within(similar.last, SIMILAR_WITHIN));
        self.budgets.retain(|_, budget| within(budget.at, REFILL * 25));
        // Should that not do, a repetition is told as something new.
        if self.written.len() >= REMEMBERED {
            self.written.clear();
        }
        if self.budgets.len() >= REMEMBERED {
            self.budgets.clear();
        }
    }
}

/// # Source
/// client-go `tools/record/util` (`GenerateEventName`)
fn name_of(happening: &Happening, now: Timestamp) -> String {
    let object = happening.regarding.name.as_deref().unwrap_or_default();
    // With the number it must still be a name.
    let object: String = object.chars().take(200).collect();
    format!("{object}.{:x}", now.as_nanosecond())
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::ObjectReference;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn happening(uid: &str, message: &str) -> Happening {
        let regarding = ObjectReference {
            name: Some("agent".to_owned()),
            uid: Some(uid.to_owned()),
            ..ObjectReference::default()
        };
        Happening { regarding, is_warning: false, reason: "SuccessfulCreate", message: message.to_owned() }
    }

    fn told(correlator: &mut Correlator, message: &str, seconds: i64) -> Option<(String, i32)> {
        let occurrence = correlator.observe(&happening("u", message), at(seconds))?;
        Some((occurrence.message, occurrence.count))
    }

    #[test]
    fn the_same_is_counted() {
        let mut correlator = Correlator::default();
        let first = correlator.observe(&happening("u", "Created pod: a"), at(1)).unwrap();
        let again = correlator.observe(&happening("u", "Created pod: a"), at(2)).unwrap();
        assert_eq!(first.name, "agent.3b9aca00");
        assert_eq!(again, Occurrence { count: 2, ..first });
        assert_eq!(told(&mut correlator, "Created pod: b", 3), Some(("Created pod: b".to_owned(), 1)));
    }

    #[test]
    fn the_tenth_message_of_a_reason_stands_for_all_that_follow() {
        let mut correlator = Correlator::default();
        for number in 1..10 {
            let message = format!("Created pod: {number}");
            assert_eq!(told(&mut correlator, &message, number), Some((message, 1)));
        }
        for number in 10..13 {
            let message = format!("(combined from similar events): Created pod: {number}");
            let count = i32::try_from(number - 9).unwrap();
            assert_eq!(
                told(&mut correlator, &format!("Created pod: {number}"), number),
                Some((message, count))
            );
        }
        // Ten minutes without any.
        let later = 12 + 601;
        assert_eq!(told(&mut correlator, "Created pod: x", later), Some(("Created pod: x".to_owned(), 1)));
    }

    #[test]
    fn an_object_to_which_too_much_happens_is_told_of_now_and_then() {
        let mut correlator = Correlator::default();
        let count = (0..100).filter(|_| told(&mut correlator, "m", 0).is_some()).count();
        assert_eq!(count, 25);
        assert!(correlator.observe(&happening("other", "m"), at(0)).is_some());
        assert_eq!(told(&mut correlator, "m", 299), None);
        assert_eq!(told(&mut correlator, "m", 300), Some(("m".to_owned(), 102)));
    }
}
