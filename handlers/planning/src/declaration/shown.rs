//! What a person is shown before a word is given, as far as the word rests on it, and what got worse since.
//! It never decides whether a failover begins: the conditions do, which are read again.

use alloc::collections::BTreeSet;
use alloc::format;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::condition::Name;
use super::facts::FenceSeen;
use super::loss::{Loss, StoppedBy};
use super::{Decision, Phase};
use crate::id::hex;

/// What is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The digest of the recovery plan.
    pub plan: String,
    /// When the open incident opened.
    pub incident: Option<Timestamp>,
    /// Whether a person is asked.
    pub asked: bool,
    /// The conditions that are not met.
    pub unmet: BTreeSet<Name>,
    /// What is known of stopping the old side.
    pub fence: FenceSeen,
    /// What would be lost.
    pub loss: Loss,
}

/// What is worse than what was shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Worse {
    /// The recovery plan is another one.
    OtherPlan,
    /// The incident is closed, or it is another one.
    OtherIncident,
    /// A person is not asked any more.
    NotAsked,
    /// A condition is not met any more.
    Unmet(Name),
    /// The old side cannot be stopped.
    FenceImpossible,
    /// What would be lost is not known any more.
    LossUnknown,
    /// More would be lost.
    MoreLost {
        /// As it was shown.
        shown: SignedDuration,
        /// As it is.
        is: SignedDuration,
    },
}

impl Shown {
    /// What the last of these decisions shows.
    pub fn of(plan: &str, decisions: &[Decision], fence: FenceSeen) -> Self {
        let last = decisions.last();
        let conditions = last.map(|last| last.conditions.as_slice()).unwrap_or_default();
        let nothing = Loss { stopped_at: None, by: StoppedBy::LastGoodProbe, point_at: None };
        Self {
            plan: plan.to_string(),
            incident: last.and_then(|last| last.incident),
            asked: last.is_some_and(|last| last.to == Phase::AwaitingApproval),
            unmet: conditions.iter().filter(|condition| !condition.met).map(super::Condition::name).collect(),
            fence,
            loss: last.map_or(nothing, |last| last.loss),
        }
    }

    /// Its digest: SHA-256 in hex over all of it that does not move with the clock alone.
    pub fn digest(&self) -> String {
        let time = |at: Option<Timestamp>| at.map_or_else(|| "-".to_string(), |at| at.to_string());
        let unmet: Vec<&str> = self.unmet.iter().map(|name| name.word()).collect();
        let fence = match self.fence {
            FenceSeen::NotTried => "notTried",
            FenceSeen::Confirmed => "confirmed",
            FenceSeen::Impossible => "impossible",
        };
        // The last good answer to a probe is a minute younger each minute, and nothing else changed.
        let stopped_at = self.loss.stopped_at.filter(|_| matches!(self.loss.by, StoppedBy::Evidence(_)));
        let text = format!(
            "shown/1\nplan {}\nincident {}\nasked {}\nunmet {}\nfence {fence}\nstopped {}\npoint {}\n",
            self.plan,
            time(self.incident),
            self.asked,
            unmet.join(" "),
            time(stopped_at),
            time(self.loss.point_at),
        );
        hex(&Sha256::digest(text.as_bytes()))
    }

    /// What is worse `now`, so long `after` this was shown last. Nothing, where it is as it was or better.
    pub fn worse(&self, now: &Self, after: SignedDuration) -> Vec<Worse> {
        let mut worse = Vec::new();
        if self.plan != now.plan {
            worse.push(Worse::OtherPlan);
        }
        if self.incident.is_some() && self.incident != now.incident {
            worse.push(Worse::OtherIncident);
        }
        if self.asked && !now.asked {
            worse.push(Worse::NotAsked);
        }
        worse.extend(now.unmet.difference(&self.unmet).copied().map(Worse::Unmet));
        if now.fence == FenceSeen::Impossible && self.fence != FenceSeen::Impossible {
            worse.push(Worse::FenceImpossible);
        }
        // As long as the source answers, what would be lost grows with the time since the newest point.
        let grows = if now.loss.by == StoppedBy::LastGoodProbe { after } else { SignedDuration::ZERO };
        match (self.loss.span(), now.loss.span()) {
            (Some(_), None) => worse.push(Worse::LossUnknown),
            (Some(shown), Some(is)) if is > shown.saturating_add(grows) => worse.push(Worse::MoreLost { shown, is }),
            _ => {}
        }
        worse
    }
}

