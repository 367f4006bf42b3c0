//! Whose an order is: every token that is not right is refused, each for its own reason, and nothing is done.

use jiff::SignedDuration;
use lifeboat_contract::command::{Freeze, OfPoint, Order, Why};
use lifeboat_execution::orders::{Concerns, OPERATE, READ, Verdict};
use lifeboat_execution::{freeze, stop};
use lifeboat_simulator::azure::TokenOrder;
use serde_json::{Value, json};

use crate::stage::{Stage, person};

fn resume() -> Order {
    Order::ResumeChanges(Why { reason: "the disks are moved".to_owned() })
}

fn frozen(frozen: bool) -> Order {
    Order::Freeze(Freeze { frozen, reason: "year's end".to_owned() })
}

fn token_order(order: Value) -> TokenOrder {
    serde_json::from_value(order).expect("an order")
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_right_orders_nothing_through_either_door() {
    let stage = Stage::new(1).await;
    stop::stop(&stage.lifeboat.store, "test", stage.lifeboat.clock.now()).await.expect("stopped");
    let elsewhere = "https://login.microsoftonline.com/99999999-0000-0000-0000-000000000009/v2.0";
    let cases = [
        (json!({ "seconds": -301, "fromSeconds": -4000 }), "expired"),
        (json!({ "fromSeconds": 301 }), "not valid before"),
        (json!({ "audience": "another" }), "another audience"),
        (json!({ "issuer": elsewhere }), "another directory"),
        (json!({ "tenant": "99999999-0000-0000-0000-000000000009" }), "another tenant"),
        (json!({ "kid": "unknown" }), "does not know"),
        (json!({ "algorithm": "none" }), "not signed with RS256"),
        (json!({ "algorithm": "HS256" }), "not signed with RS256"),
        (json!({ "forged": true }), "signature does not hold"),
        (json!({ "roles": [] }), "has not the app role Lifeboat.Operate"),
        (json!({ "roles": ["Lifeboat.Read", "lifeboat.operate"] }), "has not the app role Lifeboat.Operate"),
    ];
    for (number, (wrong, expected)) in cases.into_iter().enumerate() {
        let token = stage.token("one", &token_order(wrong));
        // A key that nobody knows may be a new one for as long as the directory was not asked again: it is, every five minutes.
        if expected == "does not know" {
            let early = stage.command("c-early", resume());
            let told = stage.queued(&early, Some(token.clone())).await.expect("put off");
            assert_eq!(told.verdict, Verdict::Later, "{told:?}");
            stage.passes(SignedDuration::from_mins(6)).await;
        }
        let command = stage.command(&format!("c-{number}"), resume());
        let queued = stage.queued(&command, Some(token.clone())).await.expect("refused");
        if expected == "does not know" {
            stage.passes(SignedDuration::from_mins(6)).await;
        }
        let posted = stage.posted(&command, Some(token)).await.expect("refused");
        for told in [queued, posted] {
            assert!(matches!(told.verdict, Verdict::Refused(Concerns::Name | Concerns::Right)), "{told:?}");
            assert!(told.lines[0].contains(expected), "{expected}: {told:?}");
        }
    }
    let without = stage.queued(&stage.command("c-none", resume()), None).await.expect("refused");
    assert_eq!((without.verdict, without.field.as_deref()), (Verdict::Refused(Concerns::Name), Some("token")));
    assert!(stop::is_stopped(&stage.lifeboat.store).await, "nothing was done");
    let told = stage.orders("one", "c-right", resume()).await;
    assert_eq!(told.verdict, Verdict::Done, "{told:?}");
    assert!(!stop::is_stopped(&stage.lifeboat.store).await);
}

#[tokio::test(start_paused = true)]
async fn a_token_is_one_commands_and_no_others() {
    let stage = Stage::new(1).await;
    let token = stage.token("one", &TokenOrder::default());
    let first = stage.command("c-1", frozen(true));
    let told = stage.queued(&first, Some(token.clone())).await.expect("taken");
    assert_eq!(told.verdict, Verdict::Done);
    let other = stage.command("c-2", frozen(false));
    for told in [
        stage.queued(&other, Some(token.clone())).await.expect("refused"),
        stage.posted(&other, Some(token.clone())).await.expect("refused"),
    ] {
        assert_eq!(told.verdict, Verdict::Refused(Concerns::Name));
        assert!(told.lines[0].contains("came with another command"), "{told:?}");
    }
    assert!(freeze::is_frozen(&stage.lifeboat.store).await, "nothing was done");
    // The same command again is the same command, whoever brings it: also a process that remembers nothing itself.
    let again = stage.posted(&first, Some(token)).await.expect("taken before");
    assert_eq!(again.verdict, Verdict::Before);
}

#[tokio::test(start_paused = true)]
async fn keys_are_rotated_without_anybody_noticing_but_for_some_minutes() {
    let stage = Stage::new(1).await;
    assert_eq!(stage.orders("one", "c-1", frozen(true)).await.verdict, Verdict::Done);
    stage.passes(SignedDuration::from_mins(6)).await;
    stage.world.directory().rotate();
    let told = stage.orders("one", "c-2", frozen(false)).await;
    assert_eq!(told.verdict, Verdict::Done, "{told:?}");
    stage.world.directory().retire();
    assert_eq!(stage.orders("two", "c-3", frozen(true)).await.verdict, Verdict::Done);
}

#[tokio::test(start_paused = true)]
async fn a_directory_that_is_down_is_answered_from_its_kept_keys_and_without_them_the_order_comes_again() {
    let stage = Stage::new(1).await;
    assert_eq!(stage.orders("one", "c-1", frozen(true)).await.verdict, Verdict::Done);
    stage.world.directory().set_down(true);
    stage.passes(SignedDuration::from_hours(20)).await;
    assert_eq!(stage.orders("one", "c-2", frozen(false)).await.verdict, Verdict::Done, "the keys are kept");
    stage.passes(SignedDuration::from_hours(5)).await;
    let token = stage.token("one", &TokenOrder::default());
    let command = stage.command("c-3", frozen(true));
    stage.posted(&command, Some(token.clone())).await.expect_err("nothing is known of the token: send it again");
    let put_off = stage.queued(&command, Some(token.clone())).await.expect("put off");
    assert_eq!(put_off.verdict, Verdict::Later, "it comes again by itself");
    assert_eq!(stage.world.bus().waiting("commands").len(), 1);
    assert!(!freeze::is_frozen(&stage.lifeboat.store).await);
    stage.world.directory().set_down(false);
    stage.passes(SignedDuration::from_mins(5)).await;
    assert_eq!(stage.queued(&command, Some(token)).await.expect("taken").verdict, Verdict::Done);
}

#[tokio::test(start_paused = true)]
async fn what_only_adds_safety_is_taken_from_anybody_also_while_the_directory_is_down() {
    let stage = Stage::new(1).await;
    stage.world.directory().set_down(true);
    let stop_now = Order::StopChanges(Why { reason: "smoke".to_owned() });
    let told = stage.queued(&stage.command("c-1", stop_now), None).await.expect("taken");
    assert_eq!(told.verdict, Verdict::Done);
    assert!(stop::is_stopped(&stage.lifeboat.store).await);
    let point = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm".to_owned();
    let hold = Order::Hold(OfPoint { point, reason: "audit".to_owned() });
    let told = stage.queued(&stage.command("c-2", hold), Some("nonsense".to_owned())).await.expect("refused");
    assert_eq!(told.verdict, Verdict::Refused(Concerns::State), "for what it is, not for who asks: {told:?}");
}

#[tokio::test(start_paused = true)]
async fn reading_takes_a_role_and_a_deployment_without_a_directory_takes_no_order_with_a_name() {
    let mut stage = Stage::new(1).await;
    person(&stage.world, "reader", &[READ]);
    person(&stage.world, "stranger", &[]);
    let may = async |stage: &Stage, name: &str| {
        let token = lifeboat_contract::command::Token::new(stage.token(name, &TokenOrder::default()));
        lifeboat_execution::orders::may_read(stage.lifeboat.directory.as_ref(), Some(&token))
            .await
            .expect("known")
            .is_ok()
    };
    assert!(may(&stage, "reader").await && may(&stage, "one").await && !may(&stage, "stranger").await);
    let told = stage.orders("reader", "c-1", frozen(true)).await;
    assert!(told.lines[0].contains(OPERATE), "{told:?}");
    stage.lifeboat.directory = None;
    let told = stage.orders("one", "c-2", frozen(true)).await;
    assert_eq!(told.verdict, Verdict::Refused(Concerns::Right));
    assert!(told.lines[0].contains("knows no directory"), "{told:?}");
    assert!(!may(&stage, "reader").await, "nobody has a name there, and a key is none");
}

#[tokio::test(start_paused = true)]
async fn no_token_lies_in_the_store_and_no_reason_shows_one() {
    let stage = Stage::new(1).await;
    let token = stage.token("one", &TokenOrder::default());
    stage.queued(&stage.command("c-1", frozen(true)), Some(token.clone())).await.expect("taken");
    let wrong = stage.token("one", &token_order(json!({ "forged": true })));
    let told = stage.queued(&stage.command("c-2", frozen(true)), Some(wrong.clone())).await.expect("refused");
    let mut texts = vec![format!("{told:?}")];
    for name in stage.lifeboat.store.list("").await.expect("names") {
        if let Some((bytes, _)) = stage.lifeboat.store.get(&name).await.expect("read") {
            texts.push(String::from_utf8_lossy(&bytes).into_owned());
        }
    }
    assert!(texts.len() > 5, "{} texts", texts.len());
    for part in token.split('.').chain(wrong.split('.')) {
        assert!(texts.iter().all(|text| !text.contains(part)), "a part of a token lies in the store");
    }
}

#[tokio::test(start_paused = true)]
async fn an_unreadable_store_refuses_nobody_and_stops_all_the_same() {
    let stage = Stage::new(1).await;
    stage
        .lifeboat
        .store
        .put("estate.json", b"{}".as_slice().into(), lifeboat_azure::blobs::Condition::Any)
        .await
        .expect("spoiled");
    let token = stage.token("one", &TokenOrder::default());
    let told = stage.queued(&stage.command("c-1", frozen(true)), Some(token)).await.expect("put off");
    assert_eq!(told.verdict, Verdict::Later);
    let stop_now = Order::StopChanges(Why { reason: "smoke".to_owned() });
    let told = stage.queued(&stage.command("c-2", stop_now), None).await.expect("taken");
    assert_eq!(told.verdict, Verdict::Done);
    assert!(stop::is_stopped(&stage.lifeboat.store).await);
}
