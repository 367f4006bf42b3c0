//! What was met over all seeds, what it cost, and which combinations cannot happen.
//! It never lets a combination go by that is neither met nor named.

use std::collections::BTreeMap;

use super::cases::{self, At, Case, FAULTS, Fault, Kill, PLACES, TRANSITIONS, Transition};

/// What came of a seed.
pub struct Done {
    /// What is wrong.
    pub wrongs: Vec<String>,
    /// Cases that were met.
    pub met: Vec<Case>,
    /// Quiet sweeps that ran.
    pub quiet: usize,
    /// Quiet sweeps that were skipped.
    pub skipped: u64,
    /// Points made.
    pub made: usize,
    /// Points deleted.
    pub deleted: usize,
    /// Calls of the handler.
    pub calls: usize,
    /// Days that passed.
    pub days: i64,
    /// Processor time, in seconds.
    pub spent: f64,
    /// What the model reads otherwise than the product says it does, by the place in [`READ_OTHERWISE`].
    pub otherwise: Vec<usize>,
}

/// What was met over all seeds.
#[derive(Default)]
pub struct Tally {
    seeds: usize,
    faults: BTreeMap<(Transition, Fault), usize>,
    kills: BTreeMap<(Transition, Kill), usize>,
    triples: BTreeMap<Case, usize>,
    quiet: usize,
    skipped: u64,
    made: usize,
    deleted: usize,
    calls: usize,
    days: i64,
    spent: f64,
    otherwise: [usize; READ_OTHERWISE.len()],
}

/// Where the model reads the design more strictly than the product: what its words contain, and what the product says instead. These are
/// counted and printed, and fail nothing.
pub const READ_OTHERWISE: [(&str, &str); 3] = [
    (
        "deleted although its policy is not the one in force for the machine",
        "where the machine follows another policy that enforces, its older points follow the policy that their names say, while that is in force",
    ),
    (
        "deleted beyond turnover although the breaker had opened",
        "up to another turnover beyond the limit waits for its hour and opens no breaker (handlers/README.md)",
    ),
    (
        "nothing went in 24 hours, due since",
        "counts leave the day's window by slices and ten minutes late, so a day's end may fall behind the last sweep (handlers/README.md)",
    ),
];

/// A fault and the places where the handler cannot die under it, at both sides of the calls; and why not.
type Impossible = (Fault, &'static [At], &'static str);

/// Combinations that cannot happen. One that is met beside a combination that can counts for that one alone.
const CANNOT: [Impossible; 8] = [
    (Fault::HostLost, &PLACES, "a handler that does not run dies at no call"),
    (
        Fault::StoreWiped,
        &ALL_BUT_READING,
        "without the estate record nothing is read but the store, and nothing is written",
    ),
    (
        Fault::StoreReplaced,
        &ALL_BUT_READING,
        "with another estate's record nothing is read but the store, and nothing written",
    ),
    (
        Fault::PermissionLost,
        &[At::ArmPut, At::ArmDelete],
        "what may not be read is unknown, and unknown changes nothing",
    ),
    (Fault::ClockAhead, &[At::ArmDelete], "while the clocks differ nothing is deleted"),
    (Fault::ClockBehind, &[At::ArmDelete], "while the clocks differ nothing is deleted"),
    (
        Fault::StoreSlow,
        &[At::ArmDelete],
        "with each answer of the store late, the check is older than ten seconds when a deletion would be sent",
    ),
    (Fault::LockAppears, &[At::ArmDelete], "a lock that stands is read before anything is deleted"),
];

/// What is not done where there is no estate record of ours.
const ALL_BUT_READING: [At; 7] =
    [At::ArmRead, At::ArmQuery, At::ArmPut, At::ArmDelete, At::BlobWrite, At::Lease, At::LedgerEntry];

