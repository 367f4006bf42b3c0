//! What facts mean for a step of a failover: done, under way, not begun, failed, or unknown.
//! It never takes an unknown for anything else, and never asks for a second failover of a member of which one may have begun.

use alloc::format;
use alloc::string::String;
use jiff::Timestamp;

use super::effect::Look;
use super::jobs::{heard, newest_job};
use super::point::choose;
use super::seen::{
    BackFacts, EndpointFacts, Facts, ItemFacts, JobFacts, JobKind, JobState, Known, MachineFacts, MemberFacts, Monitor,
    Power, ProfileFacts, SavedFacts, TargetFacts,
};
use super::unmet::{ItemUnmet, PROTECTED, ProfileUnmet, endpoints, item_unmet, target_unmet};
use super::{Failover, Member, Traffic, Unmet};
use crate::saga::table::{Seen, Sent};
use crate::saga::words::{Why, WhyKind};
use crate::saga::{later, seconds};

/// How far Azure's clock and ours may differ before nothing is believed any more: design, State.
const CLOCKS_SECS: i64 = 300;

/// What these facts mean for this look.
pub(super) fn judge(of: &mut Failover, look: &Look, sent: Sent, facts: &Facts, _now: Timestamp) -> Seen {
    match (look, facts) {
        (Look::Ready(it), Facts::Member(seen)) => ready(of, it, seen),
        (Look::TargetUsable, Facts::Target(seen)) => target_usable(seen),
        (Look::ProfileUsable(it), Facts::Profile(seen)) => profile_usable(it, seen),
        (Look::Stopped(it), Facts::Old(seen)) => stopped(of, it, seen),
        (Look::Started(it), Facts::Old(seen)) => started(of, it, seen),
        (Look::Newest(it), Facts::Member(seen)) => newest(of, it, seen),
        (Look::FailedOver(it), Facts::Member(seen)) => failed_over(of, it, sent, seen),
        (Look::Running(it), Facts::Member(seen)) => running(of, it, seen),
        (Look::Enabled(it), Facts::Profile(seen)) => enabled(it, seen),
        (Look::EnabledUndone(it), Facts::Profile(seen)) => enabled_undone(it, seen),
        (Look::Disabled(it), Facts::Profile(seen)) => disabled(it, seen),
        (Look::DisabledUndone(it), Facts::Profile(seen)) => disabled_undone(it, seen),
        (Look::Answers(_), Facts::Answer(true)) => Seen::Done,
        (Look::PointChanged(it), Facts::Member(seen)) => point_changed(of, it, sent, seen),
        (Look::Committed(it), Facts::Member(seen)) => committed(of, it, seen),
        (Look::Saved(..), Facts::Saved(seen, still)) => saved(seen, still),
        (Look::CanProtect(it), Facts::Back(seen)) => can_protect(of, it, seen),
        (Look::ProtectedBack(it), Facts::Turning(seen, needs)) => protected_back(of, it, sent, (seen, needs)),
        // Facts of another kind than were asked for say nothing, and an answer that is not there yet may come.
        _ => Seen::Unknown,
    }
}

fn failed(kind: WhyKind, code: &str) -> Seen {
    Seen::Failed(Why::with(kind, code))
}

/// Rule 2 of readiness, and that no machine has the target's id.
fn ready(of: &mut Failover, it: &Member, seen: &MemberFacts) -> Seen {
    let item = match &seen.item {
        Known::Is(item) => item,
        Known::Absent => return failed(WhyKind::NotReady, "no replicated item"),
        Known::Unknown => return Seen::Unknown,
    };
    let health_passed = of.order.passed.contains(&Unmet::Health);
    match item_unmet(item).into_iter().find(|unmet| !(health_passed && unmet.is_health())) {
        None => {}
        Some(ItemUnmet::InMultiVmGroup) => return Seen::Failed(WhyKind::InMultiVmGroup.into()),
        Some(ItemUnmet::NotAllowed) => return Seen::Failed(WhyKind::NotAllowed.into()),
        Some(ItemUnmet::Health) => return failed(WhyKind::NotReady, "replicationHealth"),
        Some(ItemUnmet::State(word) | ItemUnmet::Error(word)) => return failed(WhyKind::NotReady, &word),
    }
    match &seen.target {
        Known::Is(machine) => return failed(WhyKind::TargetTaken, &machine.id),
        Known::Unknown => return Seen::Unknown,
        Known::Absent => {}
    }
    take_point(of, it, seen)
}

/// The points as they are after the fence.
fn newest(of: &mut Failover, it: &Member, seen: &MemberFacts) -> Seen {
    match seen.item {
        Known::Is(_) => take_point(of, it, seen),
        Known::Absent => failed(WhyKind::NotReady, "no replicated item"),
        Known::Unknown => Seen::Unknown,
    }
}

