//! A failover as a person sees it: its steps in their order and how each stands, its members and its traffic, and what is asked.
//! It never decides, never changes anything, and never asks Azure: it tells what the saga's last save says.

mod standing;

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::blobs::Store;
use lifeboat_planning::saga::failover::{Failover, Look, Member, PointChoice, Traffic};
use lifeboat_planning::saga::{
    Ask, Does, Halt, Lane, LanePlace, Opens, Phase, Question, Runbook, Saga, Step, Task, Way,
};

use super::{Kept, SagaError};
use standing::{last, stands, task_stands};

pub use standing::{Stands, StepStands};

/// A failover.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// Its id.
    pub id: String,
    /// The recovery plan.
    pub recovery_plan: String,
    /// The region that is lost.
    pub from: String,
    /// The region that takes over.
    pub to: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; none while it has not.
    pub ended_at: Option<Timestamp>,
    /// When it is taken further, at the latest; none once it has ended.
    pub look_again_at: Option<Timestamp>,
    /// Which way it goes.
    pub phase: Phase,
    /// What was ordered of it and waits until all that was sent is answered for.
    pub halt: Option<Halt>,
    /// Whether nothing can be undone any more.
    pub past_no_return: bool,
    /// When the source stopped serving: what is lost is counted from here.
    pub stopped_serving_at: Timestamp,
    /// Which recovery point was ordered.
    pub point: PointChoice,
    /// The groups, in their order.
    pub groups: Vec<GroupShown>,
    /// What moves, in its order.
    pub traffic: Vec<TrafficShown>,
    /// The step table.
    pub lanes: Vec<LaneShown>,
}

/// A group of members.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupShown {
    /// Its name.
    pub name: String,
    /// Its members.
    pub members: Vec<MemberShown>,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemberShown {
    /// Its name.
    pub name: String,
    /// Whether its old machine is stopped.
    pub stopped: Stands,
    /// Whether it is failed over.
    pub failed_over: Stands,
    /// Whether its new machine runs.
    pub running: Stands,
    /// Whether that is committed.
    pub committed: Stands,
    /// Whether it is protected the other way.
    pub protected_back: Stands,
    /// A person went on without it.
    pub left_out: bool,
    /// The moment that its recovery point holds, once it is known.
    pub point_at: Option<Timestamp>,
    /// What its old machine has and its new one lacks, in words.
    pub not_carried: Vec<String>,
    /// What Azure said beside the success of what was ordered.
    pub warnings: Vec<String>,
}

/// An endpoint that takes over from another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrafficShown {
    /// The profile's name.
    pub profile: String,
    /// The endpoint of the old side.
    pub from: String,
    /// The endpoint of the target side.
    pub to: String,
    /// What is asked from outside afterwards.
    pub url: Option<String>,
    /// Whether the target's endpoint is enabled and online.
    pub enabled: Stands,
    /// Whether the old one is disabled.
    pub disabled: Stands,
    /// Whether the workload answers.
    pub answers: Stands,
}

/// Steps one after the other.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneShown {
    /// What it is for.
    pub name: &'static str,
    /// When it begins.
    pub opens: Opens,
    /// Its steps.
    pub steps: Vec<StepShown>,
    /// The question that stands in it.
    pub question: Option<Question>,
}

/// A step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepShown {
    /// Its name.
    pub name: String,
    /// How it stands.
    pub stands: StepStands,
    /// When it, or its undoing, began.
    pub since: Option<Timestamp>,
    /// Whether nothing is undone any more once one of its changes was accepted.
    pub no_return: bool,
    /// Steps that must have been done before it begins.
    pub needs: Vec<String>,
    /// What is done in it.
    pub does: DoesShown,
}

/// What is done in a step.
#[derive(Clone, Debug, PartialEq)]
pub enum DoesShown {
    /// Things, several at once. None where nothing is done unless it is asked for.
    Tasks(Vec<TaskShown>),
    /// Waiting so long, and until when, once it began.
    Wait(SignedDuration, Option<Timestamp>),
    /// Asking a person; with the recovery plan's own words, and who has answered already.
    Ask(Ask, String, Option<String>),
}

/// One thing that is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskShown {
    /// What is changed; none where it is only verified.
    pub change: Option<String>,
    /// What must be so then.
    pub verify: String,
    /// How it stands.
    pub stands: Stands,
    /// Why it failed, or what the last try was refused for.
    pub why: Option<String>,
    /// How often the change was sent.
    pub attempts: u32,
    /// Since when its time counts.
    pub since: Option<Timestamp>,
}

/// A recovery plan's failover as it was saved last; none where there never was one. A repeat is safe.
pub async fn read(store: &Store, plan: &str) -> Result<Option<Shown>, SagaError> {
    let Some(kept) = Kept::read(store, plan).await? else { return Ok(None) };
    let saga = kept.record.saga()?;
    let (began_at, ended_at) = (kept.record.began_at, kept.record.ended_at);
    Ok(Some(Shown { look_again_at: kept.record.look_again_at, ..Shown::of(&saga, began_at, ended_at) }))
}

