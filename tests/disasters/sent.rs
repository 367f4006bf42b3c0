//! How people's orders come to the queue, with whose token, and how the model is told of each.
//! It never decides what is ordered: `people` does.

use std::collections::BTreeSet;

use lifeboat_contract::command::{self, Of, Order, Token};
use lifeboat_execution::declaration::record as declaration_record;
use lifeboat_execution::saga::record::{self as saga_record, SagaRecord};
use lifeboat_planning::declaration::Name;
use lifeboat_planning::saga::Choice;
use lifeboat_planning::saga::failover::PointChoice;
use lifeboat_simulator::azure::TokenOrder;
use lifeboat_simulator::bus::Message;
use lifeboat_tests::failing_over::PLAN;
use lifeboat_tests::rig::CONTAINER;
use serde_json::Value;

use crate::model::history::Order as Told;
use crate::model::history::{Condition, OrderKind, Pick};
use crate::play::{COMMANDS, Play};
use crate::said::condition_of;

/// The one who has no role.
pub const GUEST: usize = 4;
/// Whose an order is, and how it comes.
#[derive(Clone, Copy)]
pub struct Hand {
    /// The person, by number.
    pub person: usize,
    /// Whether the token is good.
    pub token: bool,
    /// Only a try.
    pub dry_run: bool,
}

impl Hand {
    /// This person's, as it should be.
    pub fn of(person: usize) -> Self {
        Self { person, token: true, dry_run: false }
    }
}

/// Orders by their numbers.
#[derive(Debug, Default)]
pub struct Post {
    number: u64,
}

impl Post {
    /// Sends an order, with a token of the person's own or of another's command; its id.
    pub fn send(&mut self, play: &mut Play, hand: Hand, order: Order) -> String {
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
    pub fn again(&self, play: &Play, id: &str) {
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
    let approves = match of {
        Some(Of::Order(id)) => Some(id.clone()),
        _ => None,
    };
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
        approves,
        another_point: pick_of(order),
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

/// Another point, as far as it is answered.
fn pick_of(order: &Order) -> Option<Pick> {
    let Order::Approve(approve) = order else { return None };
    let another = approve.choice.as_ref().is_some_and(|answer| answer.0 == Choice::AnotherPoint);
    another.then_some(match approve.point.0 {
        PointChoice::Latest => Pick::Latest,
        _ => Pick::LatestProcessed,
    })
}

fn shown_now(play: &Play) -> String {
    let declaration = play.world.blobs.bytes(CONTAINER, &declaration_record::blob_name(PLAN));
    let declaration: Value = declaration.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
    shown(&declaration)["digest"].as_str().unwrap_or_default().to_owned()
}

/// What was last shown of a declaration.
pub fn shown(declaration: &Value) -> Value {
    declaration["shown"].as_array().and_then(|shown| shown.last()).cloned().unwrap_or_default()
}

/// What it says is not met.
pub fn names(shown: &Value) -> Vec<Name> {
    let words = shown["unmet"].as_array().into_iter().flatten().filter_map(Value::as_str);
    words.filter_map(|word| Name::ALL.into_iter().find(|name| name.word() == word)).collect()
}
