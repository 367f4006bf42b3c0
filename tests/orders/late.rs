//! Orders that are overtaken on their way: a copy that was held up after it was taken, and one that comes when its time is over.
//! It never sends the same command as two: copies have one id.

use jiff::SignedDuration;
use lifeboat_contract::command::{Command, Freeze, ModeName, Of, OfPoint, Order, SetMode, Why};
use lifeboat_execution::orders::memory::{self, Claim, Key};
use lifeboat_execution::orders::{Verdict, approvals};
use lifeboat_execution::{assumptions, freeze, holds, policies, stop};
use lifeboat_planning::policy::Mode;
use lifeboat_simulator::azure::TokenOrder;
use serde_json::json;

use crate::doing::{point, tags};
use crate::saga::{approve_with, refused, start};
use crate::stage::{DIGEST, Stage};

const HOUR: SignedDuration = SignedDuration::from_hours(1);
const OVERTAKEN: &str = "came after this one and was carried out before it: that one stands";

/// A command with the token of a person, of which one process has taken a copy, and was held up right behind that.
async fn held_up(stage: &Stage, id: &str, order: Order) -> (Command, String) {
    let command = stage.command(id, order);
    let token = stage.token("one", &TokenOrder::default());
    let claim = memory::claim(&stage.lifeboat.store, &Key::of(&command), &command, "one", command.time).await;
    assert_eq!(claim.expect("a claim"), Claim::Ours(command.time));
    stage.passes(SignedDuration::from_secs(10)).await;
    (command, token)
}

fn frozen(frozen: bool) -> Order {
    Order::Freeze(Freeze { frozen, reason: "year's end".to_owned() })
}

fn mode(mode: ModeName) -> Order {
    Order::SetMode(SetMode { policy: "production".to_owned(), mode, reason: "tried".to_owned() })
}