/// Chooses the member's point, and holds what it loses against what was approved.
fn take_point(of: &mut Failover, it: &Member, seen: &MemberFacts) -> Seen {
    let wanted = of.memory.of(&it.name).choice.unwrap_or(of.order.point);
    let Some((id, time)) = choose(wanted, &seen.points) else {
        return Seen::Failed(WhyKind::NoPointOfThatKind.into());
    };
    of.memory.of_mut(&it.name).point = Some((id, time));
    let loss = time.map(|time| of.order.stopped_serving_at.duration_since(time));
    if of.order.passed.contains(&Unmet::Loss) || loss.is_some_and(|loss| loss <= of.order.loss_max) {
        return Seen::Done;
    }
    let text = loss.map_or(String::from("not known"), |loss| format!("{} s", loss.as_secs()));
    failed(WhyKind::LossGrew, &text)
}

fn target_usable(seen: &TargetFacts) -> Seen {
    match target_unmet(seen).first() {
        None => Seen::Done,
        Some(unmet) if unmet.is_known => failed(WhyKind::TargetNotUsable, unmet.part.word()),
        Some(_) => Seen::Unknown,
    }
}

/// An old machine that is to be stopped. Gone is stopped; any state but deallocated may run.
fn stopped(of: &mut Failover, it: &Member, seen: &Known<MachineFacts>) -> Seen {
    let machine = match seen {
        Known::Is(machine) => machine,
        Known::Absent => return Seen::Done,
        Known::Unknown => return Seen::Unknown,
    };
    let down = matches!(machine.power, Power::Deallocated | Power::Deallocating | Power::Stopped);
    let memory = of.memory.of_mut(&it.name);
    memory.ran = memory.ran.or(Some(!down));
    match machine.power {
        Power::Deallocated => Seen::Done,
        Power::Deallocating => Seen::Going,
        Power::Running | Power::Starting | Power::Stopped | Power::Other => Seen::NotBegun,
    }
}

/// An old machine that is to run again: only one that this saga saw running before it stopped it.
fn started(of: &Failover, it: &Member, seen: &Known<MachineFacts>) -> Seen {
    if of.memory.of(&it.name).ran != Some(true) {
        return Seen::Done;
    }
    match seen {
        Known::Unknown => Seen::Unknown,
        Known::Absent => failed(WhyKind::NotReady, "the old machine is gone"),
        Known::Is(machine) => match machine.power {
            Power::Running => Seen::Done,
            Power::Starting | Power::Deallocating => Seen::Going,
            Power::Deallocated | Power::Stopped | Power::Other => Seen::NotBegun,
        },
    }
}

/// Rule 3, with what comes before a repeat: item, job and machine are read, and only what has not begun is sent.
fn failed_over(of: &mut Failover, it: &Member, sent: Sent, seen: &MemberFacts) -> Seen {
    let Known::Is(item) = &seen.item else {
        return match seen.item {
            Known::Absent => failed(WhyKind::NotReady, "no replicated item"),
            _ => Seen::Unknown,
        };
    };
    if seen.target == Known::Unknown {
        return Seen::Unknown;
    }
    let since = later(sent.first_at.unwrap_or(of.order.ordered_at), seconds(-CLOCKS_SECS));
    // Only that much counts as not begun, also after a failed job: the item as it was before, and no machine under the target's id
    // (*Assumed*: `failover-not-begun`, `failover-target-absent`).
    let untouched = item.state == PROTECTED && item.on_primary && seen.target == Known::Absent;
    match heard(of, it, newest_job(seen, JobKind::Failover, since)) {
        Some(JobState::Running) => Seen::Going,
        Some(JobState::Succeeded) => new_machine(of, it, since, seen),
        Some(JobState::Failed(code)) if !untouched => failed(WhyKind::JobFailed, code),
        Some(JobState::Failed(_)) | None if untouched && item.allows_failover => with_point(of, it, seen),
        None if untouched => Seen::Failed(WhyKind::NotAllowed.into()),
        Some(JobState::Failed(code)) => failed(WhyKind::JobFailed, code),
        None if sent.attempts == 0 => match &seen.target {
            Known::Is(machine) => failed(WhyKind::TargetTaken, &machine.id),
            Known::Absent | Known::Unknown => failed(WhyKind::NotReady, &item.state),
        },
        // Sent, changed, and no job seen: the list of jobs is late.
        None => Seen::Unknown,
    }
}

