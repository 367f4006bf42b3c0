//! Requests to the host: which of its faces they mean, which function, and how the answer goes back.
//! It never runs a function whose key does not fit.

use std::sync::Arc;

use super::core::{Core, HostState, lock};
use super::definitions::{Function, Level, Trigger};
use super::flights::Cause;
use super::http_json;
use super::invoke::{Call, Input, Reply};
use super::kestrel;
use super::keys::Access;
use super::options::Telemetry;
use super::routes::{self, Match};
use super::target::Target;
use super::trace::{self, Caller};
use super::wire::{RawRequest, RawResponse};
use crate::azure::blobs::wire::http_date;

/// Headers of a body: the client library keeps them apart, and forwarding drops them but for type and length.
const BODY_HEADERS: [&str; 11] = [
    "allow",
    "content-disposition",
    "content-encoding",
    "content-language",
    "content-length",
    "content-location",
    "content-md5",
    "content-range",
    "content-type",
    "expires",
    "last-modified",
];
/// Methods whose requests go without a Content-Length when there is no body.
const BARE_METHODS: [&str; 5] = ["GET", "HEAD", "CONNECT", "OPTIONS", "DELETE"];

impl Core {
    /// Answers a request; `None` when the host does not listen any more.
    pub(super) async fn call(self: &Arc<Self>, request: &RawRequest) -> Option<RawResponse> {
        if *self.state.borrow() != HostState::Running {
            return None;
        }
        let mut request = request.clone();
        kestrel::order_request(&mut request.headers);
        let target = Target::parse(&request.target);
        let mut response = self.answer(&request, &target).await;
        let head = request.method == "HEAD";
        let unframed = response.header("transfer-encoding").is_none() && response.header("content-length").is_none();
        if unframed && response.status != 204 {
            let length = if head { 0 } else { response.body.len() };
            response.headers.push(("Content-Length".to_owned(), length.to_string()));
        }
        if response.header("date").is_none() {
            response.headers.push(("Date".to_owned(), http_date(self.options.clock.now())));
        }
        if response.header("server").is_none() {
            response.headers.push(("Server".to_owned(), "Kestrel".to_owned()));
        }
        if self.options.telemetry == Telemetry::AppInsights {
            response.headers.push(("Request-Context".to_owned(), "appId=".to_owned()));
        }
        kestrel::order_response(&mut response.headers);
        Some(response)
    }

    async fn answer(self: &Arc<Self>, request: &RawRequest, target: &Target) -> RawResponse {
        let parts: Vec<&str> = target.path.trim_start_matches('/').split('/').collect();
        let is = |place: usize, word: &str| parts.get(place).is_some_and(|part| part.eq_ignore_ascii_case(word));
        if is(0, "admin") {
            return self.admin(request, target, &parts[1..]).await;
        }
        if is(0, "runtime") && is(1, "webhooks") && parts.len() == 3 {
            return self.webhook(request, target, parts[2]).await;
        }
        if target.path == "/" {
            let page = "<!DOCTYPE html>\n<html><head><title>Your Azure Function App</title></head></html>";
            return RawResponse::new(200).with("Content-Type", "text/html").with_body(page);
        }
        self.function(request, target).await
    }

    /// The level of the caller's key.
    pub(super) fn access(&self, request: &RawRequest, target: &Target) -> Access {
        lock(&self.keys).access(request, target.query_value("code").as_deref())
    }

    async fn webhook(self: &Arc<Self>, request: &RawRequest, target: &Target, extension: &str) -> RawResponse {
        let access = self.access(request, target);
        if access == Access::Nobody {
            return RawResponse::new(401).with("WWW-Authenticate", "Bearer");
        }
        if !access.opens_webhook(extension) {
            return RawResponse::new(403);
        }
        if !extension.eq_ignore_ascii_case("eventgrid") {
            return RawResponse::new(404);
        }
        let name = target.query_value("functionName").unwrap_or_default();
        self.event_grid(request, &name).await
    }

