//! The way of a call through ARM: fault, token, waiting time, budgets, version, access, existence, and then the answer.
//! It never lets a call past a gate because of what a later gate would say.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::Value;

use super::Arm;
use super::access::allows;
use super::blobs::wire::{http_date, reset_response};
use super::budgets::Left;
use super::call::{Answer, Call, Failure};
use super::charges::{
    Spend, Whose, arm_charges, arm_refusal, compute_charges, compute_header, compute_refusal, vault_refusal,
};
use super::distortion;
use super::errors::{self, ArmError, Origin};
use super::faults::{ArmFaultEffect, Candidate, RegionTrouble};
use super::gates;
use super::heard::Heard;
use super::identity::{ARM_AUDIENCE, Principal, TokenFault};
use super::ids::key;
use super::linked_actions;
use super::locks;
use super::log::RequestRecord;
use super::observe;
use super::registry::{Found, Route, find};
use super::state::State;
use super::troubles;

/// What `retry-after` says with 503, in seconds. *Assumed* (`arm-5xx-words`).
const UNAVAILABLE_SECONDS: u32 = 5;

/// What a call is answered with: the answer or refusal, and the budgets' headers.
struct Reply {
    outcome: Result<Answer, ArmError>,
    headers: Vec<(&'static str, String)>,
    /// The fault on order, which may change how the answer comes.
    effect: Option<ArmFaultEffect>,
}

/// A response with a JSON body.
pub(crate) fn json_response(status: u16, headers: &[(&'static str, String)], body: Option<&Value>) -> Response {
    let text = body.map(Value::to_string).unwrap_or_default();
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if body.is_some() {
        let kind = HeaderValue::from_static("application/json; charset=utf-8");
        response.headers_mut().insert(http::header::CONTENT_TYPE, kind);
    }
    for (name, value) in headers {
        if let Ok(value) = HeaderValue::from_str(value) {
            response.headers_mut().insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// Answers one request.
pub(crate) async fn serve(Shared(arm): Shared<Arm>, request: Request) -> Response {
    let watched = arm.observer.watch(&request);
    let Some(heard) = Heard::read(request).await else {
        let refusal = ArmError::gateway(413, "RequestEntityTooLarge", "The request is too large.");
        return observe::show(watched, &bytes::Bytes::new(), None, json_response(413, &[], Some(&refusal.body())))
            .await;
    };
    let found = find(&heard.method, &heard.path);
    let action = if let Found::Route(route, _) = &found { route.action } else { "" };
    let number = arm.log().begin(RequestRecord {
        number: 0,
        at: arm.clock.now(),
        method: heard.method.clone(),
        path: heard.path.clone(),
        action: action.to_owned(),
        client_request_id: heard.client_request_id.clone(),
        status: None,
        error_code: None,
    });
    let effect = arm.strike(Candidate { method: &heard.method, path: &heard.path, action });
    if matches!(effect, Some(ArmFaultEffect::ResetBefore)) {
        return reset_response();
    }
    match &effect {
        Some(ArmFaultEffect::Hang) => std::future::pending().await,
        Some(ArmFaultEffect::Slow { milliseconds }) => tokio::time::sleep(Duration::from_millis(*milliseconds)).await,
        _ => {}
    }
    let trouble = troubles::of_call(&arm, &found, &heard.method, &heard.path, &heard.body);
    match &trouble {
        Some(RegionTrouble::Down) => std::future::pending().await,
        Some(RegionTrouble::Slow { milliseconds }) => tokio::time::sleep(Duration::from_millis(*milliseconds)).await,
        _ => {}
    }
    let reply = answer(&arm, &heard, found, effect.as_ref(), trouble.as_ref());
    let code = reply.outcome.as_ref().err().map(|refusal| refusal.code.clone());
    let response = finish(&arm, &heard, reply);
    arm.log().end(number, &heard.method, response.status().as_u16(), code);
    arm.after_change();
    if let Some(ArmFaultEffect::SlowAnswer { milliseconds }) = &effect {
        tokio::time::sleep(Duration::from_millis(*milliseconds)).await;
    }
    if matches!(effect, Some(ArmFaultEffect::ResetAfter)) {
        return reset_response();
    }
    observe::show(watched, &heard.body, effect.as_ref(), response).await
}

fn answer(
    arm: &Arm,
    heard: &Heard,
    found: Found,
    effect: Option<&ArmFaultEffect>,
    trouble: Option<&RegionTrouble>,
) -> Reply {
    let refuse = |refusal| Reply { outcome: Err(refusal), headers: Vec::new(), effect: effect.cloned() };
    let principal = match arm.identity.verify(heard.token.as_deref(), ARM_AUDIENCE) {
        Ok(principal) => principal,
        Err(fault) => return refuse(gates::unauthenticated(&fault, &arm.tenant)),
    };
    let now = arm.clock.now();
    let caller = heard.caller(&principal);
    if let Some(seconds) = arm.budgets().too_early(caller, now) {
        arm.log().came_too_early();
        return refuse(gates::still_waiting(seconds));
    }
    if matches!(effect, Some(ArmFaultEffect::TokenRevoked)) {
        return refuse(gates::unauthenticated(&TokenFault::Unknown, &arm.tenant));
    }
    let reply = match ordered_refusal(effect, trouble) {
        Some(refusal) => refuse(refusal),
        None => admitted(arm, heard, found, effect, principal),
    };
    if let Err(refusal) = &reply.outcome
        && matches!(refusal.status, 429 | 503)
        && let Some(seconds) = refusal.headers.iter().find(|(name, _)| *name == "retry-after")
    {
        arm.budgets().tell(caller, seconds.1.parse().unwrap_or(0), now);
    }
    reply
}

/// A call with a good token, under no fault that refuses it.
fn admitted(
    arm: &Arm,
    heard: &Heard,
    found: Found,
    effect: Option<&ArmFaultEffect>,
    principal: Arc<Principal>,
) -> Reply {
    let mut headers = Vec::new();
    let outcome = (|| {
        let (route, params) = gates::known(found, &heard.method, &heard.path)?;
        let subscription = route.pattern.starts_with("/subscriptions/{}").then(|| params[0].clone());
        headers.extend(spend_arm(arm, heard, route, subscription.as_deref(), &principal)?);
        let call = call_of(arm, heard, route, params, principal, effect)?;
        gates::version(route, &call)?;
        let mut state = arm.state();
        state.settle(call.now);
        gates::subscription(&state, subscription.as_deref(), &call)?;
        if !route.is_graph() && subscription.is_some() && !allows(&call.principal.grants, route.action, &call.path) {
            let who = &call.principal;
            return Err(errors::authorization_failed(&who.client_id, &who.object_id, route.action, &call.path));
        }
        linked_actions::check(&call)?;
        if let Some(answer) = gates::existence(&state, route, &call)? {
            return Ok(answer);
        }
        locks::gate(&state, &call)?;
        headers.extend(spend_compute(arm, &state, route, &call)?);
        if matches!(effect, Some(ArmFaultEffect::AcknowledgedButDropped)) {
            return dropped(&mut state, route, &call);
        }
        (route.handler)(&mut state, &call)
    })();
    Reply { outcome, headers, effect: effect.cloned() }
}

/// Answers as if the call were carried out, and forgets it; its operation will succeed all the same.
fn dropped(state: &mut State, route: &Route, call: &Call) -> Result<Answer, ArmError> {
    let mut shadow = state.clone();
    let answer = (route.handler)(&mut shadow, call)?;
    let wait = state.latencies.scaled(state.latencies.application_point_ms);
    state.operations.adopt(&shadow.operations, wait, call.now);
    state.vaults.adopt(&shadow.vaults);
    state.recovery.adopt(&shadow.recovery);
    // Identifiers that were given away are not given twice.
    state.names = shadow.names;
    Ok(answer)
}

fn spend_arm(
    arm: &Arm,
    heard: &Heard,
    route: &Route,
    subscription: Option<&str>,
    principal: &Principal,
) -> Result<Vec<(&'static str, String)>, ArmError> {
    let now = arm.clock.now();
    if route.is_graph() {
        return gates::spend_graph(arm, &principal.object_id, now);
    }
    let charges = arm_charges(&heard.method, subscription, &principal.object_id);
    let left = arm.budgets().take(&charges, now);
    let left = left.map_err(|refusal| arm_refusal(refusal, subscription.unwrap_or_default()))?;
    Ok(left.iter().map(|left| (remaining_header(left), left.calls.to_string())).collect())
}

fn remaining_header(left: &Left) -> &'static str {
    match left.rule.name {
        "subscription-reads" => "x-ms-ratelimit-remaining-subscription-reads",
        "subscription-writes" => "x-ms-ratelimit-remaining-subscription-writes",
        "subscription-deletes" => "x-ms-ratelimit-remaining-subscription-deletes",
        "subscription-global-reads" => "x-ms-ratelimit-remaining-subscription-global-reads",
        "subscription-global-writes" => "x-ms-ratelimit-remaining-subscription-global-writes",
        "subscription-global-deletes" => "x-ms-ratelimit-remaining-subscription-global-deletes",
        _ => "x-ms-ratelimit-remaining-tenant-reads",
    }
}

fn spend_compute(
    arm: &Arm,
    state: &State,
    route: &Route,
    call: &Call,
) -> Result<Option<(&'static str, String)>, ArmError> {
    if route.spend == Spend::Nothing {
        return Ok(None);
    }
    let top = top_level_id(route, call);
    let polled = matches!(route.spend, Spend::Poll | Spend::DiskPoll).then(|| call.param(1).to_ascii_lowercase());
    let known = || top.as_deref().and_then(|id| state.region_of(id));
    let region = polled.or_else(known).or_else(|| body_region(call)).unwrap_or_default();
    let resource = top.unwrap_or_else(|| call.path.clone());
    let whose = Whose { subscription: call.param(0), region: &region, resource: &key(&resource) };
    let mut charges = compute_charges(route.spend, whose);
    if route.spend == Spend::PointPut {
        charges.extend(super::restore_points::charge(state, call));
    }
    let left = arm.budgets().take(&charges, call.now);
    if route.spend.is_of_vaults() {
        let left = left.map_err(vault_refusal)?;
        let calls = left.first().map(|left| left.calls.to_string());
        return Ok(calls.map(|calls| ("x-ms-ratelimit-remaining-subscription-resource-requests", calls)));
    }
    let left = left.map_err(|refusal| compute_refusal(refusal, call.now))?;
    Ok(Some(("x-ms-ratelimit-remaining-resource", compute_header(&left))))
}

fn call_of(
    arm: &Arm,
    heard: &Heard,
    route: &'static Route,
    params: Vec<String>,
    principal: Arc<Principal>,
    effect: Option<&ArmFaultEffect>,
) -> Result<Call, ArmError> {
    let body = if heard.body.is_empty() {
        None
    } else {
        Some(serde_json::from_slice(&heard.body).map_err(|error| errors::invalid_content(&error.to_string()))?)
    };
    let query = url::form_urlencoded::parse(heard.raw_query.as_bytes());
    Ok(Call {
        method: heard.method.clone(),
        path: heard.path.clone(),
        raw_query: heard.raw_query.clone(),
        query: query.map(|(name, value)| (name.to_ascii_lowercase(), value.into_owned())).collect(),
        body,
        base: heard.base(),
        params,
        principal,
        client_request_id: heard.client_request_id.clone(),
        correlation_id: arm.state().names.guid(),
        action: route.action,
        now: arm.clock.now(),
        fails: match effect {
            Some(ArmFaultEffect::OperationFails { after_seconds, code }) => {
                let message = "The operation failed because the simulator was told so.".to_owned();
                Some((*after_seconds, Failure { code: code.clone(), message }))
            }
            _ => None,
        },
    })
}

fn finish(arm: &Arm, heard: &Heard, reply: Reply) -> Response {
    let id = arm.state().names.guid();
    let mut headers = vec![
        ("x-ms-request-id", id.clone()),
        ("x-ms-correlation-request-id", id.clone()),
        ("x-ms-routing-request-id", format!("SIMULATED:{}:{id}", arm.clock.now().strftime("%Y%m%dT%H%M%SZ"))),
        ("date", http_date(arm.clock.now())),
        ("cache-control", "no-cache".to_owned()),
    ];
    if heard.returns_client_request_id
        && let Some(sent) = &heard.client_request_id
    {
        headers.push(("x-ms-client-request-id", sent.clone()));
    }
    let (status, mut body) = match reply.outcome {
        Ok(answer) => {
            headers.extend(reply.headers);
            headers.extend(answer.headers);
            (answer.status, answer.body)
        }
        Err(refusal) => {
            if refusal.origin == Origin::Gateway {
                headers.push(("x-ms-failure-cause", "gateway".to_owned()));
            } else {
                headers.extend(reply.headers);
            }
            headers.extend(refusal.headers.clone());
            (refusal.status, Some(refusal.body()))
        }
    };
    let Some(effect) = &reply.effect else { return json_response(status, &headers, body.as_ref()) };
    if let Some(body) = &mut body {
        distortion::relink(effect, &heard.base(), &heard.path, &heard.raw_query, body);
    }
    let response = json_response(status, &headers, body.as_ref());
    distortion::distort(effect, response, &body.map(|body| body.to_string()).unwrap_or_default())
}

fn ordered_refusal(effect: Option<&ArmFaultEffect>, trouble: Option<&RegionTrouble>) -> Option<ArmError> {
    // *Assumed* (`arm-5xx-words`): codes and wordings of the 5xx answers.
    match (effect, trouble) {
        (Some(ArmFaultEffect::TooManyRequests { retry_after_seconds }), _) => {
            Some(gates::too_many_requests(*retry_after_seconds))
        }
        (Some(ArmFaultEffect::InternalServerError), _) => Some(ArmError::new(
            500,
            "InternalServerError",
            "Encountered internal server error. Diagnostic information: simulated.",
        )),
        (Some(ArmFaultEffect::ServiceUnavailable), _) => Some(
            ArmError::new(503, "ServiceUnavailable", "The service is temporarily unavailable.")
                .with_header("retry-after", UNAVAILABLE_SECONDS.to_string()),
        ),
        (Some(ArmFaultEffect::AnotherOperation), _) => Some(errors::another_operation("the resource")),
        (Some(effect), _) if distortion::refusal(effect).is_some() => distortion::refusal(effect),
        (_, Some(RegionTrouble::Throttled { retry_after_seconds })) => {
            Some(gates::too_many_requests(Some(*retry_after_seconds)))
        }
        _ => None,
    }
}

/// The id of the top-level resource in a call's path.
pub(crate) fn top_level_id(route: &Route, call: &Call) -> Option<String> {
    let (kind, name, _) = route.top_level(&call.params)?;
    let (subscription, group) = (call.param(0), call.param(1));
    Some(format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{kind}/{name}"))
}

fn body_region(call: &Call) -> Option<String> {
    Some(call.body.as_ref()?["location"].as_str()?.to_ascii_lowercase())
}
