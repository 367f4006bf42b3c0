//! Tests of the blob service by raw requests: each rule with the status and code that Blob Storage documents.
//! They never sleep on wall time.

mod leases;

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request, Response};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;
use tower::ServiceExt as _;

use super::conditions::Conditions;
use super::request::{ByteRange, Call};
use super::wire::{is_guid, percent_decode};
use super::{BlobFault, BlobFaultEffect, Blobs, ConnectionReset, LeaseState};
use crate::clock::Clock;

const A: &str = "aaaaaaaa-0000-0000-0000-000000000001";
const B: &str = "bbbbbbbb-0000-0000-0000-000000000002";
const C: &str = "cccccccc-0000-0000-0000-000000000003";

/// An answer with its body read.
struct Seen {
    status: u16,
    code: String,
    response: Response<()>,
    body: Vec<u8>,
}

impl Seen {
    fn header(&self, name: &str) -> &str {
        self.response.headers().get(name).map_or("", |value| value.to_str().unwrap())
    }
}

fn account() -> Blobs {
    let clock = Clock::starting_at("2026-11-22T10:00:00Z".parse::<Timestamp>().unwrap());
    let blobs = Blobs::new(clock);
    blobs.create_container("box");
    blobs
}

async fn send(blobs: &Blobs, method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Seen {
    let mut request = Request::builder().method(method).uri(path);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let response = blobs.router().oneshot(request.body(body.into()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = axum::body::to_bytes(body, 1 << 30).await.map(|bytes| bytes.to_vec()).unwrap_or_default();
    let code = parts.headers.get("x-ms-error-code").map_or(String::new(), |value| value.to_str().unwrap().to_owned());
    Seen { status: parts.status.as_u16(), code, response: Response::from_parts(parts, ()), body }
}

async fn put(blobs: &Blobs, path: &str, headers: &[(&str, &str)], body: &'static str) -> Seen {
    let headers = [&[("x-ms-blob-type", "BlockBlob")], headers].concat();
    send(blobs, "PUT", path, &headers, body).await
}

async fn create_append(blobs: &Blobs, path: &str, headers: &[(&str, &str)]) -> Seen {
    let headers = [&[("x-ms-blob-type", "AppendBlob")], headers].concat();
    send(blobs, "PUT", path, &headers, "").await
}

async fn append(blobs: &Blobs, path: &str, headers: &[(&str, &str)], body: &'static str) -> Seen {
    send(blobs, "PUT", &format!("{path}?comp=appendblock"), headers, body).await
}

async fn lease(blobs: &Blobs, action: &str, headers: &[(&str, &str)]) -> Seen {
    let headers = [&[("x-ms-lease-action", action)], headers].concat();
    send(blobs, "PUT", "/box/b?comp=lease", &headers, "").await
}

fn is(seen: &Seen, status: u16, code: &str, what: &str) {
    assert_eq!((seen.status, seen.code.as_str()), (status, code), "{what}");
}

async fn advance(seconds: u64) {
    tokio::time::advance(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn conditions_on_writes_are_412_and_a_create_only_write_is_409() {
    let blobs = account();
    let create_only = [("if-none-match", "*")];
    let first = put(&blobs, "/box/b", &create_only, "1").await;
    is(&first, 201, "", "create");
    let etag = first.header("etag").to_owned();
    is(&put(&blobs, "/box/b", &create_only, "2").await, 409, "BlobAlreadyExists", "create again");
    is(&create_append(&blobs, "/box/b", &create_only).await, 409, "BlobAlreadyExists", "create as another type");
    is(&create_append(&blobs, "/box/b", &[]).await, 409, "InvalidBlobType", "overwrite as another type");
    is(&put(&blobs, "/box/b", &[("if-match", "\"0x1\"")], "2").await, 412, "ConditionNotMet", "another etag");
    is(&put(&blobs, "/box/new", &[("if-match", &etag)], "2").await, 412, "ConditionNotMet", "no blob");
    is(&put(&blobs, "/box/b", &[("if-none-match", &etag)], "2").await, 412, "ConditionNotMet", "the same etag");
    let both = [("if-match", etag.as_str()), ("if-none-match", "\"0x1\"")];
    is(&put(&blobs, "/box/b", &both, "2").await, 400, "MultipleConditionHeadersNotSupported", "both");
    is(&put(&blobs, "/box/b", &[("if-modified-since", "soon")], "2").await, 400, "InvalidHeaderValue", "no date");
    assert_eq!(blobs.bytes("box", "b").unwrap(), "1", "no refused write changed anything");
    let second = put(&blobs, "/box/b", &[("if-match", etag.trim_matches('"'))], "2").await;
    is(&second, 201, "", "an etag without quotes");
    assert_ne!(second.header("etag"), etag);
    is(&put(&blobs, "/box/b", &[("if-match", &etag)], "3").await, 412, "ConditionNotMet", "the old etag");
    let since = second.header("last-modified").to_owned();
    is(&put(&blobs, "/box/b", &[("if-modified-since", &since)], "3").await, 412, "ConditionNotMet", "not modified");
    is(&put(&blobs, "/box/b", &[("if-unmodified-since", &since)], "3").await, 201, "", "not modified since");
    is(&send(&blobs, "DELETE", "/box/b", &[("if-match", &etag)], "").await, 412, "ConditionNotMet", "delete");
    is(
        &lease(&blobs, "acquire", &[("x-ms-lease-duration", "15"), ("if-match", &etag)]).await,
        412,
        "ConditionNotMet",
        "lease",
    );
    is(&send(&blobs, "DELETE", "/box/b", &[("if-match", "*")], "").await, 202, "", "delete any");
    is(&send(&blobs, "DELETE", "/box/b", &[], "").await, 404, "BlobNotFound", "delete twice");
    is(&put(&blobs, "/chest/b", &[], "1").await, 404, "ContainerNotFound", "no container");
}

#[tokio::test(start_paused = true)]
async fn reads_answer_ranges_and_304_and_the_properties() {
    let blobs = account();
    let headers =
        [("x-ms-meta-Owner", "ops"), ("x-ms-blob-content-type", "text/plain"), ("x-ms-blob-content-md5", "bWQ1")];
    let written = put(&blobs, "/box/dir/b%20%2F.txt", &headers, "0123456789").await;
    assert_eq!(written.header("x-ms-content-crc64"), super::crc64::header_value(b"0123456789"));
    assert_eq!(written.header("last-modified"), "Sun, 22 Nov 2026 10:00:00 GMT");
    assert_eq!(blobs.names("box"), ["dir/b /.txt"]);
    let path = "/box/dir%2Fb%20/.txt";
    for (range, status, body, content_range) in [
        ("", 200, "0123456789", ""),
        ("bytes=0-", 206, "0123456789", "bytes 0-9/10"),
        ("bytes=2-4", 206, "234", "bytes 2-4/10"),
        ("bytes=8-99", 206, "89", "bytes 8-9/10"),
        ("bytes=10-", 416, "", ""),
        ("bytes=4-2", 400, "", ""),
        ("bytes=-5", 400, "", ""),
    ] {
        let headers: &[(&str, &str)] = if range.is_empty() { &[] } else { &[("range", range)] };
        let seen = send(&blobs, "GET", path, headers, "").await;
        assert_eq!((seen.status, seen.header("content-range")), (status, content_range), "{range}");
        assert!(status >= 400 || seen.body == body.as_bytes(), "{range}");
    }
    let etag = written.header("etag");
    for (header, value, status, code) in [
        ("if-none-match", etag, 304, "ConditionNotMet"),
        ("if-none-match", "\"0x1\", \"0x2\"", 200, ""),
        ("if-none-match", "*", 400, "UnsatisfiableCondition"),
        ("if-match", "\"0x1\"", 412, "ConditionNotMet"),
        ("if-match", etag, 200, ""),
        ("if-modified-since", "Sun, 22 Nov 2026 10:00:00 GMT", 304, "ConditionNotMet"),
        ("if-modified-since", "Sun, 22 Nov 2026 09:59:59 GMT", 200, ""),
        ("if-unmodified-since", "Sun, 22 Nov 2026 09:59:59 GMT", 412, "ConditionNotMet"),
    ] {
        for method in ["GET", "HEAD"] {
            let seen = send(&blobs, method, path, &[(header, value)], "").await;
            is(&seen, status, code, &format!("{method} {header}: {value}"));
            assert!(status != 304 && method == "GET" || seen.body.is_empty());
        }
    }
    let seen =
        send(&blobs, "HEAD", path, &[("x-ms-client-request-id", "mine"), ("x-ms-version", "2026-04-06")], "").await;
    for (name, value) in [
        ("content-length", "10"),
        ("content-type", "text/plain"),
        ("content-md5", "bWQ1"),
        ("x-ms-meta-owner", "ops"),
        ("x-ms-blob-type", "BlockBlob"),
        ("x-ms-lease-state", "available"),
        ("x-ms-lease-status", "unlocked"),
        ("x-ms-client-request-id", "mine"),
        ("x-ms-version", "2026-04-06"),
        ("date", "Sun, 22 Nov 2026 10:00:00 GMT"),
        ("etag", etag),
    ] {
        assert_eq!(seen.header(name), value, "{name}");
    }
    let missing = send(&blobs, "GET", "/box/none", &[], "").await;
    is(&missing, 404, "BlobNotFound", "missing");
    let xml = String::from_utf8(missing.body.clone()).unwrap();
    assert!(xml.contains("<Error><Code>BlobNotFound</Code><Message>"), "{xml}");
    assert!(xml.contains(&format!("RequestId:{}", missing.header("x-ms-request-id"))), "{xml}");
    let head = send(&blobs, "HEAD", "/box/none", &[], "").await;
    assert_eq!((head.status, head.code.as_str(), head.body.len()), (404, "BlobNotFound", 0));
}

#[tokio::test(start_paused = true)]
async fn appends_take_the_position_as_a_lock_and_obey_size_and_count() {
    let blobs = account();
    is(&append(&blobs, "/box/l", &[], "1").await, 404, "BlobNotFound", "no blob");
    is(&create_append(&blobs, "/box/l", &[("if-none-match", "*")]).await, 201, "", "create");
    let at = |position: &'static str| [("x-ms-blob-condition-appendpos", position)];
    let first = append(&blobs, "/box/l", &at("0"), "one\n").await;
    is(&first, 201, "", "at 0");
    assert_eq!((first.header("x-ms-blob-append-offset"), first.header("x-ms-blob-committed-block-count")), ("0", "1"));
    is(&append(&blobs, "/box/l", &at("0"), "one\n").await, 412, "AppendPositionConditionNotMet", "again at 0");
    is(&append(&blobs, "/box/l", &at("x"), "one\n").await, 400, "InvalidHeaderValue", "no number");
    is(&append(&blobs, "/box/l", &at("4"), "two\n").await, 201, "", "at 4");
    let max = |size: &'static str| [("x-ms-blob-condition-maxsize", size)];
    is(&append(&blobs, "/box/l", &max("11"), "3456").await, 412, "MaxBlobSizeConditionNotMet", "too large");
    let third = append(&blobs, "/box/l", &max("12"), "3456").await;
    assert_eq!((third.status, third.header("x-ms-blob-append-offset")), (201, "8"));
    is(&append(&blobs, "/box/l", &[], "").await, 400, "InvalidHeaderValue", "empty");
    is(&append(&blobs, "/box/l", &[("if-match", first.header("etag"))], "x").await, 412, "ConditionNotMet", "etag");
    is(&append(&blobs, "/box/l", &[("x-ms-content-crc64", "AAAAAAAAAAA=")], "x").await, 400, "Crc64Mismatch", "crc");
    is(&append(&blobs, "/box/l", &[("content-md5", "x")], "x").await, 400, "UnsupportedHeader", "md5");
    put(&blobs, "/box/b", &[], "1").await;
    is(&append(&blobs, "/box/b", &[], "x").await, 409, "InvalidBlobType", "block blob");
    assert_eq!(blobs.bytes("box", "l").unwrap(), "one\ntwo\n3456");
    blobs.store().blob_mut("box", "l").unwrap().appended_blocks = 49_999;
    is(&append(&blobs, "/box/l", &[], "x").await, 201, "", "block 50000");
    is(&append(&blobs, "/box/l", &[], "x").await, 409, "BlockCountExceedsLimit", "block 50001");
}

#[tokio::test(start_paused = true)]
async fn a_listing_comes_in_pages_sorted_by_name() {
    let blobs = account();
    for name in ["b/2", "a", "b/1", "b/3&<", "c"] {
        blobs.put("box", name, "x");
    }
    let list = async |query: &str| {
        let seen = send(&blobs, "GET", &format!("/box?restype=container&comp=list{query}"), &[], "").await;
        (seen.status, String::from_utf8(seen.body).unwrap())
    };
    let names = |xml: &str| -> Vec<String> {
        xml.split("<Name>").skip(1).map(|rest| rest.split_once("</Name>").unwrap().0.to_owned()).collect()
    };
    let marker =
        |xml: &str| xml.split_once("<NextMarker>").unwrap().1.split_once("</NextMarker>").unwrap().0.to_owned();
    let (_, all) = list("").await;
    assert_eq!((names(&all).len(), marker(&all).as_str()), (5, ""));
    let (_, first) = list("&prefix=b%2F&maxresults=2").await;
    assert_eq!(names(&first), ["b/1", "b/2"]);
    let (_, second) = list(&format!("&prefix=b%2F&maxresults=2&marker={}", marker(&first))).await;
    assert_eq!((names(&second), marker(&second).as_str()), (vec!["b/3&amp;&lt;".to_owned()], ""));
    for (query, status) in [
        ("&maxresults=0", 400),
        ("&maxresults=x", 400),
        ("&maxresults=6000", 200),
        ("&marker=!", 400),
        ("&delimiter=/", 501),
    ] {
        assert_eq!(list(query).await.0, status, "{query}");
    }
    for number in 0..5001 {
        blobs.put("box", &format!("many/{number:05}"), "x");
    }
    let (_, page) = list("&prefix=many/&maxresults=6000").await;
    assert_eq!((names(&page).len(), marker(&page).is_empty()), (5000, false));
}

#[tokio::test(start_paused = true)]
async fn containers_accounts_and_tokens_are_checked() {
    let blobs = account().with_account_path("devstoreaccount1");
    for (method, path, status, code) in [
        ("PUT", "/box?restype=container", 409, "ContainerAlreadyExists"),
        ("PUT", "/devstoreaccount1/other?restype=container", 201, ""),
        ("GET", "/devstoreaccount1/other?restype=container", 200, ""),
        ("GET", "/none?restype=container", 404, "ContainerNotFound"),
        ("GET", "/none?restype=container&comp=list", 404, "ContainerNotFound"),
        ("GET", "/none/blob", 404, "ContainerNotFound"),
        ("PUT", "/Box?restype=container", 400, "InvalidResourceName"),
        ("PUT", "/box/b?comp=block", 501, "NotImplemented"),
        ("GET", "/box/b?snapshot=1", 501, "NotImplemented"),
        ("PATCH", "/box/b", 405, "UnsupportedHttpVerb"),
        ("GET", "/box/%ff", 400, "InvalidUri"),
        ("PUT", "/box/b", 400, "MissingRequiredHeader"),
        ("DELETE", "/other?restype=container", 202, ""),
    ] {
        is(&send(&blobs, method, path, &[], "").await, status, code, &format!("{method} {path}"));
    }
    put(&blobs, "/devstoreaccount1/box/b", &[], "1").await;
    assert_eq!(blobs.bytes("box", "b").unwrap(), "1");
    let strict = blobs.with_token_check(Arc::new(|token| token == Some("good")));
    is(&send(&strict, "GET", "/box/b", &[], "").await, 401, "NoAuthenticationInformation", "none");
    let bad = send(&strict, "GET", "/box/b", &[("authorization", "Bearer bad")], "").await;
    is(&bad, 401, "InvalidAuthenticationInfo", "bad");
    assert!(bad.header("www-authenticate").starts_with("Bearer "));
    is(&send(&strict, "GET", "/box/b", &[("authorization", "Bearer good")], "").await, 200, "", "good");
}

#[tokio::test(start_paused = true)]
async fn ordered_faults_strike_only_what_they_name_and_as_often_as_ordered() {
    for (effect, status, reset, stored) in [
        (BlobFaultEffect::InternalError, 500, false, false),
        (BlobFaultEffect::ServerBusy, 503, false, false),
        (BlobFaultEffect::ResetBefore, 502, true, false),
        (BlobFaultEffect::ResetAfter, 502, true, true),
        (BlobFaultEffect::AcknowledgedButDropped, 201, false, false),
    ] {
        let blobs = account();
        blobs.fault(BlobFault::new(effect).on_method(Method::PUT).on_names("ledger/").after(1).times(2));
        assert_eq!(put(&blobs, "/box/leases/a", &[], "1").await.status, 201);
        assert_eq!(put(&blobs, "/box/ledger/a", &[], "1").await.status, 201);
        assert_eq!(send(&blobs, "GET", "/box/ledger/a", &[], "").await.status, 200);
        for _ in 0..2 {
            let seen = put(&blobs, "/box/ledger/a", &[], "2").await;
            assert_eq!(seen.status, status, "{effect:?}");
            assert_eq!(seen.response.extensions().get::<ConnectionReset>().is_some(), reset);
            assert_eq!(blobs.bytes("box", "ledger/a").unwrap() == "2", stored, "{effect:?}");
        }
        assert_eq!(blobs.faults_left(), 0);
        assert_eq!(put(&blobs, "/box/ledger/a", &[], "3").await.status, 201);
    }
    let blobs = account();
    put(&blobs, "/box/b", &[], "1").await;
    blobs.fault(BlobFault::new(BlobFaultEffect::ServerBusy).on_method(Method::GET).on_containers());
    assert_eq!(send(&blobs, "GET", "/box/b", &[], "").await.status, 200);
    assert_eq!(send(&blobs, "GET", "/box?restype=container&comp=list", &[], "").await.status, 503);
    let blobs = account();
    blobs.fault(BlobFault::new(BlobFaultEffect::AcknowledgedButDropped).always());
    put(&blobs, "/box/b", &[], "1").await;
    assert!(blobs.names("box").is_empty());
    blobs.clear_faults();
    put(&blobs, "/box/b", &[], "1").await;
    blobs.fault(BlobFault::new(BlobFaultEffect::AcknowledgedButDropped));
    is(&lease(&blobs, "acquire", &[("x-ms-lease-duration", "15")]).await, 201, "", "a lease is not a write");
    assert_eq!(blobs.blob("box", "b").unwrap().lease, LeaseState::Leased);
    blobs.clear_faults();
    blobs.fault(BlobFault::new(BlobFaultEffect::Hang));
    let hung = tokio::time::timeout(Duration::from_secs(3600), send(&blobs, "GET", "/box/b", &[], "")).await;
    assert!(hung.is_err());
}

#[tokio::test(start_paused = true)]
async fn the_same_requests_give_the_same_names() {
    let run = async || {
        let blobs = account();
        let first = put(&blobs, "/box/b", &[], "1").await;
        let second = lease(&blobs, "acquire", &[("x-ms-lease-duration", "15")]).await;
        let names = ["etag", "x-ms-request-id", "x-ms-lease-id"];
        names.map(|name| (first.header(name).to_owned(), second.header(name).to_owned()))
    };
    assert_eq!(run().await, run().await);
}

proptest! {
    #[test]
    fn reading_any_request_never_panics(path in "/[!-~]{0,60}", range in "[ -~]{0,30}", etag in "[ -~]{0,30}") {
        drop(percent_decode(&path));
        let _range = ByteRange::read(&range);
        let _range = ByteRange::read(&format!("bytes={range}"));
        let mut headers = http::HeaderMap::new();
        headers.insert("range", range.parse().unwrap());
        headers.insert("if-match", etag.parse().unwrap());
        headers.insert("if-modified-since", etag.parse().unwrap());
        drop(Conditions::read(&headers));
        if let Ok(uri) = path.parse::<http::Uri>() {
            for method in [Method::GET, Method::PUT, Method::DELETE, Method::PATCH] {
                if let Ok(call) = Call::read(&method, &uri, &headers, Some("acct")) {
                    let _range = call.range();
                }
            }
        }
    }

    #[test]
    fn of_two_writers_with_the_same_etag_one_wins(order in proptest::collection::vec(any::<bool>(), 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let blobs = account();
            let mut known = [put(&blobs, "/box/b", &[], "0").await.header("etag").to_owned(), String::new()];
            known[1] = known[0].clone();
            let mut last = known[0].clone();
            for second in order {
                let writer = usize::from(second);
                let seen = put(&blobs, "/box/b", &[("if-match", &known[writer])], "x").await;
                assert_eq!(seen.status == 201, known[writer] == last);
                if seen.status == 201 {
                    last = seen.header("etag").to_owned();
                }
                known[writer] = last.clone();
            }
        });
    }
}