    async fn function(self: &Arc<Self>, request: &RawRequest, target: &Target) -> RawResponse {
        let Some(Match { function, parameters }) = routes::find(&self.app, &request.method, &target.path) else {
            return RawResponse::new(404);
        };
        let Ok(Trigger::Http { binding, level, http_output, .. }) = &function.trigger else {
            return RawResponse::new(404);
        };
        let open = match (level, self.access(request, target)) {
            (Level::Anonymous, _) | (_, Access::Admin) | (Level::Function, Access::Function) => true,
            (Level::Function | Level::Admin, _) => false,
        };
        if !open {
            return RawResponse::new(401);
        }
        let forwards = self.app.forwards_http && is_in_and_out(function);
        let input = match (forwards, request.is_chunked()) {
            (true, false) => Input::Forwarded(RawRequest { target: target.forwarded(), ..request.clone() }),
            (true, true) => Input::Unbindable(
                "System.Net.Http.HttpRequestException: An error occurred while sending the request.\n \
                 ---> System.InvalidOperationException: 'Transfer-Encoding: chunked' header can not be used \
                 when content object is not specified."
                    .to_owned(),
            ),
            (false, _) => {
                let authority = request.header("host").unwrap_or(&self.options.authority).to_owned();
                Input::Payload(http_json::payload(binding, request, target, &authority, &parameters))
            }
        };
        let call = Call {
            function: function.name.clone(),
            cause: Cause::Http,
            retry: function.retry,
            caller: Some(Caller::of(request)),
            input,
        };
        match self.invoke(call).await {
            Ok(Reply::Forwarded(response)) => returned(response),
            Ok(Reply::Answer(answer)) => http_json::response(&answer, http_output.as_deref()),
            Err(_) => RawResponse::new(500),
        }
    }

    /// The caller's request with the invocation's headers, in the order of the client library.
    pub(super) fn forwarded(&self, request: &RawRequest, id: &str, agent: &str) -> RawRequest {
        let caller = Caller::of(request);
        let telemetry = self.options.telemetry;
        let replaces = telemetry == Telemetry::OpenTelemetry && caller.has_trace();
        let adds = replaces || (telemetry != Telemetry::None && !caller.has_trace());
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in &request.headers {
            let lower = name.to_ascii_lowercase();
            let is_trace = matches!(lower.as_str(), "traceparent" | "tracestate" | "baggage");
            if BODY_HEADERS.contains(&lower.as_str()) || (replaces && is_trace) {
                continue;
            }
            match headers.iter_mut().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((_, known)) => *known = format!("{known}, {value}"),
                None => headers.push((name.clone(), value.clone())),
            }
        }
        let mut append = |name: &str, value: &str, between: &str| match headers
            .iter_mut()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
        {
            Some((_, known)) => *known = format!("{known}{between}{value}"),
            None => headers.push((name.to_owned(), value.to_owned())),
        };
        append("X-Azure-Functions-HostVersion", &self.options.version, ", ");
        append("X-Azure-Functions-InvocationId", id, ", ");
        append("User-Agent", agent, " ");
        if adds {
            headers.extend(trace::headers(telemetry, Some(&caller), &self.ids));
        }
        let bare = BARE_METHODS.iter().any(|method| request.method.eq_ignore_ascii_case(method));
        if !request.body.is_empty() {
            headers.push(("Content-Length".to_owned(), request.body.len().to_string()));
            if let Some(kind) = request.header("content-type") {
                headers.push(("Content-Type".to_owned(), kind.to_owned()));
            }
        } else if !bare {
            headers.push(("Content-Length".to_owned(), "0".to_owned()));
        }
        RawRequest { headers, ..request.clone() }
    }
}

/// Exactly an HTTP trigger and an HTTP output: only such functions are forwarded.
fn is_in_and_out(function: &Function) -> bool {
    let bindings = match function.config.get_any_case("bindings") {
        Some(super::json::Json::List(bindings)) => bindings.len(),
        _ => 0,
    };
    bindings == 2 && matches!(&function.trigger, Ok(Trigger::Http { http_output: Some(_), .. }))
}

/// The handler's answer as the caller gets it: buffered whole, so with a length of its own.
fn returned(mut response: RawResponse) -> RawResponse {
    let framing = ["transfer-encoding", "content-length"];
    response.headers.retain(|(name, _)| !framing.contains(&name.to_ascii_lowercase().as_str()));
    response
}
