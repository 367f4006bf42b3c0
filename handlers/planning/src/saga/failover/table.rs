//! The step table of a failover: it reads top to bottom as the runbook that an operator would follow by hand.
//! It never judges what was seen. A step's name and meaning never change without the table's version.

use alloc::format;
use alloc::string::{String, ToString};
use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;
use jiff::SignedDuration;

use super::actions::{self, Side};
use super::effect::{Change, FailoverEffect, Look, TrafficEffect};
use super::{Failover, Fence, Group, Member, Traffic};
use crate::id::hash;
use crate::recovery::readiness::MEMBERS_MAX;
use crate::saga::seconds;
use crate::saga::table::{Asked, Does, Lane, Opens, Patience, Step, Task, Work};
use crate::saga::words::{Ask, Choice, WhyKind};

/// How many members of a group are failed over at once: with a look each 15 s that is two reads a second, far below ARM's ten writes a
/// second after 200, and a group of a hundred takes four rounds of some three minutes.
pub const MEMBERS_AT_ONCE: usize = 30;
/// How many old machines are stopped at once: all that a recovery plan may have. None waits for another one that does not answer, and the
/// ARM client itself keeps to ARM's pace.
const STOPPED_AT_ONCE: usize = MEMBERS_MAX;
/// How many machines are read or started at once: half of the 200 requests that ARM takes in one burst.
const MACHINES_AT_ONCE: usize = 100;
/// From one look to the next while something runs: deallocations take 20 s, failovers 140 s and more.
const LOOK_SECS: i64 = 15;
/// How long a deallocation takes as a rule, as recorded (`runbooks.md`, as are those below).
const FENCE_USUAL_SECS: i64 = 20;
/// How long one failover takes as a rule, as recorded.
const FAILOVER_USUAL_SECS: i64 = 140;
/// How long it takes as a rule until an endpoint that answers is seen online: one interval of the slower probes.
const ONLINE_USUAL_SECS: i64 = 30;
/// How long a commit takes as a rule, as recorded.
const COMMIT_USUAL_SECS: i64 = 8;
/// How long a point of an old machine's disks takes as a rule: the longest that is recorded, of a machine that ran.
const SAVE_USUAL_SECS: i64 = 46;
/// How long the protection the other way takes as a rule to be whole, as recorded.
const PROTECT_USUAL_SECS: i64 = 3_360;
/// How long reading before the failover may take: what cannot be read in five minutes cannot be rested on.
const READ_SECS_MAX: i64 = 300;
/// How long the old machines may take to stop (20 s as recorded): past it the region does not answer, and the fence is impossible. Nothing
/// waits longer for the failed region.
pub const FENCE_SECS_MAX: i64 = 300;
/// How long the fence is tried once more after somebody was waited for: a look or two and one deallocation. For a region that stays silent the
/// workload waits no longer than this.
const FENCE_AGAIN_SECS_MAX: i64 = 60;
/// How long one failover may take: recorded are 139 to 637 s, and Site Recovery promises an hour.
const FAILOVER_SECS_MAX: i64 = 3_600;
/// How long a new machine may take to run once it is made: boot and provisioning are minutes.
const RUNNING_SECS_MAX: i64 = 900;
/// How long an endpoint may take to be online: ten tolerated failures of a 30 s probe, doubled.
const ONLINE_SECS_MAX: i64 = 600;
/// How long a commit may take: 8 s as recorded; the bound of any job of Site Recovery.
const COMMIT_SECS_MAX: i64 = 3_600;
/// How long the point of an old machine's disks may take: 46 s as recorded; copies of large disks take their time.
const SAVE_SECS_MAX: i64 = 7_200;
/// How long the protection the other way may take to be whole: 56 min as recorded; of large disks a day.
const PROTECT_SECS_MAX: i64 = 86_400;
/// From one look at the old side to the next: an old machine that starts by itself runs no longer than this and one deallocation.
pub const OLD_SIDE_LOOK_SECS: i64 = 60;
/// After so long without an answer of the old side a person may end the watch; it goes on until then.
pub const OLD_SIDE_SILENT_SECS: i64 = 3_600;
/// From one look to the next while protection is turned round: that takes an hour, so looks are rarer.
const PROTECT_LOOK_SECS: i64 = 300;
/// The step after which the workload serves, verified from outside.
pub const VERIFY: &str = "verify the answer";
/// The step that commits: what protecting the other way waits for.
pub const COMMIT: &str = "commit";
/// The step that asks for the commit.
const WORD_TO_COMMIT: &str = "word to commit";
/// The step that stops the old machines when the old region answers.
pub const OLD_SIDE_STOPPED: &str = "stop the old machines";
/// The step that protects the other way, in which Azure deletes the old machines.
pub const PROTECT_BACK: &str = "protect the other way";
/// The step to which another recovery point leads.
pub(super) const ANOTHER_POINT: &str = "another point";

