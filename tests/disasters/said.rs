//! What the product writes down and tells, in the model's words: the saga's and the declaration's records as they are written, and the
//! events that the topic accepted. It never reads more into them than they say.

use std::collections::BTreeSet;

use jiff::Timestamp;
use lifeboat_execution::declaration::record as declaration_record;
use lifeboat_execution::saga::record::{self as saga_record, SagaRecord};
use lifeboat_execution::stop;
use lifeboat_planning::saga::failover::Failover;
use lifeboat_planning::saga::{Ask, At, End, Phase, Saga};
use lifeboat_tests::failing_over::PLAN;
use lifeboat_tests::rig::CONTAINER;
use serde_json::Value;

use crate::cases::Place;
use crate::model::history::{About, Condition, Told, Weighed, What};
use crate::record::{Record, Seen};

/// What was written and told so far.
#[derive(Default)]
pub struct Said {
    /// Events that the topic accepted, of those that were looked at.
    told: usize,
    /// The last record of the saga: its id, its epoch, who wrote it.
    saved: Option<(String, u64, String)>,
    ended: BTreeSet<String>,
    completed: BTreeSet<String>,
    /// The open incident, by the last event that opened one or a record that has one.
    incident: Option<String>,
    /// The last one that was told to be closed.
    closed: Option<String>,
    /// How the declaration stands by its record.
    phase: Option<Place>,
    /// Whether a saga is unfinished, and whether it asks something.
    pub runs: bool,
    pub asks: bool,
    moves: usize,
    last_move: Value,
    /// Questions that were told, by the failover and their number.
    pub questions: BTreeSet<String>,
}

impl Record {
    /// The saga's record may have been written.
    pub fn saga_written(&self, controller: &str) {
        let Some(bytes) = self.kept().blobs.bytes(CONTAINER, &saga_record::blob_name(PLAN)) else { return };
        let record: SagaRecord = serde_json::from_slice(&bytes).expect("a record");
        let saga = record.saga().expect("its progress reads");
        let (now, mut seen) = (self.kept().clock.now(), self.seen());
        let before = seen.said.saved.clone();
        let is_new = before.as_ref().is_none_or(|(id, ..)| *id != record.id);
        if is_new {
            seen.begun(&record, now);
        }
        if is_new || before.is_some_and(|(_, epoch, _)| epoch != record.epoch) {
            let (saga, epoch, controller) = (record.id.clone(), record.epoch, controller.to_owned());
            seen.said.saved = Some((saga.clone(), epoch, controller.clone()));
            seen.tell(now, What::Saved { saga, epoch, controller });
        }
        if let Phase::Ended(end) = saga.progress.phase
            && seen.said.ended.insert(record.id.clone())
        {
            seen.tell(now, What::Ended { saga: record.id.clone(), undone: end == End::Undone });
        }
        (seen.said.runs, seen.said.asks) = (!saga.ended(), saga.questions().next().is_some());
        let place = if saga.ended() { seen.said.phase.unwrap_or(Place::Normal) } else { place_of(&saga) };
        seen.is_at(place);
    }

