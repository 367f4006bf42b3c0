//! One invocation from trigger to outcome: wait for the handler, send, judge, time out, repeat by policy.
//! It never settles a message and never answers a caller.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::answers::{self, Answer, Verdict};
use super::core::Core;
use super::dates;
use super::definitions::Retry;
use super::encoder::{self, Metadata, Value};
use super::flights::Cause;
use super::json::Json;
use super::logs::LogLevel;
use super::options::TIMINGS;
use super::trace::{self, Caller};
use super::wire::{RawRequest, RawResponse, WireError};
use super::worker::Worker;

/// Redirects followed, the default of .NET's client.
const REDIRECTS: usize = 50;

/// How an invocation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The handler answered well.
    Succeeded,
    /// It failed, or the handler went away.
    Failed,
    /// It ran into functionTimeout.
    TimedOut,
}

/// An invocation as the host remembers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The id that the handler sees.
    pub id: String,
    /// The function.
    pub function: String,
    /// What began it.
    pub cause: Cause,
    /// When it began.
    pub began: Timestamp,
    /// How it ended; `None` while it runs.
    pub outcome: Option<Outcome>,
    /// From begin to end; zero while it runs.
    pub duration: Duration,
}

/// A request to run a function.
pub(super) struct Call {
    pub(super) function: String,
    pub(super) cause: Cause,
    pub(super) retry: Option<Retry>,
    pub(super) caller: Option<Caller>,
    pub(super) input: Input,
}

/// What the function gets.
pub(super) enum Input {
    /// The JSON payload.
    Payload(Payload),
    /// The caller's own request; the invocation's headers are added.
    Forwarded(RawRequest),
    /// Nothing that could be bound; the handler is not asked.
    Unbindable(String),
}

/// The parts of a JSON payload.
#[derive(Clone)]
pub(super) struct Payload {
    pub(super) binding: String,
    pub(super) value: Value,
    pub(super) metadata: Metadata,
    /// Text whose members go over the metadata.
    pub(super) polluting: Option<String>,
}

/// What a successful invocation brings back.
pub(super) enum Reply {
    Answer(Answer),
    Forwarded(RawResponse),
}

/// Why an invocation failed: what an outer caller is told, and the log's text under it.
#[derive(Clone, Debug)]
pub(super) struct Failure {
    pub(super) message: String,
    cause: String,
}

/// What came of the work behind an invocation.
enum Work {
    Done(Reply),
    Failed(String),
    Hangs,
}

impl Core {
    /// Runs a function, again where its policy says so. Answers after the last try; after a time-out only when the
    /// handler was replaced, as the host does.
    pub(super) async fn invoke(self: &Arc<Self>, call: Call) -> Result<Reply, Failure> {
        let call = Arc::new(call);
        let _flight = self.flights.begin(call.cause);
        let mut last: Option<(String, Failure)> = None;
        let mut tries = 0;
        loop {
            let retry = call.retry.map(|retry| retry_context(&call.function, retry, tries, last.as_ref()));
            let id = self.ids.guid();
            let failure = match self.try_once(&call, &id, retry).await {
                Ok(reply) => return Ok(reply),
                Err(failure) => failure,
            };
            let Some(retry) = call.retry else { return Err(failure) };
            if tries == retry.count {
                let text = format!("Function execution failed after '{}' retries.\n{}", retry.count, failure.cause);
                self.logs.write(LogLevel::Error, format!("Function.{}", call.function), text);
                return Err(failure);
            }
            let doubled = retry.first_delay.saturating_mul(1_u32.checked_shl(tries).unwrap_or(u32::MAX));
            tokio::time::sleep(doubled.min(retry.last_delay)).await;
            tries += 1;
            last = Some((id, failure));
        }
    }

