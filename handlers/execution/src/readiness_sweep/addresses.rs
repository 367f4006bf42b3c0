//! What the endpoints of a profile name, and the public addresses that they may lead to.
//! It never judges, never takes a list with a part missing for whole, and waits for no single address longer than a look there is worth.

use std::sync::Arc;

use futures::StreamExt as _;
use futures::stream;
use lifeboat_azure::public_addresses::{self, PublicAddress};
use lifeboat_azure::traffic_manager::{Endpoint, Profile};
use lifeboat_azure::{ArmClient, ErrorKind, ResourceId};
use lifeboat_planning::recovery::RecoveryPlan;
use lifeboat_planning::recovery::readiness::{AddressSeen, AddressesSeen, EndpointSeen, EndpointTarget};
use lifeboat_planning::saga::failover::Known;

use super::shared::whole;
use crate::saga::looks::in_time;
use crate::saga::round::{AT_ONCE, say};

/// Whether an endpoint that a recovery plan speaks of leads somewhere by an address or a name alone.
pub fn are_asked_for(plans: &[RecoveryPlan], profiles: &[Profile]) -> bool {
    let by_name = |endpoint: &Endpoint| endpoint.resource.is_none() && endpoint.target.is_some();
    plans.iter().any(|plan| profiles.iter().any(|profile| spoken_of(plan, profile).any(by_name)))
}

/// The public addresses of all subscriptions in scope.
pub async fn listed(arm: &ArmClient, scope: &[String]) -> AddressesSeen {
    let mut reads = Vec::new();
    for id in scope {
        reads.push(public_addresses::list(arm, id));
    }
    let (all, is_whole) = whole(stream::iter(reads).buffered(AT_ONCE).collect().await);
    AddressesSeen { all: Arc::new(all.iter().map(seen).collect()), whole: is_whole }
}

/// What the endpoints of a profile name that the recovery plan speaks of; a public address that one names by its id is read.
pub async fn of_endpoints(arm: &ArmClient, plan: &RecoveryPlan, profile: &Profile) -> Vec<EndpointSeen> {
    let mut reads = Vec::new();
    for endpoint in spoken_of(plan, profile) {
        let name = endpoint.id.name().to_owned();
        reads.push(async move { EndpointSeen { name, target: target(arm, endpoint).await } });
    }
    futures::future::join_all(reads).await
}

/// The endpoints of a profile that the recovery plan names.
pub(super) fn spoken_of<'p>(plan: &'p RecoveryPlan, profile: &'p Profile) -> impl Iterator<Item = &'p Endpoint> {
    let own = |name: &str| {
        let here = plan.traffic.iter().filter(|traffic| traffic.profile.eq_ignore_ascii_case(profile.id.name()));
        let mut names = here.flat_map(|traffic| [&traffic.from, &traffic.to]);
        names.any(|named| named.eq_ignore_ascii_case(name))
    };
    profile.endpoints.iter().filter(move |endpoint| own(endpoint.id.name()))
}

async fn target(arm: &ArmClient, endpoint: &Endpoint) -> EndpointTarget {
    match (&endpoint.resource, &endpoint.target) {
        (Some(id), _) if id.is(public_addresses::KIND) => {
            EndpointTarget::Address { name: id.name().to_owned(), read: one(arm, id).await }
        }
        (Some(id), _) => EndpointTarget::Resource(id.as_str().to_owned()),
        (None, Some(target)) => EndpointTarget::Name(target.clone()),
        (None, None) => EndpointTarget::NotTold,
    }
}

/// A public address. That it is not there is enough to say so: nothing is destroyed by that.
async fn one(arm: &ArmClient, id: &ResourceId) -> Known<AddressSeen> {
    // One that lies in the region that may be lost may never answer.
    let Some(read) = in_time(public_addresses::get(arm, id)).await else {
        tracing::error!(address = id.as_str(), "not known: the public address does not answer");
        return Known::Unknown;
    };
    match read {
        Ok(address) => Known::Is(seen(&address)),
        Err(error) => {
            say(&error);
            if error.kind == ErrorKind::NotFound { Known::Absent } else { Known::Unknown }
        }
    }
}

fn seen(address: &PublicAddress) -> AddressSeen {
    // The configuration is a part of what holds the address.
    let holder = address.holder.as_ref().and_then(ResourceId::parent);
    AddressSeen {
        name: address.id.name().to_owned(),
        location: address.location.clone(),
        ip: address.ip.clone(),
        fqdn: address.fqdn.clone(),
        holder: holder.map(|holder| holder.as_str().to_owned()),
    }
}