impl fmt::Display for Worse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherPlan => f.write_str("the recovery plan is another one"),
            Self::OtherIncident => f.write_str("the incident is closed, or is another one"),
            Self::NotAsked => f.write_str("nobody is asked any more"),
            Self::Unmet(name) => write!(f, "the condition {name} is not met any more"),
            Self::FenceImpossible => f.write_str("the old machines cannot be stopped"),
            Self::LossUnknown => f.write_str("what would be lost is not known any more"),
            Self::MoreLost { shown, is } => write!(f, "{is:#} would be lost, and not {shown:#}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signal::Origin;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(1_790_000_000 + minute * 60).expect("a time")
    }

    fn shown() -> Shown {
        let by = StoppedBy::Evidence(Origin::ServiceHealth);
        Shown {
            plan: "p".to_string(),
            incident: Some(at(0)),
            asked: true,
            unmet: [Name::Window].into(),
            fence: FenceSeen::NotTried,
            loss: Loss { stopped_at: Some(at(0)), by, point_at: Some(at(-5)) },
        }
    }

    #[test]
    fn what_stays_or_gets_better_is_not_worse() {
        let minute = SignedDuration::from_mins(1);
        assert_eq!(shown().worse(&shown(), minute), []);
        let better = Loss { point_at: Some(at(-4)), ..shown().loss };
        let better = Shown { unmet: BTreeSet::new(), loss: better, fence: FenceSeen::Confirmed, ..shown() };
        assert_eq!(shown().worse(&better, minute), []);
        assert_ne!(shown().digest(), better.digest(), "it is not the same for that");
    }

    #[test]
    fn whatever_got_worse_is_named() {
        let minute = SignedDuration::from_mins(1);
        let lost = |stopped, point| Loss { stopped_at: stopped, point_at: point, ..shown().loss };
        let cases = [
            (Shown { plan: "q".to_string(), ..shown() }, Worse::OtherPlan),
            (Shown { incident: None, ..shown() }, Worse::OtherIncident),
            (Shown { incident: Some(at(9)), ..shown() }, Worse::OtherIncident),
            (Shown { asked: false, ..shown() }, Worse::NotAsked),
            (Shown { unmet: [Name::Window, Name::Ready].into(), ..shown() }, Worse::Unmet(Name::Ready)),
            (Shown { fence: FenceSeen::Impossible, ..shown() }, Worse::FenceImpossible),
            (Shown { loss: lost(Some(at(0)), None), ..shown() }, Worse::LossUnknown),
            (
                Shown { loss: lost(Some(at(1)), Some(at(-5))), ..shown() },
                Worse::MoreLost { shown: SignedDuration::from_mins(5), is: SignedDuration::from_mins(6) },
            ),
        ];
        for (now, worse) in cases {
            assert_eq!(shown().worse(&now, minute).as_slice(), core::slice::from_ref(&worse));
            assert_ne!(shown().digest(), now.digest(), "{worse}");
        }
    }

    #[test]
    fn while_the_source_answers_what_would_be_lost_grows_with_the_time_alone() {
        let probed = |minute| {
            let by = StoppedBy::LastGoodProbe;
            Shown { loss: Loss { stopped_at: Some(at(minute)), by, point_at: Some(at(-5)) }, ..shown() }
        };
        assert_eq!(probed(0).digest(), probed(7).digest());
        assert_eq!(probed(0).worse(&probed(7), SignedDuration::from_mins(7)), []);
        assert_eq!(probed(0).worse(&probed(9), SignedDuration::from_mins(7)).len(), 1);
    }
}
