//! What the people of a seed do: they look at what is shown, order, approve, answer, commit; late, twice, on what was shown long ago, or
//! without the right to. It never does what nobody could do by the page and the command line.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use lifeboat_contract::command::{self, Abort, Answer, Approve, Of, Order, Token};
use lifeboat_execution::declaration::record as declaration_record;
use lifeboat_execution::saga::record::{self as saga_record, SagaRecord};
use lifeboat_planning::declaration::Name;
use lifeboat_planning::saga::{Ask, Choice, Question};
use lifeboat_simulator::azure::TokenOrder;
use lifeboat_simulator::bus::Message;
use lifeboat_tests::failing_over::PLAN;
use lifeboat_tests::rig::CONTAINER;
use serde_json::Value;

use crate::cases::Place;
use crate::model::history::Order as Told;
use crate::model::history::{By, Condition, OrderKind};
use crate::orders::{approve, commit, reject, start};
use crate::play::{COMMANDS, Play, after};
use crate::said::condition_of;
use crate::switch::{Stops, Switch};

/// The one who has no role.
const GUEST: usize = 4;
/// A digest of nothing.
const NOTHING: &str = "abababababababababababababababababababababababababababababababab";

/// What people have a mind to do.
#[derive(Clone, Debug)]
pub struct Minds {
    /// Seconds after it is shown that the region counts as lost until they order or approve; never where there is none.
    pub begins: Option<i64>,
    /// They order although nothing is said of the region.
    pub in_calm: bool,
    /// They pass the fence by name.
    pub names_fence: bool,
    /// Whether they go on where the fence is impossible, and where the region came back.
    pub goes_on: (bool, bool),
    /// Whether they say yes before a group.
    pub group: bool,
    /// Seconds until they answer a question, and until they commit.
    pub answers: i64,
    pub commits: i64,
    /// Whether the old machines may go.
    pub old_may_go: bool,
    /// Where they abort.
    pub aborts: Option<Place>,
    /// What they do wrong.
    pub wrong: Option<Wrong>,
    /// Where they stop all changes.
    pub stops: Option<Stops>,
}

/// What somebody does wrong with an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// The same command twice.
    Twice,
    /// The same word by another command.
    AnotherWord,
    /// On what was shown when first something was shown.
    OldDigest,
    /// On what nobody was shown.
    NoDigest,
    /// Without the role.
    NoRole,
    /// With a token of another command.
    OtherToken,
    /// A commit that nobody has asked for.
    EarlyCommit,
    /// An answer to a question that is the commit's.
    ApprovesCommit,
    /// A no to what is asked, and then a yes.
    RejectsFirst,
    /// Only a try.
    DryRun,
}

/// All of them.
pub const WRONGS: [Wrong; 10] = [
    Wrong::Twice,
    Wrong::AnotherWord,
    Wrong::OldDigest,
    Wrong::NoDigest,
    Wrong::NoRole,
    Wrong::OtherToken,
    Wrong::EarlyCommit,
    Wrong::ApprovesCommit,
    Wrong::RejectsFirst,
    Wrong::DryRun,
];

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
    number: u64,
    switch: Switch,
}

/// Whose an order is, and how it comes.
#[derive(Clone, Copy)]
struct Hand {
    person: usize,
    token: bool,
    dry_run: bool,
}

