//! What orders do, that each is done once whoever brings it again, and that one which was cut off is done all the same.

use std::collections::{BTreeMap, BTreeSet};

use jiff::SignedDuration;
use lifeboat_contract::command::{
    Abort, CloseBreaker, CounterName, Freeze, ModeName, OfPoint, Order, Point, SetMode, StartFailover, Why,
};
use lifeboat_execution::counters::Kind;
use lifeboat_execution::orders::{Concerns, Verdict};
use lifeboat_execution::{Api, Event, breakers, freeze, holds, policies, stop};
use lifeboat_planning::allowance::Allowance;
use lifeboat_planning::policy::Mode;
use lifeboat_simulator::azure::{CollectionSeed, MachineSeed, PointSeed, TokenOrder};
use lifeboat_simulator::world::CallFate;

use crate::stage::{DEPLOYMENT, DIGEST, SUBSCRIPTION, Stage};

fn why() -> Why {
    Why { reason: "the disks are moved".to_owned() }
}

fn frozen(frozen: bool) -> Order {
    Order::Freeze(Freeze { frozen, reason: "year's end".to_owned() })
}

/// A point of this deployment; its id.
pub async fn point(stage: &Stage) -> String {
    let machine: MachineSeed = serde_json::from_value(serde_json::json!({
        "subscription": SUBSCRIPTION, "group": "app", "name": "web-1", "location": "westeurope",
    }))
    .expect("a seed");
    let machine = stage.world.add_machine(&machine);
    let estate = lifeboat_execution::estate::read(&stage.lifeboat.store, DEPLOYMENT).await.expect("an estate");
    let tags = [("lifeboat-owner", DEPLOYMENT.to_owned()), ("lifeboat-estate", estate.id)];
    let seed = CollectionSeed {
        machine,
        group: "lifeboat-points-westeurope".to_owned(),
        name: "lb-1".to_owned(),
        tags: tags.map(|(name, value)| (name.to_owned(), value)).into(),
        points: vec![PointSeed { name: "lb-daily".to_owned(), made: stage.lifeboat.clock.now() }],
    };
    let collection = stage.world.arm().add_collection(&seed).expect("a collection");
    format!("{collection}/restorePoints/lb-daily")
}

pub async fn tags(stage: &Stage, point: &str) -> BTreeMap<String, String> {
    let collection = point.rsplit_once("/restorePoints/").expect("a point").0;
    lifeboat_azure::tags::get(&stage.lifeboat.arm, &collection.parse().expect("an id")).await.expect("tags")
}

#[tokio::test(start_paused = true)]
async fn a_point_is_held_by_anybody_and_released_by_a_person_in_the_store_and_on_the_resource() {
    let stage = Stage::new(1).await;
    let point = point(&stage).await;
    let order = || OfPoint { point: point.clone(), reason: "audit".to_owned() };
    let held = stage.queued(&stage.command("c-1", Order::Hold(order())), None).await.expect("taken");
    assert_eq!(held.verdict, Verdict::Done, "{held:?}");
    assert!(tags(&stage, &point).await.contains_key("lifeboat-hold-lb-daily"));
    assert_eq!(holds::newest(&stage.lifeboat.store, 9).await.expect("read").1, 1);
    let told = stage.queued(&stage.command("c-2", Order::ReleaseHold(order())), None).await.expect("refused");
    assert_eq!(told.verdict, Verdict::Refused(Concerns::Name), "a release needs a name");
    let told = stage.orders("one", "c-3", Order::ReleaseHold(order())).await;
    assert_eq!(told.verdict, Verdict::Done, "{told:?}");
    assert!(!tags(&stage, &point).await.contains_key("lifeboat-hold-lb-daily"));
    assert_eq!(holds::newest(&stage.lifeboat.store, 9).await.expect("read"), (vec![], 0));
    let told = stage.orders("one", "c-4", Order::ReleaseHold(order())).await;
    assert!(told.verdict == Verdict::Done && told.lines[0].contains("was not held"), "{told:?}");
}

