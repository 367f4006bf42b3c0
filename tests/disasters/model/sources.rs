//! Which origins say that a region is lost, by two readings: what may count for a declaration, and what surely has to be seen.
//! It never counts messages: a source is an origin, whichever doors it comes through and however often (design §8).

use std::collections::{BTreeMap, BTreeSet};

use super::bounds::{
    EVIDENCE_AGE_SECONDS_MAX, FLEET_AGE_SECONDS_MAX, PROBE_AGE_SECONDS_MAX, SURELY_BAD_PROBES, SURELY_FRESH_SECONDS,
};
use super::history::{Evidence, Origin, Plan, Time};

/// How doubts are taken: what may count allows a declaration, what surely counts demands one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    May,
    Surely,
}

/// What one sender says in one matter.
struct Stream {
    origin: Origin,
    bad: bool,
    surely: bool,
    since: Time,
    heard: Time,
    said: Time,
    bad_in_a_row: u32,
    /// How large the fleet is said to be, and when it was said to be smaller than before.
    fleet: Option<u32>,
    shrunk_at: Option<Time>,
}

/// A state without a break, and the last one before it: what is told or begun may rest on what was so just before.
#[derive(Default)]
pub struct Span {
    pub since: Option<Time>,
    before: Option<(Time, Time)>,
}

impl Span {
    fn turn(&mut self, on: bool, at: Time, ended: Time) {
        if on {
            // What happens in one second is one moment: nothing lay between.
            let resumed = self.before.filter(|(_, until)| *until == at).map(|(since, _)| since);
            self.since = self.since.or(resumed).or(Some(at));
        } else if let Some(since) = self.since.take() {
            self.before = Some((since, ended));
        }
    }

    /// Whether it had stood for so long, now or at a moment that is no more than `grace` seconds ago.
    pub fn had_stood(&self, seconds: i64, at: Time, grace: i64) -> bool {
        let before = self.before.filter(|(_, until)| at - until <= grace);
        self.since.is_some_and(|since| at - since >= seconds)
            || before.is_some_and(|(since, until)| until - since >= seconds)
    }
}

/// What all senders say of a plan's `from`.
#[derive(Default)]
pub struct Sources {
    streams: BTreeMap<(Origin, String), Stream>,
    ids: BTreeSet<(Origin, String)>,
    /// Whether any one may count, enough of them, and enough of them for rules.
    pub any: Span,
    pub enough: Span,
    pub enough_for_rules: Span,
    /// The same of those that surely count: any, and enough for rules.
    pub surely_any: Span,
    pub surely_enough: Span,
    /// Whether each that said something bad took it back.
    pub recovered: Span,
    /// The same of those that surely count: what was stale when it came, or has aged out since, may be nobody's word.
    pub recovered_of_sure: Span,
}

/// Whether a source is a report of Azure's; the others that count are measured.
fn is_reported(origin: Origin) -> bool {
    matches!(origin, Origin::ServiceHealth | Origin::ResourceHealth)
}

