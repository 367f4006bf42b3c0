//! Stands between the handler and the simulated Azure: numbers and remembers every call, and can stop the handler at one.
//! It never changes a request or an answer; a call at which the handler dies is never answered.

use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::headers::HeaderName;
use azure_core::http::{AsyncRawResponse, Body, HttpClient, Request};
use jiff::Timestamp;
use lifeboat_simulator::clock::Clock;
use serde_json::Value;

/// Which service a call goes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Azure Resource Manager, Resource Graph included.
    Arm,
    /// The store.
    Blobs,
    /// The queue, and the topic that events are published to.
    Bus,
    /// The endpoint that gives tokens.
    Identity,
}

/// What becomes of the handler at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It lives.
    Live,
    /// It dies before the request leaves.
    DieBefore,
    /// It dies after the request was carried out, before it hears so.
    DieAfter,
    /// It lives, and hears the answer later by so many seconds.
    Slow(u32),
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// From 0, over all handlers of a rig.
    pub number: usize,
    /// When it was made.
    pub at: Timestamp,
    /// Where to.
    pub service: Service,
    /// HTTP method.
    pub method: String,
    /// Path, as it was sent.
    pub path: String,
    /// Query, as it was sent.
    pub query: String,
    /// When a message that it sends is to be seen.
    pub scheduled: Option<Timestamp>,
    /// The message that it sends.
    pub sent: Option<Value>,
    /// What it was answered; `None` when no answer came (yet).
    pub status: Option<u16>,
    /// The code of a refusal of ARM.
    pub refusal: Option<String>,
}

/// Says what becomes of the handler at this call.
pub type Decide = Box<dyn FnMut(&Call) -> Fate + Send>;

/// What all taps of a rig share.
#[derive(Clone)]
pub struct Wire {
    clock: Clock,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    calls: Vec<Call>,
    decide: Option<Decide>,
    die: Option<Arc<dyn Fn() + Send + Sync>>,
    deaths: usize,
}

/// The transport of one handler.
pub struct Tap {
    inner: Arc<dyn HttpClient>,
    wire: Wire,
}

impl Wire {
    /// Nothing has been called.
    pub fn new(clock: Clock) -> Self {
        Self { clock, state: Arc::default() }
    }

    /// A transport over another one.
    pub fn tap(&self, inner: Arc<dyn HttpClient>) -> Arc<Tap> {
        Arc::new(Tap { inner, wire: self.clone() })
    }

    /// How the handler is killed.
    pub fn kills_by(&self, die: Arc<dyn Fn() + Send + Sync>) {
        self.state().die = Some(die);
    }

    /// Decides about calls from now on.
    pub fn decide(&self, decide: Decide) {
        self.state().decide = Some(decide);
    }

    /// Lets the handler live from now on.
    pub fn stop_deciding(&self) {
        self.state().decide = None;
    }

    /// All calls so far.
    pub fn calls(&self) -> Vec<Call> {
        self.state().calls.clone()
    }

    /// Calls from this number on.
    pub fn calls_from(&self, number: usize) -> Vec<Call> {
        self.state().calls.get(number..).unwrap_or_default().to_vec()
    }

    /// How many calls there were.
    pub fn count(&self) -> usize {
        self.state().calls.len()
    }

    /// How many calls were refused, failed or not answered, missing things apart.
    pub fn wrong(&self) -> usize {
        self.state().calls.iter().filter(|call| call.status.is_none_or(|status| status >= 429)).count()
    }

    /// How often the handler died at a call.
    pub fn deaths(&self) -> usize {
        self.state().deaths
    }

    fn begin(&self, request: &Request) -> (usize, Fate) {
        let at = self.clock.now();
        let mut state = self.state();
        let url = request.url();
        let call = Call {
            number: state.calls.len(),
            at,
            service: service(url.host_str().unwrap_or_default()),
            method: request.method().to_string(),
            path: url.path().to_owned(),
            query: url.query().unwrap_or_default().to_owned(),
            scheduled: scheduled(request),
            sent: sent(request),
            status: None,
            refusal: None,
        };
        let fate = state.decide.as_mut().map_or(Fate::Live, |decide| decide(&call));
        let number = call.number;
        state.calls.push(call);
        (number, fate)
    }

    fn end(&self, number: usize, status: u16, refusal: Option<String>) {
        if let Some(call) = self.state().calls.get_mut(number) {
            (call.status, call.refusal) = (Some(status), refusal);
        }
    }

    fn die(&self) {
        let die = {
            let mut state = self.state();
            state.deaths += 1;
            state.die.clone()
        };
        if let Some(die) = die {
            die();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl HttpClient for Tap {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let (number, fate) = self.wire.begin(request);
        if fate == Fate::DieBefore {
            self.wire.die();
            return pending().await;
        }
        let answer = match self.inner.execute_request(request).await {
            Ok(answer) => {
                let (status, headers, body) = answer.deconstruct();
                let body = body.collect().await?;
                let refused = u16::from(status) >= 400;
                self.wire.end(number, u16::from(status), refused.then(|| code(&body)).flatten());
                Ok(AsyncRawResponse::from_bytes(status, headers, body))
            }
            Err(error) => Err(error),
        };
        match fate {
            Fate::Live | Fate::DieBefore => {}
            Fate::DieAfter => {
                self.wire.die();
                return pending().await;
            }
            Fate::Slow(seconds) => tokio::time::sleep(Duration::from_secs(seconds.into())).await,
        }
        answer
    }
}

impl fmt::Debug for Tap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tap").finish_non_exhaustive()
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire").field("calls", &self.count()).finish_non_exhaustive()
    }
}

impl Call {
    /// Whether it asks for a change: of ARM, of the store or of the queue.
    pub fn writes(&self) -> bool {
        match self.service {
            Service::Arm => self.method != "GET" && !self.path.to_ascii_lowercase().contains("resourcegraph"),
            Service::Blobs => self.method != "GET" && self.method != "HEAD",
            Service::Bus => true,
            Service::Identity => false,
        }
    }
}

fn service(host: &str) -> Service {
    if host.contains(".blob.") {
        Service::Blobs
    } else if host.contains(".servicebus.") || host.ends_with(".eventgrid.azure.net") {
        Service::Bus
    } else if host.starts_with("management.") {
        Service::Arm
    } else {
        Service::Identity
    }
}

fn code(body: &[u8]) -> Option<String> {
    let said: Value = serde_json::from_slice(body).ok()?;
    Some(said.pointer("/error/code")?.as_str()?.to_owned())
}

fn sent(request: &Request) -> Option<Value> {
    let (Body::Bytes(bytes), "servicebus") = (request.body(), request.url().host_str()?.split('.').nth(1)?) else {
        return None;
    };
    serde_json::from_slice(bytes).ok()
}

fn scheduled(request: &Request) -> Option<Timestamp> {
    let properties = request.headers().get_optional_str(&HeaderName::from_static("brokerproperties"))?;
    let properties: Value = serde_json::from_str(properties).ok()?;
    let text = properties.get("ScheduledEnqueueTimeUtc")?.as_str()?;
    text.parse().ok().or_else(|| jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text).ok())
}
