//! What a saga tells other systems: that it began, what came of its steps, what it asks, that the workload serves, and how it ended.
//! It never decides and never reads: what it says follows from what is written in the same moment.
//!
//! An event's id rests on the saga, the step, what came of it, and on what is stored and tells one time from the next: how many questions
//! were put before, a question's number, or the number of the look. So a turn that is done again after a kill tells the same.

use jiff::Timestamp;
use lifeboat_contract::events::{
    Event, FailoverCompleted, FailoverFailed, FailoverStarted, FailoverStep, Happening, Line, Name,
};
use lifeboat_planning::saga::failover::{Failover, VERIFY};
use lifeboat_planning::saga::{
    Ask, At, Effect, End, Halt, LanePlace, Notice, Phase, Question, Runbook, Saga, State, Way,
};

use super::Declared;
use super::record::SagaRecord;
use super::warnings::{self, Heard, Warning};

/// How far a saga was before it was taken further: what is needed to say what came of it.
#[derive(Clone, Debug)]
pub struct Before {
    questions: u32,
    lanes: Vec<LanePlace>,
    phase: Phase,
    aborting: bool,
    heard: Heard,
}

impl Before {
    /// As it is now.
    pub fn of(saga: &Saga<Failover>) -> Self {
        let progress = &saga.progress;
        Self {
            questions: progress.questions,
            lanes: progress.lanes.clone(),
            phase: progress.phase.clone(),
            aborting: matches!(progress.halt, Some(Halt::Abort(_))),
            heard: warnings::heard(saga),
        }
    }

    /// Warnings that were heard since.
    pub fn news(&self, saga: &Saga<Failover>) -> Vec<Warning> {
        warnings::news(&self.heard, saga)
    }

    fn question(&self, number: u32) -> Option<&Question> {
        self.lanes.iter().filter_map(|lane| lane.question.as_ref()).find(|question| question.number == number)
    }
}

/// That it began: there is one for each saga.
pub fn began(record: &SagaRecord, declared: &Declared) -> Event {
    let told = FailoverStarted {
        recovery_plan: Name::new(&record.recovery_plan),
        saga: Name::new(&record.id),
        incident: declared.incident.as_ref().map(Name::new),
        by: declared.by.map(|by| Name::new(by.word())),
        digest: declared.digest.as_ref().map(Name::new),
    };
    Event::new(told, &record.id, record.began_at)
}

/// What one move of it tells.
pub fn of(
    record: &SagaRecord,
    before: &Before,
    saga: &Saga<Failover>,
    effects: &[Effect<Failover>],
    at: Timestamp,
) -> Vec<Event> {
    let notices: Vec<&Notice> = effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Tell(notice) => Some(notice),
            Effect::Look(..) | Effect::Change(..) => None,
        })
        .collect();
    let teller = Teller { record, before, saga, notices: &notices, at };
    let warned = before.news(saga).into_iter().map(|warning| teller.warned(&warning));
    notices.iter().flat_map(|notice| teller.tell(notice)).chain(warned).collect()
}

/// One move, as it is told.
struct Teller<'a> {
    record: &'a SagaRecord,
    before: &'a Before,
    saga: &'a Saga<Failover>,
    notices: &'a [&'a Notice],
    at: Timestamp,
}

