//! The rules, in the order in which they are applied: states, keep rules, what stands in the way, `min`, stops of the whole.
//! It never takes a reason back: a point's reasons only become more.

use alloc::vec::Vec;
use core::cmp::Reverse;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp};

use super::period::{Calendar, Period};
use super::{
    Barrier, FAILED_KEPT, GONE_KEPT, Keep, Ownership, PointSeen, Presence, Question, RESTORABLE_AFTER_DELETION_BY_HAND,
    Reason, Reasons, State,
};
use crate::policy::WhenMachineDeleted;

/// The reasons of each point, in the order of `points`.
pub fn reasons(question: &Question<'_>, points: &[PointSeen<'_>]) -> Vec<Reasons> {
    let counted = newest_first(points, question.now);
    let basis = Basis::of(question);
    let mut reasons: Vec<Reasons> =
        points.iter().map(|point| own(point, question, basis, counted.first().map(|newest| newest.at))).collect();
    match basis {
        Basis::Everything(_) => {}
        Basis::Rules(keep) => keep_by_rules(keep, question.zone, &counted, &mut reasons),
        Basis::Newest(_) => {
            if let Some(newest) = counted.first() {
                reasons[newest.index].add(Reason::NewestOfGone);
            }
        }
    }
    if let [only] = counted.as_slice() {
        reasons[only.index].add(Reason::OnlyRestorable);
    }
    if let Basis::Rules(keep) | Basis::Newest(keep) = basis {
        let due = if matches!(basis, Basis::Newest(_)) { Reason::MachineGone } else { Reason::NoRuleKeeps };
        keep_at_least(keep.at_least(), &counted, due, &mut reasons);
    }
    stop(question, counted.len(), points, &mut reasons);
    reasons
}