impl Tally {
    /// Adds what came of a seed.
    pub fn add(&mut self, done: Done) {
        self.seeds += 1;
        for case in done.met {
            if let Some(fault) = case.fault {
                *self.faults.entry((case.transition, fault)).or_default() += 1;
            }
            if let Some(kill) = case.kill {
                *self.kills.entry((case.transition, kill)).or_default() += 1;
            }
            *self.triples.entry(case).or_default() += 1;
        }
        self.quiet += done.quiet;
        self.skipped += done.skipped;
        self.made += done.made;
        self.deleted += done.deleted;
        self.calls += done.calls;
        self.days += done.days;
        self.spent += done.spent;
        done.otherwise.into_iter().for_each(|place| self.otherwise[place] += 1);
    }

    /// Prints the counts.
    pub fn print(&self) {
        let Self { seeds, quiet, skipped, made, deleted, calls, days, spent, .. } = self;
        println!(
            "{seeds} seeds, {days} days: {made} points made, {deleted} deleted, {calls} calls; of quiet sweeps {quiet} ran and \
             {skipped} were skipped; {:.3} s of one core a seed",
            spent / f64::from(u32::try_from(*seeds).unwrap_or(u32::MAX))
        );
        for (count, (words, instead)) in self.otherwise.iter().zip(READ_OTHERWISE) {
            println!("  read otherwise {count} times: the model: {words}; the product: {instead}");
        }
        for transition in TRANSITIONS {
            let faults: Vec<String> = FAULTS
                .iter()
                .map(|fault| format!("{fault:?} {}", self.faults.get(&(transition, *fault)).unwrap_or(&0)))
                .collect();
            println!("  {transition:?} with {}", faults.join(", "));
            let kills: Vec<String> = cases::kills()
                .iter()
                .map(|kill| {
                    let side = if kill.after { "after" } else { "before" };
                    format!("{side} {:?} {}", kill.at, self.kills.get(&(transition, *kill)).unwrap_or(&0))
                })
                .collect();
            println!("  {transition:?} killed {}", kills.join(", "));
        }
    }

    fn is_met(&self, case: &Case) -> bool {
        match (case.fault, case.kill) {
            (Some(fault), None) => self.faults.contains_key(&(case.transition, fault)),
            (None, Some(kill)) => self.kills.contains_key(&(case.transition, kill)),
            _ => self.triples.contains_key(case),
        }
    }

    /// Combinations that can happen and were not met.
    pub fn left(&self, triples: bool) -> Vec<Case> {
        cases::all(triples).into_iter().filter(|case| !self.is_met(case) && cannot(case).is_none()).collect()
    }

    /// Fails where a combination that can happen was not met, or one that cannot was.
    pub fn assert_all_met(&self, triples: bool) {
        let left: Vec<String> = self.left(triples).iter().map(|case| format!("{case:?}")).collect();
        assert!(left.is_empty(), "{} combinations were never met:\n{}", left.len(), left.join("\n"));
        for case in cases::all(triples).iter().filter(|case| self.is_met(case)) {
            if let Some(why) = cannot(case) {
                panic!("{case:?} is said to be impossible ({why}), and was met");
            }
        }
    }
}

/// What contradicts the list: people's own order to stop is written whatever the estate record says, and people unlock.
const CAN: [(Transition, Fault, At); 3] = [
    (Transition::Stop, Fault::StoreWiped, At::BlobWrite),
    (Transition::Stop, Fault::StoreReplaced, At::BlobWrite),
    (Transition::Unlock, Fault::LockAppears, At::ArmDelete),
];

/// Why a case cannot happen.
pub fn cannot(case: &Case) -> Option<&'static str> {
    let can = |(transition, fault, at): &(Transition, Fault, At)| {
        *transition == case.transition && case.fault == Some(*fault) && case.kill.is_some_and(|kill| kill.at == *at)
    };
    if CAN.iter().any(can) {
        return None;
    }
    let holds = |(fault, places, _): &&Impossible| {
        case.fault == Some(*fault) && case.kill.is_some_and(|kill| places.contains(&kill.at))
    };
    CANNOT.iter().find(holds).map(|(_, _, why)| *why)
}

/// The processor time that this thread has had, in seconds.
pub fn spent() -> f64 {
    const NANOSECONDS: f64 = 1e9;
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let first = text.split_whitespace().next().and_then(|word| word.parse::<f64>().ok());
    first.unwrap_or_default() / NANOSECONDS
}