/// Killed before or after each of its calls: the point stays held until the record says that it is released, and the same command
/// again ends it.
#[tokio::test(start_paused = true)]
async fn a_release_that_is_cut_off_anywhere_leaves_the_point_held_or_released_and_is_finished_by_its_redelivery() {
    let (mut calls, mut killed) = (1, 0);
    let mut at = 0;
    while at < calls {
        for fate in [CallFate::DieBefore, CallFate::DieAfter] {
            let mut stage = Stage::new(1).await;
            let point = point(&stage).await;
            let order = OfPoint { point: point.clone(), reason: "audit".to_owned() };
            stage.queued(&stage.command("c-1", Order::Hold(order.clone())), None).await.expect("taken");
            let command = stage.command("c-2", Order::ReleaseHold(order));
            let token = stage.token("one", &TokenOrder::default());
            stage.world.on_call(std::sync::Arc::new(
                move |call| {
                    if call.index == at as u64 { fate } else { CallFate::Proceed }
                },
            ));
            let cut = tokio::select! {
                _ = stage.world.death() => true,
                told = stage.queued(&command, Some(token.clone())) => { told.expect("taken"); false }
            };
            if !cut {
                calls = calls.max(usize::try_from(stage.world.calls_made()).expect("a number"));
            } else {
                calls = calls.max(at + 2);
                killed += 1;
            }
            stage.world.clear_on_call();
            // The message comes again, to a process that knows nothing of the first.
            stage.lifeboat = stage.another();
            let listed = holds::newest(&stage.lifeboat.store, 9).await.expect("read").1;
            let tagged = tags(&stage, &point).await.contains_key("lifeboat-hold-lb-daily");
            assert!(tagged || listed == 0, "call {at}: told as held, and deletions would not see it");
            let told = stage.queued(&command, Some(token)).await.expect("taken");
            assert!(matches!(told.verdict, Verdict::Done | Verdict::Before), "call {at}: {told:?}");
            assert!(!tags(&stage, &point).await.contains_key("lifeboat-hold-lb-daily"), "call {at}");
        }
        at += 1;
        assert!(at < 100, "it does not end");
    }
    assert!(killed > 20, "{killed} kills");
    println!("{killed} kills of a release");
}

#[tokio::test(start_paused = true)]
async fn changes_are_stopped_by_anybody_and_go_on_by_a_persons_word_alone() {
    let stage = Stage::new(1).await;
    let stopped = stage.command("c-1", Order::StopChanges(why()));
    assert_eq!(stage.queued(&stopped, None).await.expect("taken").verdict, Verdict::Done);
    assert!(stop::is_stopped(&stage.lifeboat.store).await);
    let told = stage.orders("one", "c-2", Order::ResumeChanges(why())).await;
    assert_eq!(told.verdict, Verdict::Done, "{told:?}");
    assert!(!stop::is_stopped(&stage.lifeboat.store).await);
    // The stop comes again, long after: it was done, and is not done again.
    stage.passes(SignedDuration::from_hours(48)).await;
    assert_eq!(stage.queued(&stopped, None).await.expect("known").verdict, Verdict::Before);
    assert!(!stop::is_stopped(&stage.lifeboat.store).await);
    let Ok(lifeboat_execution::Answer::Status(status)) = stage.lifeboat.handle(Event::Api(Api::Status)).await else {
        panic!("no status")
    };
    assert!(status.attention.iter().all(|attention| !attention.what.contains("stopped")), "{status:?}");
}

#[tokio::test(start_paused = true)]
async fn a_command_is_done_once_and_its_id_is_no_other_commands() {
    let stage = Stage::new(1).await;
    let first = stage.command("c-1", frozen(true));
    let token = stage.token("one", &TokenOrder::default());
    assert_eq!(stage.queued(&first, Some(token.clone())).await.expect("taken").verdict, Verdict::Done);
    assert_eq!(stage.orders("one", "c-2", frozen(false)).await.verdict, Verdict::Done);
    for _ in 0..50 {
        assert_eq!(stage.queued(&first, Some(token.clone())).await.expect("known").verdict, Verdict::Before);
    }
    assert!(!freeze::is_frozen(&stage.lifeboat.store).await, "it was not done again");
    let told = stage.orders("two", "c-1", frozen(false)).await;
    assert_eq!((told.verdict, told.field.as_deref()), (Verdict::Refused(Concerns::State), Some("id")), "{told:?}");
    // Days later it has lapsed as well, and is still known.
    stage.passes(SignedDuration::from_hours(6 * 24)).await;
    assert_eq!(stage.queued(&first, Some(token.clone())).await.expect("known").verdict, Verdict::Before);
    // Two weeks later it is forgotten: then it has lapsed.
    stage.passes(SignedDuration::from_hours(14 * 24)).await;
    assert_eq!(stage.orders("one", "c-9", frozen(false)).await.verdict, Verdict::Done);
    let told = stage.queued(&first, Some(token)).await.expect("known or lapsed");
    assert_ne!(told.verdict, Verdict::Done, "{told:?}");
    assert!(!freeze::is_frozen(&stage.lifeboat.store).await);
}

