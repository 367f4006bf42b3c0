//! What the people of a seed do: they look at what is shown, order, approve, answer, commit; late, twice, on what was shown long ago, or
//! without the right to. It never does what nobody could do by the page and the command line.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lifeboat_contract::command::{Abort, Answer, Approve, Of, Order};
use lifeboat_execution::declaration::record as declaration_record;
use lifeboat_execution::saga::record::{self as saga_record, SagaRecord};
use lifeboat_planning::declaration::Name;
use lifeboat_planning::saga::{Ask, Choice, Question};
use lifeboat_tests::failing_over::PLAN;
use lifeboat_tests::rig::CONTAINER;
use serde_json::Value;

use crate::cases::Place;
use crate::minds::{Minds, Wrong};
use crate::model::history::{By, Pick};
use crate::orders::{another, approve, commit, reject, start};
use crate::play::{Play, after};
use crate::sent::{GUEST, Hand, Post, names, shown};
use crate::switch::Switch;

/// A digest of nothing.
const NOTHING: &str = "abababababababababababababababababababababababababababababababab";
/// The step in which another recovery point is taken.
const ANOTHER_POINT: &str = "another point";
/// Whoever takes longer than this to commit lets the others do something else meanwhile.
const LONG_SECS: i64 = 24 * 3_600;
/// They look again so long before they are to answer.
const SOON_SECS: i64 = 1_200;

/// People under way.
#[derive(Debug)]
pub struct People {
    /// What they have a mind to do.
    pub minds: Minds,
    first_digest: Option<String>,
    seen_at: Option<Timestamp>,
    begun: BTreeSet<String>,
    answered: BTreeSet<(String, u32)>,
    asked_at: BTreeMap<(String, u32), Timestamp>,
    aborted: bool,
    erred: bool,
    /// An order that two others are to approve of, with what it names.
    seconds: Option<(String, String)>,
    /// Whether they asked for another point, and one that they are to ask for when the commit is under way.
    picked: bool,
    late: Option<Order>,
    post: Post,
    switch: Switch,
}

impl People {
    /// With this in mind.
    pub fn new(minds: Minds) -> Self {
        let switch = Switch::new(minds.stops);
        Self {
            minds,
            switch,
            first_digest: None,
            seen_at: None,
            begun: BTreeSet::new(),
            answered: BTreeSet::new(),
            asked_at: BTreeMap::new(),
            aborted: false,
            erred: false,
            seconds: None,
            picked: false,
            late: None,
            post: Post::default(),
        }
    }

