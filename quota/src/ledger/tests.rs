use plimsoll_resource_math::Quantity;

use super::*;

fn key(name: &str) -> EntryKey {
    EntryKey { resource: GroupResource::new("", "pods"), name: name.to_owned() }
}

fn list(amounts: &[(&str, &str)]) -> ResourceList {
    let amount = |text: &str| Quantity::parse(text).unwrap();
    amounts.iter().map(|(name, text)| ((*name).to_owned(), amount(text))).collect()
}

fn create(uid: &str) -> Admission {
    Admission::Create { uid: uid.to_owned() }
}

fn update(uid: &str, version: &str) -> Admission {
    Admission::Update { uid: uid.to_owned(), version: Version::parse(version) }
}

#[track_caller]
fn check_awaits(admissions: &[Admission], expected: Awaits) {
    let mut ledger = Ledger::default();
    for admission in admissions {
        ledger.reserve(key("a"), admission, &list(&[("pods", "1")]), None, "4");
    }
    assert_eq!(ledger.entry(&key("a")).unwrap().awaits, expected);
}

#[test]
fn several_creates_of_one_name_are_settled_by_time_alone() {
    let uid = |uid: &str| Awaits::Create { uid: uid.to_owned() };
    check_awaits(&[create("1")], uid("1"));
    check_awaits(&[create("1"), create("1")], uid("1"));
    check_awaits(&[create("1"), create("2")], Awaits::Expiry);
    check_awaits(&[create("1"), create("2"), update("2", "7")], Awaits::Expiry);
}

#[test]
fn an_update_awaits_the_latest_version_that_was_seen() {
    let after = |text: &str| Awaits::Update { after: Version::parse(text).unwrap() };
    check_awaits(&[update("1", "9"), update("1", "10")], after("10"));
    check_awaits(&[update("1", "10"), update("1", "9")], after("10"));
    check_awaits(&[create("1"), update("1", "9")], after("9"));
    check_awaits(&[create("1"), update("2", "9")], Awaits::Expiry);
    check_awaits(&[update("1", "9"), create("2")], Awaits::Expiry);
    check_awaits(&[update("1", "v9")], Awaits::Expiry);
}

#[test]
fn a_name_counts_once_at_the_largest_usage() {
    let mut ledger = Ledger::default();
    ledger.reserve(key("a"), &create("1"), &list(&[("cpu", "2"), ("pods", "1")]), None, "4");
    ledger.reserve(key("a"), &create("2"), &list(&[("cpu", "1"), ("memory", "1Gi")]), None, "5");
    let entry = ledger.entry(&key("a")).unwrap();
    assert_eq!(*entry.usage, list(&[("cpu", "2"), ("memory", "1Gi"), ("pods", "1")]));
    assert_eq!(entry.written_over, "5");
}

#[test]
fn is_read_as_it_was_written() {
    let mut ledger = Ledger { rising: true, ..Ledger::default() };
    let alike = list(&[("cpu", "1500m"), ("pods", "1")]);
    ledger.reserve(key("a"), &create("1"), &alike, None, "4");
    ledger.reserve(key("b"), &update("2", "12"), &alike, None, "4");
    ledger.reserve(key("c"), &update("3", "opaque"), &list(&[("cpu", "1")]), None, "4");
    let gadget =
        EntryKey { resource: GroupResource::new("stable.example.com", "gadgets"), name: "d".to_owned() };
    ledger.reserve(
        gadget.clone(),
        &create("4"),
        &list(&[("count/gadgets.stable.example.com", "1")]),
        None,
        "4",
    );
    ledger.reserve(gadget, &create("5"), &list(&[("count/gadgets.stable.example.com", "1")]), None, "4");
    let claim =
        EntryKey { resource: GroupResource::new("resource.k8s.io", "resourceclaims"), name: "e".to_owned() };
    let payer = Payer { pod: "a".to_owned(), uid: "1".to_owned() };
    ledger.reserve(claim, &create("6"), &list(&[("requests.example.com/gpu", "1")]), Some(&payer), "4");
    ledger.drop_entry(&key("e"), Version::parse("9").as_ref());
    let (hard, used) = (list(&[("cpu", "8")]), list(&[("cpu", "2")]));
    let text = ledger.write(&hard, &used);
    assert_eq!(text.matches("1500m").count(), 1, "usages stand once: {text}");
    assert_eq!(Ledger::read(Some(&text), &hard, &used), Ok(ledger));
}