#[tokio::test(start_paused = true)]
async fn what_lapsed_or_is_of_the_future_or_malformed_is_refused_with_its_field_and_not_sent_again() {
    let stage = Stage::new(1).await;
    let token = stage.token("one", &TokenOrder::default());
    let command = stage.command("c-1", frozen(true));
    stage.passes(SignedDuration::from_hours(1)).await;
    let told = stage.queued(&command, Some(token)).await.expect("refused");
    assert_eq!(
        (told.verdict, told.field.as_deref()),
        (Verdict::Refused(Concerns::Form), Some("expirytime")),
        "{told:?}"
    );
    for body in [&b""[..], b"{}", b"nonsense", &[0xff; 40]] {
        let command = lifeboat_execution::Command {
            body: body.to_vec(),
            door: lifeboat_execution::orders::Door::Queue,
            token: None,
        };
        stage.lifeboat.handle(Event::Command(command)).await.expect("refused, and over");
    }
    assert!(!freeze::is_frozen(&stage.lifeboat.store).await);
}

#[tokio::test(start_paused = true)]
async fn a_try_says_what_would_be_done_and_does_nothing() {
    let stage = Stage::new(1).await;
    let mut command = stage.command("c-1", frozen(true));
    command.dry_run = true;
    let told = stage.queued(&command, Some(stage.token("one", &TokenOrder::default()))).await.expect("taken");
    assert_eq!(
        (told.verdict, told.lines[0].as_str()),
        (Verdict::WouldDo, "deletions, repairs and vault policy writes would rest")
    );
    assert!(!freeze::is_frozen(&stage.lifeboat.store).await);
    let told = stage.queued(&command, None).await.expect("refused");
    assert_eq!(told.verdict, Verdict::Refused(Concerns::Name), "a try needs the same name");
}