fn why() -> Why {
    Why { reason: "the disks are moved".to_owned() }
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_was_held_up_never_undoes_what_another_order_did_in_between() {
    let stage = Stage::new(1).await;
    let followed = async || {
        let lifeboat = stage.another();
        policies::in_force(&lifeboat.store, &lifeboat.policies).await.expect("in force").policies[0].mode
    };
    let written = followed().await;
    assert_eq!(stage.orders("one", "f-0", frozen(true)).await.verdict, Verdict::Done);
    // The freeze ends, and is ordered again before the copy of its end goes on.
    let (ends, token) = held_up(&stage, "f-1", frozen(false)).await;
    assert_eq!(stage.orders("two", "f-2", frozen(false)).await.verdict, Verdict::Done);
    assert_eq!(stage.orders("two", "f-3", frozen(true)).await.verdict, Verdict::Done);
    refused(&stage.queued(&ends, Some(token)).await.expect("refused"), OVERTAKEN);
    assert!(freeze::is_frozen(&stage.lifeboat.store).await, "the later order stands");

    let (report, token) = held_up(&stage, "m-1", mode(ModeName::Report)).await;
    assert_eq!(stage.orders("two", "m-2", mode(ModeName::AsWritten)).await.verdict, Verdict::Done);
    refused(&stage.queued(&report, Some(token)).await.expect("refused"), OVERTAKEN);
    assert_eq!((followed().await, written), (Mode::Enforce, Mode::Enforce));
    let (as_written, token) = held_up(&stage, "m-3", mode(ModeName::AsWritten)).await;
    assert_eq!(stage.orders("two", "m-4", mode(ModeName::Report)).await.verdict, Verdict::Done);
    refused(&stage.queued(&as_written, Some(token)).await.expect("refused"), OVERTAKEN);
    assert_eq!(followed().await, Mode::Report);

    let (resume, token) = held_up(&stage, "s-1", Order::ResumeChanges(why())).await;
    assert_eq!(stage.orders("two", "s-2", Order::StopChanges(why())).await.verdict, Verdict::Done);
    refused(&stage.queued(&resume, Some(token)).await.expect("refused"), OVERTAKEN);
    assert!(stop::is_stopped(&stage.lifeboat.store).await, "it was stopped after the order to go on");

    let assumed = || approve_with(Of::Assumptions(true), &assumptions::digest());
    let (approves, token) = held_up(&stage, "a-1", assumed()).await;
    let takes_back = Order::Reject(lifeboat_contract::command::Reject {
        recovery_plan: "shop".to_owned(),
        of: Of::Assumptions(true),
        choice: None,
        reason: "not any more".to_owned(),
    });
    assert_eq!(stage.orders("two", "a-2", takes_back).await.verdict, Verdict::Done);
    refused(&stage.queued(&approves, Some(token)).await.expect("refused"), OVERTAKEN);
    let standing = assumptions::read(&stage.lifeboat.store, "shop").await.expect("read");
    assert!(!standing.unapproved().is_empty(), "what was taken back stays so");
}

#[tokio::test(start_paused = true)]
async fn a_release_that_was_held_up_leaves_the_hold_that_came_after_it() {
    let stage = Stage::new(1).await;
    let point = point(&stage).await;
    let order = || OfPoint { point: point.clone(), reason: "audit".to_owned() };
    let held = async |id: &str| {
        let command = stage.command(id, Order::Hold(order()));
        (stage.queued(&command, None).await.expect("taken").verdict, command)
    };
    let (verdict, first) = held("h-1").await;
    assert_eq!(verdict, Verdict::Done);
    let (release, token) = held_up(&stage, "r-1", Order::ReleaseHold(order())).await;
    assert_eq!(held("h-2").await.0, Verdict::Done);
    let told = stage.queued(&release, Some(token)).await.expect("taken");
    assert!(told.verdict == Verdict::Done && told.lines[0].contains("1 holds of it ended"), "{told:?}");
    assert!(tags(&stage, &point).await.contains_key("lifeboat-hold-lb-daily"), "the later hold stands");
    assert_eq!(holds::newest(&stage.lifeboat.store, 9).await.expect("read").1, 1);
    // A copy of the first hold, which was held up, holds nothing again that was released since.
    stage.passes(SignedDuration::from_secs(10)).await;
    assert_eq!(stage.orders("one", "r-2", Order::ReleaseHold(order())).await.verdict, Verdict::Done);
    let again = holds::Hold::new(&point, "audit", &first.id, first.time);
    let came = holds::hold(&stage.another(), again).await;
    assert!(matches!(came, Err(holds::HoldError::Released(_))), "{came:?}");
    assert!(!tags(&stage, &point).await.contains_key("lifeboat-hold-lb-daily"));
}

#[tokio::test(start_paused = true)]
async fn a_hold_that_was_held_up_is_certain_only_from_when_it_was_written() {
    let stage = Stage::new(1).await;
    let point = point(&stage).await;
    let (hold, token) = held_up(&stage, "h-1", Order::Hold(OfPoint { point, reason: "audit".to_owned() })).await;
    stage.passes(SignedDuration::from_mins(5)).await;
    let told = stage.queued(&hold, Some(token)).await.expect("taken");
    let certain = told.lines[0].split("certain from ").nth(1).and_then(|rest| rest.strip_suffix(" on"));
    let certain: jiff::Timestamp = certain.and_then(|at| at.parse().ok()).expect("a moment");
    let written_at = stage.lifeboat.clock.now();
    assert!(written_at.duration_since(hold.time) >= SignedDuration::from_mins(5));
    assert_eq!(certain.duration_since(written_at).as_secs(), stop::CONFIRMED_AFTER.as_secs(), "{told:?}");
}

/// A command that lives for longer than an order to fail over counts.
fn long(stage: &Stage, id: &str, order: Order) -> Command {
    let mut command = stage.command(id, order);
    command.lapses_at = command.time + SignedDuration::from_hours(12);
    command
}

#[tokio::test(start_paused = true)]
async fn an_order_that_the_failover_took_is_done_also_when_that_was_not_remembered_and_its_hour_is_over() {
    let stage = Stage::new(1).await;
    let (store, now) = (&stage.lifeboat.store, stage.lifeboat.clock.now());
    let order = long(&stage, "start", start());
    let Order::StartFailover(says) = start() else { unreachable!("it is one") };
    let recorded = approvals::OrderRecord::waiting("start", "one", now, &says, 0);
    let begun = approvals::change(store, "shop", |orders| orders.begin(recorded.clone(), now)).await.expect("a record");
    assert!(matches!(begun, Ok(approvals::Next::Deliver(_))), "{begun:?}");
    let token = |name| Some(stage.token(name, &TokenOrder { seconds: Some(43_200), ..TokenOrder::default() }));
    let (tokens, twin) = ([token("one"), token("one")], long(&stage, "start-2", start()));
    stage.passes(HOUR).await;
    let [one, other] = tokens;
    // Handed on, and not taken by the failover: too late now.
    let mut tried = order.clone();
    tried.dry_run = true;
    refused(&stage.queued(&tried, one.clone()).await.expect("refused"), "the order lapsed at");
    // What is left of whoever handed it on, and was cut off before that was remembered.
    let mut record: serde_json::Value =
        serde_json::from_slice(include_bytes!("../../handlers/execution/golden/saga-v1.json")).expect("a record");
    record["taken"] = json!(["start"]);
    let name = lifeboat_execution::saga::record::blob_name("shop");
    store.put(&name, record.to_string().into_bytes().into(), lifeboat_azure::blobs::Condition::Any).await.expect("put");
    let told = stage.queued(&order, one).await.expect("taken");
    assert!(told.verdict == Verdict::Done && told.lines[0].contains("took this order before"), "{told:?}");
    refused(&stage.queued(&twin, other).await.expect("refused"), "the order lapsed at");
}

#[tokio::test(start_paused = true)]
async fn an_approval_that_handed_an_order_on_is_done_when_it_comes_again() {
    let stage = Stage::new(2).await;
    assert_eq!(stage.orders("one", "start", start()).await.verdict, Verdict::Done);
    let of_it = || approve_with(Of::Order("start".to_owned()), DIGEST);
    assert_eq!(stage.orders("two", "a-1", of_it()).await.verdict, Verdict::Done);
    let handed = stage.orders("three", "a-2", of_it()).await;
    let approval = approvals::Approval { by: "three".to_owned(), at: stage.lifeboat.clock.now(), id: "a-2".to_owned() };
    let again =
        approvals::change(&stage.lifeboat.store, "shop", |orders| orders.approve("start", DIGEST, approval.clone()));
    let again = again.await.expect("a record");
    assert!(matches!(again, Ok(approvals::Next::Deliver(_))), "{handed:?}: {again:?}");
}

#[tokio::test(start_paused = true)]
async fn a_try_says_what_would_be_refused_for_its_age_and_where_nobody_is_asked() {
    let stage = Stage::by_person().await;
    let of_incident = approve_with(Of::Incident("2026-11-22T10:00:00Z".to_owned()), DIGEST);
    refused(&stage.tries("one", "t-1", of_incident).await, "only shows, and asks nobody");
    let mut late = long(&stage, "t-2", start());
    late.dry_run = true;
    let token = stage.token("one", &TokenOrder { seconds: Some(43_200), ..TokenOrder::default() });
    stage.passes(HOUR).await;
    refused(&stage.queued(&late, Some(token)).await.expect("refused"), "the order lapsed at");
}
