//! What Azure hands to a handler that nobody may read in a log: tokens, the header of the identity endpoint, signed addresses of operations,
//! and signed addresses and keys of storage in the words of refusals. It never changes an answer but those that it plants.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use azure_core::http::headers::Headers;
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request, StatusCode, Url};
use serde_json::json;

/// Every how many reads of ARM one is refused in words with secrets. Coprime with how many reads a look makes, so that all kinds are met.
const REFUSED_EVERY: usize = 41;
/// Parts of a token, and of a query, that are shorter than this are no secret: a version, a number of seconds.
const SECRET_CHARS_MIN: usize = 15;
/// Headers in which ARM hands out where an operation can be asked for.
const STATUS: [&str; 3] = ["azure-asyncoperation", "location", "operation-location"];

/// What was handed out so far, by its kind. Clones hear together.
#[derive(Clone, Default)]
pub struct Heard(Arc<Mutex<Book>>);

#[derive(Default)]
struct Book {
    secrets: BTreeMap<&'static str, BTreeSet<String>>,
    reads: usize,
    calls: usize,
}

/// A transport that listens.
struct Listening {
    heard: Heard,
    inner: Arc<dyn HttpClient>,
}

impl Heard {
    /// Listens before this transport.
    pub fn over(&self, inner: Arc<dyn HttpClient>) -> Arc<dyn HttpClient> {
        Arc::new(Listening { heard: self.clone(), inner })
    }

    /// Notes a secret.
    pub fn note(&self, kind: &'static str, secret: &str) {
        let long = secret.chars().count() >= SECRET_CHARS_MIN;
        if long {
            self.book(|book| book.secrets.entry(kind).or_default().insert(secret.to_owned()));
        }
    }

    /// Notes a token by its parts: each of them is one that nobody may read.
    pub fn note_token(&self, kind: &'static str, token: &str) {
        token.split('.').for_each(|part| self.note(kind, part));
    }

    /// What was handed out, by its kind.
    pub fn secrets(&self) -> BTreeMap<&'static str, BTreeSet<String>> {
        self.book(|book| book.secrets.clone())
    }

    /// Calls that were heard.
    pub fn calls(&self) -> usize {
        self.book(|book| book.calls)
    }

    fn book<T>(&self, work: impl FnOnce(&mut Book) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn asked(&self, request: &Request) {
        self.book(|book| book.calls += 1);
        for (name, value) in request.headers().iter() {
            match name.as_str() {
                "authorization" => self.note_token("tokens sent", value.as_str().trim_start_matches("Bearer ")),
                "x-identity-header" => self.note("identity headers", value.as_str()),
                _ => {}
            }
        }
    }

    fn answered(&self, headers: &Headers, body: &[u8]) {
        for (_, value) in headers.iter().filter(|(name, _)| STATUS.contains(&name.as_str())) {
            let Ok(url) = value.as_str().parse::<Url>() else { continue };
            // What the address is about stands in its path and in these.
            let says = |name: &str| matches!(name, "api-version" | "p" | "t" | "monitor");
            let signed = url.query_pairs().filter(|(name, _)| !says(name)).collect::<Vec<_>>();
            signed.iter().for_each(|(_, secret)| self.note("signed addresses of operations", secret));
        }
        let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        if let Some(token) = said["access_token"].as_str() {
            self.note_token("tokens given", token);
        }
    }

    /// The words of a refusal, with a signed address and a key of storage: Azure quotes what it could not read.
    fn refusal(&self, number: usize) -> String {
        let signature = format!("s1gN{number:04}ature%2Bof%2Fa%2Bdisk");
        let key = format!("a{number:04}Key0OfStorageThatNobodyMayRead==");
        self.note("signed addresses of storage", &signature);
        self.note("keys of storage", key.trim_end_matches('='));
        let address =
            format!("https://md-1.z1.blob.storage.azure.net/abcd/vhd?sv=2018-03-28&se=2027&sr=b&sp=r&sig={signature}");
        let connection = format!("DefaultEndpointsProtocol=https;AccountName=diag;AccountKey={key}");
        let message = format!("The blob '{address}' could not be read with \"{connection}\".");
        json!({ "error": { "code": "InternalServerError", "message": message } }).to_string()
    }

    /// The number of the refusal that stands in for the answer to a request.
    fn plants(&self, request: &Request) -> Option<usize> {
        let of_arm = request.url().host_str().is_some_and(|host| host.starts_with("management."));
        if !of_arm || request.method() != Method::Get {
            return None;
        }
        let reads = self.book(|book| {
            book.reads += 1;
            book.reads
        });
        reads.is_multiple_of(REFUSED_EVERY).then_some(reads)
    }
}

#[async_trait]
impl HttpClient for Listening {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        self.heard.asked(request);
        if let Some(number) = self.heard.plants(request) {
            let body = self.heard.refusal(number).into_bytes();
            return Ok(AsyncRawResponse::from_bytes(StatusCode::InternalServerError, Headers::new(), body));
        }
        let (status, headers, body) = self.inner.execute_request(request).await?.deconstruct();
        let body = body.collect().await?;
        self.heard.answered(&headers, &body);
        Ok(AsyncRawResponse::from_bytes(status, headers, body))
    }
}

impl fmt::Debug for Listening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Listening").finish_non_exhaustive()
    }
}
