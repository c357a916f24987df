//! A replica of the webhook that holds room in advance, beside those that write before they answer.

use std::hash::{Hash, Hasher};

use plimsoll_quota::{Holding, Quota};
use plimsoll_resource_math::ResourceList;

use super::world::{Fault, KEY, Progress, QuotaObject, Script, World, amount, written};

/// What the replica holds of one quota.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Held {
    holding: Holding,
    /// The version that it has read last.
    read: QuotaObject,
    /// The quota as it sees it; none if its ledger can't be relied upon.
    seen: Option<Quota>,
    /// The unit of time in which the advance may be drawn on.
    drawable_in: Option<u8>,
}

impl Hash for Held {
    fn hash<H: Hasher>(&self, hasher: &mut H) {
        // All else follows from these.
        format!("{:?}", self.holding).hash(hasher);
        self.read.hash(hasher);
        self.drawable_in.hash(hasher);
    }
}

/// A write under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Flight {
    place: usize,
    object: QuotaObject,
    /// How much is held in advance with it.
    room: u8,
    sent: u8,
}

/// The replica.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Replica {
    held: Vec<Held>,
    /// Sent, and not answered yet.
    flight: Option<Flight>,
    /// Sent, and not waited for any more: it may still reach the store.
    stray: Option<Flight>,
    sends: u8,
    accidents: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Its watch tells of a quota's present version.
    Read(usize),
    /// It admits a request without a write.
    Draw(usize),
    /// It sends a quota with what was drawn, and holds room in advance from then on.
    Hold(usize),
    /// It sends a quota with what was drawn, and holds nothing in advance.
    GiveBack(usize),
    /// The write that it has sent is done, and answered.
    Answer,
    /// The connection is lost, so it never hears of the write.
    Lose,
    /// A write of which it never hears is done.
    Stray,
    /// It is replaced by one that knows nothing.
    Crash,
}

impl Replica {
    pub(crate) fn new(script: &Script) -> Self {
        let held = (0..script.hard.len()).map(|_| Held::new("a"));
        Self { held: held.collect(), flight: None, stray: None, sends: 0, accidents: 0 }
    }
}

impl Held {
    fn new(holder: &str) -> Self {
        Self {
            holding: Holding::new(holder.to_owned()),
            read: QuotaObject::default(),
            seen: None,
            drawable_in: None,
        }
    }

    fn rebase(&mut self, script: &Script, place: usize, object: &QuotaObject) {
        self.read = object.clone();
        let parsed = script.parse(place, object);
        let is_trusted = parsed.is_ok();
        let quota = parsed.unwrap_or_else(|fresh| *fresh);
        let seen = self.holding.rebase(&quota, &object.version.to_string());
        self.seen = is_trusted.then_some(seen);
    }
}

impl Script {
    pub(crate) fn replica_actions(&self, world: &World, mut add: impl FnMut(Action)) {
        let replica = &world.replica;
        for (index, progress) in world.progress.iter().enumerate() {
            if *progress == Progress::Waiting && (replica.flight.is_none() || self.draws_meanwhile()) {
                add(Action::Draw(index));
            }
        }
        for (place, held) in replica.held.iter().enumerate() {
            if replica.flight.is_none() {
                if held.read != world.quotas[place] {
                    add(Action::Read(place));
                }
                if held.seen.is_some() && replica.sends < self.sends {
                    add(if replica.sends == 0 { Action::Hold(place) } else { Action::GiveBack(place) });
                    if replica.sends > 0 && replica.sends + 1 < self.sends {
                        add(Action::Hold(place));
                    }
                }
            }
        }
        if replica.flight.is_some() {
            add(Action::Answer);
        }
        if replica.stray.is_some() {
            add(Action::Stray);
        }
        if replica.accidents < self.accidents {
            add(Action::Crash);
            if replica.flight.is_some() && replica.stray.is_none() {
                add(Action::Lose);
            }
        }
    }

