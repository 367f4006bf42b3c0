//! Tests of the blob service with the client library that Lifeboat uses, inside the process and over TCP.
//! They never sleep on wall time.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{AsyncRawResponse, Body, ClientOptions, HttpClient, RequestContent, StatusCode, Transport, Url};
use azure_storage_blob::models::{
    AppendBlobClientAppendBlockOptions, AppendBlobClientCreateOptions, BlobClientAcquireLeaseOptions,
    BlobClientAcquireLeaseResultHeaders as _, BlobClientDownloadOptions, BlobContainerClientListBlobsOptions,
    BlockBlobClientUploadOptions,
};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use futures::TryStreamExt as _;
use tower::ServiceExt as _;

use super::{BlobFault, BlobFaultEffect, Blobs, ConnectionReset, LeaseState};
use crate::clock::Clock;

/// Calls the router without a socket.
#[derive(Debug)]
struct InProcess(Router);

#[async_trait]
impl HttpClient for InProcess {
    async fn execute_request(&self, request: &azure_core::http::Request) -> azure_core::Result<AsyncRawResponse> {
        let mut copy = http::Request::builder().method(request.method().as_str()).uri(request.url().as_str());
        for (name, value) in request.headers().iter() {
            copy = copy.header(name.as_str(), value.as_str());
        }
        let Body::Bytes(bytes) = request.body() else { panic!("the tests send bytes") };
        let response = self.0.clone().oneshot(copy.body(axum::body::Body::from(bytes.clone())).unwrap()).await.unwrap();
        if response.extensions().get::<ConnectionReset>().is_some() {
            return Err(Error::with_message(ErrorKind::Io, "connection reset"));
        }
        let (parts, body) = response.into_parts();
        let headers: HashMap<HeaderName, _> = parts
            .headers
            .iter()
            .map(|(name, value)| {
                (HeaderName::from(name.as_str().to_owned()), value.to_str().unwrap().to_owned().into())
            })
            .collect();
        let bytes = axum::body::to_bytes(body, 1 << 30).await.unwrap();
        Ok(AsyncRawResponse::from_bytes(StatusCode::from(parts.status.as_u16()), Headers::from(headers), bytes))
    }
}

fn client(blobs: &Blobs) -> BlobContainerClient {
    let transport = Transport::new(Arc::new(InProcess(blobs.router())));
    let client_options = ClientOptions { transport: Some(transport), ..ClientOptions::default() };
    let options = BlobContainerClientOptions { client_options, ..BlobContainerClientOptions::default() };
    BlobContainerClient::new(Url::parse("https://acct.blob.core.windows.net/lifeboat").unwrap(), None, Some(options))
        .unwrap()
}

fn account() -> Blobs {
    Blobs::new(Clock::starting_at("2026-11-22T10:00:00Z".parse().unwrap()))
}

fn bytes(text: &str) -> RequestContent<bytes::Bytes, azure_core::http::NoFormat> {
    RequestContent::from(text.as_bytes().to_vec())
}

/// Status and code of a failed call.
fn refusal<T>(outcome: azure_core::Result<T>) -> (u16, String) {
    match outcome {
        Ok(_) => (0, String::new()),
        Err(error) => match error.kind() {
            ErrorKind::HttpResponse { status, error_code, .. } => {
                (u16::from(*status), error_code.clone().unwrap_or_default())
            }
            other => panic!("{other:?}"),
        },
    }
}

