//! The requests of one invocation: as a Functions host takes them from outside, or as it sends them to a handler.
//! It never sends a timer's state where the host would not pass it on.

use anyhow::{Context, Result, bail, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use http::Method;
use serde_json::{Value, json};

use crate::examples::Function;

/// Who takes a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Receiver {
    /// A Functions host.
    Host,
    /// A handler behind one.
    Handler,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Its method.
    pub method: Method,
    /// Its path and query, without a key.
    pub path: String,
    /// Headers beside the content type.
    headers: Vec<(&'static str, String)>,
    /// The key, where it goes into the query.
    code: Option<String>,
    /// The content type, where there is a body.
    content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

impl Request {
    fn post(path: String, body: &Value) -> Self {
        let (headers, code) = (Vec::new(), None);
        Self {
            method: Method::POST,
            path,
            headers,
            code,
            content_type: "application/json",
            body: body.to_string().into(),
        }
    }

    fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// The request to a host or handler at this URL.
    pub fn to(&self, client: &reqwest::Client, base: &str) -> Result<reqwest::RequestBuilder> {
        let url = format!("{}{}", base.trim_end_matches('/'), self.path);
        let mut url = reqwest::Url::parse(&url).with_context(|| format!("{base} is not a URL"))?;
        if let Some(code) = &self.code {
            url.query_pairs_mut().append_pair("code", code);
        }
        let mut request = client.request(self.method.clone(), url);
        for (name, value) in &self.headers {
            request = request.header(*name, value);
        }
        if !self.body.is_empty() {
            request = request.header(http::header::CONTENT_TYPE, self.content_type).body(self.body.clone());
        }
        Ok(request)
    }
}

/// What must be sent so that a function gets this data from its trigger.
pub fn requests(function: Function, data: &[u8], receiver: Receiver, key: Option<&str>) -> Result<Vec<Request>> {
    match function {
        Function::VmWritten | Function::VmDeleted | Function::RegionHealthChanged => {
            events(function, data, receiver, key)
        }
        Function::Reconcile | Function::SagaWoken | Function::Command => {
            message(function, data, receiver, key).map(|request| vec![request])
        }
        Function::RegionAlert => posted(data, receiver, key).map(|request| vec![request]),
        Function::PolicySweep | Function::ExpirySweep | Function::HealthPoll | Function::ReadinessSweep => {
            timer(function, data, receiver, key).map(|request| vec![request])
        }
        Function::Api => forwarded(data, receiver, key).map(|request| vec![request]),
    }
}

/// The webhook takes what it is given, so that nonsense can be sent too; a handler gets one event at a time.
fn events(function: Function, data: &[u8], receiver: Receiver, key: Option<&str>) -> Result<Vec<Request>> {
    if receiver == Receiver::Host {
        let path = format!("/runtime/webhooks/eventgrid?functionName={}", function.name());
        let mut request = Request::post(path, &Value::Null).header("aeg-event-type", "Notification");
        request.body = data.to_vec();
        request.code = key.map(str::to_owned);
        return Ok(vec![request]);
    }
    let events = match serde_json::from_slice(data).context("the data is not JSON")? {
        Value::Array(events) => events,
        event => vec![event],
    };
    let envelope = |event: &Value| json!({ "Data": { "event": event }, "Metadata": { "data": event["data"] } });
    Ok(events.iter().map(|event| Request::post(format!("/{}", function.name()), &envelope(event))).collect())
}

fn message(function: Function, data: &[u8], receiver: Receiver, key: Option<&str>) -> Result<Request> {
    Ok(match receiver {
        Receiver::Handler => {
            let metadata = json!({ "DeliveryCount": "1" });
            Request::post(
                format!("/{}", function.name()),
                &json!({ "Data": { "msg": BASE64.encode(data) }, "Metadata": metadata }),
            )
        }
        Receiver::Host => {
            let text = std::str::from_utf8(data)
                .context("the admin API of the host takes text only; the data is not UTF-8")?;
            admin(function, text, key)
        }
    })
}

/// The host's admin API fires a timer, and passes no state on.
fn timer(function: Function, data: &[u8], receiver: Receiver, key: Option<&str>) -> Result<Request> {
    let state: Value = serde_json::from_slice(data).context("the data is not JSON")?;
    if receiver == Receiver::Handler {
        return Ok(Request::post(
            format!("/{}", function.name()),
            &json!({ "Data": { "timer": state }, "Metadata": {} }),
        ));
    }
    ensure!(
        state["IsPastDue"] != Value::Bool(true),
        "a host that is asked to fire a timer always says that it is not past due; send this to a handler with --direct"
    );
    Ok(admin(function, "", key))
}

fn admin(function: Function, input: &str, key: Option<&str>) -> Request {
    let request = Request::post(format!("/admin/functions/{}", function.name()), &json!({ "input": input }));
    match key {
        Some(key) => request.header("x-functions-key", key),
        None => request,
    }
}

/// A body as an action group posts it, forwarded as it came.
fn posted(data: &[u8], receiver: Receiver, key: Option<&str>) -> Result<Request> {
    let mut request = Request::post(format!("/api/{}", Function::RegionAlert.name()), &Value::Null);
    request.body = data.to_vec();
    Ok(match (receiver, key) {
        (Receiver::Host, Some(key)) => request.header("x-functions-key", key),
        _ => request,
    })
}

fn forwarded(data: &[u8], receiver: Receiver, key: Option<&str>) -> Result<Request> {
    let line = std::str::from_utf8(data).ok().and_then(|text| text.lines().next()).unwrap_or_default();
    let Some(("GET", path)) = line.trim().split_once(' ') else {
        bail!("the data must be a line like `GET /api/status`");
    };
    ensure!(path.starts_with('/'), "the path must begin with a slash, as in `GET /api/status`");
    let mut request = Request::post(path.to_owned(), &Value::Null).header("accept", "application/json");
    request.method = Method::GET;
    request.body = Vec::new();
    Ok(match (receiver, key) {
        (Receiver::Host, Some(key)) => request.header("x-functions-key", key),
        _ => request,
    })
}
