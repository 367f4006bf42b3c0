//! Which sources fail, of one region, counted by origin.
//! It never counts a message, a door or a single machine as a source, and never takes silence for good news or bad.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use crate::signal::{About, Origin, Signals, State, Thread};

/// The share of a fleet, in percent, from which on it fails.
pub const SHARE_ENTERS: u64 = 50;
/// The share below which it does not fail any more: lower, so that a fleet at the edge does not flap.
pub const SHARE_LEAVES: u64 = 20;
/// One machine never speaks for its region.
pub const MACHINES_MIN: u64 = 2;
/// A machine whose last word is so much older than the last whole read was not named by it; events may come between two reads.
const GONE_AFTER: SignedDuration = SignedDuration::from_mins(2);
/// Bound on the names that are shown of a source.
const NAMES_MAX: usize = 5;

/// What one origin says of a region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Which.
    pub origin: Origin,
    /// What.
    pub standing: Standing,
    /// Since when it fails, by the earliest of its threads that are evidence.
    pub since: Option<Timestamp>,
    /// How much of a fleet, where it is one.
    pub share: Option<Share>,
    /// Its senders' names for what fails: some of them.
    pub names: Vec<String>,
}

/// Where a source stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It is evidence.
    Failing,
    /// Neither evidence nor well: one failed probe, a few machines of a fleet.
    Uneasy,
    /// It failed and has said nothing since.
    Silent,
    /// It says that all is well.
    Well,
    /// It never said anything.
    Nothing,
}

/// How many of how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    /// That fail.
    pub failing: u64,
    /// In all. Stopped machines are among them: that makes the share smaller, which is the safe side.
    pub of: u64,
}

impl Share {
    fn reaches(self, percent: u64) -> bool {
        self.of > 0 && self.failing * 100 >= percent * self.of
    }
}

/// A region as a recovery plan looks at it.
#[derive(Clone, Copy, Debug)]
pub struct Region<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many machines are in it.
    pub machines: u64,
    /// The alert rules and resources that speak for it; none where all do that anybody named: bad news of the region into which
    /// machines go is never left out.
    pub alerts: Option<&'a BTreeSet<String>>,
    /// The origins that failed at the last look.
    pub failing_before: &'a [Origin],
}

impl Region<'_> {
    /// What another recovery plan names speaks for that one.
    fn hears(&self, origin: Origin, about: &About) -> bool {
        match about {
            About::Region { service, .. } if origin == Origin::MetricAlert => {
                self.alerts.is_none_or(|alerts| alerts.contains(service))
            }
            _ => true,
        }
    }
}

/// What each origin says of a region.
pub fn sources(signals: &Signals, region: Region<'_>, now: Timestamp) -> Vec<Source> {
    let Region { machines, failing_before, .. } = region;
    let of = |origin| {
        let threads: Vec<(&About, &Thread)> =
            signals.threads(region.name, origin).filter(|(about, _)| region.hears(origin, about)).collect();
        let matters: Vec<_> = threads.iter().filter(|(about, _)| matches!(about, About::Region { .. })).collect();
        let of_machine = |about: &About| matches!(about, About::Machine(_));
        let fleet: Vec<_> =
            threads.iter().filter(|(about, thread)| of_machine(about) && !is_gone(thread, signals)).collect();
        let by_matter = of_matters(origin, &matters, now);
        let (by_fleet, share) = of_fleet(origin, &fleet, machines, failing_before.contains(&origin), now);
        let standing = worse(by_matter, by_fleet);
        let evidence: Vec<_> = threads
            .iter()
            .filter(|(about, thread)| {
                let speaks = match about {
                    About::Region { .. } => by_matter == Standing::Failing,
                    About::Machine(_) => by_fleet == Standing::Failing,
                };
                speaks && thread.is_evidence(origin, now)
            })
            .collect();
        Source {
            origin,
            standing,
            since: evidence.iter().map(|(_, thread)| thread.since).min(),
            share,
            names: evidence.iter().take(NAMES_MAX).map(|(about, _)| name(about)).collect(),
        }
    };
    Origin::ALL.into_iter().map(of).collect()
}

