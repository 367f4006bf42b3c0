//! The store against a scripted Blob Storage, in paused time.
//!
//! It never opens a socket.

use super::{Condition, ETag, Store};
use crate::{
    error::ErrorKind,
    scripted::{Reply, Scripted},
    transport::Latest,
};
use bytes::Bytes;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

const CONTAINER: &str = "http://127.0.0.1:10000/acct/lifeboat";

fn store(replies: impl IntoIterator<Item = Reply>) -> (Store, Arc<Scripted>) {
    let scripted = Scripted::new(replies);
    (Store::new(CONTAINER.parse().unwrap(), &scripted.access()).unwrap(), scripted)
}

fn done(status: u16) -> Reply {
    Reply::text(status, "").with("etag", "\"1\"")
}

fn refusal(status: u16, code: &str) -> Reply {
    let body = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>");
    Reply::text(status, &body).with("x-ms-error-code", code).with("content-type", "application/xml")
}

fn part(text: &str, first: usize, whole: usize, etag: &str) -> Reply {
    let range = format!("bytes {first}-{}/{whole}", first + text.len() - 1);
    Reply::text(206, text)
        .with("etag", etag)
        .with("content-range", &range)
        .with("content-length", &text.len().to_string())
}

fn one() -> ETag {
    ETag("\"1\"".to_owned())
}

