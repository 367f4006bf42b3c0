//! The signals that stand: of each thread the sender's latest word, when it was first heard and last repeated.
//! It never lets an older word win over a newer one, a repeated message count twice, or a silent thread pass for a well one.

mod kept;

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::string::String;
use alloc::vec::Vec;
use jiff::{SignedDuration, Timestamp};

use super::{About, Origin, Signal, State, Told};

pub use kept::{KeptThread, Remembered};

/// A message older than this when it arrives tells of the past: Event Grid holds events back for hours when a receiver is sick.
pub const STALE_AFTER: SignedDuration = SignedDuration::from_mins(30);
/// A sender's `since` further back than this, before it was said, is not believed: an outage that nobody had told of for a day
/// is not the one at hand, and an early `since` makes the loss look small.
pub const SINCE_BELIEVED: SignedDuration = SignedDuration::from_hours(24);
/// A thread that nobody has said a word about for so long is dropped.
pub const FORGOTTEN_AFTER: SignedDuration = SignedDuration::from_hours(24);
/// How many answers of a probe must be failures in a row: one request fails for many reasons.
pub const PROBE_FAILURES_MIN: u32 = 2;
/// How far apart the two halves of a machine's state, that it does not serve and that the platform is to blame, may be told.
///
/// *Assumed*, `health-event-halves`: no source ties an annotation to a change of state.
const HALVES_APART: SignedDuration = SignedDuration::from_mins(15);
/// Bound on threads kept: the machines of the largest estate, and as many incidents and rules.
pub const THREADS_MAX: usize = 200_000;
/// Bound on ids of messages kept to know repeats by; the oldest go first.
const IDS_MAX: usize = 100_000;

/// What a thread is known by.
type Key = (String, Origin, About);

/// What stands of one thread.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// The latest word.
    pub state: State,
    /// Since when, by the sender's word where it is believed, else when it said so first.
    pub since: Timestamp,
    /// When the sender said the latest word.
    pub said_at: Timestamp,
    /// When this state was first heard.
    pub heard_at: Timestamp,
    /// When this state was last heard or read.
    pub affirmed_at: Timestamp,
    /// How often in a row it was said.
    pub times: u32,
    /// When a machine was last said not to serve.
    pub unavailable_at: Option<Timestamp>,
    /// When the platform was last blamed.
    pub blamed_at: Option<Timestamp>,
}

/// What became of a signal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It stands.
    Stands,
    /// The very message was heard before.
    Repeated,
    /// Its sender has said something newer since.
    Older,
    /// It was said too long ago when it arrived.
    Stale,
    /// There is no room for another thread.
    NoRoom,
}

/// The signals that stand, and when all was last read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signals {
    threads: BTreeMap<Key, Thread>,
    heard: BTreeSet<(Timestamp, Origin, String)>,
    heard_ids: BTreeMap<(Origin, String), Timestamp>,
    /// When Resource Health last answered whole: events and statuses, to their last page.
    pub read_at: Option<Timestamp>,
    good_probe_at: BTreeMap<String, Timestamp>,
}

impl Signals {
    /// Takes the signals of one message or reading, which arrived at `at`. All of one message share its id.
    pub fn take(&mut self, signals: &[Signal], at: Timestamp) -> Vec<Taken> {
        let mut taken = Vec::with_capacity(signals.len());
        let known: BTreeSet<_> = signals
            .iter()
            .filter_map(|signal| id_of(signal))
            .filter(|id| self.heard_ids.contains_key(&(id.0, String::from(id.1))))
            .map(|id| (id.0, String::from(id.1)))
            .collect();
        for signal in signals {
            let repeated = id_of(signal).is_some_and(|(origin, id)| known.contains(&(origin, String::from(id))));
            taken.push(if repeated { Taken::Repeated } else { self.take_one(signal, at) });
        }
        for (origin, id) in signals.iter().filter_map(id_of) {
            self.remember(origin, id, at);
        }
        taken
    }

    fn take_one(&mut self, signal: &Signal, at: Timestamp) -> Taken {
        // A word from the future would win over every later one until that moment: it counts as said now.
        let signal = &Signal { said_at: signal.said_at.min(at), ..signal.clone() };
        // That something is well again may come late: it makes nothing worse, and a newer word still wins over it.
        let delivered = matches!(signal.told, Told::Message(_)) || signal.origin == Origin::Probe;
        let late = delivered && at.duration_since(signal.said_at) > STALE_AFTER;
        if late && signal.state != State::Well {
            return Taken::Stale;
        }
        if signal.origin == Origin::Probe && signal.state == State::Well {
            let good = self.good_probe_at.entry(signal.region.clone()).or_insert(signal.said_at);
            *good = (*good).max(signal.said_at);
        }
        let key = (signal.region.clone(), signal.origin, signal.about.clone());
        // Of a machine of which nothing was said before this says nothing either.
        if signal.state == State::Excused && !self.threads.contains_key(&key) {
            return Taken::Stands;
        }
        if !self.threads.contains_key(&key) && self.threads.len() >= THREADS_MAX {
            return Taken::NoRoom;
        }
        match self.threads.get_mut(&key) {
            None => {
                self.threads.insert(key, Thread::first(signal, at));
                Taken::Stands
            }
            Some(thread) if signal.said_at < thread.said_at => {
                // A reading that lags but says the same still says that nothing has changed.
                let same = thread.state == signal.state && signal.told == Told::Reading;
                if same {
                    thread.affirmed_at = thread.affirmed_at.max(at);
                }
                if same { Taken::Stands } else { Taken::Older }
            }
            Some(thread) => {
                thread.hear(signal, at);
                Taken::Stands
            }
        }
    }

