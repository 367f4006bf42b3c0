//! Delivers one event to one subscriber: attempts, waits and the end of it.
//! It never tries again what was refused for good, nor longer than the event lives.
//!
//! ```text
//! attempt ── 200..204 ► delivered
//!    ▲    ── 400, 401, 413 ► given up
//!    │    ── else, or no answer within 30 s
//!    └── 10 s, 30 s, 1 m, 5 m, 10 m, 30 m, 1 h, 3 h, 6 h, then every 12 h; 30 attempts or a day ► given up
//! ```

use std::time::Duration;

use axum::body::Body;
use http::{HeaderMap, HeaderValue, Method, Request};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tower::ServiceExt;

use super::payload::{EventSchema, Raised};
use super::{EventGrid, EventSubscription, EventTarget, LATENCY_MS, RECORDS_KEPT};

/// Waits between attempts, in seconds (documented); the service also randomises them, which is left out here.
const WAITS_SECONDS: [i64; 9] = [10, 30, 60, 300, 600, 1_800, 3_600, 10_800, 21_600];
/// The wait after those, in seconds (documented).
const LAST_WAIT_SECONDS: i64 = 43_200;
/// How long the subscriber has to answer (documented).
const ANSWER_WITHIN: Duration = Duration::from_secs(30);
/// How long an event is held to be overtaken, so that the last one is not held for ever.
const HELD_AT_MOST: Duration = Duration::from_secs(60);

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DeliveryOutcome {
    /// Taken.
    Delivered,
    /// Will be tried again.
    WillRetry,
    /// Never tried again.
    GivenUp,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeliveryRecord {
    /// The event.
    pub event_id: String,
    /// What was done, as `Microsoft.Compute/virtualMachines/write`.
    pub operation_name: String,
    /// The resource.
    pub subject: String,
    /// The event subscription.
    pub subscription: String,
    /// Which of several copies, from 0.
    pub copy: u32,
    /// Which attempt, from 0.
    pub attempt: u32,
    /// When it was made.
    pub at: Timestamp,
    /// The answer; none when there was no answer.
    pub status: Option<u16>,
    /// How it ended.
    pub outcome: DeliveryOutcome,
}

struct Delivery {
    event: Raised,
    to: EventSubscription,
    copy: u32,
    held: bool,
    first_at: Timestamp,
}

impl EventGrid {
    /// Begins to deliver copies of an event to all who want it.
    pub(super) fn start(&self, event: &Raised, copies: u32, delay: SignedDuration, held: bool) {
        let wanted: Vec<EventSubscription> =
            self.grid().subscriptions.iter().filter(|one| one.wants(event)).cloned().collect();
        let first_at = [SignedDuration::from_millis(LATENCY_MS), delay]
            .into_iter()
            .try_fold(self.clock.now(), |at, wait| at.checked_add(wait))
            .unwrap_or(Timestamp::MAX);
        for to in wanted {
            for copy in 0..copies {
                let delivery = Delivery { event: event.clone(), to: to.clone(), copy, held, first_at };
                self.grid().under_way += 1;
                let grid = self.clone();
                tokio::spawn(async move {
                    grid.deliver(delivery).await;
                    grid.grid().under_way -= 1;
                    grid.delivered.notify_waiters();
                });
            }
        }
    }

    async fn deliver(&self, delivery: Delivery) {
        if delivery.held {
            // No matter whether it was overtaken or the time is over: now it goes.
            let _ = tokio::time::timeout(HELD_AT_MOST, self.passed.notified()).await;
        }
        let mut at = delivery.first_at;
        let gives_up = delivery.first_at.checked_add(delivery.to.time_to_live).unwrap_or(Timestamp::MAX);
        for attempt in 0.. {
            self.wait_until(at).await;
            let made = self.clock.now();
            let status = self.attempt(&delivery, attempt).await;
            let next = self.clock.now().checked_add(wait_after(attempt, status)).unwrap_or(Timestamp::MAX);
            let last = attempt + 1 >= delivery.to.max_attempts || next > gives_up;
            let outcome = match status {
                Some(200..=204) => DeliveryOutcome::Delivered,
                Some(400 | 401 | 413) => DeliveryOutcome::GivenUp,
                _ if last => DeliveryOutcome::GivenUp,
                _ => DeliveryOutcome::WillRetry,
            };
            self.record(&delivery, attempt, made, status, outcome);
            if outcome != DeliveryOutcome::WillRetry {
                break;
            }
            at = next;
        }
        if !delivery.held {
            self.passed.notify_waiters();
        }
    }

    async fn wait_until(&self, at: Timestamp) {
        loop {
            let jumped = self.jumped.notified();
            tokio::select! {
                () = self.clock.sleep_until(at) => return,
                () = jumped => {}
            }
        }
    }

    async fn attempt(&self, delivery: &Delivery, attempt: u32) -> Option<u16> {
        let event = delivery.event.json(delivery.to.schema, &self.tenant);
        let body = match delivery.to.schema {
            EventSchema::EventGridSchema => json!([event]).to_string(),
            // *Assumed* (`eventgrid-structured`): one event in structured mode, not an array.
            EventSchema::CloudEventSchemaV1_0 => event.to_string(),
        };
        let headers = headers(&delivery.to, attempt);
        let answer = async {
            match &delivery.to.target {
                EventTarget::Url(url) => self.post(url, headers, body).await,
                EventTarget::InProcess(router, path) => {
                    let mut request = Request::builder().method(Method::POST).uri(path).body(Body::from(body)).ok()?;
                    *request.headers_mut() = headers;
                    router.clone().oneshot(request).await.ok().map(|response| response.status().as_u16())
                }
            }
        };
        tokio::time::timeout(ANSWER_WITHIN, answer).await.ok().flatten()
    }

    async fn post(&self, url: &str, headers: HeaderMap, body: String) -> Option<u16> {
        let client = self.http_client()?;
        client.post(url).headers(headers).body(body).send().await.ok().map(|response| response.status().as_u16())
    }

    fn http_client(&self) -> Option<reqwest::Client> {
        let mut grid = self.grid();
        if grid.http.is_none() {
            // Somebody else in the process may have chosen a provider first; theirs is as good.
            let _ = rustls::crypto::ring::default_provider().install_default();
            grid.http = reqwest::Client::builder().build().ok();
        }
        grid.http.clone()
    }

    fn record(&self, delivery: &Delivery, attempt: u32, at: Timestamp, status: Option<u16>, outcome: DeliveryOutcome) {
        let mut grid = self.grid();
        if grid.records.len() >= RECORDS_KEPT {
            grid.records.pop_front();
        }
        grid.records.push_back(DeliveryRecord {
            event_id: delivery.event.id.clone(),
            operation_name: delivery.event.operation_name.clone(),
            subject: delivery.event.subject(),
            subscription: delivery.to.name.clone(),
            copy: delivery.copy,
            attempt,
            at,
            status,
            outcome,
        });
    }
}

fn headers(to: &EventSubscription, attempt: u32) -> HeaderMap {
    let content = match to.schema {
        EventSchema::EventGridSchema => "application/json; charset=utf-8",
        EventSchema::CloudEventSchemaV1_0 => "application/cloudevents+json; charset=utf-8",
    };
    let mut headers = HeaderMap::new();
    let mut add = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    add("content-type", content);
    add("aeg-event-type", "Notification");
    add("aeg-subscription-name", &to.name.to_uppercase());
    add("aeg-delivery-count", &attempt.to_string());
    add("aeg-data-version", "2");
    add("aeg-metadata-version", "1");
    headers
}

/// The wait after an attempt: the schedule's, and never less than what the answer's status asks for (documented).
fn wait_after(attempt: u32, status: Option<u16>) -> SignedDuration {
    let scheduled = WAITS_SECONDS.get(attempt as usize).copied().unwrap_or(LAST_WAIT_SECONDS);
    let least = match status {
        Some(403 | 404) => 300,
        Some(408) => 120,
        Some(503) => 30,
        _ => 10,
    };
    SignedDuration::from_secs(scheduled.max(least))
}
