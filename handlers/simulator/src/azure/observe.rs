//! Shows every answered call to whoever asked to see them: what came in, what went out.
//! It never changes a call or an answer, never shows a token, and does nothing at all while nobody looks.
//!
//! A connection that breaks and a call that is never answered are not shown: there is nothing to see.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use bytes::Bytes;
use http_body_util::BodyExt;

use super::Arm;
use super::blobs::wire::percent_decode;
use super::faults::ArmFaultEffect;
use super::registry::{Found, find};

/// Where answers of ARM come from when the caller named no host.
const HOST: &str = "management.azure.com";

/// Who looks.
pub type Hook = Arc<dyn Fn(&Exchange) + Send + Sync>;

/// One call and its answer.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// The HTTP method.
    pub method: String,
    /// The URL as it was called, host and query included.
    pub url: String,
    /// The request's headers, names in lower case, without `authorization`.
    pub request_headers: Vec<(String, String)>,
    /// The request's body.
    pub request_body: Bytes,
    /// What the query gives as `api-version`.
    pub api_version: Option<String>,
    /// The action of the route; empty where no route answers the path.
    pub action: &'static str,
    /// The route's pattern, with `{}` for what may stand there; empty where no route answers the path.
    pub pattern: &'static str,
    /// The status.
    pub status: u16,
    /// The answer's headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The answer's body; empty where a fault on order spoilt the answer.
    pub body: Bytes,
    /// Whether a fault on order made the answer one that ARM itself would not give: it says nothing about the simulator.
    pub ordered: bool,
}

/// The place of the hook in an [`Arm`]; clones share it.
#[derive(Clone, Default)]
pub(crate) struct Observer(Arc<OnceLock<Hook>>);

/// A call that is being answered, where somebody looks.
pub(crate) struct Watched {
    hook: Hook,
    exchange: Exchange,
}

impl Arm {
    /// Shows every answered call to this hook from now on. The first hook stays: a second one is not taken.
    pub fn observe(&self, hook: Hook) {
        // One onlooker is enough; who comes second is told nothing rather than that the first is lost.
        drop(self.observer.0.set(hook));
    }
}

impl Observer {
    /// Begins to watch a call; none while nobody looks.
    pub(crate) fn watch(&self, request: &Request) -> Option<Watched> {
        let hook = Arc::clone(self.0.get()?);
        let uri = request.uri();
        let headers = listed(request.headers());
        let named = headers.iter().find(|(name, _)| name == "host").map(|(_, value)| value.as_str());
        let host = named.or_else(|| uri.authority().map(http::uri::Authority::as_str)).unwrap_or(HOST);
        let scheme = if host.starts_with("127.0.0.1") || host.starts_with("localhost") { "http" } else { "https" };
        let rest = uri.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        let method = request.method().as_str().to_owned();
        let path = percent_decode(uri.path()).unwrap_or_default();
        let (action, pattern) = match find(&method, &path) {
            Found::Route(route, _) => (route.action, route.pattern),
            Found::OtherMethod | Found::Nothing => ("", ""),
        };
        let query = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let exchange = Exchange {
            url: format!("{scheme}://{host}{rest}"),
            api_version: query
                .filter(|(name, _)| name.eq_ignore_ascii_case("api-version"))
                .map(|(_, value)| value.into_owned())
                .next(),
            method,
            request_headers: headers,
            request_body: Bytes::new(),
            action,
            pattern,
            status: 0,
            headers: Vec::new(),
            body: Bytes::new(),
            ordered: false,
        };
        Some(Watched { hook, exchange })
    }
}

/// Shows the answer to a call that was watched, and hands the answer on unchanged.
pub(crate) async fn show(
    watched: Option<Watched>,
    body: &Bytes,
    effect: Option<&ArmFaultEffect>,
    response: Response,
) -> Response {
    let Some(Watched { hook, mut exchange }) = watched else { return response };
    exchange.request_body = body.clone();
    exchange.status = response.status().as_u16();
    exchange.headers = listed(response.headers());
    exchange.ordered = effect.is_some_and(damages);
    if exchange.ordered {
        // Such a body may break off half-way, as it was ordered to: it is handed on unread.
        hook(&exchange);
        return response;
    }
    let (parts, body) = response.into_parts();
    let Ok(whole) = body.collect().await else { return Response::from_parts(parts, Body::empty()) };
    exchange.body = whole.to_bytes();
    hook(&exchange);
    Response::from_parts(parts, Body::from(exchange.body))
}

/// Whether the answer under this fault is one that ARM would not give by itself. Refusals on order are ARM's own.
fn damages(effect: &ArmFaultEffect) -> bool {
    match effect {
        ArmFaultEffect::TooManyRequests { .. }
        | ArmFaultEffect::InternalServerError
        | ArmFaultEffect::ServiceUnavailable
        | ArmFaultEffect::ResetBefore
        | ArmFaultEffect::ResetAfter
        | ArmFaultEffect::Hang
        | ArmFaultEffect::Slow { .. }
        | ArmFaultEffect::AnotherOperation
        | ArmFaultEffect::OperationFails { .. }
        | ArmFaultEffect::AcknowledgedButDropped
        | ArmFaultEffect::BadGateway
        | ArmFaultEffect::GatewayTimeout
        | ArmFaultEffect::TokenRevoked
        | ArmFaultEffect::SlowAnswer { .. } => false,
        ArmFaultEffect::TruncatedBody
        | ArmFaultEffect::HtmlErrorPage { .. }
        | ArmFaultEffect::WrongContentType { .. }
        | ArmFaultEffect::NextLinkElsewhere { .. }
        | ArmFaultEffect::EndlessPaging => true,
    }
}

fn listed(headers: &http::HeaderMap) -> Vec<(String, String)> {
    let shown = headers.iter().filter(|(name, _)| **name != http::header::AUTHORIZATION);
    shown
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}
