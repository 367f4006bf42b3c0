//! Points of the region's machines, and of the members on the other side, that are due while an incident is open: a collection of each comes to
//! be known then, in which there is one more than the policy keeps. It never asks the product what is due: a rule keeps two, and there are three.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifeboat_simulator::azure::{Arm, CollectionSeed};
use lifeboat_tests::failing_over::OTHER;
use lifeboat_tests::past;
use lifeboat_tests::rig::LOCATION;

use crate::model::history::{Power, What};
use crate::play::{Play, after};
use crate::record::Record;

/// What the policy of a seed with points keeps.
pub const KEEP: &str = "      keep: { last: 2 }\n";
/// How old the older points of the old machines are.
const OLD_DAYS: [i64; 2] = [40, 30];
const DAY_SECS: i64 = 24 * 3_600;
const MINUTE_SECS: i64 = 60;
/// Sweeps that are waited for when what is due may go.
const SWEEPS: usize = 2;

/// What was seen of points and sweeps.
#[derive(Default)]
pub struct Dues {
    /// Points that are due and there, by their ids in lower case.
    pub due: BTreeSet<String>,
    /// How often a sweep ended that an incident kept from a point that is due.
    pub rested: usize,
    /// Points that were due and went.
    pub went: usize,
    /// Sweeps that began and ended while no incident was open, since the last one.
    after: usize,
}

impl Dues {
    /// A sweep ended, with the incident open from its beginning to its end, or closed.
    pub fn swept(&mut self, open: bool) {
        if open {
            (self.rested, self.after) = (self.rested + self.due.len(), 0);
        } else {
            self.after += 1;
        }
    }

    /// Whether something may go that no sweep has had time for.
    pub fn wait(&self) -> bool {
        !self.due.is_empty() && self.after < SWEEPS
    }
}

/// Points under way.
#[derive(Default)]
pub struct Points(BTreeSet<String>);

impl Points {
    /// In an incident each machine that is there has one more point than the policy keeps.
    pub fn look(&mut self, play: &mut Play) {
        let world = play.world.clone();
        if !world.shape.keeps || !world.record.seen().said.is_open() {
            return;
        }
        let (now, before) = (play.world.clock.now(), self.0.len());
        let newest = minute(now);
        for machine in world.machines.iter().filter(|machine| !self.0.contains(*machine)).cloned().collect::<Vec<_>>() {
            let made = [OLD_DAYS[0], OLD_DAYS[1], 0].map(|days| after(newest, -days * DAY_SECS));
            give(&world.azure.arm, &world.record, &machine, LOCATION, &made);
            self.0.insert(machine);
        }
        for machine in
            world.record.targets().into_iter().filter(|machine| !self.0.contains(machine)).collect::<Vec<_>>()
        {
            if world.record.seen().power(&machine) == Some(Power::Running) {
                let made = [2, 1, 0].map(|minutes| after(newest, -minutes * MINUTE_SECS));
                give(&world.azure.arm, &world.record, &machine, OTHER, &made);
                self.0.insert(machine);
            }
        }
        if self.0.len() > before {
            play.expire_soon();
        }
    }
}

fn give(arm: &Arm, record: &Record, machine: &str, region: &str, made: &[Timestamp]) {
    let Some(seed) = collection(arm, machine, region, made) else { return };
    let collection = arm.add_collection(&seed).expect("its machine is there").to_lowercase();
    let points = arm.points_of(machine);
    let machine = machine.to_lowercase();
    // The oldest is the first.
    let of_it = |id: &str| id.to_lowercase().starts_with(&collection);
    let oldest = points.iter().find(|point| of_it(&point.id));
    let Some(oldest) = oldest.map(|point| point.id.to_lowercase()) else { return };
    let mut seen = record.seen();
    for point in &points {
        seen.points.insert(point.id.to_lowercase(), (machine.clone(), true));
    }
    seen.dues.due.insert(oldest.clone());
    seen.tell(record.kept().clock.now(), What::PointDue { point: oldest, machine, region: region.to_owned() });
}

fn collection(arm: &Arm, machine: &str, region: &str, made: &[Timestamp]) -> Option<CollectionSeed> {
    let machines = arm.machines();
    let shown = machines.iter().find(|one| one["id"].as_str().is_some_and(|id| id.eq_ignore_ascii_case(machine)))?;
    let (id, vm_id) = (shown["id"].as_str()?, shown["vmId"].as_str()?);
    Some(past::collection_of((id, vm_id), region, made))
}

/// The minute that a moment lies in: slots are whole minutes.
fn minute(at: Timestamp) -> Timestamp {
    after(at, -(at.as_second() % MINUTE_SECS))
}