#[test]
fn what_entries_take_is_foreseen() {
    let mut ledger = Ledger::default();
    let mut foreseen = 0;
    for number in 0..60_u32 {
        let (name, cpu) = (format!("web-{number}"), format!("{}m", number / 2));
        let usage = list(&[("limits.cpu", &cpu), ("pods", "1"), ("requests.cpu", &cpu)]);
        let uid = "8520b60a-9af6-4c94-8347-c23344ca1cb8";
        let payer = (number % 3 == 0).then(|| Payer { pod: name.clone(), uid: uid.to_owned() });
        foreseen += ledger.entry_bytes(&name, &usage, payer.as_ref());
        let admission = create(uid);
        ledger.reserve(key(&name), &admission, &usage, payer.as_ref(), "4");
    }
    let text = ledger.write(&ResourceList::new(), &ResourceList::new());
    assert!(text.len() <= foreseen + 100, "{} bytes of which {foreseen} were foreseen", text.len());
    assert!(Ledger::default().bytes_left() - ledger.bytes_left() <= foreseen);
}

#[test]
fn does_not_trust_a_status_that_someone_else_wrote() {
    let (hard, used) = (list(&[("cpu", "8")]), list(&[("cpu", "2")]));
    let text = Ledger::default().write(&hard, &used);
    let read = |text: Option<&str>, used: &ResourceList| Ledger::read(text, &hard, used);
    assert_eq!(read(Some(&text), &list(&[("cpu", "2000m")])), Ok(Ledger::default()));
    assert_eq!(read(Some(&text), &list(&[("cpu", "1")])), Err(Untrusted::Mismatch));
    assert_eq!(read(None, &used), Err(Untrusted::Missing));
    assert_eq!(Ledger::read(None, &ResourceList::new(), &ResourceList::new()), Ok(Ledger::default()));
    for text in ["", "{}", "[1]", r#"{"sum":7}"#] {
        assert!(matches!(read(Some(text), &used), Err(Untrusted::Unreadable(_))), "{text}");
    }
    let sum = text.trim_end_matches('}');
    for rest in [
        r#","entries":{"pods":{"a":{"use":0,"over":"1"}}}}"#,
        r#","watermarks":{"pods":"x"}}"#,
        r#","usages":[{"cpu":"x"}]}"#,
    ] {
        let text = format!("{sum}{rest}");
        assert!(matches!(read(Some(&text), &used), Err(Untrusted::Unreadable(_))), "{text}");
    }
}

#[test]
fn patience_begins_again_when_a_name_is_admitted_again() {
    use std::time::Duration;
    let seconds = Duration::from_secs;
    let mut ledger = Ledger::default();
    let mut patience = Patience::default();
    let usage = list(&[("pods", "1")]);
    ledger.reserve(key("a"), &create("1"), &usage, None, "4");
    ledger.reserve(key("b"), &create("2"), &usage, None, "4");
    assert!(patience.look(&ledger, seconds(1000)).entries.is_empty());
    assert_eq!(patience.next(), Some(seconds(1065)));
    ledger.reserve(key("a"), &create("3"), &usage, None, "5");
    assert!(patience.look(&ledger, seconds(1064)).entries.is_empty());
    assert_eq!(patience.look(&ledger, seconds(1065)).entries, [(key("b"), "4".to_owned())]);
    assert_eq!(
        patience.look(&ledger, seconds(1129)).entries,
        [(key("a"), "5".to_owned()), (key("b"), "4".to_owned())]
    );
}

#[test]
fn the_end_of_a_uid_is_enough() {
    let uid = "8520b60a-9af6-4c94-8347-c23344ca1cb8";
    check_awaits(&[create(uid)], Awaits::Create { uid: "c23344ca1cb8".to_owned() });
    check_awaits(&[create(uid), create(uid)], Awaits::Create { uid: "c23344ca1cb8".to_owned() });
    check_awaits(&[create(uid), update(uid, "9")], Awaits::Update { after: Version::parse("9").unwrap() });
    check_awaits(&[create(uid), create("8520b60a-9af6-4c94-8347-c23344ca1cb9")], Awaits::Expiry);
}

