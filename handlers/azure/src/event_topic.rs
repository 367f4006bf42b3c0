//! Publishes CloudEvents to an Event Grid custom topic, in batches.
//!
//! It never says that a batch was accepted when it is not known, and never looks into an event.
//!
//! `POST {endpoint}/api/events?api-version=2018-01-01` (entries `topic-publish`, `topic-content-type`, `topic-size`).

use crate::{
    access::{Access, Random, TraceParent, WallClock},
    arm::USER_AGENT,
    bearer::Bearer,
    error::{Error, ErrorKind},
    retry::{self, Attempts, Repeat},
    transport::{Guarded, Latest},
};
use azure_core::http::{Method, Request, Url, headers};
use bytes::{BufMut as _, Bytes, BytesMut};
use std::{fmt, sync::Arc};

/// The largest batch, in bytes: a tenth below what Event Grid takes, which is 1 MB however it counts (entry `topic-size`).
pub const BATCH_BYTES_MAX: usize = 900_000;

/// The name of this operation.
const OPERATION: &str = "event topic publish";
/// Where a topic takes events.
const PATH: &str = "/api/events";
/// The pinned version.
const API_VERSION: &str = "2018-01-01";
/// What a batch of CloudEvents is.
const CONTENT_TYPE: &str = "application/cloudevents-batch+json; charset=utf-8";
/// The audience of the topic's tokens. *Assumed* (entry `topic-scope`).
const SCOPE: &str = "https://eventgrid.azure.net/.default";

/// A custom topic. Clones share the token.
#[derive(Clone)]
pub struct Topic {
    url: Url,
    guarded: Guarded,
    bearer: Arc<Bearer>,
    now: WallClock,
    random: Random,
    traceparent: Option<TraceParent>,
}

impl Topic {
    /// A topic by its endpoint, for example `https://lb.westeurope-1.eventgrid.azure.net/api/events`; the path may be left out.
    /// Nothing is sent.
    pub fn new(endpoint: Url, access: &Access) -> Result<Self, Error> {
        if endpoint.cannot_be_a_base() || endpoint.host().is_none() {
            return Err(Error::new(ErrorKind::Refused, "the address of the event topic"));
        }
        let mut url = endpoint;
        if url.path().trim_end_matches('/').is_empty() {
            url.set_path(PATH);
        }
        url.set_query(Some(&format!("api-version={API_VERSION}")));
        Ok(Self {
            url,
            guarded: Guarded::new(Arc::clone(&access.transport)),
            bearer: Arc::new(Bearer::new(access, SCOPE)),
            now: Arc::clone(&access.now),
            random: access.random.clone(),
            traceparent: access.traceparent,
        })
    }

    /// Publishes events, each a CloudEvent as JSON, as one batch: see [`fit`]. A repeat is safe: whoever hears an event twice knows it
    /// by its id.
    pub async fn publish(&self, events: &[Bytes]) -> Result<(), Error> {
        let body = array(events);
        if body.len() > BATCH_BYTES_MAX {
            return Err(Error::new(ErrorKind::Limit, OPERATION));
        }
        let mut attempts = Attempts::new(Repeat::Safe, None::<Latest>);
        loop {
            match self.attempt(&body).await {
                Ok(()) => return Ok(()),
                Err(error) => attempts.again(error, &self.random).await?,
            }
        }
    }

    /// Sends once; again with another token where the first is refused.
    async fn attempt(&self, body: &Bytes) -> Result<(), Error> {
        let mut renewed = false;
        loop {
            let token = self.bearer.token(OPERATION).await?;
            let mut request = Request::new(self.url.clone(), Method::Post);
            request.insert_header(headers::USER_AGENT, USER_AGENT);
            request.insert_header(headers::AUTHORIZATION, token.header());
            request.insert_header(headers::CONTENT_TYPE, CONTENT_TYPE);
            if let Some(trace) = self.traceparent.and_then(|hook| hook()) {
                request.insert_header("traceparent", trace);
            }
            request.set_body(body.clone());
            let answer = self.guarded.send(&request, None).await;
            let answer = answer.map_err(|failure| Error::from_failure(OPERATION, failure))?;
            if answer.is_success() {
                return Ok(());
            }
            if answer.status == 401 && !renewed {
                renewed = true;
                self.bearer.refused(&token).await;
                continue;
            }
            return Err(Error::from_answer(OPERATION, &answer, retry::retry_after(&answer, (self.now)())));
        }
    }
}