/// True for a machine that somebody stopped and that a whole read names no more: it is deleted, and no part of the fleet. Of one that failed,
/// silence says nothing.
fn is_gone(thread: &Thread, signals: &Signals) -> bool {
    let unnamed = |read_at: Timestamp| read_at.duration_since(thread.affirmed_at) > GONE_AFTER;
    thread.state == State::Excused && signals.read_at.is_some_and(unnamed)
}

/// Incidents, rules and probes: one that fails is enough, but of probes it takes half.
fn of_matters(origin: Origin, threads: &[&(&About, &Thread)], now: Timestamp) -> Standing {
    if threads.is_empty() {
        return Standing::Nothing;
    }
    let count = |is: &dyn Fn(&Thread) -> bool| threads.iter().filter(|(_, thread)| is(thread)).count() as u64;
    let failing = count(&|thread| thread.is_evidence(origin, now));
    let enough = match origin {
        Origin::Probe => Share { failing, of: threads.len() as u64 }.reaches(SHARE_ENTERS),
        _ => true,
    };
    if failing > 0 && enough {
        Standing::Failing
    } else if count(&|thread| thread.state != State::Well && thread.is_fresh(origin, now)) > 0 {
        Standing::Uneasy
    } else if count(&|thread| thread.state != State::Well) > 0 {
        Standing::Silent
    } else if origin == Origin::Probe && count(&|thread| !thread.is_fresh(origin, now)) > 0 {
        // A probe that was well and is not asked any more says nothing: once the workload serves elsewhere nobody asks it, and what others say
        // of the region still counts.
        Standing::Nothing
    } else {
        Standing::Well
    }
}

fn of_fleet(
    origin: Origin,
    threads: &[&(&About, &Thread)],
    machines: u64,
    failed_before: bool,
    now: Timestamp,
) -> (Standing, Option<Share>) {
    // Machines that somebody stopped say nothing of their region, well or not.
    if threads.iter().all(|(_, thread)| thread.state == State::Excused) {
        return (Standing::Nothing, None);
    }
    let of = machines.max(threads.len() as u64);
    let count = |is: &dyn Fn(&Thread) -> bool| threads.iter().filter(|(_, thread)| is(thread)).count() as u64;
    let share = Share { failing: count(&|thread| thread.is_evidence(origin, now)), of };
    let ever = Share { failing: count(&|thread| thread.state == State::Failing), of };
    let enters = share.reaches(SHARE_ENTERS) && share.failing >= MACHINES_MIN;
    let stays = failed_before && share.reaches(SHARE_LEAVES) && share.failing >= MACHINES_MIN;
    let standing = if enters || stays {
        Standing::Failing
    } else if share.reaches(SHARE_LEAVES) && share.failing >= MACHINES_MIN {
        Standing::Uneasy
    } else if ever.reaches(SHARE_LEAVES) && ever.failing >= MACHINES_MIN {
        Standing::Silent
    } else {
        Standing::Well
    };
    (standing, Some(share))
}

/// The one of two that is further from well.
fn worse(a: Standing, b: Standing) -> Standing {
    let rank = |standing| match standing {
        Standing::Failing => 4,
        Standing::Uneasy => 3,
        Standing::Silent => 2,
        Standing::Well => 1,
        Standing::Nothing => 0,
    };
    if rank(a) >= rank(b) { a } else { b }
}

fn name(about: &About) -> String {
    match about {
        About::Region { matter, service } if service.is_empty() => matter.clone(),
        About::Region { matter, service } => alloc::format!("{matter} ({service})"),
        About::Machine(id) => id.rsplit('/').next().unwrap_or(id).into(),
    }
}
