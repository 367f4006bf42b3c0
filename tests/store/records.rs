//! The records that a person writes by `init` and `policies push`, and how the handler reads them, against a real store.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::Timestamp;
use lifeboat_azure::blobs::Condition;
use lifeboat_execution::bundle::{Bundle, File};
use lifeboat_execution::estate::{self, EstateError, InitError};
use lifeboat_execution::policies::{self, Kept, PolicyError, PushError};
use lifeboat_tests::policy::document;

use crate::target::Target;

const DEPLOYMENT: &str = "lb-weu";
const ID: &str = "00000000-0000-4000-8000-0000000000e5";
const OTHER: &str = "00000000-0000-4000-8000-0000000000ff";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_700_000_000 + seconds).expect("a time")
}

fn carried(ids: &[(&str, usize)]) -> BTreeMap<String, usize> {
    ids.iter().map(|(id, count)| ((*id).to_owned(), *count)).collect()
}

fn bundle(mode: &str) -> Bundle {
    Bundle::new(vec![File { name: "production.yaml".to_owned(), text: document(mode, "24h") }])
}

#[tokio::test]
async fn init_writes_the_estate_record_once_and_another_deployment_does_not_take_it_for_its_own() {
    let target = Target::new("estate-init").await;
    let store = target.store.clone();
    assert!(matches!(estate::read(&store, DEPLOYMENT).await, Err(EstateError::Missing)));
    let written = estate::init(&store, DEPLOYMENT, ID, at(0)).await.expect("it is new");
    assert_eq!(estate::read(&store, DEPLOYMENT).await.expect("it is there"), written);
    assert_eq!(written.expiry_allowed_from(), at(86_400));
    let again = estate::init(&store, DEPLOYMENT, OTHER, at(5)).await.expect_err("one is there");
    assert!(matches!(again, InitError::AlreadyThere { at: when } if when == at(0)), "{again}");
    assert_eq!(estate::init(&store, DEPLOYMENT, ID, at(9)).await.expect("our own, its answer lost"), written);
    let foreign = estate::read(&store, "lb-neu").await.expect_err("another's");
    assert!(matches!(foreign, EstateError::Foreign { .. }), "{foreign}");
    let foreign = estate::adopt(&store, "lb-neu", &carried(&[]), OTHER, at(9)).await.expect_err("another's");
    assert!(matches!(foreign, InitError::Foreign { .. }), "{foreign}");
}