    async fn try_once(self: &Arc<Self>, call: &Arc<Call>, id: &str, retry: Option<Json>) -> Result<Reply, Failure> {
        let began = tokio::time::Instant::now();
        self.record_begin(id, call);
        let worker = self.worker();
        let (done, result) = tokio::sync::oneshot::channel();
        let work = self.clone().work(call.clone(), id.to_owned(), worker.clone(), retry);
        // A task of its own: the host goes on waiting and sending even when the invocation has timed out, and then
        // nobody listens any more.
        self.spawn(async move { drop(done.send(work.await)) });
        let finished = async {
            match result.await {
                Ok(Work::Hangs) => std::future::pending().await,
                Ok(Work::Done(reply)) => Ok(reply),
                Ok(Work::Failed(cause)) => Err(cause),
                Err(_) => Err("The host ended.".to_owned()),
            }
        };
        let work = match self.app.timeout {
            Some(timeout) => tokio::time::timeout(timeout, finished).await.map_err(|_| timeout),
            None => Ok(finished.await),
        };
        let duration = began.elapsed();
        match work {
            Ok(Ok(reply)) => {
                self.succeeded(call, id, duration, &reply);
                Ok(reply)
            }
            Ok(Err(cause)) => Err(self.failed(call, id, duration, &cause)),
            Err(timeout) => {
                let failure = self.timed_out(call, id, duration, timeout);
                tokio::time::sleep(TIMINGS.grace).await;
                worker.restart_after_timeout(id).await;
                Err(failure)
            }
        }
    }

    async fn work(self: Arc<Self>, call: Arc<Call>, id: String, worker: Arc<Worker>, retry: Option<Json>) -> Work {
        if let Input::Unbindable(reason) = &call.input {
            return Work::Failed(reason.clone());
        }
        // When the wait was too long the host still tries, and finds nobody.
        worker.ready().await;
        let mut request = self.request(&call, &id, &worker, retry);
        for _ in 0..REDIRECTS {
            let response = match worker.send(&request).await {
                Ok(response) => response,
                Err(error) => return Work::Failed(broken(error, worker.port())),
            };
            if matches!(call.input, Input::Forwarded(_)) {
                return Work::Done(Reply::Forwarded(response));
            }
            match answers::judge(&response) {
                Verdict::Done(answer) => return Work::Done(Reply::Answer(answer)),
                Verdict::Failed(cause) => return Work::Failed(cause),
                Verdict::Hangs => return Work::Hangs,
                Verdict::Redirected(method, place) => redirect(&mut request, method, &place),
            }
        }
        Work::Failed("System.Net.Http.HttpRequestException: too many redirects".to_owned())
    }

    fn succeeded(&self, call: &Call, id: &str, duration: Duration, reply: &Reply) {
        if let Reply::Answer(answer) = reply {
            for line in &answer.logs {
                self.logs.write(LogLevel::Information, format!("Function.{}.User", call.function), line.clone());
            }
        }
        self.executed(call, id, duration, LogLevel::Information, "Succeeded", "");
        self.record_end(id, Outcome::Succeeded, duration);
    }

    fn failed(&self, call: &Call, id: &str, duration: Duration, cause: &str) -> Failure {
        let message = format!("Exception while executing function: Functions.{}", call.function);
        let text = format!("Microsoft.Azure.WebJobs.Host.FunctionInvocationException: {message}\n ---> {cause}");
        self.executed(call, id, duration, LogLevel::Error, "Failed", &format!("\n{text}"));
        self.record_end(id, Outcome::Failed, duration);
        Failure { message, cause: text }
    }

    fn timed_out(&self, call: &Call, id: &str, duration: Duration, timeout: Duration) -> Failure {
        let (function, span) = (&call.function, dates::span(timeout));
        self.logs.write(
            LogLevel::Error,
            format!("Function.{function}"),
            format!(
                "Timeout value of {span} exceeded by function 'Functions.{function}' (Id: '{id}'). \
                 Initiating cancellation."
            ),
        );
        let message = format!("Timeout value of {span} was exceeded by function: Functions.{function}");
        let text = format!("Microsoft.Azure.WebJobs.Host.FunctionTimeoutException: {message}");
        self.executed(call, id, duration, LogLevel::Error, "Failed", &format!("\n{text}"));
        self.record_end(id, Outcome::TimedOut, duration);
        Failure { message, cause: text }
    }