#[tokio::test(start_paused = true)]
async fn each_try_reads_what_its_order_would_and_leaves_the_store_as_it_is() {
    let stage = Stage::new(2).await;
    let point = point(&stage).await;
    let of_point = |point: &str| OfPoint { point: point.to_owned(), reason: "an audit".to_owned() };
    let reason = || "it comes back".to_owned();
    let set = |policy: &str| {
        Order::SetMode(SetMode { policy: policy.to_owned(), mode: ModeName::Report, reason: "tried".to_owned() })
    };
    let counter = CounterName::Expiry;
    let start = || {
        let (recovery_plan, digest) = ("shop".to_owned(), DIGEST.to_owned());
        let (point, passes, reason) = (Point::default(), BTreeSet::new(), reason());
        Order::StartFailover(StartFailover { recovery_plan, digest, point, passes, reason, protect_back: false })
    };
    let cases = [
        (Order::Hold(of_point(&point)), true, "would be held"),
        (Order::ReleaseHold(of_point(&point)), true, "would be released"),
        (Order::Hold(of_point("/subscriptions/none")), false, "is not the ARM id"),
        (set("production"), true, "which is followed in enforce, would be followed in report"),
        (set("nights"), false, "no policy of this name"),
        (frozen(false), true, "do not rest"),
        (Order::StopChanges(why()), true, "all changes would be stopped"),
        (Order::ResumeChanges(why()), true, "changes are not stopped"),
        (
            Order::CloseBreaker(CloseBreaker { policy: "production".to_owned(), counter, reason: reason() }),
            true,
            "is not open",
        ),
        (start(), true, "2 others would have to approve it"),
        (Order::Abort(Abort { recovery_plan: "shop".to_owned(), reason: reason() }), false, "has no saga"),
        (Order::Abort(Abort { recovery_plan: "other".to_owned(), reason: reason() }), false, "no recovery plan"),
    ];
    // All but what binds a token to its command, what is told, and which policies could be read last.
    let kept = || -> BTreeMap<String, _> {
        let blobs = stage.world.blobs();
        let beside = |name: &String| {
            !name.starts_with("orders/tokens/") && !name.starts_with("outbox") && name != "policies/good.json"
        };
        let names = blobs.names("lifeboat").into_iter().filter(beside);
        names.map(|name| (name.clone(), blobs.bytes("lifeboat", &name))).collect()
    };
    let before = kept();
    assert!(before.len() >= 3, "{:?}", before.keys());
    for (number, (order, would, expected)) in cases.into_iter().enumerate() {
        let mut command = stage.command(&format!("try-{number}"), order);
        command.dry_run = true;
        let told = stage.queued(&command, Some(stage.token("one", &TokenOrder::default()))).await.expect("taken");
        assert_eq!(told.verdict == Verdict::WouldDo, would, "{told:?}");
        assert!(told.lines[0].contains(expected), "{expected}: {told:?}");
    }
    assert!(kept() == before, "{:?}", kept().keys());
    assert!(holds::newest(&stage.lifeboat.store, 10).await.expect("read").0.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_policy_is_followed_in_the_mode_that_was_ordered_until_that_is_taken_back() {
    let stage = Stage::new(1).await;
    let set = |mode| Order::SetMode(SetMode { policy: "production".to_owned(), mode, reason: "tried".to_owned() });
    let mode = async || {
        let lifeboat = stage.another();
        policies::in_force(&lifeboat.store, &lifeboat.policies).await.expect("in force").policies[0].mode
    };
    assert_eq!(mode().await, Mode::Enforce);
    for (id, ordered, followed) in [
        ("c-1", ModeName::Report, Mode::Report),
        ("c-2", ModeName::Enforce, Mode::Enforce),
        ("c-3", ModeName::Report, Mode::Report),
        ("c-4", ModeName::AsWritten, Mode::Enforce),
    ] {
        let told = stage.orders("one", id, set(ordered)).await;
        assert_eq!((told.verdict, mode().await), (Verdict::Done, followed), "{told:?}");
    }
    let other = Order::SetMode(SetMode { policy: "other".to_owned(), mode: ModeName::Report, reason: "x".to_owned() });
    let told = stage.orders("one", "c-5", other).await;
    assert_eq!((told.verdict, told.field.as_deref()), (Verdict::Refused(Concerns::State), Some("data.policy")));
}

#[tokio::test(start_paused = true)]
async fn a_breaker_is_closed_by_a_person_and_one_that_is_not_open_is_said_not_to_be() {
    let stage = Stage::new(1).await;
    let (store, now) = (&stage.lifeboat.store, stage.lifeboat.clock.now());
    let nothing = Allowance { turnover: 0, beyond: 0 };
    breakers::reserve(&stage.lifeboat.outbox, "production", Kind::Expiry, 100, nothing, now).await.expect("reserved");
    assert_eq!(breakers::open(store).await.expect("read").len(), 1);
    let order = || {
        let policy = "production".to_owned();
        Order::CloseBreaker(CloseBreaker { policy, counter: CounterName::Expiry, reason: "seen".to_owned() })
    };
    let told = stage.orders("one", "c-1", order()).await;
    assert!(told.verdict == Verdict::Done && told.lines[0].contains("is closed"), "{told:?}");
    assert!(breakers::open(store).await.expect("read").is_empty());
    let told = stage.orders("one", "c-2", order()).await;
    assert!(told.lines[0].contains("was not open"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_hundred_commands_over_eight_processes_each_twice_are_all_done_once() {
    let stage = Stage::new(1).await;
    let processes: Vec<_> = (0..8).map(|_| stage.another()).collect();
    let mut work = Vec::new();
    for number in 0..100 {
        let command = stage.command(&format!("c-{number}"), Order::StopChanges(why()));
        let body = command.body().to_string().into_bytes();
        for copy in 0..2 {
            let event = Event::Command(lifeboat_execution::Command {
                body: body.clone(),
                door: lifeboat_execution::orders::Door::Queue,
                token: None,
            });
            work.push(processes[(number + copy * 3) % processes.len()].handle(event));
        }
    }
    for answer in futures::future::join_all(work).await {
        let lifeboat_execution::Answer::Ordered(told) = answer.expect("taken") else { panic!("not ordered") };
        assert!(matches!(told.verdict, Verdict::Done | Verdict::Before), "{told:?}");
    }
    let mut seen = 0;
    for name in stage.lifeboat.store.list("orders/seen/").await.expect("names") {
        let (bytes, _) = stage.lifeboat.store.get(&name).await.expect("read").expect("there");
        let record: lifeboat_execution::orders::memory::SeenRecord = serde_json::from_slice(&bytes).expect("a record");
        assert!(record.seen.values().all(|seen| seen.outcome.is_some()));
        seen += record.seen.len();
    }
    assert_eq!(seen, 100, "none lost, none doubled");
}
