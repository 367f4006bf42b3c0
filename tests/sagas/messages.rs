//! A saga that is driven by its messages and by people's orders alone, as a deployment does it: each look queues the next one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use lifeboat_contract::command::{Abort, Approve, CommitFailover, Of, Order, Point};
use lifeboat_contract::sagas::QUEUE as SAGAS;
use lifeboat_execution::orders::saga::deliver;
use lifeboat_execution::orders::{NotDelivered, Verified};
use lifeboat_execution::{Event, PolicySweep};
use lifeboat_planning::saga::failover::Failover;
use lifeboat_planning::saga::{Ask, End, OrderRefused, Phase, Saga};
use lifeboat_tests::failing_over::{ENDPOINTS, PERSON, PLAN, Stage};
use lifeboat_tests::tap::{Fate, Service};

use crate::failover::ledger_is_whole;

const HOUR: Duration = Duration::from_secs(3_600);

fn asked(ask: Ask) -> impl Fn(&Saga<Failover>) -> bool {
    move |saga| saga.questions().any(|question| question.ask == ask)
}

/// Hands a verified order over, by a process of its own.
async fn order(stage: &Stage, id: &str, order: Order) -> Result<Vec<String>, NotDelivered> {
    let (id, by, approved_by) = (id.to_owned(), PERSON.to_owned(), Vec::new());
    let verified = Verified { id, order, by, approved_by, incident: None };
    deliver(&stage.process(), &verified).await.expect("nothing is busy")
}

/// The digest of the question that stands; of none, where none does.
fn digest(stage: &Stage) -> String {
    let (record, saga) = (stage.record(), stage.saga());
    let question = saga.as_ref().and_then(|saga| saga.questions().next());
    question.zip(record).map_or_else(|| "ab".repeat(32), |(question, record)| question.digest(&record.id))
}

fn commit_on(digest: &str) -> Order {
    Order::CommitFailover(CommitFailover { recovery_plan: PLAN.to_owned(), digest: digest.to_owned(), reason: None })
}

fn commit(stage: &Stage) -> Order {
    commit_on(&digest(stage))
}

fn abort() -> Order {
    Order::Abort(Abort { recovery_plan: PLAN.to_owned(), reason: "the wrong one".to_owned() })
}

/// A yes to the question that stands.
fn yes(stage: &Stage) -> Order {
    let number = stage.saga().expect("a saga").questions().next().expect("one stands").number;
    Order::Approve(Approve {
        recovery_plan: PLAN.to_owned(),
        digest: digest(stage),
        of: Of::Question(number),
        choice: None,
        point: Point::default(),
        passes: std::collections::BTreeSet::new(),
        reason: None,
        protect_back: false,
    })
}

#[tokio::test(start_paused = true)]
async fn messages_and_orders_alone_take_a_failover_to_its_end_though_a_process_is_killed_in_it() {
    let stage = Stage::new(41);
    let sent = Arc::new(AtomicUsize::new(0));
    let counts = Arc::clone(&sent);
    stage.decide(Box::new(move |call| {
        let is_it = call.service == Service::Arm && call.path.ends_with("/unplannedFailover");
        if is_it && counts.fetch_add(1, Ordering::Relaxed) == 0 { Fate::DieAfter } else { Fate::Live }
    }));
    assert!(matches!(order(&stage, "c-0", commit(&stage)).await, Err(NotDelivered::Saga(_))), "there is none yet");
    stage.begin(stage.order()).await;
    stage.first_message();
    assert!(stage.by_messages(asked(Ask::Commit), 2 * HOUR).await, "{}", stage.story());
    assert_eq!(stage.wire.deaths(), 1, "one was killed");
    assert_eq!((stage.accepted("/unplannedFailover"), stage.accepted("/failoverCommit")), (3, 0));
    let refused = order(&stage, "a-1", abort()).await;
    assert!(matches!(refused, Err(NotDelivered::Refused(OrderRefused::PastNoReturn))), "{refused:?}");
    let shown = digest(&stage);
    let other = order(&stage, "c-0-b", commit_on(&shown.replace(['0', '1', '2', '3'], "4"))).await;
    assert!(matches!(&other, Err(NotDelivered::OtherQuestion { now, .. }) if *now == shown), "{other:?}");
    let refused = order(&stage, "y-1", yes(&stage)).await;
    assert!(matches!(refused, Err(NotDelivered::CommitIsAnOrder)), "{refused:?}");
    let done = order(&stage, "c-1", commit(&stage)).await.expect("it is taken");
    assert!(done[0].contains("answer to question"), "{done:?}");
    let again = order(&stage, "c-1", commit(&stage)).await.expect("it was taken");
    assert!(again[0].contains("took this order before"), "{again:?}");
    assert!(matches!(order(&stage, "c-2", commit(&stage)).await, Err(NotDelivered::NoCommitAsked)));
    assert!(stage.by_messages(asked(Ask::ProtectBack), 3 * HOUR).await, "{}", stage.story());
    assert_eq!(stage.accepted("/failoverCommit"), 3);
    let Order::Approve(yes) = yes(&stage) else { panic!("a yes") };
    let of_commit = Order::Approve(Approve { digest: shown, ..yes.clone() });
    assert!(matches!(order(&stage, "p-0", of_commit).await, Err(NotDelivered::OtherQuestion { .. })), "shown before");
    order(&stage, "p-1", Order::Approve(yes)).await.expect("it is taken");
    assert!(stage.by_messages(Saga::ended, 4 * HOUR).await, "{}", stage.story());
    assert_eq!(stage.saga().map(|saga| saga.progress.phase), Some(Phase::Ended(End::Done)));
    assert_eq!(stage.accepted("/switchprotection"), 3);
    assert_eq!(stage.enabled(), [ENDPOINTS.1]);
    let refused = order(&stage, "a-2", abort()).await;
    assert!(matches!(refused, Err(NotDelivered::Refused(OrderRefused::Ended))), "{refused:?}");
    assert!(stage.bus.dead_letters(SAGAS).is_empty());
    ledger_is_whole(&stage);
}

#[tokio::test(start_paused = true)]
async fn a_saga_whose_message_is_lost_is_woken_by_the_sweep_under_a_number_that_is_no_duplicate() {
    let stage = Stage::new(42);
    stage.begin(stage.order()).await;
    stage.first_message();
    assert!(stage.lose_message());
    let sweep = async || {
        // Whether the sweep itself is completed is all the same.
        let _ = stage.process().handle(Event::PolicySweep(PolicySweep { past_due: false, last: None })).await;
    };
    sweep().await;
    assert_eq!(stage.bus.waiting(SAGAS).len(), 0, "it has not overslept yet");
    tokio::time::sleep(Duration::from_secs(360)).await;
    sweep().await;
    assert!(stage.by_messages(asked(Ask::Commit), 2 * HOUR).await, "{}", stage.story());
}