#[tokio::test]
async fn adopt_gives_a_lost_store_the_id_that_the_collections_carry_and_refuses_two() {
    let target = Target::new("estate-adopt").await;
    let store = target.store.clone();
    let two = carried(&[(ID, 3), (OTHER, 1)]);
    let error = estate::adopt(&store, DEPLOYMENT, &two, OTHER, at(0)).await.expect_err("two ids");
    assert!(error.to_string().contains(ID) && error.to_string().contains(OTHER), "{error}");
    let adopted = estate::adopt(&store, DEPLOYMENT, &carried(&[(ID, 3)]), OTHER, at(0)).await.expect("one id");
    assert_eq!((adopted.id.as_str(), adopted.expiry_allowed_from()), (ID, at(86_400)));
    for ids in [carried(&[(ID, 3)]), carried(&[])] {
        let error = estate::adopt(&store, DEPLOYMENT, &ids, OTHER, at(1)).await.expect_err("all is well");
        assert!(matches!(error, InitError::NothingToAdopt), "{error}");
    }
    store.put(estate::BLOB, Bytes::from("{"), Condition::Any).await.expect("it is spoilt");
    assert!(matches!(estate::read(&store, DEPLOYMENT).await, Err(EstateError::Unreadable(_))));
    let error = estate::init(&store, DEPLOYMENT, OTHER, at(2)).await.expect_err("init replaces nothing");
    assert!(matches!(error, InitError::Unreadable(_)), "{error}");
    let adopted = estate::adopt(&store, DEPLOYMENT, &carried(&[]), OTHER, at(100)).await.expect("it was unreadable");
    assert_eq!((adopted.id.as_str(), adopted.expiry_allowed_from()), (OTHER, at(86_500)), "nothing carried an id");
    let adopted =
        estate::adopt(&store, DEPLOYMENT, &carried(&[(ID, 3)]), OTHER, at(200)).await.expect("another's store");
    assert_eq!((adopted.id.as_str(), adopted.created_at), (ID, at(100)));
    store.put(estate::BLOB, Bytes::from(r#"{"version":99}"#), Condition::Any).await.expect("a later release");
    let error = estate::adopt(&store, DEPLOYMENT, &carried(&[]), OTHER, at(300)).await.expect_err("it is whole");
    assert!(matches!(error, InitError::Unreadable(_)), "{error}");
}

#[tokio::test]
async fn pushed_policies_are_in_force_together_under_the_bundles_digest() {
    let target = Target::new("policies-push").await;
    let store = target.store.clone();
    let missing = policies::in_force(&store, &Kept::default()).await.expect_err("nothing was pushed");
    assert!(matches!(missing, PolicyError::Missing { .. }), "{missing}");
    let first = policies::push(&store, &bundle("report"), at(0)).await.expect("it is pushed");
    let again = policies::push(&store, &bundle("report"), at(1)).await.expect("a repeat is safe");
    assert_eq!((first.moved, again.moved, &again.digest), (true, false, &first.digest));
    let kept = Kept::default();
    let read = policies::in_force(&store, &kept).await.expect("it is in force");
    assert_eq!((&read.digest, read.policies.len(), &read.not_read), (&first.digest, 1, &None));
    let second = policies::push(&store, &bundle("enforce"), at(2)).await.expect("it is pushed");
    assert_eq!(second.previous.as_deref(), Some(first.digest.as_str()));
    assert_eq!(policies::in_force(&store, &kept).await.expect("it is in force").digest, second.digest);
    let broken = Bundle::new(vec![File { name: "p.yaml".to_owned(), text: "kind: [".to_owned() }]);
    let error = policies::push(&store, &broken, at(3)).await.expect_err("problems");
    assert!(matches!(error, PushError::Bundle(_)), "{error}");
    assert_eq!(policies::in_force(&store, &kept).await.expect("still").digest, second.digest);
}

#[tokio::test]
async fn a_bundle_that_cannot_be_read_leaves_the_last_good_one_in_force() {
    let target = Target::new("policies-good").await;
    let store = target.store.clone();
    let kept = Kept::default();
    let good = policies::push(&store, &bundle("report"), at(0)).await.expect("it is pushed");
    policies::in_force(&store, &kept).await.expect("it is remembered");
    let bad = policies::push(&store, &bundle("enforce"), at(1)).await.expect("it is pushed");
    let spoilt = Bytes::from("spoilt");
    store.put(&Bundle::blob_name(&bad.digest), spoilt, Condition::Any).await.expect("it is spoilt");
    for kept in [&kept, &Kept::default()] {
        let read = policies::in_force(&store, kept).await.expect("the last good one");
        assert_eq!(read.digest, good.digest);
        assert!(read.not_read.as_ref().is_some_and(|problem| problem.document.contains(&bad.digest)), "{read:?}");
    }
    store.put(policies::CURRENT, Bytes::from("{"), Condition::Any).await.expect("the pointer is spoilt too");
    assert_eq!(policies::in_force(&store, &kept).await.expect("the last good one").digest, good.digest);
    store.put(policies::GOOD, Bytes::from("{"), Condition::Any).await.expect("what remembers it is spoilt too");
    let error = policies::in_force(&store, &kept).await.expect_err("nothing to go by");
    assert!(matches!(error, PolicyError::Unreadable { .. }), "{error}");
    let again = policies::push(&store, &bundle("enforce"), at(2)).await.expect("a push puts all of it right");
    let read = policies::in_force(&store, &kept).await.expect("it is in force");
    assert_eq!((&read.digest, &read.not_read), (&again.digest, &None));
}

/// A bundle with a policy and a recovery plan beside it.
fn with_recovery_plan(from: &str) -> Bundle {
    let text = format!(
        "apiVersion: lifeboat/v1\nkind: RecoveryPlan\nmetadata: {{ name: shop }}\nspec:\n  from: {from}\n  to: northeurope\n  \
         replication: siteRecovery\n  groups: [ {{ name: web, members: {{ name: web-1 }} }} ]\n  declaration:\n    maxDataLoss: 15m\n    \
         evidence: {{ reported: [ serviceHealth ], measured: [ probe ], for: 10m }}\n"
    );
    let policy = File { name: "production.yaml".to_owned(), text: document("report", "24h") };
    Bundle::new(vec![policy, File { name: "shop.yaml".to_owned(), text }])
}

#[tokio::test]
async fn recovery_plans_are_in_force_beside_the_policies_and_one_that_cannot_be_read_takes_none_of_them_along() {
    let target = Target::new("recovery-plans").await;
    let store = target.store.clone();
    let good = policies::push(&store, &with_recovery_plan("westeurope"), at(0)).await.expect("it is pushed");
    let read = policies::in_force(&store, &Kept::default()).await.expect("it is in force");
    let names: Vec<&str> = read.recovery_plans.iter().map(|plan| plan.name.as_str()).collect();
    assert_eq!((&read.digest, read.policies.len(), names), (&good.digest, 1, vec!["shop"]));
    let broken = with_recovery_plan("northeurope");
    let error = policies::push(&store, &broken, at(1)).await.expect_err("it leads into its own region");
    assert!(error.to_string().contains("shop.yaml:6:7: spec.to: "), "{error}");
    // As another release may have pushed it.
    let (bytes, digest) = broken.to_bytes();
    store.put(&Bundle::blob_name(&digest), bytes.into(), Condition::Any).await.expect("it is uploaded");
    let pointer = policies::Pointer { version: policies::VERSION, digest, previous: None, at: at(2) };
    store.put(policies::CURRENT, pointer.to_bytes().into(), Condition::Any).await.expect("the pointer is moved");
    let read = policies::in_force(&store, &Kept::default()).await.expect("the last good ones");
    assert_eq!((&read.digest, read.policies.len(), read.recovery_plans.len()), (&good.digest, 1, 1));
    assert!(read.not_read.as_ref().is_some_and(|not| not.problems[0].contains("spec.to")), "{read:?}");
}

#[tokio::test]
async fn a_reader_that_was_slow_does_not_take_back_what_is_remembered() {
    let target = Target::new("policies-slow").await;
    let store = target.store.clone();
    let old = policies::push(&store, &bundle("report"), at(0)).await.expect("it is pushed");
    let (pointer, _) = store.get(policies::CURRENT).await.expect("an answer").expect("a pointer");
    let new = policies::push(&store, &bundle("enforce"), at(1)).await.expect("it is pushed");
    policies::in_force(&store, &Kept::default()).await.expect("the new one is remembered");
    // As one reads that was stopped between the pointer and the bundle.
    store.put(policies::CURRENT, pointer, Condition::Any).await.expect("the old pointer");
    assert_eq!(policies::in_force(&store, &Kept::default()).await.expect("the old one").digest, old.digest);
    let (good, _) = store.get(policies::GOOD).await.expect("an answer").expect("remembered");
    assert!(String::from_utf8_lossy(&good).contains(&new.digest));
}