/// Not begun, once it is known which point is taken: a person may have chosen another one.
fn with_point(of: &mut Failover, it: &Member, seen: &MemberFacts) -> Seen {
    let memory = of.memory.of(&it.name);
    if memory.point.is_none() {
        let wanted = memory.choice.unwrap_or(of.order.point);
        let Some(point) = choose(wanted, &seen.points) else {
            return Seen::Failed(WhyKind::NoPointOfThatKind.into());
        };
        of.memory.of_mut(&it.name).point = Some(point);
    }
    Seen::NotBegun
}

/// The machine that a failover made: under the target's id, else exactly one of its name with a suffix.
fn new_machine(of: &mut Failover, it: &Member, since: Timestamp, seen: &MemberFacts) -> Seen {
    let fits = |machine: &&MachineFacts| {
        machine.location.eq_ignore_ascii_case(&of.order.to)
            && !machine.vm_id.eq_ignore_ascii_case(&it.old_vm_id)
            && machine.created_at >= since
    };
    let named = match &seen.target {
        Known::Is(machine) => Some(machine).filter(fits),
        Known::Absent | Known::Unknown => None,
    };
    let mut alike = seen.alike.iter().filter(fits);
    let found = match (named, alike.next(), alike.next()) {
        (Some(machine), _, _) | (None, Some(machine), None) => (machine.id.clone(), machine.created_at),
        _ => return Seen::Failed(WhyKind::TargetNotFound.into()),
    };
    of.memory.of_mut(&it.name).target = Some(found);
    Seen::Done
}

/// A new machine that shall run. It is looked for under the id under which it was found.
fn running(of: &Failover, it: &Member, seen: &MemberFacts) -> Seen {
    let Some((id, _)) = of.memory.of(&it.name).target else {
        return Seen::Failed(WhyKind::NothingIsFailedOver.into());
    };
    let named = match &seen.target {
        Known::Is(machine) => Some(machine),
        Known::Absent | Known::Unknown => None,
    };
    let machine = named.into_iter().chain(&seen.alike).find(|machine| machine.id.eq_ignore_ascii_case(&id));
    match machine {
        Some(machine) if machine.power == Power::Running && machine.provisioned => Seen::Done,
        Some(_) => Seen::Going,
        None => Seen::Unknown,
    }
}

/// The profile and both its endpoints; else what that means.
fn both<'p>(it: &Traffic, seen: &'p Known<ProfileFacts>) -> Result<(&'p EndpointFacts, &'p EndpointFacts), Seen> {
    endpoints(seen, &it.from, &it.to).map_err(|unmet| match unmet {
        ProfileUnmet::Unread => Seen::Unknown,
        other => failed(WhyKind::ProfileNotUsable, &other.words()),
    })
}

fn profile_usable(it: &Traffic, seen: &Known<ProfileFacts>) -> Seen {
    both(it, seen).map_or_else(|seen| seen, |_| Seen::Done)
}

fn enabled(it: &Traffic, seen: &Known<ProfileFacts>) -> Seen {
    match both(it, seen) {
        Ok((_, to)) if !to.enabled => Seen::NotBegun,
        Ok((_, to)) if to.monitor == Monitor::Online => Seen::Done,
        Ok(_) => Seen::Going,
        Err(seen) => seen,
    }
}

/// The old endpoint is disabled only where the same read shows the target's enabled and online: so it is never the last one.
fn disabled(it: &Traffic, seen: &Known<ProfileFacts>) -> Seen {
    match both(it, seen) {
        Ok((from, _)) if !from.enabled => Seen::Done,
        Ok((_, to)) if to.enabled && to.monitor == Monitor::Online => Seen::NotBegun,
        Ok(_) => Seen::Going,
        Err(seen) => seen,
    }
}

fn enabled_undone(it: &Traffic, seen: &Known<ProfileFacts>) -> Seen {
    match both(it, seen) {
        Ok((_, to)) if !to.enabled => Seen::Done,
        Ok((from, _)) if from.enabled => Seen::NotBegun,
        Ok(_) => failed(WhyKind::LastEndpoint, &it.to),
        Err(seen) => seen,
    }
}

fn disabled_undone(it: &Traffic, seen: &Known<ProfileFacts>) -> Seen {
    match both(it, seen) {
        Ok((from, _)) if from.enabled => Seen::Done,
        Ok(_) => Seen::NotBegun,
        Err(seen) => seen,
    }
}

fn known_item(seen: &MemberFacts) -> Result<&ItemFacts, Seen> {
    match &seen.item {
        Known::Is(item) if item.state == PROTECTED && item.on_primary && !item.turned_round => {
            Err(Seen::Failed(WhyKind::NothingIsFailedOver.into()))
        }
        Known::Is(item) => Ok(item),
        Known::Absent => Err(failed(WhyKind::NotReady, "no replicated item")),
        Known::Unknown => Err(Seen::Unknown),
    }
}

