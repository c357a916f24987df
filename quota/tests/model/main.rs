//! The promise of the quota ledger, checked in every state of small clusters and on random walks through larger ones: no admission
//! takes what is stored, or can still be stored, above the limit; and what was charged for nothing is given back.

#![allow(clippy::unwrap_used, reason = "the world is part of the test")]

mod replica;
mod world;

use proptest::prelude::*;
use stateright::{Checker, Model, Property};

use world::{Action, Fault, Script, Step, World};

use Step::{Create, Delete, Update};

impl Model for Script {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![self.begin()]
    }

    fn actions(&self, state: &World, actions: &mut Vec<Action>) {
        Script::actions(self, state, actions);
    }

    fn next_state(&self, state: &World, action: Action) -> Option<World> {
        self.next(state, action)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![Property::always("nothing is admitted above the limit", |script: &Script, world: &World| {
            keeps_the_promise(script, world)
        })]
    }
}

/// What is stored, or may still be, is within the limit, and what is stored is counted.
fn keeps_the_promise(script: &Script, world: &World) -> bool {
    let most = world.at_most_stored(script);
    let within = script.hard.iter().all(|hard| most.value() <= i64::from(*hard));
    within && world.used().iter().all(|used| *used >= world.stored())
}

fn script(hard: u8, steps: &[Step], recounters: usize, ticks: u8) -> Script {
    Script { hard: vec![hard], steps: steps.to_vec(), recounters, ticks, ..Script::default() }
}

/// Looks at every state; returns how many there are.
#[track_caller]
fn check(script: Script) -> usize {
    let checker = script.checker().threads(1).spawn_bfs().join();
    checker.assert_properties();
    checker.unique_state_count()
}

/// Makes sure that the model finds out a fault.
#[track_caller]
fn check_fails(script: Script, fault: Fault) {
    let faulty = Script { fault: Some(fault), ..script };
    let checker = faulty.checker().threads(1).spawn_bfs().join();
    assert!(
        checker.discovery("nothing is admitted above the limit").is_some(),
        "{fault:?} was not found out"
    );
}

/// Two names, room for one.
const RIVALS: [Step; 2] = [Create { name: 0, size: 1 }, Create { name: 1, size: 1 }];
/// A name that is created twice, deleted in between, and a rival.
const COMES_AGAIN: [Step; 4] = [
    Create { name: 0, size: 1 },
    Create { name: 0, size: 1 },
    Delete { name: 0 },
    Create { name: 1, size: 1 },
];
/// An object that grows and shrinks, and a rival.
const GROWS: [Step; 4] = [
    Create { name: 0, size: 1 },
    Update { name: 0, size: 2 },
    Update { name: 0, size: 1 },
    Create { name: 1, size: 1 },
];

#[test]
fn rivals_never_both_get_the_last_room() {
    assert!(check(script(1, &RIVALS, 2, 3)) > 1000);
}

#[test]
fn a_name_that_comes_again_counts_once_and_never_less() {
    assert!(check(script(1, &COMES_AGAIN, 1, 3)) > 1000);
}

#[test]
fn an_object_that_grows_and_shrinks_is_counted_at_its_largest() {
    assert!(check(script(2, &GROWS, 1, 1)) > 1000);
}

#[test]
fn a_lost_ledger_admits_nothing_too_much() {
    assert!(check(Script { strips: true, ..script(1, &RIVALS, 1, 3) }) > 1000);
}

#[test]
fn several_quotas_are_all_kept() {
    assert!(check(Script { hard: vec![2, 1], ..script(0, &RIVALS, 1, 2) }) > 1000);
}

/// A replica that holds room for one object in advance, writes twice, and once loses a write or crashes.
fn in_advance(script: Script) -> Script {
    Script { advance: 1, sends: 2, accidents: 1, ..script }
}

/// The same without accidents.
fn in_advance_smoothly(script: Script) -> Script {
    Script { accidents: 0, ..in_advance(script) }
}

#[test]
fn room_in_advance_is_given_away_once() {
    assert!(check(in_advance(script(1, &RIVALS, 1, 0))) > 1000);
    assert!(check(in_advance_smoothly(script(1, &RIVALS, 1, 2))) > 1000);
}

#[test]
fn a_name_that_comes_again_is_drawn_once() {
    assert!(check(in_advance_smoothly(script(1, &COMES_AGAIN, 0, 0))) > 1000);
}

#[test]
fn what_grows_before_its_name_is_noted_is_counted_in_full() {
    let grows = [Create { name: 0, size: 1 }, Update { name: 0, size: 2 }, Create { name: 1, size: 1 }];
    assert!(check(in_advance_smoothly(script(2, &grows, 0, 0))) > 1000);
}