#[tokio::test(start_paused = true)]
async fn a_blob_is_read_whole_or_is_not_there() {
    let (reader, scripted) = store([part("hello", 0, 5, "\"1\"")]);
    assert_eq!(reader.get("policies/p.yaml").await.unwrap(), Some((Bytes::from("hello"), one())));
    let asked = &scripted.asked()[0];
    assert_eq!((asked.method.as_str(), asked.url.path()), ("GET", "/acct/lifeboat/policies%2Fp.yaml"));
    assert_eq!(asked.header("authorization"), "Bearer token-1");

    let (reader, _) = store([refusal(404, "BlobNotFound")]);
    assert_eq!(reader.get("b").await.unwrap(), None);
    let (reader, _) = store([refusal(404, "ContainerNotFound")]);
    assert_eq!(reader.get("b").await.unwrap_err().kind, ErrorKind::NotFound, "no container is not an empty one");
    // An empty blob has no first byte: the service refuses the range, and the library asks again without it.
    let (reader, _) = store([refusal(416, "InvalidRange"), done(200).with("content-length", "0")]);
    assert_eq!(reader.get("b").await.unwrap(), Some((Bytes::new(), one())));
    let (reader, scripted) = store([part("h", 0, 17 * 1024 * 1024, "\"1\"")]);
    assert_eq!((reader.get("b").await.unwrap_err().kind, scripted.count()), (ErrorKind::Limit, 1));
    let (reader, scripted) = store([refusal(503, "ServerBusy"), Reply::Broken, part("h", 0, 1, "\"1\"")]);
    assert!(reader.get("b").await.unwrap().is_some());
    assert_eq!(scripted.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn the_end_of_a_blob_is_one_version() {
    let (reader, scripted) = store([part("hello", 0, 5, "\"1\"")]);
    let tail = reader.tail("b", 10).await.unwrap().unwrap();
    assert_eq!((&*tail.bytes, tail.length, scripted.count()), (&b"hello"[..], 5, 1), "a short blob costs one request");

    let (reader, scripted) = store([part("hel", 0, 8, "\"1\""), part("rld", 5, 8, "\"1\"")]);
    let tail = reader.tail("b", 3).await.unwrap().unwrap();
    assert_eq!((&*tail.bytes, tail.length), (&b"rld"[..], 8));
    let range = |at: usize| scripted.asked()[at].header("x-ms-range").to_owned() + scripted.asked()[at].header("range");
    assert_eq!((range(0), range(1)), ("bytes=0-2".to_owned(), "bytes=5-7".to_owned()));

    let grew = [part("hel", 0, 8, "\"1\""), part("rld", 5, 9, "\"2\"")];
    let (reader, _) = store(grew.into_iter().chain([part("hel", 0, 9, "\"2\""), part("ld!", 6, 9, "\"2\"")]));
    assert_eq!(&*reader.tail("b", 3).await.unwrap().unwrap().bytes, b"ld!");
    let (reader, _) = store([refusal(404, "BlobNotFound")]);
    assert_eq!(reader.tail("b", 3).await.unwrap(), None);
    let (reader, _) = store([refusal(416, "InvalidRange"), done(200).with("content-length", "0")]);
    assert_eq!(reader.tail("b", 3).await.unwrap().unwrap().length, 0);
}

#[tokio::test(start_paused = true)]
async fn a_write_says_under_which_condition() {
    for (condition, header, value) in [
        (Condition::Any, "if-match", ""),
        (Condition::IfAbsent, "if-none-match", "*"),
        (Condition::IfMatch(one()), "if-match", "\"1\""),
    ] {
        let (writer, scripted) = store([done(201)]);
        assert_eq!(writer.put("b", Bytes::from("x"), condition).await.unwrap(), one());
        let asked = &scripted.asked()[0];
        assert_eq!((asked.header(header), asked.method.as_str(), &*asked.body), (value, "PUT", &b"x"[..]));
    }
    for (status, code) in [(409, "BlobAlreadyExists"), (412, "ConditionNotMet"), (412, "LeaseIdMissing")] {
        let (writer, _) = store([refusal(status, code)]);
        let error = writer.put("b", Bytes::from("x"), Condition::IfAbsent).await.unwrap_err();
        assert_eq!((error.kind, error.code(), error.maybe_done()), (ErrorKind::Conflict, Some(code), false));
    }
}

#[tokio::test(start_paused = true)]
async fn a_conditional_write_without_an_answer_is_not_repeated() {
    for (reply, kind) in [
        (Reply::Broken, ErrorKind::Connection),
        (Reply::Hang, ErrorKind::Connection),
        (refusal(500, "InternalError"), ErrorKind::Transient),
        (refusal(503, "ServerBusy"), ErrorKind::Transient),
    ] {
        let (writer, scripted) = store([reply.clone()]);
        let error = writer.put("b", Bytes::from("x"), Condition::IfMatch(one())).await.unwrap_err();
        assert_eq!((error.kind, error.maybe_done(), scripted.count()), (kind, true, 1));
        let (writer, scripted) = store([reply]);
        let error = writer.append("b", 7, Bytes::from("x")).await.unwrap_err();
        assert_eq!((error.kind, error.maybe_done(), scripted.count()), (kind, true, 1));
    }
    for certain in [Reply::Unreachable, refusal(429, "TooManyRequests")] {
        let (writer, scripted) = store([certain, done(201)]);
        writer.put("b", Bytes::from("x"), Condition::IfMatch(one())).await.unwrap();
        assert_eq!(scripted.count(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn the_position_of_an_append_is_its_lock() {
    let (writer, scripted) = store([done(201), done(201)]);
    assert_eq!(writer.append("ledger/m", 0, Bytes::from("line\n")).await.unwrap(), 5);
    let asked = scripted.asked();
    assert_eq!((asked[0].header("x-ms-blob-type"), asked[0].header("if-none-match")), ("AppendBlob", "*"));
    assert_eq!(
        (asked[1].header("x-ms-blob-condition-appendpos"), asked[1].url.query()),
        ("0", Some("comp=appendblock"))
    );
    let (writer, scripted) = store([done(201)]);
    assert_eq!(writer.append("b", 5, Bytes::from("more")).await.unwrap(), 9);
    assert_eq!(scripted.asked()[0].header("x-ms-blob-condition-appendpos"), "5");
    let (writer, _) = store([refusal(409, "BlobAlreadyExists"), refusal(412, "AppendPositionConditionNotMet")]);
    assert_eq!(writer.append("b", 0, Bytes::from("x")).await.unwrap_err().kind, ErrorKind::Conflict);
    let (writer, _) = store([]);
    assert_eq!(writer.append("b", 0, Bytes::new()).await.unwrap_err().kind, ErrorKind::Limit);
}

#[tokio::test(start_paused = true)]
async fn a_lease_is_taken_kept_and_given_back() {
    let (holder, scripted) =
        store([refusal(404, "BlobNotFound"), done(201), Reply::Broken, done(201), done(200), done(200)]);
    let lease = holder.lease("leases/m", 60).await.unwrap();
    holder.renew(&lease).await.unwrap();
    holder.release(&lease).await.unwrap();
    let asked = scripted.asked();
    let actions: Vec<&str> = asked.iter().map(|asked| asked.header("x-ms-lease-action")).collect();
    assert_eq!(actions, ["acquire", "", "acquire", "acquire", "renew", "release"]);
    let proposed = asked[0].header("x-ms-proposed-lease-id");
    assert_eq!(asked[3].header("x-ms-proposed-lease-id"), proposed, "after a lost answer the same lease is asked for");
    assert_eq!((asked[4].header("x-ms-lease-id"), asked[0].header("x-ms-lease-duration")), (proposed, "60"));
    assert!(!format!("{lease:?}").contains(proposed));

    let (other, _) = store([refusal(409, "LeaseAlreadyPresent")]);
    let error = other.lease("leases/m", 60).await.unwrap_err();
    assert!(error.is_lease_taken() && error.kind == ErrorKind::Busy && error.is_not_yet());
    let (loser, _) = store([refusal(409, "LeaseIdMismatchWithLeaseOperation")]);
    assert_eq!(loser.renew(&lease).await.unwrap_err().kind, ErrorKind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn names_are_listed_over_pages() {
    let page = |name: &str, next: &str| {
        let body = format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"http://h/\" ContainerName=\"c\"><Blobs><Blob><Name>{name}</Name><Properties><BlobType>BlockBlob</BlobType></Properties></Blob></Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
        );
        Reply::text(200, &body).with("content-type", "application/xml")
    };
    let (reader, scripted) = store([page("ledger/a", "m"), refusal(500, "x"), page("ledger/b", "")]);
    assert_eq!(reader.list("ledger/").await.unwrap(), ["ledger/a", "ledger/b"]);
    let query: Vec<String> =
        scripted.asked()[2].url.query_pairs().map(|(name, value)| format!("{name}={value}")).collect();
    assert!(query.contains(&"marker=m".to_owned()) && query.contains(&"prefix=ledger/".to_owned()), "{query:?}");
    let (reader, _) = store([Reply::text(200, "<EnumerationResults").with("content-type", "application/xml")]);
    assert_eq!(reader.list("x").await.unwrap_err().kind, ErrorKind::Malformed);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written_after_the_latest_moment() {
    let (writer, scripted) = store([]);
    let late = writer.until(Latest(Instant::now()));
    tokio::time::advance(Duration::from_millis(1)).await;
    let error = late.put("b", Bytes::from("x"), Condition::Any).await.unwrap_err();
    assert_eq!((error.kind, error.operation, error.maybe_done()), (ErrorKind::TooLate, "blob put", false));
    assert_eq!(late.append("b", 0, Bytes::from("x")).await.unwrap_err().kind, ErrorKind::TooLate);
    assert_eq!(scripted.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_is_replaced_once_and_rights_are_told() {
    let (reader, scripted) = store([refusal(401, "InvalidAuthenticationInfo"), part("h", 0, 1, "\"1\"")]);
    reader.get("b").await.unwrap();
    assert_eq!(scripted.asked()[1].header("authorization"), "Bearer token-2");
    let (reader, _) = store([refusal(403, "AuthorizationPermissionMismatch")]);
    assert!(reader.get("b").await.unwrap_err().is_permission());
    let (owner, _) = store([refusal(409, "ContainerAlreadyExists")]);
    owner.ensure_container().await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_store_works_from_any_thread() {
    let (holder, _) = store([done(201), part("h", 0, 1, "\"1\""), done(201)]);
    let work = async move {
        let lease = holder.lease("l", 15).await.unwrap();
        let read = holder.get("b").await.unwrap();
        holder.append("b", 1, Bytes::from("x")).await.unwrap();
        (lease.name().len(), read.is_some())
    };
    assert_eq!(tokio::spawn(work).await.unwrap(), (1, true));
}
