//! Performs changes of the family `Traffic`: one exhaustive match. Each reads the profile in the same breath, because Traffic Manager has
//! no conditional write. It never disables an endpoint when that read does not show the other one as the effect says.

use jiff::SignedDuration;
use lifeboat_azure::traffic_manager::{self, Profile};
use lifeboat_azure::{Error, Latest, ResourceId};
use lifeboat_planning::saga::Outcome;
use lifeboat_planning::saga::failover::{Monitor, TrafficEffect};

use super::looks::profile_facts;
use super::outcome;
use crate::lifeboat::Lifeboat;

/// How long until it is asked again where another endpoint is not as it must be: a look of the saga.
const AGAIN: SignedDuration = SignedDuration::from_secs(15);
/// What is refused where the profile does not have the endpoint.
const NO_ENDPOINT: &str = "the profile does not have the endpoint";
/// How old the read may be on which a change of an endpoint rests: what comes later is dropped before it is sent.
const READ_SECS_MAX: u64 = 5;

/// Performs one change, if it can be sent before its latest moment.
pub async fn perform(lifeboat: &Lifeboat, effect: &TrafficEffect, latest: Latest) -> Outcome {
    match effect {
        TrafficEffect::Enable { profile, endpoint } => match read(lifeboat, profile).await {
            Ok(read) => set(lifeboat, &read, endpoint, true, latest).await,
            Err(outcome) => outcome,
        },
        TrafficEffect::Disable { profile, endpoint, keeps, online } => {
            let read_from = tokio::time::Instant::now();
            match read(lifeboat, profile).await {
                Ok(read) if is_kept(&read, (endpoint, keeps), *online) => {
                    let latest = latest.min(Latest(read_from + std::time::Duration::from_secs(READ_SECS_MAX)));
                    set(lifeboat, &read, endpoint, false, latest).await
                }
                Ok(_) => Outcome::NotNow(AGAIN),
                Err(outcome) => outcome,
            }
        }
    }
}

/// The profile as it is now. Where it cannot be read nothing was sent.
async fn read(lifeboat: &Lifeboat, profile: &str) -> Result<Profile, Outcome> {
    let id: Result<ResourceId, Error> = profile.parse().map_err(|error| Error::no_resource("an effect", error));
    let read = match id {
        Ok(id) => traffic_manager::get(&lifeboat.arm, &id).await,
        Err(error) => Err(error),
    };
    // A question that was not answered did nothing, whatever became of it.
    read.map_err(|error| match outcome::of(Err(error)) {
        Outcome::Accepted | Outcome::NoAnswer => Outcome::NotNow(AGAIN),
        other => other,
    })
}

/// Whether the endpoint that must go on serving does: another one, enabled, and online where that is asked for.
fn is_kept(profile: &Profile, (endpoint, keeps): (&str, &str), online: bool) -> bool {
    let facts = profile_facts(profile);
    let kept = facts.endpoints.iter().find(|it| it.name.eq_ignore_ascii_case(keeps));
    !keeps.eq_ignore_ascii_case(endpoint)
        && kept.is_some_and(|kept| kept.enabled && (!online || kept.monitor == Monitor::Online))
}

async fn set(lifeboat: &Lifeboat, profile: &Profile, endpoint: &str, enabled: bool, latest: Latest) -> Outcome {
    match profile.endpoints.iter().find(|it| it.id.name().eq_ignore_ascii_case(endpoint)) {
        Some(found) => {
            outcome::of(traffic_manager::set_endpoint(&lifeboat.arm, &found.id, enabled, latest).await.map(drop))
        }
        None => Outcome::Refused(NO_ENDPOINT.to_owned()),
    }
}