#[tokio::test(start_paused = true)]
async fn the_client_creates_reads_lists_and_deletes() {
    let blobs = account();
    let container = client(&blobs);
    assert!(!container.exists().await.unwrap());
    container.create(None).await.unwrap();
    assert!(container.exists().await.unwrap());
    assert_eq!(refusal(container.create(None).await), (409, "ContainerAlreadyExists".to_owned()));
    let blob = container.blob_client("policies/production.yaml");
    assert!(!blob.exists().await.unwrap());
    let uploaded = blob.upload(bytes("kind: Policy"), None).await.unwrap();
    assert_eq!(blobs.names("lifeboat"), ["policies/production.yaml"]);
    let first = uploaded.etag.unwrap();
    let stale = BlockBlobClientUploadOptions { if_match: Some("\"0x1\"".into()), ..Default::default() };
    assert_eq!(refusal(blob.upload(bytes("x"), Some(stale)).await), (412, "ConditionNotMet".to_owned()));
    let create_only = BlockBlobClientUploadOptions::default().if_not_exists();
    assert_eq!(refusal(blob.upload(bytes("x"), Some(create_only)).await), (409, "BlobAlreadyExists".to_owned()));
    let fresh = BlockBlobClientUploadOptions { if_match: Some(first.clone()), ..Default::default() };
    let second = blob.upload(bytes("kind: Policy2"), Some(fresh)).await.unwrap().etag.unwrap();
    assert_ne!(first, second);
    let read = blob.download(None).await.unwrap();
    assert_eq!(read.properties.etag.as_ref(), Some(&second));
    assert_eq!(read.body.collect().await.unwrap(), "kind: Policy2");
    let unchanged = BlobClientDownloadOptions { if_none_match: Some(second), ..Default::default() };
    assert_eq!(refusal(blob.download(Some(unchanged)).await).0, 304);
    assert_eq!(refusal(container.blob_client("none").download(None).await), (404, "BlobNotFound".to_owned()));
    container.blob_client("empty").upload(bytes(""), None).await.unwrap();
    assert_eq!(container.blob_client("empty").download(None).await.unwrap().body.collect().await.unwrap(), "");
    blobs.put("lifeboat", "a & b/<c>", "x");
    let options = BlobContainerClientListBlobsOptions { maxresults: Some(2), ..Default::default() };
    let listed: Vec<_> = container.list_blobs(Some(options)).unwrap().try_collect().await.unwrap();
    let names: Vec<_> = listed.iter().map(|item| item.name.clone().unwrap()).collect();
    assert_eq!(names, ["a & b/<c>", "empty", "policies/production.yaml"]);
    let properties = listed[2].properties.as_ref().unwrap();
    assert_eq!(properties.content_length, Some(13));
    assert_eq!(properties.last_modified.unwrap().unix_timestamp(), 1_795_341_600);
    blob.delete(None).await.unwrap();
    assert!(!blob.exists().await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn the_client_reads_a_blob_that_is_larger_than_its_partitions() {
    let blobs = account();
    let content: Vec<u8> = (0..9_000_000_u32).map(|at| (at % 251) as u8).collect();
    blobs.put("lifeboat", "big", content.clone());
    let read = client(&blobs).blob_client("big").download(None).await.unwrap();
    let size = read.properties.content_length;
    assert_eq!(size, Some(4 * 1024 * 1024), "the first part alone");
    assert!(read.body.collect().await.unwrap() == content);
}

#[tokio::test(start_paused = true)]
async fn the_client_leases_and_appends() {
    let blobs = account();
    blobs.create_container("lifeboat");
    let container = client(&blobs);
    let lock = container.blob_client("leases/vm");
    lock.upload(bytes(""), None).await.unwrap();
    let id = "11111111-2222-3333-4444-555555555555".to_owned();
    let options = BlobClientAcquireLeaseOptions { proposed_lease_id: Some(id.clone()), ..Default::default() };
    let taken = lock.acquire_lease(60, Some(options)).await.unwrap();
    assert_eq!(taken.lease_id().unwrap(), Some(id.clone()));
    assert_eq!(refusal(lock.acquire_lease(60, None).await), (409, "LeaseAlreadyPresent".to_owned()));
    assert_eq!(refusal(lock.upload(bytes("x"), None).await), (412, "LeaseIdMissing".to_owned()));
    lock.renew_lease(id.clone(), None).await.unwrap();
    lock.change_lease(id.clone(), "99999999-2222-3333-4444-555555555555".to_owned(), None).await.unwrap();
    assert_eq!(refusal(lock.release_lease(id, None).await), (409, "LeaseIdMismatchWithLeaseOperation".to_owned()));
    lock.break_lease(None).await.unwrap();
    assert_eq!(blobs.blob("lifeboat", "leases/vm").unwrap().lease, LeaseState::Breaking);

    let ledger = container.blob_client("ledger/vm.jsonl").append_blob_client();
    let at = |position| AppendBlobClientAppendBlockOptions { append_position: Some(position), ..Default::default() };
    assert_eq!(refusal(ledger.append_block(bytes("1\n"), 2, Some(at(0))).await), (404, "BlobNotFound".to_owned()));
    ledger.create(Some(AppendBlobClientCreateOptions::default().if_not_exists())).await.unwrap();
    let again = ledger.create(Some(AppendBlobClientCreateOptions::default().if_not_exists())).await;
    assert_eq!(refusal(again), (409, "BlobAlreadyExists".to_owned()));
    ledger.append_block(bytes("1\n"), 2, Some(at(0))).await.unwrap();
    let stale = ledger.append_block(bytes("2\n"), 2, Some(at(0))).await;
    assert_eq!(refusal(stale), (412, "AppendPositionConditionNotMet".to_owned()));
    ledger.append_block(bytes("2\n"), 2, Some(at(2))).await.unwrap();
    assert_eq!(blobs.bytes("lifeboat", "ledger/vm.jsonl").unwrap(), "1\n2\n");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_repeats_after_a_lost_answer_meets_its_own_write() {
    let blobs = account();
    blobs.create_container("lifeboat");
    let ledger = client(&blobs).blob_client("ledger/vm.jsonl").append_blob_client();
    ledger.create(None).await.unwrap();
    blobs.fault(BlobFault::new(BlobFaultEffect::ResetAfter));
    let at = AppendBlobClientAppendBlockOptions { append_position: Some(0), ..Default::default() };
    let outcome = ledger.append_block(bytes("1\n"), 2, Some(at)).await;
    assert_eq!(refusal(outcome), (412, "AppendPositionConditionNotMet".to_owned()));
    assert_eq!(blobs.bytes("lifeboat", "ledger/vm.jsonl").unwrap(), "1\n");
    blobs.fault(BlobFault::new(BlobFaultEffect::ServerBusy).times(2));
    ledger.append_block(bytes("2\n"), 2, None).await.unwrap();
    assert_eq!(blobs.bytes("lifeboat", "ledger/vm.jsonl").unwrap(), "1\n2\n");
}

#[tokio::test]
async fn over_tcp_a_reset_is_a_broken_connection_and_the_rest_works() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    let blobs = account();
    blobs.put("lifeboat", "b", "hello");
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(axum::serve(listener, blobs.router()).into_future());
    blobs.fault(BlobFault::new(BlobFaultEffect::ResetBefore));
    for (expected, head) in [
        ("", "GET /lifeboat/b HTTP/1.1"),
        ("HTTP/1.1 200 OK", "HEAD /lifeboat/b HTTP/1.1"),
        ("HTTP/1.1 200 OK", "GET /lifeboat/b HTTP/1.1"),
    ] {
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let request = format!("{head}\r\nHost: acct\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        // A reset may show as an error or as the end of the stream.
        let _ended = stream.read_to_end(&mut answer).await;
        let answer = String::from_utf8(answer).unwrap();
        assert_eq!(answer.lines().next().unwrap_or_default(), expected, "{answer}");
        if !expected.is_empty() {
            assert!(answer.contains("content-length: 5"), "{answer}");
            assert_eq!(answer.ends_with("hello"), head.starts_with("GET"));
        }
    }
    server.abort();
}
