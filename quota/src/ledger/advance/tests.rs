use k8s_openapi::api::core::v1::ResourceQuota;
use plimsoll_api::group::GroupResource;
use plimsoll_fixtures::object;
use plimsoll_resource_math::Quantity;

use super::*;

fn quota(hard: u32, used: u32) -> Quota {
    let quota: ResourceQuota = object(&format!(
        "{{metadata: {{name: team}}, spec: {{hard: {{pods: {hard}}}}}, \
         status: {{hard: {{pods: {hard}}}, used: {{pods: {used}}}}}}}"
    ));
    Quota::parse(&quota).unwrap()
}

fn pods(count: u32) -> ResourceList {
    ResourceList::from_iter([("pods".to_owned(), Quantity::parse(&count.to_string()).unwrap())])
}

fn used(quota: &Quota) -> String {
    quota.used.amount("pods").to_string()
}

fn key(name: &str) -> EntryKey {
    EntryKey { resource: GroupResource::new("", "pods"), name: name.to_owned() }
}

fn create(name: &str) -> Admission {
    Admission::Create { uid: name.to_owned() }
}

fn charge(count: u32) -> Charge {
    Charge { quota: 0, usage: pods(count), requested: pods(count), used: ResourceList::new(), payer: None }
}

/// A replica that has written this much room in advance, and the quota as it is stored then.
fn holding(stored: &Quota, room: u32) -> (Holding, Quota) {
    let mut holding = Holding::new("a".to_owned());
    let seen = holding.rebase(stored, "1");
    let stored = holding.send(&seen, pods(room), "1");
    holding.take_note();
    (holding, stored)
}

/// The same once it has drawn a pod; and the quota as the replica sees it then.
fn drawing(stored: &Quota, room: u32) -> (Holding, Quota, Quota) {
    let (mut holding, stored) = holding(stored, room);
    let mut seen = holding.rebase(&stored, "2");
    holding.draw(&mut seen, &charge(1), key("x"), create("x"), "2");
    (holding, stored, seen)
}

#[test]
fn what_is_held_is_used_for_others_and_free_for_the_replica() {
    let (mut holding, stored) = holding(&quota(100, 10), 3);
    assert_eq!(used(&stored), "13");
    let seen = holding.rebase(&stored, "2");
    assert_eq!(used(&seen), "10");
    assert_eq!(holding.uncertain(&seen), ResourceList::new());
    let mut other = Holding::new("b".to_owned());
    let seen = other.rebase(&stored, "2");
    assert_eq!(used(&seen), "13");
    assert_eq!(other.uncertain(&seen), pods(3));
}

#[test]
fn what_is_left_covers_creates_of_new_names() {
    let (mut holding, stored) = holding(&quota(100, 10), 3);
    let mut seen = holding.rebase(&stored, "2");
    assert!(holding.covers(&seen, &charge(3), &key("x"), &create("x")));
    assert!(!holding.covers(&seen, &charge(4), &key("x"), &create("x")));
    let update = Admission::Update { uid: "x".to_owned(), version: None };
    assert!(!holding.covers(&seen, &charge(1), &key("x"), &update));
    holding.draw(&mut seen, &charge(2), key("x"), create("x"), "2");
    assert!(!holding.covers(&seen, &charge(1), &key("x"), &create("again")));
    assert!(holding.covers(&seen, &charge(1), &key("y"), &create("y")));
    assert!(!holding.covers(&seen, &charge(2), &key("y"), &create("y")));
    assert_eq!(used(&seen), "12");
}

#[test]
fn what_was_drawn_is_noted_with_the_next_write_and_the_rest_given_back() {
    let (mut holding, stored, seen) = drawing(&quota(100, 10), 3);
    assert!(!holding.is_settled(&stored));
    let stored = holding.send(&seen, ResourceList::new(), "2");
    holding.take_note();
    assert!(holding.is_settled(&stored));
    assert_eq!(used(&stored), "11");
    assert_eq!(stored.ledger.reserved(&key("x")), Some(&pods(1)));
    // The recount may have seen it stored already, so it may count twice until the next one.
    let seen = holding.rebase(&stored, "3");
    assert_eq!(holding.uncertain(&seen), pods(1));
}

#[test]
fn what_was_drawn_is_kept_when_the_write_is_lost() {
    let (mut holding, stored, seen) = drawing(&quota(100, 10), 3);
    let written = holding.send(&seen, pods(2), "2");
    holding.give_up();
    // Not written: the former advance still covers it.
    assert_eq!(used(&holding.rebase(&stored, "2")), "11");
    // Written after all: it may be noted twice, and counts twice at the worst.
    assert_eq!(used(&written), "13");
    let seen = holding.rebase(&written, "3");
    assert_eq!(used(&seen), "12");
    assert_eq!(holding.unnoted(), 1);
}