    pub(crate) fn replica_acts(&self, world: &mut World, action: Action) {
        match action {
            Action::Read(place) => {
                let object = world.quotas[place].clone();
                world.replica.held[place].rebase(self, place, &object);
            }
            Action::Draw(index) => self.draw(world, index),
            Action::Hold(place) => self.replica_sends(world, place, self.advance),
            Action::GiveBack(place) => self.replica_sends(world, place, 0),
            Action::Answer => {
                let Some(flight) = world.replica.flight.take() else { return };
                let Flight { place, object, room, sent } = flight;
                let is_written = world.write(place, object);
                let now_stored = world.quotas[place].clone();
                let held = &mut world.replica.held[place];
                if is_written {
                    if let (true, Some(seen)) = (self.forgets_flights(), &held.seen) {
                        held.holding.send(seen, room_of(room), "");
                    }
                    held.holding.take_note();
                    held.drawable_in = Some(sent);
                    held.rebase(self, place, &now_stored);
                } else {
                    held.holding.give_up();
                }
            }
            Action::Lose => {
                world.replica.accidents += 1;
                let Some(flight) = world.replica.flight.take() else { return };
                world.replica.held[flight.place].holding.give_up();
                world.replica.stray = Some(flight);
            }
            Action::Stray => {
                if let Some(flight) = world.replica.stray.take() {
                    world.write(flight.place, flight.object);
                }
            }
            Action::Crash => {
                let replica = &mut world.replica;
                replica.accidents += 1;
                let holder = "b".repeat(replica.accidents.into());
                replica.held = replica.held.iter().map(|_| Held::new(&holder)).collect();
                if let Some(flight) = replica.flight.take() {
                    replica.stray.get_or_insert(flight);
                }
            }
        }
    }

    fn draw(&self, world: &mut World, index: usize) {
        let now = world.now;
        let quotas: Option<Vec<Quota>> = world.replica.held.iter().map(|held| held.seen.clone()).collect();
        let Some(quotas) = quotas else { return };
        let Some((charges, key, admission)) = self.charges(index, None, &quotas) else { return };
        let covers = |place: usize| {
            let held = &world.replica.held[place];
            let in_time = held.drawable_in == Some(now) || self.fault == Some(Fault::LateDraw);
            charges
                .iter()
                .filter(|charge| charge.quota == place)
                .all(|charge| in_time && held.holding.covers(&quotas[place], charge, &key, &admission))
        };
        // Updates, which have an object before them, are for the others.
        let is_create = matches!(self.steps[index], super::world::Step::Create { .. });
        if !is_create || charges.is_empty() || !(0..self.hard.len()).all(covers) {
            return;
        }
        for charge in &charges {
            let held = &mut world.replica.held[charge.quota];
            let version = held.read.version.to_string();
            if let Some(seen) = &mut held.seen {
                held.holding.draw(seen, charge, key.clone(), admission.clone(), &version);
            }
        }
        world.progress[index] = Progress::Admitted { old: None, at: now };
    }

    /// Sends a quota with what was drawn, and with this much room in advance, if that is left.
    fn replica_sends(&self, world: &mut World, place: usize, room: u8) {
        let held = &mut world.replica.held[place];
        let Some(seen) = &held.seen else { return };
        let mut after = seen.used.amount(KEY);
        after.add(&amount(room));
        if after > seen.hard.amount(KEY) {
            return;
        }
        let mut forgotten = held.holding.clone();
        let holding = if self.forgets_flights() { &mut forgotten } else { &mut held.holding };
        let quota = holding.send(seen, room_of(room), &held.read.version.to_string());
        let object = written(&quota, held.read.version);
        world.replica.sends += 1;
        world.replica.flight = Some(Flight { place, object, room, sent: world.now });
    }

    /// Whether the replica draws as if no write were under way.
    fn forgets_flights(&self) -> bool {
        matches!(self.fault, Some(Fault::DrawMeanwhile | Fault::DrawAfterLostWrite))
    }

    fn draws_meanwhile(&self) -> bool {
        self.fault != Some(Fault::DrawAfterLostWrite)
    }
}

fn room_of(size: u8) -> ResourceList {
    match size {
        0 => ResourceList::new(),
        _ => ResourceList::from_iter([(KEY.to_owned(), amount(size))]),
    }
}