#[test]
fn room_in_advance_of_several_quotas_is_given_away_once() {
    assert!(check(in_advance(Script { hard: vec![2, 1], ..script(0, &RIVALS, 0, 0) })) > 1000);
}

#[test]
fn room_in_advance_outlives_a_lost_ledger() {
    assert!(check(Script { strips: true, ..in_advance_smoothly(script(1, &RIVALS, 1, 1)) }) > 1000);
}

#[test]
fn finds_out_a_recount_that_forgets_what_is_held_in_advance() {
    check_fails(in_advance(script(1, &RIVALS, 1, 0)), Fault::NoAdvances);
}

#[test]
fn finds_out_an_advance_that_is_drawn_on_too_late() {
    check_fails(in_advance(script(1, &RIVALS, 1, 2)), Fault::LateDraw);
}

#[test]
fn what_is_drawn_while_one_advance_replaces_another_is_counted() {
    let sizes = [1, 2, 2];
    let creates = [0, 1, 2].map(|name| Create { name, size: sizes[usize::from(name)] });
    let script = Script { advance: 3, sends: 3, accidents: 1, ..script(4, &creates, 0, 0) };
    assert!(check(script) > 1000);
}

#[test]
fn finds_out_an_advance_that_is_drawn_on_while_it_is_replaced() {
    check_fails(in_advance_smoothly(script(1, &RIVALS, 0, 0)), Fault::DrawMeanwhile);
}

#[test]
fn finds_out_an_advance_that_is_drawn_on_after_a_lost_write() {
    check_fails(in_advance(script(1, &RIVALS, 0, 0)), Fault::DrawAfterLostWrite);
}

#[test]
fn finds_out_an_advance_that_expires_without_a_list() {
    check_fails(in_advance(script(1, &RIVALS, 1, 2)), Fault::NoListForAdvances);
}

#[test]
fn finds_out_an_admission_before_all_quotas_are_written() {
    check_fails(Script { hard: vec![2, 1], ..script(0, &RIVALS, 1, 0) }, Fault::FirstQuotaOnly);
}

#[test]
fn finds_out_a_recount_that_forgets_what_is_reserved() {
    check_fails(script(1, &RIVALS, 1, 0), Fault::NoEntries);
}

#[test]
fn finds_out_a_recount_from_an_old_cache() {
    check_fails(script(1, &RIVALS, 2, 0), Fault::NoWatermark);
}

#[test]
fn finds_out_a_retry_that_is_not_decided_again() {
    check_fails(script(1, &RIVALS, 0, 0), Fault::UndecidedRetry);
}

#[test]
fn finds_out_a_wait_that_does_not_begin_again() {
    check_fails(script(1, &COMES_AGAIN, 1, 3), Fault::NoFreshWait);
}

#[test]
fn finds_out_a_lost_ledger_that_is_taken_for_an_empty_one() {
    check_fails(Script { strips: true, ..script(1, &RIVALS, 1, 0) }, Fault::NoRising);
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0_u8..4, 1_u8..4).prop_map(|(name, size)| Create { name, size }),
        2 => (0_u8..4, 1_u8..4).prop_map(|(name, size)| Update { name, size }),
        1 => (0_u8..4).prop_map(|name| Delete { name }),
    ]
}

proptest! {
    /// On any walk the promise holds, and at rest each quota says exactly what is stored.
    #[test]
    fn large_clusters_keep_the_promise(
        steps in proptest::collection::vec(step(), 1..14),
        recounters in 1_usize..4,
        strips in any::<bool>(),
        advance in 0_u8..4,
        accidents in 0_u8..3,
        hard in proptest::collection::vec(4_u8..7, 1..3),
        choices in proptest::collection::vec(any::<prop::sample::Index>(), 0..160),
    ) {
        let script = Script { hard, strips, advance, sends: u8::MAX, accidents, ..script(0, &steps, recounters, 12) };
        let mut world = script.begin();
        let mut actions = Vec::new();
        for choice in choices {
            actions.clear();
            script.actions(&world, &mut actions);
            if actions.is_empty() {
                break;
            }
            world = script.next(&world, *choice.get(&actions)).unwrap_or(world);
            prop_assert!(keeps_the_promise(&script, &world), "{:#?}", world);
        }
        let rest = script.come_to_rest(world);
        prop_assert!(rest.used().iter().all(|used| *used == rest.stored()), "{:#?}", rest);
    }
}
