//! What a replay supposes where a history cannot say it: readiness, points, fence, people's words, the saga.
//! It never supposes in silence: whoever shows a replay shows these too.
//!
//! `ready=yes|no|memberRefuses|unknown` · `newestPoint=TIME|none` · `fence=notTried|confirmed|impossible` ·
//! `standingApproval=yes|no` · `rejectedAt=TIME` · `approvedAt=TIME` · `passes=CONDITION,…` · `acceptedAt=TIME` · `failedOverAt=TIME` ·
//! `undoneAt=TIME` · `failedBackAt=TIME` · `named=RULE or RESOURCE`

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::declaration::{Assumed, FenceSeen, Name, Readiness, Rejected, SagaSeen};
use std::collections::BTreeSet;
use std::fmt;

/// How often Site Recovery makes a point, by its own default; so old is the newest when the incident opens.
const POINT_EVERY: SignedDuration = SignedDuration::from_mins(5);
/// How long a person's word stands.
const WORD_STANDS: SignedDuration = SignedDuration::from_mins(60);
/// What stands for the entries that a failover rests on.
const ENTRIES: &str = "the assumed entries of the recovery plan";

/// What a replay supposes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Supposed {
    ready: Ready,
    newest_point: Option<Option<Timestamp>>,
    fence: FenceSeen,
    standing_approval: bool,
    rejected_at: Option<Timestamp>,
    approved_at: Option<Timestamp>,
    passes: BTreeSet<Name>,
    accepted_at: Option<Timestamp>,
    failed_over_at: Option<Timestamp>,
    undone_at: Option<Timestamp>,
    failed_back_at: Option<Timestamp>,
    named: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ready {
    Yes,
    No,
    MemberRefuses,
    Unknown,
}

/// Why a word is no supposition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotSupposed {
    /// It is not `name=value`.
    NoValue(String),
    /// There is no supposition of that name.
    UnknownName(String),
    /// The value is none of those there are.
    WrongValue(String, &'static str),
}

impl Default for Supposed {
    fn default() -> Self {
        Self {
            ready: Ready::Yes,
            newest_point: None,
            fence: FenceSeen::NotTried,
            standing_approval: false,
            rejected_at: None,
            approved_at: None,
            passes: BTreeSet::new(),
            accepted_at: None,
            failed_over_at: None,
            undone_at: None,
            failed_back_at: None,
            named: Vec::new(),
        }
    }
}

impl Supposed {
    /// Supposes one thing more, written `name=value`.
    ///
    /// # Errors
    /// Where it is none of the words above.
    pub fn suppose(&mut self, word: &str) -> Result<(), NotSupposed> {
        let (name, value) = word.split_once('=').ok_or_else(|| NotSupposed::NoValue(word.to_owned()))?;
        let wrong = |expected| NotSupposed::WrongValue(word.to_owned(), expected);
        let time = || value.parse::<Timestamp>().map(Some).map_err(|_| wrong("a time such as 2026-11-22T02:00:00Z"));
        match name {
            "ready" => {
                self.ready = match value {
                    "yes" => Ready::Yes,
                    "no" => Ready::No,
                    "memberRefuses" => Ready::MemberRefuses,
                    "unknown" => Ready::Unknown,
                    _ => return Err(wrong("yes, no, memberRefuses or unknown")),
                }
            }
            "newestPoint" => self.newest_point = Some(if value == "none" { None } else { time()? }),
            "fence" => {
                self.fence = match value {
                    "notTried" => FenceSeen::NotTried,
                    "confirmed" => FenceSeen::Confirmed,
                    "impossible" => FenceSeen::Impossible,
                    _ => return Err(wrong("notTried, confirmed or impossible")),
                }
            }
            "standingApproval" => {
                self.standing_approval = match value {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(wrong("yes or no")),
                }
            }
            "rejectedAt" => self.rejected_at = time()?,
            "approvedAt" => self.approved_at = time()?,
            "passes" => {
                for name in value.split(',') {
                    let known = Name::ALL.into_iter().find(|known| known.word() == name);
                    self.passes.insert(known.ok_or_else(|| wrong("names of conditions"))?);
                }
            }
            "acceptedAt" => self.accepted_at = time()?,
            "failedOverAt" => self.failed_over_at = time()?,
            "undoneAt" => self.undone_at = time()?,
            "failedBackAt" => self.failed_back_at = time()?,
            "named" => self.named.push(value.to_owned()),
            _ => return Err(NotSupposed::UnknownName(name.to_owned())),
        }
        Ok(())
    }