/// The table.
pub(super) fn lanes(of: &Failover) -> Vec<Lane<Failover>> {
    let main = Lane { name: "failing over", opens: Opens::AtOnce, steps: failing_over(of) };
    let old = Lane { name: "the old side", opens: Opens::PastNoReturn, steps: the_old_side(of) };
    vec![main, old]
}

fn failing_over(of: &Failover) -> Vec<Step<Failover>> {
    let mut steps = vec![
        step("preflight", reads(preflight(of), READ_SECS_MAX)),
        step("fence", fence(of)),
        step("newest points", newest(of)),
    ];
    for (number, group) in of.order.groups.iter().enumerate() {
        steps.extend(actions::steps(of, number, Side::Before));
        if number == 0 {
            let again = fence_again(of, !group.before.is_empty());
            let newest = if again.tasks.is_empty() { reads(Vec::new(), READ_SECS_MAX) } else { newest(of) };
            steps.extend([step("fence once more", again), step("newest points once more", newest)]);
        }
        steps.extend(fail_over(of, group));
        steps.extend(actions::steps(of, number, Side::After));
    }
    let enabled = Work { usually: Some(seconds(ONLINE_USUAL_SECS)), ..online(traffic(of, enable)) };
    steps.extend([
        step("enable the target", enabled),
        step("disable the old endpoint", online(traffic(of, disable))),
        step(VERIFY, answers(of, true)),
        step(ANOTHER_POINT, another_point(of, chosen(of))),
        step("running with it", running(chosen(of).collect())),
        step("answer with it", answers(of, of.memory.another)),
        step(
            "word to commit",
            asked(Ask::Commit, &of.order.plan, &[Choice::GoOn, Choice::AnotherPoint, Choice::FailBack]),
        ),
    ]);
    let tasks = of.taken().map(|it| {
        let effect = FailoverEffect::Commit { item: it.item.clone() };
        Task::change(&it.name, Look::Committed(Arc::clone(it)), Change::Failover(effect))
    });
    // Going on without a commit is not offered: what is not committed cannot be protected the other way.
    let choices = vec![Choice::Again, Choice::FailBack];
    let commit = Work {
        choices,
        usually: Some(seconds(COMMIT_USUAL_SECS)),
        ..work(tasks.collect(), MEMBERS_AT_ONCE, COMMIT_SECS_MAX)
    };
    steps.push(Step { no_return: true, ..step(COMMIT, commit) });
    if let Some(Step { does: Does::Ask(asked), .. }) = steps.iter_mut().find(|step| step.name == WORD_TO_COMMIT) {
        asked.another = Some(ANOTHER_POINT.to_string());
    }
    steps
}

