//! Plays one seed: an estate with a past, stretches of time in each of which something happens while something goes wrong, then calm.
//! Time in which nothing is due is skipped; it never skips a moment that the simulation's own calendar names.

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::id::{MachineKey, PointName, collection, machine_source, points_group};
use lifeboat_planning::schedule::Slot;
use lifeboat_simulator::azure::{CollectionSeed, DiskSeed, MachineSeed, PointSeed, VaultSeed};
use lifeboat_tests::rig::{DEPLOYMENT, ESTATE, GROUP, LOCATION, SECOND, SUBSCRIPTION};
use lifeboat_tests::{Rig, past};

use crate::model::history::{Policy, Schedule, What};

use super::cases::{Case, Stretch};
use super::policies::{self, Rhythm, VAULT};
use super::record::Record;
use crate::seeds::Dice;

/// Timers fire at whole minutes of this many.
const SWEEP_EVERY_SECS: i64 = 300;
const HOUR_SECS: i64 = 3_600;
/// After so long nothing is under way any more that failed and is tried again.
const SETTLED_SECS: i64 = 2 * HOUR_SECS;
/// The minute of the hour at which points expire.
const EXPIRY_AT_SECS: i64 = 1_800;
/// When a month begins: over both changes of the clock, the year's end, and a leap day.
const BEGINNINGS: [&str; 5] = [
    "2026-10-04T10:01:00Z",
    "2027-03-07T10:01:00Z",
    "2026-12-06T10:01:00Z",
    "2028-02-06T10:01:00Z",
    "2026-06-07T10:01:00Z",
];
/// The same for a week.
const WEEKS: [&str; 3] = ["2026-10-22T10:01:00Z", "2027-03-25T10:01:00Z", "2026-12-29T10:01:00Z"];
/// The same for a day.
const DAYS: [&str; 3] = ["2026-10-24T20:01:00Z", "2027-03-27T21:01:00Z", "2026-11-22T10:01:00Z"];
/// One in so many estates is a larger one.
const LARGE_ONE_IN: u64 = 12;
/// Machines of a larger one beside the five of all, at most.
const MORE_MAX: u64 = 25;
/// One in so many estates has a glut of points.
const GLUT_ONE_IN: u64 = 5;
/// Points of a machine then.
const GLUT: usize = 6;
/// One in so many quiet sweeps runs.
const QUIET_ONE_IN: u64 = 100;

/// What an estate has that others have not.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// A machine that its policy protects in a vault.
    pub vault: bool,
    /// A machine in another subscription.
    pub second: bool,
    /// So many machines of one policy with a slot a week, and no others.
    pub machines: Option<usize>,
}

impl Wanted {
    /// What the stretches of a seed need.
    pub fn by(stretches: &[Stretch]) -> Self {
        Self {
            vault: stretches.iter().any(Stretch::needs_vault),
            second: stretches.iter().any(Stretch::needs_second),
            machines: None,
        }
    }
}

/// One seed under way.
pub struct Play {
    /// The world.
    pub rig: Rig,
    /// The dice.
    pub dice: Dice,
    /// The policies in force.
    pub policies: Vec<Policy>,
    /// How often slots come.
    pub rhythm: Rhythm,
    /// What was seen.
    pub record: Record,
    /// What is wrong already.
    pub wrongs: Vec<String>,
    /// Cases of which the trouble struck.
    pub met: Vec<Case>,
    /// Machines made so far.
    pub made: usize,
    /// Quiet sweeps that ran.
    pub quiet: usize,
    /// Quiet sweeps that were skipped.
    pub skipped: u64,
    /// Whether what happens is told.
    pub tell: bool,
    /// The point that is held, by its id.
    pub held: Option<String>,
    /// A lock stands over the points.
    pub locked: bool,
    /// All changes are stopped.
    pub stopped: bool,
    /// Machines have many more points than are kept.
    glut: bool,
    /// There are more collections than one sweep reads, so that no hour is quiet.
    pub crowded: bool,
    /// The subscriptions in scope.
    pub subscriptions: Vec<&'static str>,
    /// When the store was emptied last, its ledgers with it.
    pub wiped_at: Option<Timestamp>,
}

