use std::time::Duration;

use k8s_openapi::jiff::Timestamp;
use plimsoll_fixtures::object;
use plimsoll_quota::{DeviceClasses, Ledger, NoNeighbours};
use plimsoll_resource_math::{Format, Quantity};

use super::*;
use crate::batch::tests::pod;

fn stored(name: &str, version: &str, used: u32) -> StoredQuota {
    StoredQuota::read(object(&format!(
        "{{metadata: {{name: {name}, namespace: team, uid: of-{name}, resourceVersion: '{version}', \
         annotations: {{plimsoll.dev/quota-ledger: '{ledger}'}}}}, \
         spec: {{hard: {{pods: 10000}}}}, status: {{hard: {{pods: 10000}}, used: {{pods: {used}}}}}}}",
        ledger = ledger(used),
    )))
    .unwrap()
}

/// The text of an empty ledger.
fn ledger(used: u32) -> String {
    let amounts = |count: u32| {
        ResourceList::from_iter([("pods".to_owned(), Quantity::from_units(count.into(), Format::DecimalSi))])
    };
    Ledger::default().write(&amounts(10_000), &amounts(used))
}

fn draw(quotas: &mut Quotas, name: &str, now: Instant) -> Option<Vec<usize>> {
    let device_classes = DeviceClasses::default();
    let surroundings = Surroundings {
        now: Timestamp::UNIX_EPOCH,
        device_classes: &device_classes,
        neighbours: &NoNeighbours,
    };
    quotas.draw(&pod(name, false), &[], &surroundings, now)
}

/// The quotas of which `waiting` pods have been written at this moment.
fn written(names: &[&str], waiting: u32, now: Instant) -> Quotas {
    let mut quotas = Quotas::new("a".to_owned());
    quotas.take_in_all(names.iter().map(|name| stored(name, "7", 0)).collect(), now);
    for place in 0..names.len() {
        let mut planned = quotas.seen()[place].clone();
        planned.used = stored("x", "1", waiting).held.quota.used;
        let writing = quotas.send(place, &planned, waiting as usize, true, now);
        quotas.take_note(place, writing, "8".to_owned(), now);
    }
    quotas
}

#[tokio::test]
async fn room_is_held_only_where_many_share_a_write() {
    let now = Instant::now();
    assert_eq!(draw(&mut written(&["team"], 3, now), "a", now), None);
    assert_eq!(draw(&mut written(&["team"], 4, now), "a", now), Some(vec![0]));
}

#[tokio::test]
async fn room_is_drawn_until_it_is_used_up_or_too_old() {
    let now = Instant::now();
    let mut quotas = written(&["team"], 4, now);
    for number in 0..8 {
        assert_eq!(draw(&mut quotas, &format!("pod-{number}"), now), Some(vec![0]), "{number}");
    }
    assert_eq!(draw(&mut quotas, "pod-8", now), None);
    let mut quotas = written(&["team"], 4, now);
    assert!(draw(&mut quotas, "a", now + DRAWABLE_FOR - Duration::from_millis(1)).is_some());
    assert_eq!(draw(&mut quotas, "b", now + DRAWABLE_FOR), None);
}

#[tokio::test]
async fn every_quota_must_have_room() {
    let now = Instant::now();
    assert_eq!(draw(&mut written(&["large", "small"], 4, now), "a", now), Some(vec![0, 1]));
    let mut quotas = written(&["large"], 4, now);
    quotas.take_in(Arc::new(stored("small", "7", 0)), now);
    assert_eq!(draw(&mut quotas, "a", now), None);
}

#[tokio::test]
async fn what_was_drawn_is_due_soon_and_what_is_left_a_little_later() {
    let now = Instant::now();
    let mut quotas = written(&["team"], 4, now);
    assert_eq!(quotas.due(), Some(now + GIVEN_BACK_AFTER));
    let later = now + Duration::from_millis(10);
    draw(&mut quotas, "a", later).unwrap();
    draw(&mut quotas, "b", later + Duration::from_millis(10)).unwrap();
    assert_eq!(quotas.due(), Some(later + NOTED_AFTER));
    assert_eq!(quotas.unsettled(), [0]);
    let planned = quotas.seen()[0].clone();
    let writing = quotas.send(0, &planned, 0, true, later);
    assert_eq!(writing.noted, 2);
    quotas.take_note(0, writing, "9".to_owned(), later);
    assert_eq!((quotas.due(), quotas.unsettled()), (None, Vec::new()));
    assert_eq!(quotas.seen()[0].used.amount("pods").to_string(), "6");
}

#[tokio::test]
async fn what_is_drawn_while_a_write_is_under_way_is_noted_with_the_next() {
    let now = Instant::now();
    let mut quotas = written(&["team"], 4, now);
    for name in ["a", "b", "c", "d"] {
        draw(&mut quotas, name, now).unwrap();
    }
    let planned = quotas.seen()[0].clone();
    let writing = quotas.send(0, &planned, 0, true, now);
    let later = now + Duration::from_millis(30);
    assert_eq!(draw(&mut quotas, "e", later), Some(vec![0]));
    let stored = quotas.take_note(0, writing, "9".to_owned(), later);
    // Four before, four noted now, and twice as much as was noted in advance.
    assert_eq!(stored.held.quota.used.amount("pods").to_string(), "16");
    assert_eq!(quotas.seen()[0].used.amount("pods").to_string(), "9");
    assert_eq!(quotas.due(), Some(now + NOTED_AFTER));
}

#[tokio::test]
async fn after_a_write_that_failed_what_is_drawn_fits_in_both_advances() {
    let now = Instant::now();
    let mut quotas = written(&["team"], 4, now);
    draw(&mut quotas, "a", now).unwrap();
    let planned = quotas.seen()[0].clone();
    // One is too few to hold room in advance.
    quotas.send(0, &planned, 0, true, now);
    quotas.give_up(0);
    assert_eq!(draw(&mut quotas, "b", now), None);
    // What was drawn is still to be noted, also over a version that someone else has written.
    quotas.take_in_all(vec![stored("team", "12", 50)], now);
    assert_eq!(quotas.seen()[0].used.amount("pods").to_string(), "51");
    assert_eq!(quotas.due(), Some(now + NOTED_AFTER));
}

#[tokio::test]
async fn a_list_is_believed_whatever_its_versions() {
    let now = Instant::now();
    let mut quotas = written(&["gone", "team"], 4, now);
    assert!(!quotas.take_in(Arc::new(stored("team", "3", 1)), now));
    quotas.take_in_all(vec![stored("team", "3", 1)], now);
    let names: Vec<&str> = quotas.seen().iter().map(|quota| quota.name.as_str()).collect();
    assert_eq!(names, ["team"]);
    assert_eq!(quotas.seen()[0].used.amount("pods").to_string(), "1");
}
