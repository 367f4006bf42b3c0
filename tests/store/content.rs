//! Blobs that are put and read whole, under conditions.

use bytes::Bytes;
use futures::future::join_all;
use lifeboat_azure::blobs::{Condition, MAX_PUT_BYTES};
use lifeboat_azure::{ErrorKind, Latest};
use tokio::time::Instant;

use crate::target::Target;

/// How many write at once.
const WRITERS: usize = 8;

#[tokio::test]
async fn what_is_put_is_read_back_under_any_name() {
    let target = Target::new("names").await;
    for name in
        ["plain", "ledger/a/b.jsonl", "with space", "per%cent", "a+b&c=d", "hash#mark?", "ünïcode-日本", "dots..x"]
    {
        let bytes = Bytes::from(format!("content of {name}"));
        let written = target.store.put(name, bytes.clone(), Condition::Any).await.expect(name);
        assert_eq!(target.store.get(name).await.expect(name), Some((bytes, written)), "{name}");
    }
    assert_eq!(target.store.get("absent").await.expect("an answer"), None);
    assert_eq!(target.store.tail("absent", 10).await.expect("an answer"), None);
}

#[tokio::test]
async fn a_blob_is_created_once() {
    let target = Target::new("created-once").await;
    let first = target.store.put("b", Bytes::from("one"), Condition::IfAbsent).await.expect("nothing is there yet");
    let error = target.store.put("b", Bytes::from("two"), Condition::IfAbsent).await.expect_err("it is there");
    assert_eq!((error.kind, error.maybe_done()), (ErrorKind::Conflict, false));
    assert_eq!(target.store.get("b").await.expect("an answer"), Some((Bytes::from("one"), first)));

    let writers = (0..WRITERS).map(|writer| {
        let store = target.another();
        async move { store.put("raced", Bytes::from(format!("writer {writer}")), Condition::IfAbsent).await }
    });
    let outcomes = join_all(writers).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
    let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
    assert!(refused.into_iter().all(|error| error.kind == ErrorKind::Conflict), "{outcomes:?}");
}

#[tokio::test]
async fn a_blob_is_replaced_only_in_the_version_that_was_read() {
    let target = Target::new("versions").await;
    let one = target.store.put("b", Bytes::from("one"), Condition::Any).await.expect("a version");
    let two = target.store.put("b", Bytes::from("two"), Condition::IfMatch(one.clone())).await.expect("still that one");
    assert_ne!(one, two);
    let error =
        target.store.put("b", Bytes::from("three"), Condition::IfMatch(one.clone())).await.expect_err("outdated");
    assert_eq!((error.kind, error.code()), (ErrorKind::Conflict, Some("ConditionNotMet")));
    let error =
        target.store.put("none", Bytes::from("x"), Condition::IfMatch(one)).await.expect_err("nothing is there");
    assert_eq!((error.kind, error.code()), (ErrorKind::Conflict, Some("ConditionNotMet")));

    let writers = (0..WRITERS).map(|writer| {
        let (store, read) = (target.another(), two.clone());
        async move { store.put("b", Bytes::from(format!("writer {writer}")), Condition::IfMatch(read)).await }
    });
    let outcomes = join_all(writers).await;
    let winners: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.as_ref().ok()).collect();
    assert_eq!(winners.len(), 1, "{outcomes:?}");
    let (_, etag) = target.store.get("b").await.expect("an answer").expect("a blob");
    assert_eq!(&etag, winners[0], "what is there is the winner's");
}