    /// They look at what is there, and do what they have a mind to.
    pub fn look(&mut self, play: &mut Play) {
        let place = play.place();
        let asks = play.world.record.seen().said.asks;
        if let Some(order) = self.switch.look(play) {
            self.post.send(play, Hand::of(0), order);
        }
        self.follow(play, place);
        if self.first_digest.is_some() && !self.is_at(place, asks) {
            return;
        }
        let declaration = play.world.blobs.bytes(CONTAINER, &declaration_record::blob_name(PLAN));
        let declaration: Value = declaration.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
        if let Some(digest) = shown(&declaration)["digest"].as_str() {
            self.first_digest.get_or_insert_with(|| digest.to_owned());
        }
        if !play.world.record.seen().said.runs {
            return self.begin(play, &declaration);
        }
        let saga = play.world.blobs.bytes(CONTAINER, &saga_record::blob_name(PLAN));
        if let Some(saga) = saga.and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            self.answer(play, &saga, &declaration);
        }
    }

    /// Whether they hold all changes stopped.
    pub fn stop(&self) -> bool {
        self.switch.is_turned()
    }

    /// Whether there is something for them to do at a place.
    fn is_at(&self, place: Place, asks: bool) -> bool {
        let waits = matches!(place, Place::Confirmed | Place::AwaitingApproval);
        let early = self.minds.wrong == Some(Wrong::EarlyCommit) && place == Place::Fence;
        asks || early || waits || self.minds.in_calm && place < Place::Declared || self.minds.aborts == Some(place)
    }

    /// What comes after an order: others approve of it once it is there, and somebody wants another point when it is too late.
    fn follow(&mut self, play: &mut Play, place: Place) {
        if let Some((id, digest)) = self.seconds.take() {
            // What the order passes by name it passes: whoever approves of it adds nothing.
            for person in [1, 2] {
                self.post.send(play, Hand::of(person), approve(Of::Order(id.clone()), &digest, &BTreeSet::new()));
            }
        }
        if place > Place::WordToCommit
            && let Some(order) = self.late.take()
        {
            self.post.send(play, Hand::of(2), order);
        }
    }

    /// Whether all that goes on is that nobody commits, for a day and longer.
    pub fn let_it_wait(&self, play: &Play) -> bool {
        let waits = self.minds.commits > LONG_SECS && play.place() == Place::WordToCommit;
        let since = self.asked_at.values().max().filter(|_| waits);
        since.is_some_and(|since| play.world.clock.now() < after(*since, self.minds.commits - SOON_SECS))
    }

    /// They order a failover, or approve of one that is asked about.
    fn begin(&mut self, play: &mut Play, declaration: &Value) {
        let now = play.world.clock.now();
        let Some(wait) = self.minds.begins else { return };
        let by = play.world.shape.by;
        let phase = declaration["phase"].as_str().unwrap_or_default();
        let ready = match by {
            _ if self.minds.in_calm => {
                phase == "Normal" || phase == "Suspected" || phase == "Confirmed" || phase == "AwaitingApproval"
            }
            By::Person => phase == "Confirmed",
            By::Approval | By::Rules => phase == "AwaitingApproval",
        };
        if !ready {
            self.seen_at = None;
            return;
        }
        let seen_at = *self.seen_at.get_or_insert(now);
        let incident = declaration["incident"]["openedAt"].as_str().unwrap_or("calm").to_owned();
        if now < after(seen_at, wait) || !self.begun.insert(incident.clone()) {
            return;
        }
        let shown = shown(declaration);
        let digest = shown["digest"].as_str().unwrap_or_default().to_owned();
        let mut passes: BTreeSet<Name> = names(&shown).into_iter().filter(|name| *name != Name::NoSaga).collect();
        passes.extend(self.minds.names_fence.then_some(Name::FencePossible));
        let asks = phase == "AwaitingApproval" && by != By::Person;
        let wrong = self.minds.wrong.filter(|_| !self.erred);
        let approvals = play.world.shape.approvals;
        let order = |digest: &str| match asks {
            true => approve(Of::Incident(incident.clone()), digest, &passes),
            false => start(digest, &passes),
        };
        self.erred |= wrong.is_some();
        match wrong {
            Some(Wrong::NoDigest) => drop(self.post.send(play, Hand::of(1), order(NOTHING))),
            Some(Wrong::OldDigest) => {
                let old = self.first_digest.clone().unwrap_or_default();
                self.post.send(play, Hand::of(1), order(&old));
                return;
            }
            Some(Wrong::NoRole) => drop(self.post.send(play, Hand::of(GUEST), order(&digest))),
            Some(Wrong::OtherToken) => drop(self.post.send(play, Hand { token: false, ..Hand::of(1) }, order(&digest))),
            Some(Wrong::DryRun) => drop(self.post.send(play, Hand { dry_run: true, ..Hand::of(1) }, order(&digest))),
            Some(Wrong::RejectsFirst) if asks => {
                let of = Of::Incident(incident.clone());
                self.post.send(play, Hand::of(3), reject(of));
            }
            _ => {}
        }
        let id = self.post.send(play, Hand::of(0), order(&digest));
        match wrong {
            Some(Wrong::Twice) => self.again(play, &id),
            Some(Wrong::AnotherWord) => drop(self.post.send(play, Hand::of(0), order(&digest))),
            _ => {}
        }
        if approvals == 2 {
            if asks {
                self.post.send(play, Hand::of(1), order(&digest));
            } else {
                self.seconds = Some((id, digest));
            }
        }
    }

    /// They answer what is asked, and abort where they have a mind to.
    fn answer(&mut self, play: &mut Play, record: &SagaRecord, declaration: &Value) {
        let (now, saga) = (play.world.clock.now(), record.saga().expect("its progress reads"));
        let digest = shown(declaration)["digest"].as_str().unwrap_or(NOTHING).to_owned();
        if !self.aborted && self.minds.aborts == Some(play.place()) {
            self.aborted = true;
            let reason = "it comes back".to_owned();
            self.post.send(play, Hand::of(1), Order::Abort(Abort { recovery_plan: PLAN.to_owned(), reason }));
        }
        if self.minds.wrong == Some(Wrong::EarlyCommit) && !self.erred && play.place() == Place::Fence {
            self.erred = true;
            self.post.send(play, Hand::of(1), commit(&digest));
        }
        let questions: Vec<Question> = saga.questions().cloned().collect();
        for question in questions {
            // They answer what they were told.
            if !play.world.record.seen().said.questions.contains(&format!("{}/{}", record.id, question.number)) {
                continue;
            }
            let key = (record.id.clone(), question.number);
            let asked = *self.asked_at.entry(key.clone()).or_insert(now);
            let wait = if question.ask == Ask::Commit { self.minds.commits } else { self.minds.answers };
            if now < after(asked, wait) || !self.answered.insert(key) {
                continue;
            }
            let digest = question.digest(&record.id);
            let order = match self.another_of(&question, &digest) {
                Some(order) => Some(order),
                None => self.answer_to(&question, &digest),
            };
            if question.ask == Ask::Commit && self.minds.wrong == Some(Wrong::ApprovesCommit) && !self.erred {
                self.erred = true;
                self.post.send(play, Hand::of(2), approve(Of::Question(question.number), &digest, &BTreeSet::new()));
                self.answered.remove(&(record.id.clone(), question.number));
                continue;
            }
            let Some(order) = order else { continue };
            let id = self.post.send(play, Hand::of(1), order.clone());
            match self.minds.wrong.filter(|_| !self.erred) {
                Some(Wrong::Twice) => self.again(play, &id),
                Some(Wrong::AnotherWord) => drop(self.post.send(play, Hand::of(2), order)),
                _ => {}
            }
        }
    }

    fn again(&mut self, play: &Play, id: &str) {
        self.erred = true;
        self.post.again(play, id);
    }

    /// Another point, where they want one: before the commit instead of it, and else when the commit is under way.
    fn another_of(&mut self, question: &Question, digest: &str) -> Option<Order> {
        let wanted = self.minds.another.filter(|_| question.ask == Ask::Commit && !self.picked)?;
        self.picked = true;
        let order = another(question.number, digest, wanted.pick);
        if wanted.late {
            self.late = Some(order);
            return None;
        }
        Some(order)
    }

    fn answer_to(&self, question: &Question, digest: &str) -> Option<Order> {
        let number = Of::Question(question.number);
        let (yes, no) = (approve(number.clone(), digest, &BTreeSet::new()), reject(number.clone()));
        let of = |goes_on: bool| Some(if goes_on { yes.clone() } else { no.clone() });
        match question.ask {
            Ask::Approve => of(self.minds.group),
            Ask::FenceImpossible => of(self.minds.goes_on.0),
            Ask::Recovered => of(self.minds.goes_on.1),
            Ask::LossGrew => of(true),
            Ask::Commit => Some(commit(digest)),
            Ask::ProtectBack => self.minds.old_may_go.then(|| yes.clone()),
            // The latest is none that can be taken after a failover: they name one.
            Ask::Failed if self.picked && question.step == ANOTHER_POINT => {
                Some(another(question.number, digest, Pick::LatestProcessed))
            }
            Ask::Failed | Ask::UndoFailed => {
                let choice = [Choice::Again, Choice::GoOn].into_iter().find(|one| question.choices.contains(one));
                let Order::Approve(approve) = yes else { return None };
                Some(Order::Approve(Approve { choice: choice.map(Answer), ..approve }))
            }
            Ask::OldSideSilent | Ask::NeedMissing | Ask::UnknownStep => None,
        }
    }
}