    /// The declaration's record may have been written.
    pub fn declaration_written(&self) {
        let Some(bytes) = self.kept().blobs.bytes(CONTAINER, &declaration_record::blob_name(PLAN)) else { return };
        let record: Value = serde_json::from_slice(&bytes).expect("a record");
        let (now, mut seen) = (self.kept().clock.now(), self.seen());
        let (last, act) = (&record["last"], record["last"]["act"].as_str().unwrap_or_default());
        let shown = record["shown"].as_array().and_then(|shown| shown.last()).cloned().unwrap_or_default();
        let conditions = weighed(last, shown["fence"].as_str().unwrap_or_default());
        let moves = record["moves"].as_array().map_or(0, Vec::len);
        let last_move = record["moves"].as_array().and_then(|moves| moves.last()).cloned().unwrap_or_default();
        let news = moves != seen.said.moves || last_move != seen.said.last_move;
        (seen.said.moves, seen.said.last_move) = (moves, last_move);
        // A decision is what moved, what begins, and what is not met: one of which nothing is missing has to move.
        if news || act == "start" || conditions.iter().any(|one| !one.met) {
            seen.tell(now, What::Recorded { plan: PLAN.to_owned(), conditions });
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        if let Some(digest) = text(&shown["digest"]) {
            let unmet = unmet_of(&shown);
            seen.tell(now, What::Shown { plan: PLAN.to_owned(), incident: text(&shown["incident"]), digest, unmet });
        }
        seen.said.incident = text(&record["incident"]["openedAt"]).or(seen.said.incident.take());
        let phase = phase_of(record["phase"].as_str().unwrap_or_default());
        seen.said.phase = Some(phase);
        if !seen.said.runs {
            seen.is_at(phase);
        }
    }

    /// The record of the switch may have been written.
    pub fn switch_written(&self) {
        let Some(bytes) = self.kept().blobs.bytes(CONTAINER, stop::BLOB) else { return };
        let record: Value = serde_json::from_slice(&bytes).expect("a record");
        let (now, stopped, mut seen) = (self.kept().clock.now(), record["resumedAt"].is_null(), self.seen());
        if seen.stopped != stopped {
            seen.stopped = stopped;
            seen.tell(now, What::ChangesStopped { stopped });
        }
    }

    /// The topic may have accepted something.
    pub fn told(&self) {
        let accepted = self.kept().topic.accepted();
        let groups: Vec<String> = self.kept().plan.groups.iter().map(|group| group.name.clone()).collect();
        let (now, mut seen) = (self.kept().clock.now(), self.seen());
        for one in accepted.iter().skip(seen.said.told) {
            let id = one.event["id"].as_str().unwrap_or_default().to_owned();
            if let Some(told) = seen.said.event(&one.event, &groups) {
                if let Told::Asked { question, .. } = &told {
                    seen.said.questions.insert(question.clone());
                }
                seen.tell(now, What::Told { id, told });
            }
        }
        seen.said.told = accepted.len();
    }
}

impl Seen {
    fn begun(&mut self, record: &SagaRecord, now: Timestamp) {
        let is_it = |event: &&Value| {
            event["type"].as_str().is_some_and(|kind| kind.contains("failover.started"))
                && event["data"]["saga"] == *record.id
        };
        let began = record.outbox.iter().rev().find(is_it).cloned().unwrap_or_default();
        let incident = began["data"]["incident"].as_str().unwrap_or_default().to_owned();
        let by_rules = began["data"]["by"] == "rules";
        self.tell(now, What::Begun { plan: PLAN.to_owned(), saga: record.id.clone(), incident, by_rules });
    }
}

impl Said {
    /// Whether an incident is open, by what was told.
    pub fn is_open(&self) -> bool {
        self.incident.is_some()
    }