#[tokio::test]
async fn the_largest_blob_and_the_empty_one_come_back_whole() {
    let target = Target::new("sizes").await;
    let large: Bytes = (0..MAX_PUT_BYTES).map(|at| (at % 251) as u8).collect::<Vec<u8>>().into();
    target.store.put("large", large.clone(), Condition::IfAbsent).await.expect("a large blob");
    let (read, _) = target.store.get("large").await.expect("an answer").expect("a blob");
    assert!(read == large, "{} of {} bytes", read.len(), large.len());
    let tail = target.store.tail("large", 1_000).await.expect("an answer").expect("a blob");
    assert_eq!((tail.length, &tail.bytes[..]), (large.len() as u64, &large[large.len() - 1_000..]));
    let error =
        target.store.put("larger", vec![0; MAX_PUT_BYTES + 1].into(), Condition::Any).await.expect_err("a bound");
    assert_eq!(error.kind, ErrorKind::Limit);

    let written = target.store.put("empty", Bytes::new(), Condition::Any).await.expect("an empty blob");
    assert_eq!(target.store.get("empty").await.expect("an answer"), Some((Bytes::new(), written)));
    assert_eq!(target.store.tail("empty", 10).await.expect("an answer").expect("a blob").length, 0);
}

#[tokio::test]
async fn a_container_is_made_once_and_a_missing_one_is_no_empty_one() {
    let target = Target::without_container("made-later").await;
    let store = &target.store;
    let errors = [
        store.get("b").await.map(drop).expect_err("get"),
        store.tail("b", 1).await.map(drop).expect_err("tail"),
        store.put("b", Bytes::from("x"), Condition::IfAbsent).await.map(drop).expect_err("put"),
        store.append("b", 0, Bytes::from("x")).await.map(drop).expect_err("append"),
        store.append("b", 7, Bytes::from("x")).await.map(drop).expect_err("append"),
        store.list("").await.map(drop).expect_err("list"),
        store.lease("b", 15).await.map(drop).expect_err("lease"),
    ];
    for error in errors {
        assert_eq!((error.kind, error.code()), (ErrorKind::NotFound, Some("ContainerNotFound")), "{}", error.operation);
    }
    store.ensure_container().await.expect("it can be made");
    store.ensure_container().await.expect("it is there");
    assert_eq!(store.get("b").await.expect("an answer"), None);
}

#[tokio::test]
async fn nothing_is_written_after_its_latest_moment_or_with_a_bad_token() {
    let target = Target::new("refused").await;
    let late = target.store.until(Latest(Instant::now()));
    tokio::task::yield_now().await;
    let error = late.put("b", Bytes::from("x"), Condition::Any).await.expect_err("too late");
    assert_eq!((error.kind, error.maybe_done()), (ErrorKind::TooLate, false));
    let error = target.with_token("nonsense").put("b", Bytes::from("x"), Condition::Any).await.expect_err("no token");
    assert!(error.is_permission(), "{error}: {:?}", error.code());
    assert_eq!(target.store.get("b").await.expect("an answer"), None);
}

#[tokio::test]
async fn a_blob_is_deleted_once_and_may_be_made_again() {
    let target = Target::new("deleted").await;
    assert!(!target.store.delete("pending/a").await.expect("an answer"), "nothing was there");
    target.store.put("pending/a", Bytes::from("one"), Condition::IfAbsent).await.expect("nothing is there yet");
    assert!(target.store.delete("pending/a").await.expect("an answer"));
    assert_eq!(target.store.get("pending/a").await.expect("an answer"), None);
    assert_eq!(target.store.list("pending/").await.expect("an answer"), [""; 0]);
    target.store.put("pending/a", Bytes::from("two"), Condition::IfAbsent).await.expect("it is gone");
}

#[tokio::test]
async fn a_part_is_read_from_where_it_begins_and_is_nothing_beyond_the_end() {
    let target = Target::new("parts").await;
    assert_eq!(target.store.part("log", 0, 10).await.expect("an answer"), None);
    let end = target.store.append("log", 0, Bytes::from("one\n")).await.expect("appended");
    assert_eq!(target.store.part("log", end, 10).await.expect("an answer"), None, "nothing is there yet");
    target.store.append("log", end, Bytes::from("two\n")).await.expect("appended");
    assert_eq!(target.store.part("log", end, 10).await.expect("an answer"), Some(Bytes::from("two\n")));
    assert_eq!(target.store.part("log", 0, 3).await.expect("an answer"), Some(Bytes::from("one")));
}