impl Shown {
    /// A saga that began and ended then.
    pub fn of(saga: &Saga<Failover>, began_at: Timestamp, ended_at: Option<Timestamp>) -> Self {
        let lanes = saga.runbook.lanes();
        let order = &saga.runbook.order;
        let groups = order.groups.iter().map(|group| GroupShown {
            name: group.name.clone(),
            members: group.members.iter().map(|it| member(saga, &lanes, it)).collect(),
        });
        let places = lanes.iter().zip(&saga.progress.lanes).enumerate();
        Self {
            id: order.id.clone(),
            recovery_plan: order.plan.clone(),
            from: order.from.clone(),
            to: order.to.clone(),
            began_at,
            ended_at,
            look_again_at: saga.look_again_at,
            phase: saga.progress.phase.clone(),
            halt: saga.progress.halt.clone(),
            past_no_return: saga.past_no_return(),
            stopped_serving_at: order.stopped_serving_at,
            point: order.point,
            groups: groups.collect(),
            traffic: order.traffic.iter().map(|it| moved(saga, &lanes, it)).collect(),
            lanes: places.map(|(number, (lane, place))| of_lane(saga, number == 0, lane, place)).collect(),
        }
    }

    /// The questions that stand.
    pub fn questions(&self) -> impl Iterator<Item = &Question> {
        self.lanes.iter().filter_map(|lane| lane.question.as_ref())
    }
}

impl MemberShown {
    /// What a person has to know of it besides how it stands: what its new machine lacks, and Azure's warnings.
    pub fn told(&self) -> impl Iterator<Item = String> {
        let lacks = (!self.not_carried.is_empty())
            .then(|| format!("{}: not carried over to the new machine: {}", self.name, self.not_carried.join(", ")));
        let warnings =
            self.warnings.iter().map(|warning| format!("{}: a warning beside success: {warning}", self.name));
        lacks.into_iter().chain(warnings)
    }
}

fn of_lane(saga: &Saga<Failover>, first: bool, lane: &Lane<Failover>, place: &LanePlace) -> LaneShown {
    let step = |step: &Step<Failover>| {
        let begun = |way| saga.progress.steps.get(&(way, step.name.clone())).map(|begun| begun.began_at);
        StepShown {
            name: step.name.clone(),
            stands: stands(saga, first, lane, place, step),
            since: begun(Way::Back).or_else(|| begun(Way::Forward)),
            no_return: step.no_return,
            needs: step.needs.clone(),
            does: does(saga, step),
        }
    };
    LaneShown {
        name: lane.name,
        opens: lane.opens,
        steps: lane.steps.iter().map(step).collect(),
        question: place.question.clone(),
    }
}

fn does(saga: &Saga<Failover>, step: &Step<Failover>) -> DoesShown {
    match &step.does {
        Does::Work(work) => DoesShown::Tasks(work.tasks.iter().map(|it| task(saga, &step.name, it)).collect()),
        Does::Wait(wait) => {
            let begun = saga.progress.steps.get(&(Way::Forward, step.name.clone()));
            DoesShown::Wait(*wait, begun.and_then(|begun| begun.began_at.checked_add(*wait).ok()))
        }
        Does::Ask(asked) => DoesShown::Ask(asked.ask, asked.words.clone(), asked.answered_by.clone()),
    }
}

fn task(saga: &Saga<Failover>, step: &str, task: &Task<Failover>) -> TaskShown {
    let begun = |way| saga.progress.steps.get(&(way, step.to_owned())).and_then(|it| it.tasks.get(&task.key));
    let (forward, back) = (begun(Way::Forward), begun(Way::Back));
    let undone = back.is_some();
    let change = if undone { task.undo.as_ref().map(|(_, change)| change) } else { task.change.as_ref() };
    let verify = task.undo.as_ref().filter(|_| undone).map_or(&task.look, |(look, _)| look);
    let progress = back.or(forward);
    TaskShown {
        change: change.map(ToString::to_string),
        verify: verify.to_string(),
        stands: task_stands(saga, step, &task.key),
        why: progress.and_then(|it| it.why.as_ref()).map(ToString::to_string),
        attempts: progress.map_or(0, |it| it.attempts),
        since: progress.map(|it| it.since),
    }
}

fn member(saga: &Saga<Failover>, lanes: &[Lane<Failover>], it: &Member) -> MemberShown {
    let of = saga.runbook.memory.of(&it.name);
    let name = &it.name;
    MemberShown {
        name: name.clone(),
        stopped: last(saga, lanes, |look| matches!(look, Look::Stopped(of) if of.name == *name)),
        failed_over: last(
            saga,
            lanes,
            |look| matches!(look, Look::FailedOver(of) | Look::PointChanged(of) if of.name == *name),
        ),
        running: last(saga, lanes, |look| matches!(look, Look::Running(of) if of.name == *name)),
        committed: last(saga, lanes, |look| matches!(look, Look::Committed(of) if of.name == *name)),
        protected_back: last(saga, lanes, |look| matches!(look, Look::ProtectedBack(of) if of.name == *name)),
        left_out: of.left_out,
        point_at: of.point.and_then(|(_, time)| time),
        not_carried: it.not_carried.clone(),
        warnings: of.warnings,
    }
}

fn moved(saga: &Saga<Failover>, lanes: &[Lane<Failover>], it: &Traffic) -> TrafficShown {
    let same = |of: &Traffic| of == it;
    TrafficShown {
        profile: it.profile.rsplit('/').next().unwrap_or_default().to_owned(),
        from: it.from.clone(),
        to: it.to.clone(),
        url: it.verify.as_ref().map(|(url, _)| url.clone()),
        enabled: last(saga, lanes, |look| matches!(look, Look::Enabled(of) if same(of))),
        disabled: last(saga, lanes, |look| matches!(look, Look::Disabled(of) if same(of))),
        answers: last(saga, lanes, |look| matches!(look, Look::Answers(of) if same(of))),
    }
}

#[cfg(test)]
mod tests;