impl Sources {
    pub fn hear(&mut self, plan: &Plan, evidence: &Evidence, at: Time) {
        let counts = evidence.region.eq_ignore_ascii_case(&plan.from)
            && plan.origins.contains(&evidence.origin)
            && evidence.origin != Origin::Other
            && evidence.marks.is_empty()
            && at - evidence.said <= EVIDENCE_AGE_SECONDS_MAX;
        if !counts || !self.ids.insert((evidence.origin, evidence.id.clone())) {
            return;
        }
        let key = (evidence.origin, evidence.stream.clone());
        let before = self.streams.get(&key);
        // A message that comes late, after a newer one of the same sender, says nothing new.
        if before.is_some_and(|before| before.said > evidence.said) {
            return;
        }
        // A share of the fleet, never one machine (design §8).
        let bad = evidence.bad && evidence.fleet.is_none_or(|(unavailable, _)| unavailable > 1);
        let row = before.filter(|before| before.bad).map_or(0, |before| before.bad_in_a_row);
        let bad_in_a_row = if bad { row + 1 } else { 0 };
        let fleet = evidence.fleet.map(|(_, of)| of);
        let shrinks = before.is_some_and(|before| fleet < before.fleet);
        let shrunk_at = if shrinks { Some(at) } else { before.and_then(|before| before.shrunk_at) };
        // Of how many machines a share is, may have been read some minutes ago.
        let of_all = shrunk_at.is_none_or(|shrunk| at - shrunk > FLEET_AGE_SECONDS_MAX);
        let whole_fleet = evidence.fleet.is_none_or(|(unavailable, of)| unavailable == of && of_all);
        let fresh = at - evidence.said.min(evidence.since) <= SURELY_FRESH_SECONDS;
        let probed = evidence.origin != Origin::Probe || bad_in_a_row >= SURELY_BAD_PROBES;
        let stood = before.is_some_and(|before| before.bad && before.surely);
        let since =
            before.filter(|before| before.bad).map_or(evidence.since, |before| before.since.min(evidence.since));
        let stream = Stream {
            origin: evidence.origin,
            bad,
            surely: bad && (stood || (whole_fleet && fresh && probed)),
            since,
            heard: at,
            said: evidence.said,
            bad_in_a_row,
            fleet,
            shrunk_at,
        };
        self.streams.insert(key, stream);
    }

    fn standing(&self, at: Time, reading: Reading) -> impl Iterator<Item = &Stream> {
        self.streams.values().filter(move |stream| {
            let heard = stream.origin != Origin::Probe || at - stream.heard <= PROBE_AGE_SECONDS_MAX;
            // What was said more than a day ago has aged out (design §8), whether or not it was taken back.
            let counts = at - stream.said <= EVIDENCE_AGE_SECONDS_MAX;
            stream.bad && counts && heard && (reading == Reading::May || stream.surely)
        })
    }

    fn is_enough(&self, plan: &Plan, at: Time, reading: Reading, both_kinds: bool) -> bool {
        let origins: BTreeSet<Origin> = self.standing(at, reading).map(|stream| stream.origin).collect();
        let reported = origins.iter().any(|origin| is_reported(*origin));
        let measured = origins.iter().any(|origin| !is_reported(*origin));
        origins.len() >= plan.at_least && (!both_kinds || (reported && measured))
    }

    pub fn stands(&self, at: Time, reading: Reading) -> bool {
        self.standing(at, reading).next().is_some()
    }

    fn is_well_by_any(&self) -> bool {
        self.streams.values().any(|stream| !stream.bad)
    }

    /// Looks at the clock: what has become silent, and since when there is enough. What is over now ended then.
    pub fn look(&mut self, plan: &Plan, at: Time, ended: Time) {
        self.any.turn(self.stands(at, Reading::May), at, ended);
        self.enough.turn(self.is_enough(plan, at, Reading::May, false), at, ended);
        self.enough_for_rules.turn(self.is_enough(plan, at, Reading::May, true), at, ended);
        self.surely_any.turn(self.stands(at, Reading::Surely), at, ended);
        self.surely_enough.turn(self.is_enough(plan, at, Reading::Surely, true), at, ended);
        // Absence is not recovery: a stream that is only silent has not recovered.
        let recovered = !self.streams.is_empty() && self.streams.values().all(|stream| !stream.bad);
        self.recovered.turn(recovered, at, ended);
        // What has aged out stands for nothing, where somebody says that it is well: silence alone is no recovery.
        let stands = |stream: &Stream| {
            stream.bad && stream.surely && (!self.is_well_by_any() || at - stream.said <= EVIDENCE_AGE_SECONDS_MAX)
        };
        let of_sure = !self.streams.is_empty() && !self.streams.values().any(stands);
        self.recovered_of_sure.turn(of_sure, at, ended);
    }

    /// The moment the source stopped serving, by the confirming evidence: its earliest `since`.
    pub fn stopped_serving(&self, at: Time) -> Option<Time> {
        self.standing(at, Reading::May).map(|stream| stream.since).min()
    }
}