/// What is done on the old side, from the first accepted failover on, whenever it answers.
fn the_old_side(of: &Failover) -> Vec<Step<Failover>> {
    let ends = vec![Choice::Again, Choice::End];
    let stop = members(of, |it| {
        let effect = FailoverEffect::StopOld { machine: it.old.clone() };
        Task::change(&it.name, Look::Stopped(Arc::clone(it)), Change::Failover(effect))
    });
    let stop = Work {
        every: seconds(OLD_SIDE_LOOK_SECS),
        patience: Patience::Watches(seconds(OLD_SIDE_SILENT_SECS), Ask::OldSideSilent),
        usually: Some(seconds(FENCE_USUAL_SECS)),
        choices: ends.clone(),
        ..work(stop, STOPPED_AT_ONCE, FENCE_SECS_MAX)
    };
    let save = of.taken().map(|it| {
        let point = saved_point(&of.order.id, it);
        let effect = FailoverEffect::SaveDisks { machine: it.old.clone(), point: point.clone() };
        Task::change(&it.name, Look::Saved(Arc::clone(it), point), Change::Failover(effect))
    });
    let save = Work {
        choices: ends.clone(),
        usually: Some(seconds(SAVE_USUAL_SECS)),
        ..work(save.collect(), MEMBERS_AT_ONCE, SAVE_SECS_MAX)
    };
    let needs = of.taken().map(|it| Task::verify(&it.name, Look::CanProtect(Arc::clone(it)))).collect();
    let needs = Work { choices: ends.clone(), ..reads(needs, READ_SECS_MAX) };
    let protect = of.taken().map(|it| {
        let effect = FailoverEffect::ProtectBack { item: it.item.clone(), back: of.memory.of(&it.name).back };
        Task::change(&it.name, Look::ProtectedBack(Arc::clone(it)), Change::Failover(effect))
    });
    let (every, usually) = (seconds(PROTECT_LOOK_SECS), Some(seconds(PROTECT_USUAL_SECS)));
    let protect = Work { choices: ends, every, usually, ..work(protect.collect(), MEMBERS_AT_ONCE, PROTECT_SECS_MAX) };
    let names: Vec<&str> = of.taken().map(|it| it.name.as_str()).collect();
    let mut word = asked(Ask::ProtectBack, &names.join(", "), &[Choice::GoOn, Choice::End]);
    if let Does::Ask(asked) = &mut word {
        asked.answered_by = of.order.protect_back.clone();
    }
    vec![
        step(OLD_SIDE_STOPPED, stop),
        // Not before a person found the failover good: until then the old machines stand still, and the way to serving has the budgets.
        Step { needs: vec![WORD_TO_COMMIT.to_string()], ..step("save the old disks", save) },
        Step { needs: vec![COMMIT.to_string()], ..step("what protecting back needs", needs) },
        step("word to protect back", word),
        Step { no_return: true, ..step(PROTECT_BACK, protect) },
    ]
}

fn preflight(of: &Failover) -> Vec<Task<Failover>> {
    let mut tasks = members(of, |it| Task::verify(&it.name, Look::Ready(Arc::clone(it))));
    tasks.push(Task::verify("/target", Look::TargetUsable));
    tasks.extend(traffic(of, |it| Task::verify(&key(it), Look::ProfileUsable(Arc::clone(it)))));
    tasks
}

/// The newest points, and the loss by them: after each fence.
fn newest(of: &Failover) -> Work<Failover> {
    Work {
        asks: Some((vec![WhyKind::LossGrew], Ask::LossGrew)),
        ..reads(members(of, |it| Task::verify(&it.name, Look::Newest(Arc::clone(it)))), READ_SECS_MAX)
    }
}

/// Deallocates the old machines. Undone by starting those that ran.
fn fence(of: &Failover) -> Work<Failover> {
    let tasks = members(of, |it| {
        let stop = FailoverEffect::StopOld { machine: it.old.clone() };
        let start = FailoverEffect::StartOld { machine: it.old.clone() };
        Task::change(&it.name, Look::Stopped(Arc::clone(it)), Change::Failover(stop))
            .undone_by(Look::Started(Arc::clone(it)), Change::Failover(start))
    });
    let insisted = of.order.fence == Fence::Required;
    stops(tasks, insisted, FENCE_SECS_MAX)
}

