//! The gates that a call passes before its resource is asked, and what each says when it is shut.
//! It never changes anything but the budgets.

use jiff::Timestamp;

use super::Arm;
use super::budgets::Charge;
use super::call::{Answer, Call};
use super::charges::GRAPH;
use super::errors::{self, ArmError};
use super::groups;
use super::identity::TokenFault;
use super::ids::{ResourceId, group_id, key, stamp_z};
use super::passage::top_level_id;
use super::registry::{Found, Route};
use super::state::State;

/// Whether the path is answered at all. *Assumed* (`arm-unknown-route`): codes and wordings.
pub(crate) fn known(found: Found, method: &str, path: &str) -> Result<(&'static Route, Vec<String>), ArmError> {
    match found {
        Found::Route(route, params) => Ok((route, params)),
        Found::OtherMethod => {
            let message = format!("The HTTP method '{method}' is not supported at scope '{path}'.");
            Err(ArmError::gateway(405, "HttpMethodNotSupported", message))
        }
        Found::Nothing => {
            let message =
                format!("No route is known for '{path}': this simulated ARM does not have the resource type.");
            Err(ArmError::gateway(404, "InvalidResourceType", message))
        }
    }
}

/// Whether the api-version is there and answered. The codes are named in the reference; the wordings are *assumed*
/// (`arm-version-refusal`).
pub(crate) fn version(route: &Route, call: &Call) -> Result<(), ArmError> {
    let Some(version) = call.query("api-version").filter(|version| !version.is_empty()) else {
        let message = "The api-version query parameter (?api-version=) is required for all requests.";
        return Err(ArmError::gateway(400, "MissingApiVersionParameter", message));
    };
    if route.service.versions.contains(&version) {
        return Ok(());
    }
    let supported = route.service.versions.join(",");
    if version.parse::<jiff::civil::Date>().is_err() {
        let message = format!("The api-version '{version}' is invalid. The supported versions are '{supported}'.");
        return Err(ArmError::gateway(400, "InvalidApiVersionParameter", message));
    }
    let message = format!(
        "No registered resource provider found for API version '{version}' for type '{}'. The supported api-versions are \
         '{supported}'.",
        route.service.kind
    );
    Err(ArmError::gateway(400, "NoRegisteredProviderFound", message))
}

/// Whether the subscription is there and takes what the call does.
pub(crate) fn subscription(state: &State, subscription: Option<&str>, call: &Call) -> Result<(), ArmError> {
    let Some(id) = subscription else { return Ok(()) };
    let found = state.subscriptions.get(&id.to_ascii_lowercase()).ok_or_else(|| errors::subscription_not_found(id))?;
    if found.is_read_only() && !matches!(call.method.as_str(), "GET" | "HEAD") {
        return Err(errors::subscription_read_only(&found.id));
    }
    Ok(())
}

/// Whether the group and the top-level resource are there; a delete of what is not there is answered at once.
pub(crate) fn existence(state: &State, route: &Route, call: &Call) -> Result<Option<Answer>, ArmError> {
    if !route.pattern.starts_with("/subscriptions/{}/resourceGroups/{}/providers/") {
        return Ok(None);
    }
    let group = call.param(1);
    let found = state.groups.get(&key(&group_id(call.param(0), group)));
    let found = found.ok_or_else(|| errors::group_not_found(group))?;
    if !matches!(call.method.as_str(), "GET" | "HEAD" | "DELETE") {
        groups::still_there(found)?;
    }
    if let Some(scope) = route.extended(&call.path) {
        return hangs_on(state, scope, group).map(|()| None);
    }
    let Some((kind, name, below)) = route.top_level(&call.params) else {
        return Ok(None);
    };
    let there = top_level_id(route, call).is_some_and(|id| state.has(&id));
    match (call.method.as_str(), there, below) {
        (_, true, _) | ("PUT", false, false) => Ok(None),
        ("PUT", false, true) => Err(errors::parent_not_found(&name)),
        ("DELETE", false, false) => Ok(Some(Answer::empty(204))),
        _ => Err(errors::resource_not_found(&kind, &name, group)),
    }
}

/// Whether what a lock or a health status hangs on is there: the group, or the top-level resource.
fn hangs_on(state: &State, scope: &str, group: &str) -> Result<(), ArmError> {
    let Some(id) = ResourceId::parse(scope) else { return Ok(()) };
    let Some((kind, name)) = id.path.first() else { return Ok(()) };
    let kind = format!("{}/{kind}", id.provider);
    let top = format!("/subscriptions/{}/resourceGroups/{}/providers/{kind}/{name}", id.subscription, id.group);
    if state.has(&top) { Ok(()) } else { Err(errors::resource_not_found(&kind, name, group)) }
}

/// Resource Graph's own budget, and its headers (recorded). *Assumed* (`graph-quota-refusal`): the refusal's code and text.
pub(crate) fn spend_graph(arm: &Arm, principal: &str, now: Timestamp) -> Result<Vec<(&'static str, String)>, ArmError> {
    let charge = Charge::new(&GRAPH, principal);
    let taken = arm.budgets().take(std::slice::from_ref(&charge), now);
    let headers = |calls: u32, seconds: u32| {
        let clock = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
        vec![
            ("x-ms-user-quota-remaining", calls.to_string()),
            ("x-ms-user-quota-resets-after", clock),
            ("x-ms-ratelimit-remaining-tenant-resource-requests", calls.to_string()),
        ]
    };
    match taken {
        Ok(left) => Ok(left.first().map(|left| headers(left.calls, left.resets_seconds)).unwrap_or_default()),
        Err(refusal) => {
            let message = format!(
                "Please provide below info when asking for support: timestamp = {}, details: Client application has been \
                 throttled and should not attempt to repeat the request until an amount of time has elapsed.",
                stamp_z(now)
            );
            let seconds = refusal.retry_after_seconds;
            let mut error = ArmError::new(429, "RateLimiting", message);
            error.headers = headers(0, seconds);
            Err(error.with_header("retry-after", seconds.to_string()))
        }
    }
}

/// The refusal of who comes back too early.
pub(crate) fn still_waiting(seconds: u32) -> ArmError {
    too_many_requests(Some(seconds))
}

/// A 429 on order.
pub(crate) fn too_many_requests(seconds: Option<u32>) -> ArmError {
    let refusal =
        ArmError::gateway(429, "TooManyRequests", "The request is being throttled as the limit has been reached.");
    match seconds {
        Some(seconds) => refusal.with_header("retry-after", seconds.to_string()),
        None => refusal,
    }
}

/// 401: the codes are named in the reference, the wordings are *assumed* (`arm-401`).
pub(crate) fn unauthenticated(fault: &TokenFault, tenant: &str) -> ArmError {
    let (code, message) = match fault {
        TokenFault::Missing => {
            ("AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing.".to_owned())
        }
        TokenFault::Unknown => ("InvalidAuthenticationToken", "The access token is invalid.".to_owned()),
        TokenFault::WrongAudience(audience) => (
            "InvalidAuthenticationTokenAudience",
            format!("The access token has been obtained for wrong audience or resource '{audience}'."),
        ),
        TokenFault::Expired { at, now } => (
            "ExpiredAuthenticationToken",
            format!("The access token expiry UTC time '{at}' is earlier than current UTC time '{now}'."),
        ),
    };
    let challenge = format!(
        "Bearer authorization_uri=\"https://login.microsoftonline.com/{tenant}\", error=\"invalid_token\", \
         error_description=\"{message}\""
    );
    ArmError::gateway(401, code, message).with_header("www-authenticate", challenge)
}