    fn remember(&mut self, origin: Origin, id: &str, at: Timestamp) {
        if self.heard_ids.contains_key(&(origin, String::from(id))) {
            return;
        }
        if self.heard.len() >= IDS_MAX
            && let Some((_, origin, id)) = self.heard.pop_first()
        {
            self.heard_ids.remove(&(origin, id));
        }
        self.heard.insert((at, origin, String::from(id)));
        self.heard_ids.insert((origin, String::from(id)), at);
    }

    /// Notes that Resource Health answered whole at `at`.
    pub fn read_whole(&mut self, at: Timestamp) {
        self.read_at = Some(self.read_at.map_or(at, |before| before.max(at)));
    }

    /// Drops threads that nobody has said a word about for [`FORGOTTEN_AFTER`]. That is no recovery: who drops the last failing
    /// thread of an incident still has to read the region well.
    pub fn age(&mut self, now: Timestamp) {
        self.threads.retain(|_, thread| now.duration_since(thread.affirmed_at) <= FORGOTTEN_AFTER);
    }

    /// The threads of a region and origin.
    pub fn threads<'a>(&'a self, region: &'a str, origin: Origin) -> impl Iterator<Item = (&'a About, &'a Thread)> {
        let from = (String::from(region), origin, About::Region { matter: String::new(), service: String::new() });
        self.threads
            .range(from..)
            .take_while(move |((at, by, _), _)| at == region && *by == origin)
            .map(|((_, _, about), thread)| (about, thread))
    }

    /// When a probe of the region last was answered well.
    pub fn good_probe_at(&self, region: &str) -> Option<Timestamp> {
        self.good_probe_at.get(region).copied()
    }
}

/// The sender's id of a message; none of a reading.
fn id_of(signal: &Signal) -> Option<(Origin, &str)> {
    match &signal.told {
        Told::Message(id) => Some((signal.origin, id)),
        Told::Reading => None,
    }
}

impl Thread {
    fn first(signal: &Signal, at: Timestamp) -> Self {
        let mut thread = Self {
            state: signal.state,
            since: believed(signal, at),
            said_at: signal.said_at,
            heard_at: at,
            affirmed_at: at,
            times: 1,
            unavailable_at: None,
            blamed_at: None,
        };
        thread.state = thread.whole(signal);
        thread
    }

    fn hear(&mut self, signal: &Signal, at: Timestamp) {
        let state = self.whole(signal);
        // Whether it failed all the while, nobody knows of who fell silent in between.
        let went_on = self.is_fresh(signal.origin, at);
        if state == self.state && went_on {
            self.times = self.times.saturating_add(1);
            // An earlier `since` of the same state is a correction; a later one a restatement.
            self.since = self.since.min(believed(signal, at));
        } else {
            (self.times, self.since, self.heard_at) = (1, believed(signal, at), at);
        }
        (self.state, self.said_at) = (state, signal.said_at);
        self.affirmed_at = self.affirmed_at.max(at);
    }

    /// The state after a word that may be half of one: a machine fails when it does not serve *and* the platform is to blame.
    fn whole(&mut self, signal: &Signal) -> State {
        let near = |half: Option<Timestamp>| {
            half.is_some_and(|half| signal.said_at.duration_since(half).abs() <= HALVES_APART)
        };
        match signal.state {
            State::Unavailable => {
                self.unavailable_at = Some(signal.said_at);
                if near(self.blamed_at) || self.state == State::Failing { State::Failing } else { State::Unavailable }
            }
            State::PlatformFault => {
                self.blamed_at = Some(signal.said_at);
                let down = near(self.unavailable_at) || self.state == State::Failing;
                if down { State::Failing } else { State::PlatformFault }
            }
            State::Well | State::Excused => {
                (self.unavailable_at, self.blamed_at) = (None, None);
                signal.state
            }
            State::Failing => State::Failing,
        }
    }

    /// True while the latest word still stands: said again lately enough.
    pub fn is_fresh(&self, origin: Origin, now: Timestamp) -> bool {
        now.duration_since(self.affirmed_at) <= origin.stands_for()
    }

    /// True when it is evidence now: it fails, the word is fresh, and it was said often enough.
    pub fn is_evidence(&self, origin: Origin, now: Timestamp) -> bool {
        let often = origin != Origin::Probe || self.times >= PROBE_FAILURES_MIN;
        self.state == State::Failing && often && self.is_fresh(origin, now)
    }
}

/// The sender's `since`, where it can be believed; else when it was said, which is never earlier than that.
///
/// *Assumed*, `signal-since`: a sender's beginning may be wrong; what makes the loss look smaller is not taken from it.
fn believed(signal: &Signal, at: Timestamp) -> Timestamp {
    let said_at = signal.said_at.min(at);
    signal
        .since
        .filter(|since| *since <= said_at && said_at.duration_since(*since) <= SINCE_BELIEVED)
        .unwrap_or(said_at)
}