impl Play {
    /// An estate with its past.
    pub async fn new(seed: u64, wanted: Wanted, tell: bool) -> Self {
        let mut dice = Dice(seed);
        let drawn = Rhythm::drawn(&mut dice);
        let rhythm = if wanted.machines.is_some() { Rhythm::Weekly } else { drawn };
        let beginnings: &[&str] = match rhythm {
            Rhythm::Weekly => &BEGINNINGS,
            Rhythm::Daily => &WEEKS,
            Rhythm::Hourly => &DAYS,
        };
        let epoch = beginnings[dice.below(beginnings.len() as u64) as usize].parse().expect("a time");
        let mut policies = policies::drawn(&mut dice, rhythm);
        let glut = dice.below(GLUT_ONE_IN) == 0;
        if glut {
            policies.iter_mut().for_each(|policy| policy.expire_per_day = 2);
        }
        let subscriptions: &[&str] = if wanted.second { &[SUBSCRIPTION, SECOND] } else { &[SUBSCRIPTION] };
        let rig = Rig::over(subscriptions, epoch, seed);
        past::old_estate(&rig);
        let record = Record::default();
        let mut play = Self {
            rig,
            dice,
            policies,
            rhythm,
            record,
            wrongs: Vec::new(),
            met: Vec::new(),
            made: 0,
            quiet: 0,
            skipped: 0,
            tell,
            held: None,
            locked: false,
            stopped: false,
            glut,
            subscriptions: subscriptions.to_vec(),
            crowded: wanted.machines.is_some(),
            wiped_at: None,
        };
        play.people(wanted).await;
        play
    }

    async fn people(&mut self, wanted: Wanted) {
        self.rig.azure.arm.add_vault(&VaultSeed::new(SUBSCRIPTION, GROUP, VAULT, LOCATION));
        let other = ["watch", "snap", "snap", "dev"][self.dice.below(4) as usize];
        let fifth = if wanted.vault { "vault" } else { other };
        match wanted.machines {
            Some(count) => (0..count).for_each(|_| self.old_machine("prod", SUBSCRIPTION)),
            None => ["prod", "prod", "dev", "dev", fifth].iter().for_each(|env| self.old_machine(env, SUBSCRIPTION)),
        }
        if wanted.machines.is_none() && self.dice.below(LARGE_ONE_IN) == 0 {
            let more = 1 + self.dice.below(MORE_MAX);
            (0..more).for_each(|_| self.old_machine("dev", SUBSCRIPTION));
        }
        if wanted.second {
            self.old_machine("prod", SECOND);
        }
        // What nobody is there for would be read at each sweep.
        self.policies.retain(|policy| policy.vault.is_none() || wanted.vault);
        self.push();
        self.rig.host_on().await;
        self.record.observe(&self.rig);
        self.expire().await;
    }

    /// A machine that is a quarter of a year old, with points of the last slots.
    fn old_machine(&mut self, env: &str, subscription: &str) {
        let mut seed = self.machine_seed(env, subscription);
        seed.created_at = self.rig.epoch.checked_sub(SignedDuration::from_hours(90 * 24)).ok();
        self.rig.azure.arm.add_machine(&seed);
        let machine = self.rig.azure.machine(&seed.name).expect("a machine");
        self.record.disks_of(&machine.vm_id, 1 + u32::try_from(seed.disks.len()).unwrap_or(0));
        let policy = self.policies.iter().find(|policy| policy.env == env && env != "snap");
        let entry = policy.and_then(|policy| Some((policy.name.clone(), policy.entries.first()?.clone())));
        if let Some((policy, entry)) = entry {
            let schedule = entry.schedule.clone().expect("a schedule");
            // A glut is what limits are for.
            let count = if self.glut { GLUT } else { 1 + self.dice.below(3) as usize };
            let slots = policies::last(&schedule, self.rig.epoch, count);
            let tags = [
                ("lifeboat-owner", DEPLOYMENT.to_owned()),
                ("lifeboat-estate", ESTATE.to_owned()),
                ("lifeboat-machine", machine_source(&machine.vm_id)),
            ];
            let name = |at: Timestamp| {
                let slot = Slot::new(at).expect("a slot");
                PointName::scheduled(&policy, &entry.name, slot, &machine.vm_id, 1).to_string()
            };
            let seed = CollectionSeed {
                machine: machine.id.clone(),
                group: points_group(LOCATION),
                name: collection(&MachineKey::new(&machine.vm_id, &machine.id)),
                tags: tags.map(|(name, value)| (name.to_owned(), value)).into(),
                points: slots.iter().map(|&made| PointSeed { name: name(made), made }).collect(),
            };
            let id = self.rig.azure.arm.add_collection(&seed).expect("a collection");
            for at in slots {
                self.record.past(
                    self.rig.epoch,
                    &format!("{id}/restorePoints/{}", name(at)),
                    &machine.vm_id,
                    &entry.name,
                    at,
                );
            }
        }
    }

    /// What a machine of a new name is made from.
    pub fn machine_seed(&mut self, env: &str, subscription: &str) -> MachineSeed {
        let name = format!("{env}-{}", self.made);
        self.made += 1;
        let mut seed = MachineSeed::new(subscription, GROUP, &name, LOCATION).tag("env", env);
        if env == "snap" {
            seed.disks = vec![DiskSeed { name: format!("{}-data", seed.name), size_gib: 32 }];
        }
        seed
    }

