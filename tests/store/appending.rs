//! Blobs that grow: the position of an append is its lock.

use bytes::Bytes;
use futures::future::join_all;
use lifeboat_azure::ErrorKind;
use lifeboat_azure::blobs::{Condition, MAX_APPEND_BYTES};

use crate::target::Target;

/// How many append at once.
const WRITERS: usize = 8;
/// Blocks of the largest size that together pass what one answer may hold (16 MiB).
const LARGE_BLOCKS: u64 = 5;

#[tokio::test]
async fn lines_are_appended_one_after_the_other() {
    let target = Target::new("lines").await;
    let mut position = 0;
    for line in ["one\n", "two\n", "three\n"] {
        position = target.store.append("ledger/m", position, Bytes::from(line)).await.expect(line);
    }
    assert_eq!(position, 14);
    let (whole, _) = target.store.get("ledger/m").await.expect("an answer").expect("a blob");
    assert_eq!(&whole[..], b"one\ntwo\nthree\n");
    let tail = target.store.tail("ledger/m", 6).await.expect("an answer").expect("a blob");
    assert_eq!((&tail.bytes[..], tail.length), (&b"three\n"[..], 14));
}

#[tokio::test]
async fn an_append_at_another_position_is_a_conflict() {
    let target = Target::new("positions").await;
    target.store.append("b", 0, Bytes::from("12345")).await.expect("the first");
    for position in [0, 4, 6] {
        let error = target.store.append("b", position, Bytes::from("x")).await.expect_err("another position");
        assert_eq!((error.kind, error.code()), (ErrorKind::Conflict, Some("AppendPositionConditionNotMet")));
        assert!(!error.maybe_done());
    }
    let error = target.store.append("none", 5, Bytes::from("x")).await.expect_err("nothing is there");
    assert_eq!((error.kind, error.code()), (ErrorKind::NotFound, Some("BlobNotFound")));
    target.store.put("block", Bytes::from("whole"), Condition::Any).await.expect("a block blob");
    let error = target.store.append("block", 5, Bytes::from("x")).await.expect_err("it does not grow");
    assert_eq!((error.kind, error.code()), (ErrorKind::Conflict, Some("InvalidBlobType")));
    assert_eq!(target.store.tail("b", 9).await.expect("an answer").expect("a blob").length, 5);
}

#[tokio::test]
async fn of_many_appends_at_one_position_one_is_done() {
    let target = Target::new("raced-appends").await;
    for position in [0, 8] {
        let writers = (0..WRITERS).map(|writer| {
            let store = target.another();
            async move { store.append("b", position, Bytes::from(format!("writer-{writer}"))).await }
        });
        let outcomes = join_all(writers).await;
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
        let refused = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(refused.into_iter().all(|error| error.kind == ErrorKind::Conflict), "{outcomes:?}");
    }
    assert_eq!(target.store.tail("b", 1).await.expect("an answer").expect("a blob").length, 16);
}

#[tokio::test]
async fn a_blob_longer_than_an_answer_is_read_by_its_tail() {
    let target = Target::new("long").await;
    let block: Bytes = vec![b'x'; MAX_APPEND_BYTES].into();
    let mut position = 0;
    for _ in 0..LARGE_BLOCKS {
        position = target.store.append("b", position, block.clone()).await.expect("a large block");
    }
    position = target.store.append("b", position, Bytes::from("the end")).await.expect("a small block");
    assert_eq!(target.store.get("b").await.expect_err("too long").kind, ErrorKind::Limit);
    let tail = target.store.tail("b", 7).await.expect("an answer").expect("a blob");
    assert_eq!((&tail.bytes[..], tail.length), (&b"the end"[..], position));
}
