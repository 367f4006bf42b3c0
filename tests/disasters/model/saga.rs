//! A failover's saga as it can be seen from outside: its record, its members' operations, its questions and what people answered.
//! It never judges, and a request counts for it whoever sent it: what was done is done.

use std::collections::{BTreeMap, BTreeSet};

use super::history::{About, Call, Condition, Job, Order, OrderKind, Time};

/// What was done with one member.
#[derive(Clone, Debug, Default)]
pub struct Moves {
    /// When its failover was accepted, if that one did not fail.
    pub failover: Option<Time>,
    pub failed_over: Option<Time>,
    /// When another recovery point was last accepted.
    pub changed: Option<Time>,
    pub commit: Option<Time>,
    pub committed: Option<Time>,
    pub other_way: Option<Time>,
    pub other_way_done: Option<Time>,
}

/// A question that stands or was answered.
#[derive(Clone, Debug)]
pub struct Question {
    pub id: String,
    pub about: About,
    pub last_asked: Time,
    pub answered: Option<Time>,
    /// The order that answered it; empty if none did.
    pub answered_by: String,
    pub yes: bool,
    /// Whether the answer is another recovery point.
    pub another: bool,
}

/// One saga.
#[derive(Clone, Debug)]
pub struct Saga {
    pub id: String,
    pub incident: String,
    pub by_rules: bool,
    pub begun: Time,
    pub ended: Option<Time>,
    pub undone: bool,
    /// The newest epoch, when it was first saved, and the newest that each controller saved.
    pub epoch: u64,
    pub epoch_since: Time,
    pub epochs: BTreeMap<String, u64>,
    pub moves: BTreeMap<String, Moves>,
    /// What the orders that count for its start pass by name.
    pub passes: BTreeSet<Condition>,
    pub old_may_go: bool,
    /// Whether evidence stood when it began, so that its end is a recovery.
    pub had_evidence: bool,
    pub questions: Vec<Question>,
    pub commit_ordered: bool,
    pub aborted: Option<(Time, String)>,
    /// Old machines that it stopped and did not start again.
    pub stopped: BTreeSet<String>,
    pub told_started: bool,
    pub told_end: bool,
    /// When something of it last moved.
    pub progress: Time,
}

impl Saga {
    pub fn is_unfinished(&self) -> bool {
        self.ended.is_none()
    }

    /// When the first failover was accepted that did not fail: from then on there is no undo.
    pub fn past_no_return(&self) -> Option<Time> {
        self.moves.values().filter_map(|moves| moves.failover).min()
    }

    /// Whether the commit of any member was accepted, and did not fail.
    pub fn has_committed(&self) -> bool {
        self.moves.values().any(|moves| moves.commit.is_some())
    }

    pub fn moves_of(&self, item: &str) -> Moves {
        self.moves.get(&item.to_lowercase()).cloned().unwrap_or_default()
    }

    /// A question of this kind was answered with yes after that moment.
    pub fn was_told_to(&self, about: About, since: Time) -> bool {
        let yes = |question: &&Question| question.yes && question.answered.is_some_and(|at| at >= since);
        self.questions.iter().filter(yes).any(|question| question.about == about)
    }

    /// A question of this kind was asked at that moment or later.
    pub fn was_asked(&self, about: About, since: Time) -> bool {
        self.questions.iter().any(|question| question.about == about && question.last_asked >= since)
    }

    pub fn open_questions(&self) -> impl Iterator<Item = &Question> {
        self.questions.iter().filter(|question| question.answered.is_none())
    }

    pub fn see_call(&mut self, call: &Call, at: Time) {
        self.progress = at;
        match call {
            Call::Deallocate { machine } => _ = self.stopped.insert(machine.to_lowercase()),
            Call::Start { machine } => _ = self.stopped.remove(&machine.to_lowercase()),
            Call::Failover { item } => self.of(item).failover = Some(at),
            Call::ChangePoint { item, .. } => self.of(item).changed = Some(at),
            Call::Commit { item } => self.of(item).commit = Some(at),
            Call::ProtectOtherWay { item } => self.of(item).other_way = Some(at),
            _ => {}
        }
    }

    fn of(&mut self, item: &str) -> &mut Moves {
        self.moves.entry(item.to_lowercase()).or_default()
    }

    pub fn see_job(&mut self, item: &str, job: Job, ok: bool, at: Time) {
        self.progress = at;
        let moves = self.of(item);
        let ended = ok.then_some(at);
        match job {
            Job::Failover if ok => moves.failed_over = ended,
            // It left the item as it was and counts as not begun (runbooks §1, rule 6).
            Job::Failover => moves.failover = None,
            Job::Commit if ok => moves.committed = ended,
            Job::Commit => moves.commit = None,
            Job::ProtectOtherWay if ok => moves.other_way_done = ended,
            Job::ProtectOtherWay => moves.other_way = None,
        }
    }

    pub fn ask(&mut self, id: &str, about: About, at: Time) {
        self.progress = at;
        match self.questions.iter_mut().find(|question| question.id == id) {
            Some(known) => known.last_asked = at,
            None => self.questions.push(Question {
                id: id.to_owned(),
                about,
                last_asked: at,
                answered: None,
                answered_by: String::new(),
                yes: false,
                another: false,
            }),
        }
    }

    /// A person's order that counts, as far as it speaks of what is asked; one that came before the question answers nothing. Says
    /// whether it had a meaning here.
    pub fn hear(&mut self, order: &Order, at: Time) -> bool {
        let another = order.kind == OrderKind::Approve && order.another_point.is_some();
        let answers = |question: &&mut Question| match order.kind {
            OrderKind::CommitFailover => question.about == About::Commit,
            // Committing has an order of its own: no other one is the answer, but that another recovery point be taken (design §8).
            OrderKind::Approve | OrderKind::Reject => {
                (question.about != About::Commit || another) && order.question.as_ref() == Some(&question.id)
            }
            OrderKind::StartFailover | OrderKind::Abort | OrderKind::StopChanges | OrderKind::ResumeChanges => false,
        };
        if order.kind == OrderKind::Abort {
            let in_time = self.past_no_return().is_none();
            if in_time && self.aborted.is_none() {
                self.aborted = Some((at, order.id.clone()));
            }
            return in_time;
        }
        let mut open = self.questions.iter_mut().filter(|question| question.answered.is_none());
        let Some(question) = open.rfind(answers) else { return false };
        question.answered = Some(at);
        question.answered_by = order.id.clone();
        (question.yes, question.another) = (order.kind != OrderKind::Reject && !another, another);
        self.commit_ordered |= order.kind == OrderKind::CommitFailover;
        self.progress = at;
        true
    }

    /// An order that was refused answered nothing.
    pub fn unhear(&mut self, id: &str) {
        for question in self.questions.iter_mut().filter(|question| question.answered_by == id) {
            self.commit_ordered &= question.about != About::Commit;
            (question.answered, question.yes, question.another) = (None, false, false);
            question.answered_by.clear();
        }
        if self.aborted.as_ref().is_some_and(|(_, order)| order == id) {
            self.aborted = None;
        }
    }

    /// When a person last answered something.
    pub fn last_answer(&self) -> Option<Time> {
        self.questions.iter().filter_map(|question| question.answered).max()
    }
}