/// What is kept by.
#[derive(Clone, Copy)]
enum Basis<'a> {
    /// Everything stays, for this reason.
    Everything(Reason),
    /// The rules.
    Rules(&'a Keep),
    /// The machine has been gone for long: its newest, and as many as the rules' `min`.
    Newest(&'a Keep),
}

impl<'a> Basis<'a> {
    fn of(question: &Question<'a>) -> Self {
        let Some(keep) = question.keep else { return Self::Everything(Reason::NoPolicy) };
        if keep.is_empty() {
            return Self::Everything(Reason::NoRules);
        }
        match (question.machine, question.when_gone) {
            (Presence::Living | Presence::Unknown, _) => Self::Rules(keep),
            (Presence::GoneSince(since), WhenMachineDeleted::KeepLast) => {
                if question.now.duration_since(since) < GONE_KEPT {
                    Self::Everything(Reason::GoneLately)
                } else {
                    Self::Newest(keep)
                }
            }
        }
    }
}

/// A point that counts, with its place among the points.
struct Counted {
    at: Timestamp,
    index: usize,
}

/// The points that rules and `min` count, newest first; of two of the same time the later name, so that the order in which they
/// came decides nothing.
fn newest_first(points: &[PointSeen<'_>], now: Timestamp) -> Vec<Counted> {
    let mut counted: Vec<Counted> = points
        .iter()
        .enumerate()
        .filter(|(_, point)| point.counts(now))
        .map(|(index, point)| Counted { at: point.at, index })
        .collect();
    counted.sort_unstable_by_key(|point| Reverse(point.at));
    for same in counted.chunk_by_mut(|a, b| a.at == b.at).filter(|same| same.len() > 1) {
        same.sort_unstable_by(|a, b| points[b.index].name.cmp(points[a.index].name).then(a.index.cmp(&b.index)));
    }
    counted
}

/// What a point's own state, owner and barriers say, without the other points but the newest that counts.
fn own(point: &PointSeen<'_>, question: &Question<'_>, basis: Basis<'_>, newest: Option<Timestamp>) -> Reasons {
    let mut reasons = barriers(point);
    if point.ownership == Ownership::Foreign {
        return reasons.with(Reason::NotOurs);
    }
    let gone_for_long = matches!(basis, Basis::Newest(_)) && newest.is_some();
    let state = match point.state {
        // Nothing keeps what is on its way out, and nothing more is to be done about it.
        State::Deleting => return reasons.with(Reason::Deleting),
        State::Restorable if point.conforms(question.at_least) => None,
        State::Restorable => Some(Reason::LessConsistent),
        State::InProgress => Some(Reason::InProgress),
        State::Failed | State::NotWhole if gone_for_long => Some(Reason::MachineGone),
        State::NotWhole => Some(Reason::NotWhole),
        State::Failed if newest.is_some_and(|newest| newest.duration_since(point.at) >= FAILED_KEPT) => {
            Some(Reason::FailedLongAgo)
        }
        State::Failed => Some(Reason::Evidence),
    };
    if let Basis::Everything(why) = basis {
        reasons.add(why);
    }
    if point.last_of_disk {
        reasons.add(Reason::LastOfDisk);
    }
    if point.at > question.now {
        reasons.add(Reason::Future);
    }
    state.map_or(reasons, |state| reasons.with(state))
}

/// What stands in the way of this point's end, whoever made it.
fn barriers(point: &PointSeen<'_>) -> Reasons {
    let mut reasons = Reasons::NONE;
    for (barrier, reason) in [
        (point.held, Reason::Held),
        (point.locked, Reason::Locked),
        (point.in_use.open_access, Reason::OpenAccess),
        (point.in_use.copying, Reason::Copying),
        (point.in_use.saga, Reason::UsedBySaga),
    ] {
        match barrier {
            Barrier::Absent => {}
            Barrier::Present => reasons.add(reason),
            Barrier::Unknown => reasons.add(Reason::BarriersUnknown),
        }
    }
    reasons
}

/// One per period, the newest in it, for as many periods as have one.
struct Rule {
    left: u32,
    period: Period,
    reason: Reason,
    /// The number of the last period that was counted; numbers only become smaller.
    counted: i64,
}

fn keep_by_rules(keep: &Keep, zone: &TimeZone, counted: &[Counted], reasons: &mut [Reasons]) {
    let rule = |left, period, reason| Rule { left, period, reason, counted: i64::MAX };
    let mut rules = [
        rule(keep.hourly, Period::Hour, Reason::Hourly),
        rule(keep.daily, Period::Day, Reason::Daily),
        rule(keep.weekly, Period::Week, Reason::Weekly),
        rule(keep.monthly, Period::Month, Reason::Monthly),
        rule(keep.yearly, Period::Year, Reason::Yearly),
    ];
    let mut calendar = Calendar::new(zone);
    for point in counted {
        if rules.iter().all(|rule| rule.left == 0) {
            break;
        }
        let mut local = calendar.at(point.at);
        for rule in rules.iter_mut().filter(|rule| rule.left > 0) {
            let number = local.number(rule.period);
            // Smaller, not other: where clocks go back over midnight a day comes up again, and its newest is already counted.
            if number < rule.counted {
                rule.counted = number;
                rule.left -= 1;
                reasons[point.index].add(rule.reason);
            }
        }
    }
    for point in counted.iter().take(usize::try_from(keep.last).unwrap_or(usize::MAX)) {
        reasons[point.index].add(Reason::Last);
    }
    if let (Some(within), Some(newest)) = (keep.within, counted.first()) {
        let from = reaches_back_to(newest.at, within, zone);
        for point in counted.iter().take_while(|point| point.at >= from) {
            reasons[point.index].add(Reason::Within);
        }
    }
}

/// The oldest time that `within` still keeps, counted from the newest point: when backups stop, nothing falls out of it. A span
/// that reaches back before all time keeps everything.
fn reaches_back_to(newest: Timestamp, within: SignedDuration, zone: &TimeZone) -> Timestamp {
    let exact = newest.checked_sub(within).unwrap_or(Timestamp::MIN);
    let days = within.as_hours() / 24;
    let rest = within.saturating_sub(SignedDuration::from_hours(days.saturating_mul(24)));
    let by_calendar = Span::new()
        .try_days(days)
        .and_then(|days| newest.to_zoned_datetime(zone.clone()).checked_sub(days))
        .and_then(|from| from.timestamp().checked_sub(rest))
        .unwrap_or(Timestamp::MIN);
    exact.min(by_calendar)
}

/// `min`: where fewer would stay, the newest of those that would not stay too; what is left then is due.
fn keep_at_least(min: usize, counted: &[Counted], due: Reason, reasons: &mut [Reasons]) {
    let staying = counted.iter().filter(|point| reasons[point.index].stays()).count();
    let mut missing = min.saturating_sub(staying);
    for point in counted {
        let own = &mut reasons[point.index];
        if missing > 0 && !own.stays() {
            own.add(Reason::Min);
            missing -= 1;
        } else if !own.any(super::Role::Keeps) {
            own.add(due);
        }
    }
}

/// What stops expiry for all of a machine and entry.
fn stop(question: &Question<'_>, restorable: usize, points: &[PointSeen<'_>], reasons: &mut [Reasons]) {
    let unknown = question.machine == Presence::Unknown;
    let by_hand = question.deleted_by_hand && restorable < RESTORABLE_AFTER_DELETION_BY_HAND;
    if !unknown && !by_hand {
        return;
    }
    for (point, own) in points.iter().zip(reasons) {
        if point.ownership == Ownership::Ours {
            if unknown {
                own.add(Reason::MachineUnknown);
            }
            if by_hand {
                own.add(Reason::DeletedByHand);
            }
        }
    }
}