/// Another recovery point: only a job answers for it that began after the newest one before it was asked for.
fn point_changed(of: &mut Failover, it: &Member, sent: Sent, seen: &MemberFacts) -> Seen {
    if let Err(seen) = known_item(seen) {
        return seen;
    }
    let newest = newest_job(seen, JobKind::ChangePoint, Timestamp::MIN);
    if sent.attempts == 0 {
        of.memory.of_mut(&it.name).changed_before = newest.map(|job| job.began_at);
        return match newest.map(|job| &job.state) {
            // One runs that somebody else began: ours comes after it.
            Some(JobState::Running) => Seen::Unknown,
            _ => with_point(of, it, seen),
        };
    }
    let before = of.memory.of(&it.name).changed_before;
    match heard(of, it, newest.filter(|job| before.is_none_or(|before| job.began_at > before))) {
        Some(JobState::Succeeded) => Seen::Done,
        Some(JobState::Running) => Seen::Going,
        Some(JobState::Failed(code)) => failed(WhyKind::JobFailed, code),
        None => Seen::NotBegun,
    }
}

/// A commit of this failover: its job (*Assumed*: `failover-commit-job`) began after the new machine was made, by the same clock.
fn committed(of: &mut Failover, it: &Member, seen: &MemberFacts) -> Seen {
    if let Err(seen) = known_item(seen) {
        return seen;
    }
    let Some((_, made_at)) = of.memory.of(&it.name).target else {
        return Seen::Failed(WhyKind::NothingIsFailedOver.into());
    };
    match heard(of, it, newest_job(seen, JobKind::Commit, made_at)) {
        Some(JobState::Succeeded) => Seen::Done,
        Some(JobState::Running) => Seen::Going,
        Some(JobState::Failed(_)) | None => Seen::NotBegun,
    }
}

fn saved(seen: &Known<SavedFacts>, still: &Known<bool>) -> Seen {
    match seen {
        _ if *still == Known::Is(false) => failed(WhyKind::CannotProtectBack, RUNS_AGAIN),
        Known::Is(SavedFacts { restorable: true, .. }) => Seen::Done,
        Known::Is(SavedFacts { failed: Some(code), .. }) => failed(WhyKind::JobFailed, code),
        Known::Is(_) => Seen::Going,
        Known::Absent if *still == Known::Is(true) => Seen::NotBegun,
        Known::Absent | Known::Unknown => Seen::Unknown,
    }
}

/// Why an old machine that was started again is not deleted: what it wrote since it stopped is in no point.
const RUNS_AGAIN: &str =
    "the old machine does not stand still any more: what it wrote since it was stopped is in no point of its disks";

fn can_protect(of: &mut Failover, it: &Member, seen: &BackFacts) -> Seen {
    if seen.still == Known::Is(false) {
        return failed(WhyKind::CannotProtectBack, RUNS_AGAIN);
    }
    match (&seen.old_side, &seen.back) {
        (Known::Is(()), Known::Is(back)) if seen.still == Known::Is(true) => {
            of.memory.of_mut(&it.name).back = Some(back.clone());
            Seen::Done
        }
        (Known::Absent, _) => failed(WhyKind::CannotProtectBack, "the old group, networks or disks"),
        (_, Known::Absent) => failed(WhyKind::CannotProtectBack, "the reverse mapping or the cache account"),
        _ => Seen::Unknown,
    }
}

/// The item under the other fabric, protected. While it is not there and no job runs, nothing has begun, and it may begin where what it
/// needs is read in the same look: the word for it may be a day old, and the old region lost again. One that failed after it was ordered
/// wants a person, who may order it again.
fn protected_back(of: &mut Failover, it: &Member, sent: Sent, (seen, needs): (&MemberFacts, &BackFacts)) -> Seen {
    let item = match known_item(seen) {
        Ok(item) => item,
        Err(seen) => return seen,
    };
    let made_at = of.memory.of(&it.name).target.map(|(_, made_at)| made_at);
    let job = made_at.and_then(|made_at| newest_job(seen, JobKind::ProtectBack, made_at));
    heard(of, it, job);
    if item.turned_round {
        return if item.state == PROTECTED { Seen::Done } else { Seen::Going };
    }
    if made_at.is_none() {
        return Seen::Failed(WhyKind::NothingIsFailedOver.into());
    }
    match job {
        Some(JobFacts { state: JobState::Running | JobState::Succeeded, .. }) => Seen::Going,
        Some(JobFacts { state: JobState::Failed(code), began_at, .. })
            if sent.attempts > 0 && sent.first_at.is_some_and(|sent| *began_at >= sent) =>
        {
            failed(WhyKind::JobFailed, code)
        }
        Some(_) | None => match can_protect(of, it, needs) {
            Seen::Done => Seen::NotBegun,
            needed => needed,
        },
    }
}