/// The fence once more, before the first failover, where time was left for people or by the plan since the fence: a region that was silent
/// may answer by now, and what was stopped may have been started. What it stops is started again by undoing the fence.
fn fence_again(of: &Failover, acts: bool) -> Work<Failover> {
    let mut tasks = fence(of).tasks;
    tasks.retain(|_| acts || of.memory.waited);
    tasks.iter_mut().for_each(|task| task.undo = None);
    match of.order.fence == Fence::Required && !of.memory.without_fence {
        true => stops(tasks, true, FENCE_SECS_MAX),
        false => stops(tasks, false, FENCE_AGAIN_SECS_MAX),
    }
}

/// Old machines that are stopped within a bound, insisted on or not.
fn stops(tasks: Vec<Task<Failover>>, insisted: bool, secs_max: i64) -> Work<Failover> {
    let bound = seconds(secs_max);
    let patience = if insisted { Patience::Fails(bound) } else { Patience::GivesUp(bound) };
    // That Azure refuses to stop a machine was accepted by nobody: a person is asked.
    let asks = Some((vec![WhyKind::BoundPassed, WhyKind::Refused], Ask::FenceImpossible));
    Work { patience, asks, usually: Some(seconds(FENCE_USUAL_SECS)), ..work(tasks, STOPPED_AT_ONCE, secs_max) }
}

/// A group's failover, and that its new machines run.
fn fail_over(of: &Failover, group: &Group) -> [Step<Failover>; 2] {
    let tasks = group.members.iter().map(|it| {
        let point = of.memory.of(&it.name).point.and_then(|(id, _)| id);
        let effect = FailoverEffect::FailOver { item: it.item.clone(), point };
        Task::change(&it.name, Look::FailedOver(Arc::clone(it)), Change::Failover(effect))
    });
    let choices = vec![Choice::Again, Choice::AnotherPoint, Choice::GoOn, Choice::FailBack];
    let failover = Work {
        choices,
        usually: Some(seconds(FAILOVER_USUAL_SECS)),
        ..work(tasks.collect(), MEMBERS_AT_ONCE, FAILOVER_SECS_MAX)
    };
    let taken = group.members.iter().filter(|it| !of.memory.of(&it.name).left_out);
    [
        Step { no_return: true, ..step(&format!("group {}: fail over", group.name), failover) },
        step(&format!("group {}: running", group.name), running(taken.collect())),
    ]
}

/// New machines that shall run.
pub(super) fn running(members: Vec<&Arc<Member>>) -> Work<Failover> {
    let tasks = members.into_iter().map(|it| Task::verify(&it.name, Look::Running(Arc::clone(it))));
    work(tasks.collect(), MACHINES_AT_ONCE, RUNNING_SECS_MAX)
}

/// Members for which a person chose another point after the failover: none before.
fn chosen(of: &Failover) -> impl Iterator<Item = &Arc<Member>> {
    of.taken().filter(|_| of.memory.another)
}

/// Another recovery point for these members.
pub(super) fn another_point<'a>(of: &'a Failover, chosen: impl Iterator<Item = &'a Arc<Member>>) -> Work<Failover> {
    let tasks = chosen.map(|it| {
        let point = of.memory.of(&it.name).point.and_then(|(id, _)| id);
        let effect = FailoverEffect::ChangePoint { item: it.item.clone(), point };
        Task::change(&it.name, Look::PointChanged(Arc::clone(it)), Change::Failover(effect))
    });
    let choices = vec![Choice::Again, Choice::AnotherPoint, Choice::GoOn, Choice::FailBack];
    Work { choices, ..work(tasks.collect(), MEMBERS_AT_ONCE, FAILOVER_SECS_MAX) }
}