    /// An event in the model's words; none of what it does not hear of.
    fn event(&mut self, event: &Value, groups: &[String]) -> Option<Told> {
        let data = &event["data"];
        let text = |name: &str| data[name].as_str().unwrap_or_default().to_owned();
        let kind = event["type"].as_str()?.strip_prefix("io.lifeboat.")?.strip_suffix(".v1")?;
        let (plan, incident, saga) = (PLAN.to_owned(), text("incident"), text("saga"));
        Some(match kind {
            "region.suspected" => {
                self.incident = Some(incident.clone());
                Told::Suspected { plan, incident }
            }
            "region.confirmed" => Told::Confirmed { plan, incident },
            "approval.asked" => {
                let takes = data["takesSeconds"].as_i64();
                assert!(
                    takes.is_some_and(|takes| takes >= 60),
                    "how long it takes is told with the question: {event:#}"
                );
                Told::AwaitingApproval { plan, incident }
            }
            "failover.refused" => Told::Refused { plan, incident },
            "alarm.closed" if data["cause"] == "regionSuspected" => {
                self.closed = self.incident.take().or(self.closed.take());
                Told::Closed { plan, incident: self.closed.clone().unwrap_or_default() }
            }
            "failover.started" => Told::Started { saga },
            "failover.completed" => {
                self.completed.insert(saga.clone());
                Told::Completed { saga }
            }
            "failover.failed" => match data["question"].as_str() {
                Some(question) => asked(saga, question, groups),
                None => Told::Failed { saga },
            },
            "failover.step" => match data["state"].as_str() {
                Some("asked" | "reminded") => asked(saga, &text("detail"), groups),
                Some("ended") if self.completed.insert(saga.clone()) => Told::Completed { saga },
                _ => Told::Step { saga, step: text("step") },
            },
            "command.refused" => Told::OrderRefused { order: text("command") },
            "command.done" if data["dryrun"] != true => Told::OrderDone { order: text("command") },
            _ => return None,
        })
    }
}

/// A question by what it says: its number, its step and what is asked.
fn asked(saga: String, question: &str, groups: &[String]) -> Told {
    let rest = question.strip_prefix("question ").unwrap_or(question);
    let (number, rest) = rest.split_once(" at step ").unwrap_or((rest, ""));
    let ask = Ask::ALL.iter().find(|ask| rest.contains(&ask.to_string()));
    let about = match ask {
        Some(Ask::Approve) => {
            let of = |(at, name): (usize, &String)| {
                let before = rest.starts_with(&format!("group {name}: before"));
                let after = rest.starts_with(&format!("group {name}: after"));
                (before || after).then_some(at + usize::from(after))
            };
            About::Group(groups.iter().enumerate().find_map(of).unwrap_or_default())
        }
        Some(Ask::Recovered) => About::Recovered,
        Some(Ask::FenceImpossible) => About::Fence,
        Some(Ask::Commit) => About::Commit,
        Some(Ask::ProtectBack) => About::ProtectOtherWay,
        _ => About::Failure,
    };
    Told::Asked { question: format!("{saga}/{number}"), saga, about }
}

/// Where a saga stands.
fn place_of(saga: &Saga<Failover>) -> Place {
    if matches!(saga.progress.phase, Phase::Undoing(..)) {
        return Place::Undo;
    }
    let at = |lane: usize| match saga.progress.lanes.get(lane).map(|lane| &lane.at) {
        Some(At::Step(step)) => Some(step.as_str()),
        Some(At::Finished | At::Left) | None => None,
    };
    let of_step = |step: &str| match step {
        "preflight" => Place::Preflight,
        "fence" | "fence once more" => Place::Fence,
        "newest points" | "newest points once more" => Place::NewestPoints,
        "enable the target" => Place::EnableTarget,
        "disable the old endpoint" => Place::DisableOld,
        "commit" => Place::Commit,
        "word to commit" => Place::WordToCommit,
        "stop the old machines" => Place::StopOld,
        "save the old disks" => Place::SaveDisks,
        "what protecting back needs" => Place::NeedsToProtect,
        "word to protect back" => Place::WordToProtect,
        "protect the other way" => Place::Protect,
        _ if step.ends_with("another point") => Place::AnotherPoint,
        _ if step.ends_with("fail over") => Place::FailOver,
        _ if step.ends_with("running") || step.ends_with("running with it") => Place::Running,
        _ if step.ends_with("word") => Place::GroupWord,
        _ if step.ends_with("wait") => Place::GroupWait,
        _ => Place::Verify,
    };
    at(0).or_else(|| at(1)).map_or(Place::Protect, of_step)
}

fn phase_of(word: &str) -> Place {
    match word {
        "Suspected" => Place::Suspected,
        "Confirmed" => Place::Confirmed,
        "AwaitingApproval" => Place::AwaitingApproval,
        "FailingOver" => Place::Declared,
        "FailedOver" => Place::FailedOver,
        _ => Place::Normal,
    }
}

/// The model's word for a condition of the product, if it has one: those that it has not, it judges itself.
pub fn condition_of(name: &str) -> Option<Condition> {
    Some(match name {
        "sources" | "window" => Condition::Evidence,
        "freshRead" => Condition::FreshRead,
        "targetHealthy" => Condition::TargetHealthy,
        "ready" => Condition::Ready,
        "noCooldown" => Condition::NoCooldown,
        "dataLoss" => Condition::DataLoss,
        "bothClasses" => Condition::ReportedAndMeasured,
        "fencePossible" => Condition::Fence,
        "standingApproval" => Condition::StandingApproval,
        _ => return None,
    })
}

fn unmet_of(shown: &Value) -> Vec<Condition> {
    let names = shown["unmet"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let unmet: BTreeSet<Condition> = names.filter_map(condition_of).collect();
    unmet.into_iter().collect()
}

/// The conditions of a decision. That each member allows failover is part of readiness; the fence stands in what is shown, whoever declares.
fn weighed(decision: &Value, fence: &str) -> Vec<Weighed> {
    let mut all: Vec<Weighed> = Vec::new();
    let mut add =
        |condition: Condition, met: bool, value: &str| match all.iter_mut().find(|one| one.condition == condition) {
            Some(known) => {
                known.met &= met;
                known.value = format!("{}; {value}", known.value);
            }
            None => all.push(Weighed { condition, met, value: value.to_owned() }),
        };
    for one in decision["conditions"].as_array().into_iter().flatten() {
        let (name, value) = (one["name"].as_str().unwrap_or_default(), one["value"].as_str().unwrap_or_default());
        let met = one["met"] == true;
        let refuses = name == "ready" && value.contains("does not allow");
        if name == "ready" {
            add(Condition::MembersAllow, !refuses, value);
        }
        if let Some(condition) = condition_of(name) {
            add(condition, met, value);
        }
    }
    add(Condition::Fence, fence != "impossible", fence);
    all
}