#[test]
fn patience_with_an_advance_begins_again_when_it_is_renewed() {
    use std::time::Duration;
    let seconds = Duration::from_secs;
    let advance =
        |over: &str| Advance { usage: Arc::new(list(&[("pods", "2")])), written_over: over.to_owned() };
    let mut ledger = Ledger::default();
    let mut patience = Patience::default();
    ledger.advances.insert("a".to_owned(), advance("4"));
    assert!(patience.look(&ledger, seconds(1000)).advances.is_empty());
    assert_eq!(patience.next(), Some(seconds(1065)));
    ledger.advances.insert("a".to_owned(), advance("5"));
    assert!(patience.look(&ledger, seconds(1065)).advances.is_empty());
    assert_eq!(patience.look(&ledger, seconds(1130)).advances, [("a".to_owned(), "5".to_owned())]);
    ledger.advances.clear();
    assert!(patience.look(&ledger, seconds(1131)).advances.is_empty());
    assert_eq!(patience.next(), None);
}

/// Pods, of which there are none.
struct NoPods {
    version: Version,
    consistent: bool,
}

impl CacheView for NoPods {
    fn version(&self, resource: &GroupResource) -> Option<&Version> {
        (resource.resource == "pods").then_some(&self.version)
    }

    fn is_consistent(&self, resource: &GroupResource) -> bool {
        self.consistent && resource.resource == "pods"
    }

    fn sighting(&self, _key: &EntryKey) -> Option<Sighting> {
        None
    }
}

/// A quota with an advance of two pods that was written over version 4, and that also limits services, which are not known.
fn with_advance(rising: bool) -> crate::Quota {
    let amounts = list(&[("pods", "100"), ("services", "5")]);
    let used = list(&[("pods", "2"), ("services", "0")]);
    let mut quota =
        crate::Quota { spec_hard: amounts.clone(), hard: amounts, used, ..crate::Quota::default() };
    let advance = Advance { usage: Arc::new(list(&[("pods", "2")])), written_over: "4".to_owned() };
    quota.ledger.advances.insert("a".to_owned(), advance);
    quota.ledger.maybe_twice = list(&[("pods", "7"), ("services", "1")]);
    quota.ledger.rising = rising;
    quota
}

/// What becomes of it when its advance is overdue: how many pods are used, what may count twice, and whether the advance is gone.
fn renewed(mut quota: crate::Quota, written_over: &str, consistent: bool) -> (String, ResourceList, bool) {
    let view = NoPods { version: Version::parse("9").unwrap(), consistent };
    let findings =
        Findings { advances: vec![("a".to_owned(), written_over.to_owned())], ..Findings::default() };
    let surroundings = crate::Surroundings {
        now: k8s_openapi::jiff::Timestamp::UNIX_EPOCH,
        device_classes: &crate::DeviceClasses::default(),
        neighbours: &crate::NoNeighbours,
    };
    renew(&mut quota, &view, &findings, (&[], &[]), &surroundings).unwrap();
    (
        quota.used.amount("pods").to_string(),
        quota.ledger.maybe_twice.clone(),
        quota.ledger.advances.is_empty(),
    )
}

#[test]
fn an_overdue_advance_goes_with_a_list_of_what_it_counts() {
    let services_only = list(&[("services", "1")]);
    assert_eq!(renewed(with_advance(false), "4", true), ("0".to_owned(), services_only.clone(), true));
    assert_eq!(renewed(with_advance(false), "4", false), ("2".to_owned(), services_only.clone(), false));
    assert_eq!(renewed(with_advance(false), "3", true), ("2".to_owned(), services_only, false));
}

#[test]
fn an_overdue_advance_goes_though_a_key_of_it_is_limited_no_more() {
    let mut quota = with_advance(false);
    let usage = list(&[("count/configmaps", "1"), ("pods", "2")]);
    let advance = Advance { usage: Arc::new(usage), written_over: "4".to_owned() };
    quota.ledger.advances.insert("a".to_owned(), advance);
    let (used, _, is_gone) = renewed(quota, "4", true);
    assert_eq!((used.as_str(), is_gone), ("0", true));
}

#[test]
fn what_an_advance_leaves_behind_while_the_usage_may_only_rise_is_uncertain() {
    let twice = list(&[("pods", "9"), ("services", "1")]);
    assert_eq!(renewed(with_advance(true), "4", true), ("2".to_owned(), twice, true));
}