fn enable(it: &Arc<Traffic>) -> Task<Failover> {
    let (profile, endpoint) = (it.profile.clone(), it.to.clone());
    let on = TrafficEffect::Enable { profile: profile.clone(), endpoint: endpoint.clone() };
    let off = TrafficEffect::Disable { profile, endpoint, keeps: it.from.clone(), online: false };
    Task::change(&key(it), Look::Enabled(Arc::clone(it)), Change::Traffic(on))
        .undone_by(Look::EnabledUndone(Arc::clone(it)), Change::Traffic(off))
}

fn disable(it: &Arc<Traffic>) -> Task<Failover> {
    let (profile, endpoint) = (it.profile.clone(), it.from.clone());
    let on = TrafficEffect::Enable { profile: profile.clone(), endpoint: endpoint.clone() };
    let off = TrafficEffect::Disable { profile, endpoint, keeps: it.to.clone(), online: true };
    Task::change(&key(it), Look::Disabled(Arc::clone(it)), Change::Traffic(off))
        .undone_by(Look::DisabledUndone(Arc::clone(it)), Change::Traffic(on))
}

fn answers(of: &Failover, asked: bool) -> Work<Failover> {
    let verified: Vec<_> = of.order.traffic.iter().filter(|it| asked && it.verify.is_some()).collect();
    let within = verified.iter().filter_map(|it| it.verify.as_ref()).map(|(_, within)| *within).max();
    let tasks = verified.into_iter().map(|it| Task {
        within: it.verify.as_ref().map(|(_, within)| *within),
        ..Task::verify(&key(it), Look::Answers(Arc::clone(it)))
    });
    let patience = Patience::Fails(within.unwrap_or(seconds(READ_SECS_MAX)));
    Work { patience, ..reads(tasks.collect(), READ_SECS_MAX) }
}

fn members(of: &Failover, task: impl Fn(&Arc<Member>) -> Task<Failover>) -> Vec<Task<Failover>> {
    of.members().map(task).collect()
}

fn traffic(of: &Failover, task: impl Fn(&Arc<Traffic>) -> Task<Failover>) -> Vec<Task<Failover>> {
    of.order.traffic.iter().map(task).collect()
}

fn key(it: &Traffic) -> String {
    format!("{}/{}", it.profile, it.to)
}

/// The name of the point of an old machine's disks: derived, and not of a policy's entry, so that nothing of ours ever expires it.
fn saved_point(saga: &str, it: &Member) -> String {
    format!("lb-before-protecting-back-{}", hash(&[saga, &it.old.to_lowercase(), &it.old_vm_id.to_lowercase()]))
}

pub(super) fn step(name: &str, does: impl Into<Does<Failover>>) -> Step<Failover> {
    Step { name: name.to_string(), no_return: false, needs: Vec::new(), does: does.into() }
}

pub(super) fn asked(ask: Ask, words: &str, choices: &[Choice]) -> Does<Failover> {
    Does::Ask(Asked { ask, words: words.to_string(), choices: choices.to_vec(), another: None, answered_by: None })
}

/// Tasks with what most of them have.
fn work(tasks: Vec<Task<Failover>>, at_once: usize, within_secs: i64) -> Work<Failover> {
    Work {
        tasks,
        at_once,
        every: seconds(LOOK_SECS),
        usually: None,
        patience: Patience::Fails(seconds(within_secs)),
        choices: vec![Choice::Again, Choice::GoOn, Choice::FailBack],
        asks: None,
    }
}

/// Tasks that only read.
fn reads(tasks: Vec<Task<Failover>>, within_secs: i64) -> Work<Failover> {
    Work { usually: Some(SignedDuration::ZERO), ..work(tasks, MACHINES_AT_ONCE, within_secs) }
}

/// Endpoints, which are waited for as long as their probes may take.
fn online(tasks: Vec<Task<Failover>>) -> Work<Failover> {
    work(tasks, MACHINES_AT_ONCE, ONLINE_SECS_MAX)
}
