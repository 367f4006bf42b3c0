//! Azure Resource Manager's habits, once for all resources: token, request id, retries, quotas.
//!
//! It never follows a link to another host, never repeats what it may not, and never sleeps longer than a call's budget.

use crate::{
    access::{Access, Random, TraceParent, WallClock},
    assumptions,
    bearer::Bearer,
    error::{Error, ErrorKind},
    operations::Operation,
    pace::{Pace, Spends},
    quota::Remaining,
    retry::{self, Attempts, Repeat},
    transport::{Answer, Guarded, Latest},
};
use azure_core::http::{Method, Request, Url, headers};
use bytes::Bytes;
use jiff::SignedDuration;
use serde_json::Value;
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};
use tokio::time::Instant;

/// Who is asking, for Azure's own statistics.
pub(crate) const USER_AGENT: &str = concat!("lifeboat/", env!("CARGO_PKG_VERSION"));

/// Placeholders of the documents that stand for more than one part of a path.
const PATHS: [&str; 3] = ["{resourceUri}", "{scope}", "{parentResourcePath}"];

/// Speaks to Azure Resource Manager. Clones share the token, the remembered waits and the quotas.
#[derive(Clone)]
pub struct ArmClient(Arc<Shared>);

struct Shared {
    endpoint: Url,
    guarded: Guarded,
    bearer: Bearer,
    now: WallClock,
    random: Random,
    traceparent: Option<TraceParent>,
    pace: Pace,
    seen: Mutex<Seen>,
}

#[derive(Default)]
struct Seen {
    remaining: Remaining,
    skew: Option<SignedDuration>,
    /// When Resource Graph's budget is full again; none while something of it is left.
    graph_full_at: Option<Instant>,
}

/// One call to be made.
pub(crate) struct Call {
    pub operation: &'static Operation,
    pub url: Url,
    pub body: Option<Bytes>,
    /// The etag that what is changed must still have.
    pub if_match: Option<String>,
    pub repeat: Repeat,
    pub latest: Option<Latest>,
}

impl Call {
    /// A question: a repeat is safe.
    pub fn read(operation: &'static Operation, url: Url) -> Self {
        Self { operation, url, body: None, if_match: None, repeat: Repeat::Safe, latest: None }
    }

    /// A change.
    pub fn change(
        operation: &'static Operation,
        url: Url,
        body: Option<Value>,
        repeat: Repeat,
        latest: Option<Latest>,
    ) -> Self {
        Self { operation, url, body: body.map(|body| body.to_string().into()), if_match: None, repeat, latest }
    }
}

impl ArmClient {
    /// A client for an endpoint, for example `https://management.azure.com`. Nothing is sent.
    ///
    /// Tokens are for the public cloud's Resource Manager unless the endpoint is another cloud's.
    pub fn new(endpoint: Url, access: &Access) -> Result<Self, Error> {
        if endpoint.cannot_be_a_base() || endpoint.host().is_none() {
            return Err(Error::new(ErrorKind::Refused, "the endpoint of Resource Manager"));
        }
        let bearer = Bearer::new(access, scope(&endpoint));
        Ok(Self(Arc::new(Shared {
            endpoint,
            guarded: Guarded::new(Arc::clone(&access.transport)),
            bearer,
            now: Arc::clone(&access.now),
            random: access.random.clone(),
            traceparent: access.traceparent,
            pace: Pace::default(),
            seen: Mutex::default(),
        })))
    }

    /// What is left of Azure's budgets, as last heard. A hint.
    pub fn remaining(&self) -> Remaining {
        self.seen(|seen| seen.remaining.clone())
    }

    /// Azure's clock less ours, to the second, as last heard.
    pub fn clock_skew(&self) -> Option<SignedDuration> {
        self.seen(|seen| seen.skew)
    }