#[track_caller]
fn check_left(holding: &Holding, seen: &Quota, left: u32) {
    assert_eq!(holding.has_room(), left > 0);
    assert!(left == 0 || holding.covers(seen, &charge(left), &key("y"), &create("y")));
    assert!(!holding.covers(seen, &charge(left + 1), &key("y"), &create("y")));
}

#[test]
fn both_advances_cover_what_is_drawn_while_one_replaces_the_other() {
    let (mut holding, _, mut seen) = drawing(&quota(100, 10), 6);
    let stored = holding.send(&seen, pods(3), "2");
    check_left(&holding, &seen, 3);
    holding.draw(&mut seen, &charge(2), key("z"), create("z"), "2");
    check_left(&holding, &seen, 1);
    // The second is not noted yet, and the new advance covers it.
    holding.take_note();
    assert_eq!((used(&stored), holding.unnoted()), ("14".to_owned(), 1));
    assert_eq!(stored.ledger.reserved(&key("x")), Some(&pods(1)));
    assert_eq!(stored.ledger.reserved(&key("z")), None);
    let seen = holding.rebase(&stored, "3");
    assert_eq!(used(&seen), "13");
    check_left(&holding, &seen, 1);
    let stored = holding.send(&seen, ResourceList::new(), "3");
    check_left(&holding, &seen, 0);
    holding.take_note();
    assert_eq!(used(&stored), "13");
    assert_eq!(stored.ledger.reserved(&key("z")), Some(&pods(2)));
    assert!(holding.is_settled(&stored));
    assert_eq!(holding.uncertain(&holding.clone().rebase(&stored, "4")), pods(3));
}

#[test]
fn both_advances_cover_what_is_drawn_after_a_write_of_which_nobody_knows() {
    let (mut holding, stored, seen) = drawing(&quota(100, 10), 3);
    let written = holding.send(&seen, pods(4), "2");
    holding.give_up();
    check_left(&holding, &seen, 2);
    let (mut if_written, mut if_not) = (holding.clone(), holding);
    let seen = if_written.rebase(&written, "3");
    check_left(&if_written, &seen, 2);
    let seen = if_not.rebase(&stored, "3");
    // Nothing is held in advance by the next write, so nothing may be drawn after it is lost as well.
    if_not.send(&seen, ResourceList::new(), "3");
    if_not.give_up();
    check_left(&if_not, &seen, 0);
}

#[test]
fn nothing_is_left_of_an_advance_that_is_gone() {
    let (mut holding, _) = holding(&quota(100, 10), 3);
    let seen = holding.rebase(&quota(100, 10), "9");
    assert!(!holding.has_room());
    assert_eq!(used(&seen), "10");
}

#[track_caller]
fn check_room(hard: u32, used: u32, noted: u32, expected: &ResourceList) {
    let seen = quota(hard, used);
    let mut planned = seen.clone();
    planned.use_more(&pods(noted));
    assert_eq!(Holding::new("a".to_owned()).room(&seen, &planned), *expected);
}

#[test]
fn room_is_twice_what_is_noted_and_little_of_what_is_left() {
    let nothing = ResourceList::new();
    check_room(10_000, 0, 5, &pods(10));
    check_room(1285, 0, 5, &pods(10));
    check_room(1284, 0, 5, &nothing);
    check_room(10_000, 9000, 5, &nothing);
    check_room(10_000, 0, 0, &nothing);
}

#[test]
fn nothing_is_held_while_a_key_is_about_to_come_into_force() {
    let mut seen = quota(10_000, 0);
    seen.spec_hard.insert("requests.cpu", Quantity::parse("10").unwrap());
    let mut planned = seen.clone();
    planned.use_more(&pods(5));
    assert_eq!(Holding::new("a".to_owned()).room(&seen, &planned), ResourceList::new());
}

#[test]
fn the_annotation_holds_advances_and_what_may_count_twice() {
    let (mut holding, _, seen) = drawing(&quota(100, 10), 3);
    let stored = holding.send(&seen, pods(2), "2");
    let read = crate::Ledger::read(Some(&stored.ledger_text()), &stored.hard, &stored.used).unwrap();
    assert_eq!(read, stored.ledger);
    let advances: Vec<_> = read.advances().collect();
    let advance = Advance { usage: Arc::new(pods(2)), written_over: "2".to_owned() };
    assert_eq!(advances, [("a", &advance)]);
}
