//! Leases: one holder at a time, renewed, given back, run out, taken over.

use bytes::Bytes;
use futures::future::join_all;
use lifeboat_azure::ErrorKind;
use lifeboat_azure::blobs::Condition;

use crate::target::Target;

/// The shortest lease, in seconds.
const SECONDS: u32 = 15;
/// Longer than that, for both clocks to agree that it ran out.
const RUNS_OUT: u32 = SECONDS + 1;
/// How many want one lease at once.
const HOLDERS: usize = 8;

#[tokio::test]
async fn a_lease_is_held_by_one_and_given_back() {
    let target = Target::new("held").await;
    let (one, other) = (&target.store, target.another());
    let lease = one.lease("leases/m", SECONDS).await.expect("nobody holds it");
    let error = other.lease("leases/m", SECONDS).await.expect_err("another holds it");
    assert!(error.is_lease_taken() && error.is_not_yet() && error.kind == ErrorKind::Busy, "{error}");
    one.renew(&lease).await.expect("it is held");
    one.release(&lease).await.expect("it is held");
    let error = one.release(&lease).await.expect_err("it was given back");
    assert_eq!((error.kind, error.code()), (ErrorKind::Conflict, Some("LeaseIdMismatchWithLeaseOperation")));
    let error = one.renew(&lease).await.expect_err("it was given back");
    assert_eq!(error.kind, ErrorKind::Conflict);
    let theirs = other.lease("leases/m", SECONDS).await.expect("it is free");
    assert_eq!(one.renew(&lease).await.expect_err("another holds it").kind, ErrorKind::Conflict);
    other.renew(&theirs).await.expect("it is held");
}

#[tokio::test]
async fn of_many_that_want_a_lease_one_gets_it() {
    let target = Target::new("wanted").await;
    for name in ["new", "new", "other"] {
        let wants = (0..HOLDERS).map(|_| {
            let store = target.another();
            async move { store.lease(name, SECONDS).await.map(|lease| (store, lease)) }
        });
        let mut held = Vec::new();
        for outcome in join_all(wants).await {
            match outcome {
                Ok(got) => held.push(got),
                Err(error) => assert_eq!(error.kind, ErrorKind::Busy, "{error}: {:?}", error.code()),
            }
        }
        assert_eq!(held.len(), 1, "{name}");
        let (store, lease) = held.remove(0);
        store.release(&lease).await.expect("it is held");
    }
}

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_over() {
    let target = Target::new("taken-over").await;
    let (one, other) = (&target.store, target.another());
    let lost = one.lease("lost", SECONDS).await.expect("nobody holds it");
    let kept = one.lease("kept", SECONDS).await.expect("nobody holds it");
    target.pass(RUNS_OUT).await;
    let theirs = other.lease("lost", SECONDS).await.expect("it ran out");
    assert_eq!(one.renew(&lost).await.expect_err("another holds it").kind, ErrorKind::Conflict);
    assert_eq!(one.release(&lost).await.expect_err("another holds it").kind, ErrorKind::Conflict);
    other.renew(&theirs).await.expect("it is held");
    // Nobody took the second one meanwhile, so its holder may go on.
    one.renew(&kept).await.expect("nobody took it");
    assert!(other.lease("kept", SECONDS).await.expect_err("it is held again").is_lease_taken());
}

#[tokio::test]
async fn what_is_leased_is_read_by_all_and_written_by_no_one_else() {
    let target = Target::new("leased-content").await;
    target.store.put("b", Bytes::from("before"), Condition::Any).await.expect("a blob");
    target.store.append("a", 0, Bytes::from("before")).await.expect("a blob");
    let lease = target.store.lease("b", SECONDS).await.expect("nobody holds it");
    target.store.lease("a", SECONDS).await.expect("nobody holds it");
    let error = target.store.put("b", Bytes::from("after"), Condition::Any).await.expect_err("it is leased");
    assert_eq!((error.kind, error.code()), (ErrorKind::Conflict, Some("LeaseIdMissing")));
    let error = target.store.append("a", 6, Bytes::from("after")).await.expect_err("it is leased");
    assert_eq!((error.kind, error.code()), (ErrorKind::Conflict, Some("LeaseIdMissing")));
    let (bytes, etag) = target.store.get("b").await.expect("an answer").expect("a blob");
    assert_eq!(&bytes[..], b"before");
    target.store.release(&lease).await.expect("it is held");
    target
        .store
        .put("b", Bytes::from("after"), Condition::IfMatch(etag))
        .await
        .expect("a lease leaves the version alone");
}