    /// The URL of an operation, its template filled with the parameters in their order.
    pub(crate) fn url(
        &self,
        operation: &'static Operation,
        parameters: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Url, Error> {
        let refused = || Error::new(ErrorKind::Refused, operation.action);
        let mut url = self.0.endpoint.clone();
        let mut given = parameters.iter();
        {
            let mut segments = url.path_segments_mut().map_err(|()| refused())?;
            segments.pop_if_empty();
            for part in operation.path.split('/').skip(1) {
                let value = if part.starts_with('{') { given.next().copied().ok_or_else(refused)? } else { part };
                if value.is_empty() && part == "{parentResourcePath}" {
                    // No parent is an empty part, as Azure's own clients write it: `Microsoft.Compute//virtualMachines`.
                    segments.push("");
                } else if PATHS.contains(&part) && !value.is_empty() {
                    // A path of its own: an id's leading slash is the one before the placeholder.
                    for inner in value.split('/').filter(|inner| !inner.is_empty()) {
                        segments.push(one_segment(inner).ok_or_else(refused)?);
                    }
                } else {
                    segments.push(one_segment(value).ok_or_else(refused)?);
                }
            }
        }
        url.query_pairs_mut().extend_pairs(query).append_pair("api-version", operation.api_version);
        Ok(url)
    }

    /// Reads: a repeat is safe.
    pub(crate) async fn get(
        &self,
        operation: &'static Operation,
        parameters: &[&str],
        query: &[(&str, &str)],
    ) -> Result<Value, Error> {
        let url = self.url(operation, parameters, query)?;
        let answer = self.send(&Call::read(operation, url)).await?;
        decode(operation.action, &answer)
    }

    /// A link that Azure gave, verbatim; to another host it is not followed, because the token would go with it.
    pub(crate) fn followed(&self, operation: &'static str, link: &str) -> Result<Url, Error> {
        let url = Url::parse(link).map_err(|error| Error::malformed(operation, error))?;
        let own = &self.0.endpoint;
        let same = (url.scheme(), url.host_str(), url.port_or_known_default())
            == (own.scheme(), own.host_str(), own.port_or_known_default());
        if same { Ok(url) } else { Err(Error::malformed(operation, "a link to another host")) }
    }

    /// Sends, repeats within the budget, and gives back the first success.
    pub(crate) async fn send(&self, call: &Call) -> Result<Answer, Error> {
        let action = call.operation.action;
        assumptions::check(call.operation)?;
        let method = method(call.operation.method);
        let spends = Spends::new(method, action, call.url.path());
        let request_id = self.0.random.uuid().to_string();
        let mut attempts = Attempts::new(call.repeat, call.latest);
        let mut renewed = false;
        loop {
            if let Err(error) = self.keep_pace(&spends, action, &attempts).await {
                return Err(attempts.last(error));
            }
            let token = match self.0.bearer.token(action).await {
                Ok(token) => token,
                Err(error) => return Err(attempts.last(error)),
            };
            let request = self.request(call, method, &request_id, &token.header());
            let error = match self.0.guarded.send(&request, call.latest).await {
                Ok(answer) => {
                    self.note(&answer);
                    if answer.is_success() {
                        return Ok(answer);
                    }
                    if answer.status == 401 && !renewed {
                        renewed = true;
                        self.0.bearer.refused(&token).await;
                        continue;
                    }
                    let error = Error::from_answer(action, &answer, retry::retry_after(&answer, (self.0.now)()));
                    if error.kind == ErrorKind::Throttled {
                        self.0.pace.note(&spends, &error);
                    }
                    error
                }
                Err(failure) => Error::from_failure(action, failure),
            };
            attempts.again(error, &self.0.random).await?;
        }
    }

    /// Waits for what Azure asked to wait for before, when that is short; otherwise says how long it is.
    async fn keep_pace(&self, spends: &Spends, action: &'static str, attempts: &Attempts) -> Result<(), Error> {
        let Some(wait) = self.0.pace.wait(spends) else { return Ok(()) };
        if wait > attempts.left() {
            return Err(Error::because(ErrorKind::Throttled, action, AskedToWait).with_retry_after(Some(wait)));
        }
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn request(&self, call: &Call, method: Method, request_id: &str, authorization: &str) -> Request {
        let mut request = Request::new(call.url.clone(), method);
        request.insert_header(headers::AUTHORIZATION, authorization.to_owned());
        request.insert_header(headers::ACCEPT, "application/json");
        request.insert_header(headers::USER_AGENT, USER_AGENT);
        request.insert_header("x-ms-client-request-id", request_id.to_owned());
        if let Some(trace) = self.0.traceparent.and_then(|hook| hook()) {
            request.insert_header("traceparent", trace);
        }
        if let Some(etag) = &call.if_match {
            request.insert_header("if-match", etag.clone());
        }
        if let Some(body) = &call.body {
            request.insert_header(headers::CONTENT_TYPE, "application/json");
            request.set_body(body.clone());
        }
        request
    }

    fn note(&self, answer: &Answer) {
        let date = answer.header("date").and_then(retry::http_date);
        let now = (self.0.now)();
        self.seen(|seen| {
            seen.remaining.update(answer);
            seen.skew = date.map(|date| date.duration_since(now)).or(seen.skew);
        });
    }

    fn seen<T>(&self, use_it: impl FnOnce(&mut Seen) -> T) -> T {
        use_it(&mut self.0.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until Resource Graph's budget is full again, where the last answer said that nothing of it was left.
    pub(crate) async fn wait_for_graph(&self) {
        if let Some(at) = self.seen(|seen| seen.graph_full_at) {
            tokio::time::sleep_until(at).await;
        }
    }

    /// Notes how long it takes until Resource Graph's budget is full again; none when something of it is left.
    pub(crate) fn note_graph(&self, wait: Option<std::time::Duration>) {
        self.seen(|seen| seen.graph_full_at = wait.map(|wait| Instant::now() + wait));
    }

    pub(crate) fn wall_now(&self) -> jiff::Timestamp {
        (self.0.now)()
    }
}

impl fmt::Debug for ArmClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ArmClient").field("endpoint", &self.0.endpoint.as_str()).finish_non_exhaustive()
    }
}

/// Not sent, because an earlier answer asked for patience that is not over.
#[derive(Debug, thiserror::Error)]
#[error("an earlier answer asked to wait; it was not sent")]
struct AskedToWait;

/// A success's body as JSON.
pub(crate) fn decode(action: &'static str, answer: &Answer) -> Result<Value, Error> {
    serde_json::from_slice(&answer.body).map_err(|error| Error::malformed(action, error))
}

/// One part of a path. A dot path or a slash in a name would make another URL.
fn one_segment(part: &str) -> Option<&str> {
    let changes_the_path = part.is_empty() || part == "." || part == ".." || part.contains(['/', '\\']);
    (!changes_the_path).then_some(part)
}

fn method(name: &str) -> Method {
    match name {
        "PUT" => Method::Put,
        "PATCH" => Method::Patch,
        "POST" => Method::Post,
        "DELETE" => Method::Delete,
        _ => Method::Get,
    }
}

/// The audience of the tokens: the endpoint itself where it is a cloud's own, else (a simulated one) the public cloud's.
fn scope(endpoint: &Url) -> String {
    const PUBLIC: &str = "management.azure.com";
    const OTHERS: [&str; 2] = ["management.usgovcloudapi.net", "management.chinacloudapi.cn"];
    let host = endpoint.host_str().filter(|host| OTHERS.contains(host)).unwrap_or(PUBLIC);
    format!("https://{host}/.default")
}

#[cfg(test)]
mod tests;
