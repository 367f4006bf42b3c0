//! The orders that people give, as commands.
//! It never sends one.

use std::collections::BTreeSet;

use lifeboat_contract::command::{Answer, Approve, CommitFailover, Of, Order, Passed, Point, Reject, StartFailover};
use lifeboat_planning::declaration::Name;
use lifeboat_planning::saga::Choice;
use lifeboat_planning::saga::failover::PointChoice;
use lifeboat_tests::failing_over::PLAN;

use crate::model::history::Pick;

fn passed(passes: &BTreeSet<Name>) -> BTreeSet<Passed> {
    passes.iter().copied().map(Passed).collect()
}

/// An order to fail over, on what was shown, that passes these.
pub fn start(digest: &str, passes: &BTreeSet<Name>) -> Order {
    Order::StartFailover(StartFailover {
        recovery_plan: PLAN.to_owned(),
        digest: digest.to_owned(),
        point: Point::default(),
        passes: passed(passes),
        reason: "the region is lost".to_owned(),
        protect_back: false,
    })
}

/// An approval of something, on what was shown, that passes these.
pub fn approve(of: Of, digest: &str, passes: &BTreeSet<Name>) -> Order {
    Order::Approve(Approve {
        recovery_plan: PLAN.to_owned(),
        digest: digest.to_owned(),
        of,
        choice: None,
        point: Point::default(),
        passes: passed(passes),
        reason: None,
        protect_back: false,
    })
}

/// Another recovery point, as the answer to a question.
pub fn another(question: u32, digest: &str, pick: Pick) -> Order {
    let point = match pick {
        Pick::Latest => PointChoice::Latest,
        Pick::LatestProcessed => PointChoice::LatestProcessed,
    };
    Order::Approve(Approve {
        recovery_plan: PLAN.to_owned(),
        digest: digest.to_owned(),
        of: Of::Question(question),
        choice: Some(Answer(Choice::AnotherPoint)),
        point: Point(point),
        passes: BTreeSet::new(),
        reason: None,
        protect_back: false,
    })
}

/// A no to something.
pub fn reject(of: Of) -> Order {
    let reason = "it comes back".to_owned();
    Order::Reject(Reject { recovery_plan: PLAN.to_owned(), of, choice: None, reason })
}

/// The word that a failover is good.
pub fn commit(digest: &str) -> Order {
    Order::CommitFailover(CommitFailover { recovery_plan: PLAN.to_owned(), digest: digest.to_owned(), reason: None })
}