impl Hand {
    fn of(person: usize) -> Self {
        Self { person, token: true, dry_run: false }
    }
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
            number: 0,
        }
    }

    /// They look at what is there, and do what they have a mind to.
    pub fn look(&mut self, play: &mut Play) {
        let place = play.place();
        let asks = play.world.record.seen().said.asks;
        if let Some(order) = self.switch.look(play) {
            self.send(play, Hand::of(0), order);
        }
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
            Some(Wrong::NoDigest) => drop(self.send(play, Hand::of(1), order(NOTHING))),
            Some(Wrong::OldDigest) => {
                let old = self.first_digest.clone().unwrap_or_default();
                self.send(play, Hand::of(1), order(&old));
                return;
            }
            Some(Wrong::NoRole) => drop(self.send(play, Hand::of(GUEST), order(&digest))),
            Some(Wrong::OtherToken) => drop(self.send(play, Hand { token: false, ..Hand::of(1) }, order(&digest))),
            Some(Wrong::DryRun) => drop(self.send(play, Hand { dry_run: true, ..Hand::of(1) }, order(&digest))),
            Some(Wrong::RejectsFirst) if asks => {
                let of = Of::Incident(incident.clone());
                self.send(play, Hand::of(3), reject(of));
            }
            _ => {}
        }
        let id = self.send(play, Hand::of(0), order(&digest));
        match wrong {
            Some(Wrong::Twice) => self.again(play, &id),
            Some(Wrong::AnotherWord) => drop(self.send(play, Hand::of(0), order(&digest))),
            _ => {}
        }
        if approvals == 2 {
            if !asks {
                self.send(play, Hand::of(1), approve(Of::Order(id.clone()), &digest, &passes));
                self.send(play, Hand::of(2), approve(Of::Order(id), &digest, &passes));
            } else {
                self.send(play, Hand::of(1), order(&digest));
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
            self.send(play, Hand::of(1), Order::Abort(Abort { recovery_plan: PLAN.to_owned(), reason }));
        }
        if self.minds.wrong == Some(Wrong::EarlyCommit) && !self.erred && play.place() == Place::Fence {
            self.erred = true;
            self.send(play, Hand::of(1), commit(&digest));
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
            let order = self.answer_to(&question, &digest);
            if question.ask == Ask::Commit && self.minds.wrong == Some(Wrong::ApprovesCommit) && !self.erred {
                self.erred = true;
                self.send(play, Hand::of(2), approve(Of::Question(question.number), &digest, &BTreeSet::new()));
                self.answered.remove(&(record.id.clone(), question.number));
                continue;
            }
            let Some(order) = order else { continue };
            let id = self.send(play, Hand::of(1), order.clone());
            match self.minds.wrong.filter(|_| !self.erred) {
                Some(Wrong::Twice) => self.again(play, &id),
                Some(Wrong::AnotherWord) => drop(self.send(play, Hand::of(2), order)),
                _ => {}
            }
        }
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
            Ask::Failed | Ask::UndoFailed => {
                let choice = [Choice::Again, Choice::GoOn].into_iter().find(|one| question.choices.contains(one));
                let Order::Approve(approve) = yes else { return None };
                Some(Order::Approve(Approve { choice: choice.map(Answer), ..approve }))
            }
            Ask::OldSideSilent | Ask::NeedMissing | Ask::UnknownStep => None,
        }
    }

    /// Sends an order, with a token of the person's own or of another's command; its id.
    fn send(&mut self, play: &mut Play, hand: Hand, order: Order) -> String {
        self.number += 1;
        let (id, world) = (format!("order-{}", self.number), &play.world);
        let mut given = command::Command::new(&id, "/people", order.clone(), world.clock.now());
        given.dry_run = hand.dry_run;
        // A token that is not good: signed by nobody that the directory knows.
        let token = TokenOrder { forged: !hand.token, ..TokenOrder::default() };
        // A stop is taken from whoever may send.
        let needs = !matches!(order, Order::StopChanges(_));
        given.token = needs.then(|| Token::new(world.directory.token(&world.persons[hand.person], &token)));
        let told = told(&id, &order, &world.persons[hand.person], hand, play);
        play.orders.insert(id.clone(), told);
        let body = given.body().to_string();
        play.world.bus.send(COMMANDS, Message::new(body)).expect("the queue takes it");
        id
    }

    /// The same command comes a second time.
    fn again(&mut self, play: &mut Play, id: &str) {
        self.erred = true;
        let waiting = play.world.bus.waiting(COMMANDS);
        let is_it = |message: &&Message| String::from_utf8_lossy(&message.body).contains(&format!("\"{id}\""));
        if let Some(message) = waiting.iter().find(is_it) {
            let twin = Message { message_id: None, ..Message::new(message.body.clone()) };
            play.world.bus.send(COMMANDS, twin).expect("the queue takes it");
        }
    }
}

/// An order as the model is told it.
fn told(id: &str, order: &Order, person: &str, hand: Hand, play: &Play) -> Told {
    let (kind, of, digest, passes) = match order {
        Order::StartFailover(start) => (OrderKind::StartFailover, None, start.digest.clone(), start.passes.clone()),
        // A yes to a question names that question's own digest, which the model does not know: it is said of what is shown.
        Order::Approve(approve) if matches!(approve.of, Of::Question(_)) => {
            (OrderKind::Approve, Some(&approve.of), shown_now(play), approve.passes.clone())
        }
        Order::Approve(approve) => {
            (OrderKind::Approve, Some(&approve.of), approve.digest.clone(), approve.passes.clone())
        }
        // A no names no digest: it is said of what is shown.
        Order::Reject(reject) => (OrderKind::Reject, Some(&reject.of), shown_now(play), BTreeSet::new()),
        Order::CommitFailover(_) => (OrderKind::CommitFailover, None, shown_now(play), BTreeSet::new()),
        Order::StopChanges(_) => (OrderKind::StopChanges, None, String::new(), BTreeSet::new()),
        Order::ResumeChanges(_) => (OrderKind::ResumeChanges, None, String::new(), BTreeSet::new()),
        _ => (OrderKind::Abort, None, String::new(), BTreeSet::new()),
    };
    let saga = play.world.blobs.bytes(CONTAINER, &saga_record::blob_name(PLAN));
    let saga: Option<SagaRecord> = saga.and_then(|bytes| serde_json::from_slice(&bytes).ok());
    let question = match of {
        Some(Of::Question(number)) => saga.map(|saga| format!("{}/{number}", saga.id)),
        _ => None,
    };
    let named: BTreeSet<Name> = passes.iter().map(|passed| passed.0).collect();
    let whole = named.contains(&Name::Window);
    let passes: BTreeSet<Condition> = named
        .iter()
        .filter_map(|name| condition_of(name.word()))
        .filter(|condition| *condition != Condition::Evidence || whole)
        .collect();
    Told {
        id: id.to_owned(),
        kind,
        plan: PLAN.to_owned(),
        saga: None,
        question,
        by: person.to_owned(),
        token: hand.token,
        role: hand.person != GUEST,
        digest,
        passes: passes.into_iter().collect(),
        old_may_go: false,
        dry_run: hand.dry_run,
        expires: None,
    }
}

fn shown_now(play: &Play) -> String {
    let declaration = play.world.blobs.bytes(CONTAINER, &declaration_record::blob_name(PLAN));
    let declaration: Value = declaration.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    shown(&declaration)["digest"].as_str().unwrap_or_default().to_owned()
}

fn shown(declaration: &Value) -> Value {
    declaration["shown"].as_array().and_then(|shown| shown.last()).cloned().unwrap_or_default()
}

fn names(shown: &Value) -> Vec<Name> {
    let words = shown["unmet"].as_array().into_iter().flatten().filter_map(Value::as_str);
    words.filter_map(|word| Name::ALL.into_iter().find(|name| name.word() == word)).collect()
}
