//! The real transport over real sockets on this machine.
//!
//! It never leaves this machine.

use super::https;
use crate::{
    access::{Access, Random},
    arm::ArmClient,
    error::{Error, ErrorKind},
    subscriptions,
    transport::MAX_ANSWER_BYTES,
};
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    sync::mpsc,
};

#[derive(Debug)]
struct Token;

#[async_trait::async_trait]
impl TokenCredential for Token {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new("t", azure_core::time::parse_rfc3339("2026-11-22T03:00:00Z")?))
    }
}

fn client(endpoint: &str) -> ArmClient {
    let now: jiff::Timestamp = "2026-11-22T02:00:00Z".parse().unwrap();
    let access = Access::new(https(), Arc::new(Token), Arc::new(move || now), Random::seeded(1));
    ArmClient::new(endpoint.parse().unwrap(), &access).unwrap()
}

/// Answers each connection's first request with the bytes, and tells what was asked.
async fn server(answer: Vec<u8>) -> (String, mpsc::UnboundedReceiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let (tell, told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut asked = Vec::new();
            while !asked.windows(4).any(|end| end == b"\r\n\r\n") {
                match connection.read_buf(&mut asked).await {
                    Ok(1..) => {}
                    _ => break,
                }
            }
            let _ = tell.send(String::from_utf8_lossy(&asked).into_owned());
            let _ = connection.write_all(&answer).await;
            let _ = connection.shutdown().await;
        }
    });
    (address, told)
}

fn answer(status: &str, headers: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n{headers}\r\n", body.len()).into_bytes();
    bytes.extend_from_slice(body);
    bytes
}

async fn failed(bytes: Vec<u8>) -> Error {
    let (address, _told) = server(bytes).await;
    subscriptions::get(&client(&address), "s").await.unwrap_err()
}

#[tokio::test]
async fn a_request_goes_out_and_its_answer_comes_back() {
    let body = br#"{"subscriptionId":"s","state":"Enabled"}"#;
    let (address, mut told) =
        server(answer("200 OK", "x-ms-ratelimit-remaining-subscription-reads: 7\r\n", body)).await;
    let arm = client(&address);
    assert!(subscriptions::get(&arm, "s").await.unwrap().is_enabled());
    let asked = told.recv().await.unwrap().to_lowercase();
    assert!(asked.starts_with("get /subscriptions/s?api-version=2022-12-01 http/1.1\r\n"), "{asked}");
    assert!(
        asked.contains("\r\nauthorization: bearer t\r\n") && asked.contains("\r\nuser-agent: lifeboat/"),
        "{asked}"
    );
    assert_eq!(arm.remaining().of("subscription-reads"), Some(7));
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_a_large_answer_is_not_read_on() {
    let error = failed(answer("307 Temporary Redirect", "location: http://127.0.0.1:1/\r\n", b"")).await;
    assert_eq!((error.kind, error.status()), (ErrorKind::Malformed, Some(307)));
    let error = failed(answer("200 OK", "", &vec![b' '; MAX_ANSWER_BYTES + 1])).await;
    assert_eq!(error.kind, ErrorKind::Limit);
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_cannot_be_made_is_known_not_to_have_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let error = subscriptions::get(&client(&format!("http://{address}")), "s").await.unwrap_err();
    assert_eq!((error.kind, error.maybe_done()), (ErrorKind::Connection, false));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_may_have_sent() {
    for bytes in [Vec::new(), b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf".to_vec()] {
        let error = failed(bytes).await;
        assert_eq!((error.kind, error.maybe_done()), (ErrorKind::Connection, true));
    }
}

#[tokio::test(start_paused = true)]
async fn tls_is_spoken_where_https_is_asked_for() {
    let (address, mut told) = server(Vec::new()).await;
    let error = subscriptions::get(&client(&address.replace("http://", "https://")), "s").await.unwrap_err();
    assert_eq!(
        (error.kind, error.maybe_done()),
        (ErrorKind::Connection, false),
        "the handshake failed before any request"
    );
    drop(error);
    assert!(!told.recv().await.unwrap().contains("subscriptions"), "nothing readable was sent");
}