    fn executed(&self, call: &Call, id: &str, duration: Duration, level: LogLevel, word: &str, more: &str) {
        let (function, ms) = (&call.function, duration.as_millis());
        let text = format!("Executed 'Functions.{function}' ({word}, Id={id}, Duration={ms}ms){more}");
        self.logs.write(level, format!("Function.{function}"), text);
    }

    /// The request to the handler. Its time is that of sending, not that of the trigger.
    fn request(&self, call: &Call, id: &str, worker: &Worker, retry: Option<Json>) -> RawRequest {
        let agent = format!("Azure-Functions-Host/{}", self.options.version);
        let payload = match &call.input {
            Input::Forwarded(request) => return self.forwarded(request, id, &agent),
            Input::Unbindable(_) => return RawRequest::default(),
            Input::Payload(payload) => payload,
        };
        let mut metadata = payload.metadata.clone();
        metadata.set_system(&call.function, self.options.clock.now(), &self.ids.guid());
        if let Some(text) = &payload.polluting {
            metadata.pollute(text);
        }
        if let Some(retry) = retry {
            metadata.set("RetryContext", Value::Object(retry));
        }
        let body = encoder::body(&payload.binding, &payload.value, &metadata);
        let mut request = RawRequest::new("POST", format!("/{}", call.function))
            .with("Host", format!("127.0.0.1:{}", worker.port()))
            .with("X-Azure-Functions-HostVersion", &*self.options.version)
            .with("X-Azure-Functions-InvocationId", id)
            .with("User-Agent", agent);
        if !self.options.core_tools {
            request = request.with("Transfer-Encoding", "chunked");
        }
        request.headers.extend(trace::headers(self.options.telemetry, call.caller.as_ref(), &self.ids));
        request = request.with("Content-Type", "application/json; charset=utf-8");
        if self.options.core_tools {
            request = request.with("Content-Length", body.len().to_string());
        }
        request.body = body.into();
        request
    }
}

/// The request that follows a redirect. Only places on the handler itself are followed.
fn redirect(request: &mut RawRequest, method: &str, place: &str) {
    let path = place.strip_prefix("http://").and_then(|rest| rest.find('/').map(|at| &rest[at..]));
    request.target = path.unwrap_or(place).to_owned();
    if method == "GET" {
        request.method = method.to_owned();
        request.body = bytes::Bytes::new();
        let framing = ["transfer-encoding", "content-type", "content-length"];
        request.headers.retain(|(name, _)| !framing.contains(&name.to_ascii_lowercase().as_str()));
    }
}

fn broken(error: WireError, port: u16) -> String {
    const OUTER: &str = "System.Net.Http.HttpRequestException: An error occurred while sending the request.";
    match error {
        WireError::Refused => format!(
            "System.Net.Http.HttpRequestException: Connection refused (127.0.0.1:{port})\n \
             ---> System.Net.Sockets.SocketException (111): Connection refused"
        ),
        WireError::Ended => format!("{OUTER}\n ---> System.Net.Http.HttpIOException: {error}"),
        WireError::Reset => format!("{OUTER}\n ---> System.IO.IOException: {error}"),
        WireError::BrokenBody => format!("System.Net.Http.HttpRequestException: {error}"),
        WireError::Invalid => format!("{OUTER}\n ---> System.Net.Http.HttpRequestException: {error}"),
    }
}

/// What a try is told about itself and the failure before it. The real host adds .NET's stack traces, which no
/// handler reads.
fn retry_context(function: &str, retry: Retry, tries: u32, last: Option<&(String, Failure)>) -> Json {
    let exception = last.map_or(Json::Null, |(id, failure)| {
        Json::object([
            ("InstanceId", Json::text(&**id)),
            ("MethodName", Json::Text(format!("Host.Functions.{function}"))),
            ("Handled", Json::Bool(false)),
            ("ClassName", Json::text("Microsoft.Azure.WebJobs.Host.FunctionInvocationException")),
            ("Message", Json::text(&*failure.message)),
        ])
    });
    Json::object([
        ("RetryCount", Json::Number(tries.to_string())),
        ("MaxRetryCount", Json::Number(retry.count.to_string())),
        ("Exception", exception),
        ("Instance", Json::Null),
        ("State", Json::Object(Vec::new())),
    ])
}