    /// The rules and resources that the recovery plan names.
    pub(super) fn named(&self) -> &[String] {
        &self.named
    }

    pub(super) fn readiness(&self, now: Timestamp) -> Readiness {
        match self.ready {
            Ready::Yes => Readiness::Ready { at: now },
            Ready::No => Readiness::NotReady { at: now },
            Ready::MemberRefuses => Readiness::MemberRefuses { at: now },
            Ready::Unknown => Readiness::Unknown,
        }
    }

    pub(super) fn fence(&self) -> FenceSeen {
        self.fence
    }

    /// The newest point: as supposed, else five minutes before the incident opened, or before now while there is none.
    pub(super) fn point_at(&self, opened_at: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
        self.newest_point.unwrap_or_else(|| opened_at.unwrap_or(now).checked_sub(POINT_EVERY).ok())
    }

    pub(super) fn assumed(&self) -> Assumed {
        let entries: BTreeSet<String> = [ENTRIES.to_owned()].into();
        let approved = self.standing_approval.then(|| entries.clone());
        Assumed { entries, approved }
    }

    /// A person's no to what is asked in the incident that is open when it is said, and in none after it.
    pub(super) fn rejected(&self, opened_at: Option<Timestamp>, now: Timestamp) -> Option<Rejected> {
        let at = self.rejected_at.filter(|at| *at <= now)?;
        opened_at.filter(|opened_at| *opened_at <= at).map(|incident| Rejected { incident, at })
    }

    /// The conditions that a word passes, while it stands.
    pub(super) fn word(&self, now: Timestamp) -> Option<&BTreeSet<Name>> {
        let since = self.approved_at?;
        (since <= now && now.duration_since(since) <= WORD_STANDS).then_some(&self.passes)
    }

    /// The saga, once it was begun.
    pub(super) fn saga(&self, now: Timestamp) -> SagaSeen {
        let is_past = |at: Option<Timestamp>| at.is_some_and(|at| at <= now);
        if is_past(self.failed_back_at) {
            SagaSeen::FailedBack
        } else if is_past(self.undone_at) {
            SagaSeen::Undone
        } else if is_past(self.failed_over_at) {
            SagaSeen::FailedOver
        } else {
            SagaSeen::Running { accepted: is_past(self.accepted_at) }
        }
    }

    /// In words, for whoever sees the replay.
    pub fn words(&self) -> Vec<String> {
        let mut words = vec![format!(
            "readiness: {}",
            match self.ready {
                Ready::Yes => "ready at every look",
                Ready::No => "not ready",
                Ready::MemberRefuses => "a member does not allow failover",
                Ready::Unknown => "unknown",
            }
        )];
        words.push(match self.newest_point {
            None => "newest point: five minutes before the incident opens".to_owned(),
            Some(None) => "newest point: none".to_owned(),
            Some(Some(at)) => format!("newest point: {at}"),
        });
        words.push(format!(
            "fence: {}",
            match self.fence {
                FenceSeen::NotTried => "not tried",
                FenceSeen::Confirmed => "confirmed",
                FenceSeen::Impossible => "impossible",
            }
        ));
        words.push(format!("standing approval: {}", if self.standing_approval { "given" } else { "not given" }));
        let times = [
            ("rejected at", self.rejected_at),
            ("approved at", self.approved_at),
            ("first failover accepted at", self.accepted_at),
            ("failed over at", self.failed_over_at),
            ("undone at", self.undone_at),
            ("failed back at", self.failed_back_at),
        ];
        words.extend(times.iter().filter_map(|(what, at)| Some(format!("{what}: {}", (*at)?))));
        words.extend(self.named.iter().map(|name| format!("named by the recovery plan: {name}")));
        words
    }
}

impl std::error::Error for NotSupposed {}

impl fmt::Display for NotSupposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValue(word) => write!(f, "`{word}` is not name=value"),
            Self::UnknownName(name) => write!(f, "nothing called `{name}` can be supposed"),
            Self::WrongValue(word, expected) => write!(f, "`{word}`: expected {expected}"),
        }
    }
}