impl Teller<'_> {
    fn tell(&self, notice: &Notice) -> Vec<Event> {
        let round = self.before.questions;
        match notice {
            Notice::StepDone(step) => {
                let done = self.step(step, "done", None, &round.to_string());
                std::iter::once(done).chain(self.completed(step)).collect()
            }
            Notice::StepUndone(step) => vec![self.step(step, "undone", None, &round.to_string())],
            Notice::Undoing(why) => vec![self.step(&self.place(), "undoing", Some(why.to_string()), "")],
            Notice::Asked(question) if stops(question) => vec![self.stopped(question)],
            Notice::Asked(question) => {
                vec![self.step(&question.step, "asked", Some(question.to_string()), &question.number.to_string())]
            }
            Notice::Reminded(question, now) => {
                // The moment at which the reminder was due is stored; that at which somebody came to it is not.
                let due = self.before.question(question.number).map_or(*now, |before| before.remind_at);
                let occurrence = format!("{}/{due}", question.number);
                vec![self.step(&question.step, "reminded", Some(question.to_string()), &occurrence)]
            }
            Notice::Answered { question, choice, by } => {
                let detail = format!("question {question} answered by {by}: {choice}");
                vec![self.step(&self.asked_at(*question), "answered", Some(detail), &question.to_string())]
            }
            Notice::Withdrawn(question) => {
                let detail = format!("question {question} stands no more");
                vec![self.step(&self.asked_at(*question), "withdrawn", Some(detail), &question.to_string())]
            }
            // An order that is refused at once is told as the command that it came with.
            Notice::OrderRefused(why) if self.before.aborting => {
                vec![self.step(&self.place(), "orderRefused", Some(why.to_string()), "")]
            }
            Notice::OrderRefused(_) => Vec::new(),
            Notice::GoesOnThoughRecovered => {
                let look = self.record.looks.to_string();
                vec![self.step(&self.place(), "goesOn", Some(notice.to_string()), &look)]
            }
            Notice::Ended(end) => vec![self.ended(*end)],
        }
    }

    /// A warning beside the success of what was ordered of a member.
    fn warned(&self, warning: &Warning) -> Event {
        let occurrence = format!("{}/{}", warning.member, warning.number);
        self.step(&self.place_in(&self.before.lanes), "warned", Some(warning.words()), &occurrence)
    }

    /// The event of a step.
    fn step(&self, step: &str, state: &str, detail: Option<String>, occurrence: &str) -> Event {
        let told = FailoverStep {
            recovery_plan: Name::new(&self.record.recovery_plan),
            saga: Name::new(&self.record.id),
            step: Name::new(step),
            state: Name::new(state),
            machine: None,
            detail: detail.map(Line::new),
        };
        self.event(told, &[step, state, occurrence])
    }

    /// The workload serves, where it was verified: a person who goes on without that knows better, and nothing is told in his place.
    fn completed(&self, step: &str) -> Option<Event> {
        let key = (Way::Forward, VERIFY.to_owned());
        let verified = self.saga.progress.steps.get(&key).filter(|_| step == VERIFY)?;
        if verified.tasks.values().any(|task| task.state != State::Done) {
            return None;
        }
        let order = &self.saga.runbook.order;
        let told = FailoverCompleted {
            recovery_plan: Name::new(&self.record.recovery_plan),
            saga: Name::new(&self.record.id),
            rto_seconds: seconds(order.ordered_at, self.at),
            data_loss_seconds: self.oldest_point().map(|oldest| seconds(oldest, order.stopped_serving_at)),
        };
        Some(self.event(told, &[]))
    }

    /// The moment of the oldest point that was taken; none where one of them is not known.
    fn oldest_point(&self) -> Option<Timestamp> {
        let memory = &self.saga.runbook.memory;
        let taken = self.saga.runbook.members().map(|member| memory.of(&member.name)).filter(|of| !of.left_out);
        let moments: Option<Vec<Timestamp>> = taken.map(|of| of.point.and_then(|(_, moment)| moment)).collect();
        moments?.into_iter().min()
    }

    /// It stopped, and asks.
    fn stopped(&self, question: &Question) -> Event {
        let reason = if question.words.is_empty() { question.ask.to_string() } else { question.words.clone() };
        self.failed(&question.step, reason, Some(question))
    }

    fn ended(&self, end: End) -> Event {
        let place = self.place();
        let serves = self.saga.progress.lanes.first().is_some_and(|lane| lane.at == At::Finished);
        match end {
            End::Undone => self.failed(&place, self.why_undone(), None),
            End::Left if !serves => self.failed(&place, end.to_string(), None),
            End::Done | End::Left => self.step(&place, "ended", Some(end.to_string()), ""),
        }
    }

    fn failed(&self, step: &str, reason: String, question: Option<&Question>) -> Event {
        let told = FailoverFailed {
            recovery_plan: Name::new(&self.record.recovery_plan),
            saga: Name::new(&self.record.id),
            step: Name::new(step),
            reason: Line::new(reason),
            question: question.map(|question| Line::new(question.to_string())),
        };
        let number = question.map_or_else(|| "ended".to_owned(), |question| question.number.to_string());
        self.event(told, &[step, &number])
    }

    fn event(&self, told: impl Into<Happening>, parts: &[&str]) -> Event {
        let all: Vec<&str> = std::iter::once(self.record.id.as_str()).chain(parts.iter().copied()).collect();
        Event::new(told, &all.join("/"), self.at)
    }

    /// Why it was undone: said when undoing began, in this move or before it.
    fn why_undone(&self) -> String {
        let now = self.notices.iter().find_map(|notice| match notice {
            Notice::Undoing(why) => Some(why),
            _ => None,
        });
        match (now, &self.before.phase) {
            (Some(why), _) | (None, Phase::Undoing(why, _)) => why.to_string(),
            (None, Phase::Forward | Phase::Ended(_)) => End::Undone.to_string(),
        }
    }

    /// The step at which the way to serving stands, stood when undoing began, or ended.
    fn place(&self) -> String {
        self.place_in(&self.saga.progress.lanes)
    }

    fn place_in(&self, lanes: &[LanePlace]) -> String {
        match lanes.first().map(|lane| &lane.at) {
            Some(At::Step(step)) => step.clone(),
            Some(At::Finished | At::Left) | None => {
                let lanes = self.saga.runbook.lanes();
                lanes.first().and_then(|lane| lane.steps.last()).map(|step| step.name.clone()).unwrap_or_default()
            }
        }
    }

    /// The step at which a question was put.
    fn asked_at(&self, number: u32) -> String {
        let now = self.notices.iter().find_map(|notice| match notice {
            Notice::Asked(question) if question.number == number => Some(question),
            _ => None,
        });
        self.before.question(number).or(now).map_or_else(|| self.place(), |question| question.step.clone())
    }
}

/// Whether a question is one that the saga stops at, and not one that its table puts or that it goes on beside.
fn stops(question: &Question) -> bool {
    match question.ask {
        Ask::Approve | Ask::Commit | Ask::ProtectBack | Ask::OldSideSilent => false,
        Ask::Failed
        | Ask::FenceImpossible
        | Ask::LossGrew
        | Ask::Recovered
        | Ask::UndoFailed
        | Ask::NeedMissing
        | Ask::UnknownStep => true,
    }
}

/// From one moment to another, in whole seconds; none where it is before it.
fn seconds(from: Timestamp, to: Timestamp) -> u64 {
    u64::try_from(to.duration_since(from).as_secs()).unwrap_or_default()
}
