//! Calls on endpoints: read, written, changed, deleted. All are synchronous, none is conditional.
//! It never stops anybody from disabling the last endpoint: no document says that Azure does.

use super::super::call::{Answer, Call};
use super::super::errors::ArmError;
use super::super::state::State;
use super::calls::{free_priority, profile_id, unique_priorities};
use super::endpoints::{Endpoint, EndpointKind};
use super::{Profile, TrafficDenial};

impl Endpoint {
    pub(super) fn is(&self, kind: EndpointKind, name: &str) -> bool {
        self.kind == kind && self.name.eq_ignore_ascii_case(name)
    }
}

/// `GET …/{kind}/{name}`; the kind in any case (recorded).
pub(crate) fn get(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let (profile, at) = found(state, call)?;
    Ok(Answer::new(200, profile.endpoints[at].json(&profile.id(), profile.enabled)))
}

/// `PUT …/{kind}/{name}`: 201, also where it was there (recorded).
pub(crate) fn put(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let (kind, name) = (EndpointKind::read(call.param(3))?, call.param(4));
    let profile = state.profile(&profile_id(call))?;
    let mut endpoints = profile.endpoints.clone();
    let free = free_priority(&endpoints);
    let at = endpoints.iter().position(|one| one.is(kind, name)).unwrap_or_else(|| {
        endpoints.push(Endpoint::fresh(kind, name, free, call.now));
        endpoints.len() - 1
    });
    endpoints[at].write(&body["properties"], call.now)?;
    keep(profile, endpoints, at, 201)
}

/// `PATCH …/{kind}/{name}`: what is left out stays (documented).
pub(crate) fn patch(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let body = call.object()?;
    let (profile, at) = found(state, call)?;
    let mut endpoints = profile.endpoints.clone();
    endpoints[at].write(&body["properties"], call.now)?;
    keep(profile, endpoints, at, 200)
}

/// `DELETE …/{kind}/{name}`: 200 without a body (recorded); 204 where there is none (documented).
pub(crate) fn delete(state: &mut State, call: &Call) -> Result<Answer, ArmError> {
    let kind = EndpointKind::read(call.param(3))?;
    let profile = state.profile(&profile_id(call))?;
    let before = profile.endpoints.len();
    profile.endpoints.retain(|one| !one.is(kind, call.param(4)));
    Ok(Answer::empty(if profile.endpoints.len() < before { 200 } else { 204 }))
}

fn keep(profile: &mut Profile, endpoints: Vec<Endpoint>, at: usize, status: u16) -> Result<Answer, ArmError> {
    unique_priorities(profile, &endpoints)?;
    profile.endpoints = endpoints;
    Ok(Answer::new(status, profile.endpoints[at].json(&profile.id(), profile.enabled)))
}

fn found<'a>(state: &'a mut State, call: &Call) -> Result<(&'a mut Profile, usize), ArmError> {
    let kind = EndpointKind::read(call.param(3))?;
    let profile = state.profile(&profile_id(call))?;
    let at = profile.endpoints.iter().position(|one| one.is(kind, call.param(4)));
    let at = at.ok_or_else(|| TrafficDenial::EndpointMissing.error(call.param(4)))?;
    Ok((profile, at))
}