/// How many of these events, from the first on, fit into one batch; one that fits into none counts as one, and is refused.
pub fn fit(events: &[Bytes]) -> usize {
    // Brackets and commas.
    let mut bytes = 1;
    let fitting = events.iter().take_while(|event| {
        bytes += event.len() + 1;
        bytes <= BATCH_BYTES_MAX
    });
    fitting.count().max(usize::from(!events.is_empty()))
}

fn array(events: &[Bytes]) -> Bytes {
    let mut body = BytesMut::with_capacity(events.iter().map(Bytes::len).sum::<usize>() + events.len() + 1);
    body.put_u8(b'[');
    for (at, event) in events.iter().enumerate() {
        if at > 0 {
            body.put_u8(b',');
        }
        body.put_slice(event);
    }
    body.put_u8(b']');
    body.freeze()
}

impl fmt::Debug for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Topic").field("host", &self.url.host_str()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Reply, Scripted};
    use serde_json::json;

    fn topic(base: &str, replies: impl IntoIterator<Item = Reply>) -> (Topic, Arc<Scripted>) {
        let scripted = Scripted::new(replies);
        let access = scripted.access().with_traceparent(|| Some("00-1-2-01".to_owned()));
        (Topic::new(base.parse().expect("a URL"), &access).expect("a topic"), scripted)
    }

    fn events(count: usize) -> Vec<Bytes> {
        (0..count).map(|n| Bytes::from(json!({ "id": n.to_string() }).to_string())).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_goes_out_as_event_grid_documents_it() {
        for (base, expected) in [
            (
                "https://t.weu-1.eventgrid.azure.net",
                "https://t.weu-1.eventgrid.azure.net/api/events?api-version=2018-01-01",
            ),
            (
                "https://t.weu-1.eventgrid.azure.net/api/events",
                "https://t.weu-1.eventgrid.azure.net/api/events?api-version=2018-01-01",
            ),
            ("http://127.0.0.1:1235/", "http://127.0.0.1:1235/api/events?api-version=2018-01-01"),
        ] {
            let (topic, scripted) = topic(base, [Reply::text(200, "")]);
            topic.publish(&events(2)).await.expect("accepted");
            let asked = &scripted.asked()[0];
            assert_eq!((asked.method.as_str(), asked.url.as_str()), ("POST", expected));
            assert_eq!(asked.header("content-type"), CONTENT_TYPE);
            assert_eq!((asked.header("authorization"), asked.header("traceparent")), ("Bearer token-1", "00-1-2-01"));
            assert_eq!(asked.json(), json!([{ "id": "0" }, { "id": "1" }]));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_token_is_renewed_once_and_a_fault_that_passes_is_waited_out() {
        let throttled = Reply::text(429, "{}").with("retry-after", "1");
        let (topic, scripted) =
            topic("https://t", [Reply::text(401, ""), Reply::Broken, throttled, Reply::text(200, "")]);
        topic.publish(&events(1)).await.expect("accepted");
        assert_eq!(scripted.asked().last().expect("asked").header("authorization"), "Bearer token-2");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_is_told_by_its_kind_and_not_repeated() {
        for (status, kind) in [(400, ErrorKind::Refused), (403, ErrorKind::Forbidden), (413, ErrorKind::Refused)] {
            let (topic, scripted) = topic("https://t", [Reply::text(status, "")]);
            assert_eq!(topic.publish(&events(1)).await.expect_err("refused").kind, kind);
            assert_eq!(scripted.count(), 1);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_never_exceeds_its_bound() {
        let large = vec![Bytes::from(vec![b'1'; 400_000]); 3];
        assert_eq!((fit(&large), fit(&large[..1]), fit(&[])), (2, 1, 0));
        assert!(array(&large[..2]).len() <= BATCH_BYTES_MAX);
        assert_eq!(fit(&[Bytes::from(vec![b'1'; BATCH_BYTES_MAX])]), 1);
        let (topic, scripted) = topic("https://t", []);
        assert_eq!(topic.publish(&large).await.expect_err("too large").kind, ErrorKind::Limit);
        assert_eq!(scripted.count(), 0);
        assert_eq!(array(&events(2)), Bytes::from_static(b"[{\"id\":\"0\"},{\"id\":\"1\"}]"));
    }
}