    /// Puts the policies as they are in force.
    pub fn push(&mut self) {
        let texts: Vec<(String, String)> =
            self.policies.iter().map(|policy| (format!("{}.yaml", policy.name), policy.yaml())).collect();
        let documents: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
        self.rig.write_policies(&documents);
        let policies = self.policies.clone();
        self.record.tell(self.rig.clock.now(), What::Policies(policies));
    }

    /// The schedule that all policies of the estate share.
    pub fn schedule(&self) -> Option<Schedule> {
        self.policies.iter().flat_map(|policy| &policy.entries).find_map(|entry| entry.schedule.clone())
    }

    /// The next slot, or an hour's end where no policy names one.
    pub fn next_slot(&self) -> Timestamp {
        let now = self.rig.clock.now();
        self.schedule().map_or_else(|| after(now, 0, HOUR_SECS), |schedule| policies::next(&schedule, now))
    }

    /// Skips time in which nothing is due; one in a hundred sweeps that would find nothing runs, and must change nothing.
    pub async fn skip(&mut self, to: Timestamp) {
        let settled = self.rig.clock.now() + SignedDuration::from_secs(SETTLED_SECS);
        if settled + SignedDuration::from_secs(SETTLED_SECS) > to {
            self.rig.skip_to(to).await;
            return;
        }
        self.rig.skip_to(settled).await;
        // What could not be done at the last sweep, or failed and is tried again after a while, is done at this one.
        let first = after(settled, 0, SWEEP_EVERY_SECS);
        self.wake(first).await;
        self.rig.skip_to(first + SignedDuration::from_secs(HOUR_SECS)).await;
        loop {
            let now = self.rig.clock.now();
            let left = to.as_second() - now.as_second();
            let ahead = 1 + self.dice.below(2 * QUIET_ONE_IN);
            let sweeps = u64::try_from(left / SWEEP_EVERY_SECS).unwrap_or(0);
            if ahead + 1 >= sweeps {
                self.skipped += sweeps;
                self.rig.skip_to(to).await;
                return;
            }
            self.skipped += ahead;
            let wait = SWEEP_EVERY_SECS * i64::try_from(ahead).unwrap_or(0);
            self.quiet_sweep(after(now + SignedDuration::from_secs(wait), 0, SWEEP_EVERY_SECS)).await;
        }
    }

    async fn quiet_sweep(&mut self, at: Timestamp) {
        self.rig.skip_to(at - SignedDuration::from_secs(1)).await;
        self.record.observe(&self.rig);
        let before = self.record.changes;
        self.quiet += 1;
        self.wake(at).await;
        self.rig.skip_to(at + SignedDuration::from_secs(60)).await;
        self.record.observe(&self.rig);
        if self.record.changes > before {
            self.wrongs.push(format!("a quiet sweep at {at} changed something in Azure"));
        }
    }

    /// Lets the timers that are due at this moment fire, and observes what came of what was before.
    pub async fn wake(&mut self, at: Timestamp) {
        self.rig.skip_to(at).await;
        self.rig.run(std::time::Duration::from_secs(1)).await;
        self.record.observe(&self.rig);
    }

    /// Lets a sweep run so many minutes after a slot.
    pub async fn sweep(&mut self, slot: Timestamp, minutes: i64) {
        let turn = slot + SignedDuration::from_secs(minutes * 60 - 1);
        if turn > self.rig.clock.now() {
            self.wake(after(turn, 0, SWEEP_EVERY_SECS)).await;
        }
    }

    /// Lets sweeps run through the rest of a slot's window, and points expire after it.
    pub async fn rest_of(&mut self, slot: Timestamp) {
        if self.rhythm != Rhythm::Hourly {
            self.sweep(slot, 65).await;
        }
        self.expire().await;
    }

    /// The sweep after this one: it has what met points that were being deleted, five minutes later.
    pub async fn next_sweep(&mut self) {
        self.wake(after(self.rig.clock.now(), 0, SWEEP_EVERY_SECS)).await;
        self.rig.skip_to(self.rig.clock.now() + SignedDuration::from_secs(240)).await;
        self.record.observe(&self.rig);
    }

    /// Lets so many hours pass, in each of which points expire.
    pub async fn hours(&mut self, count: u32) {
        for _ in 0..count {
            self.expire().await;
        }
    }

    /// The next time that points expire.
    pub async fn expire(&mut self) {
        let at = after(self.rig.clock.now(), EXPIRY_AT_SECS, HOUR_SECS);
        self.wake(at).await;
        self.rig.skip_to(at + SignedDuration::from_secs(240)).await;
        self.record.observe(&self.rig);
    }
}

/// The first moment after `from` that lies `offset` seconds after a multiple of `every`.
pub fn after(from: Timestamp, offset: i64, every: i64) -> Timestamp {
    let offset = offset.rem_euclid(every);
    let whole = (from.as_second() - offset).div_euclid(every) + 1;
    let base = whole * every + offset;
    Timestamp::from_second(base).expect("a time")
}
