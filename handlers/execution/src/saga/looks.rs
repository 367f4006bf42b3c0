//! Answers the looks of a saga: one exhaustive match, each arm reads what its facts are made of. No choices are made here.
//! It never waits for a region that is lost: what does not answer in its time is not known.

use std::future::Future;
use std::time::Duration;

use lifeboat_azure::machines::{self, Machine, PowerState};
use lifeboat_azure::probe::{self, Probed};
use lifeboat_azure::traffic_manager::{self, MonitorState, Switch};
use lifeboat_azure::{Error, ResourceId};
use lifeboat_planning::saga::Saga;
use lifeboat_planning::saga::failover::{
    EndpointFacts, Facts, Failover, Known, Look, MachineFacts, Monitor, Power, ProfileFacts, Traffic,
};

use super::round::Round;
use super::{old_side, replica, target};
use crate::lifeboat::Lifeboat;

/// How long anything of the old side may take to answer: ARM answers a read in under two seconds, and a region that is lost never
/// does. Nothing else is waited for so long, and the look comes again.
pub const OLD_SIDE_SECS_MAX: u64 = 5;

/// What one look is answered; nothing where it could not be answered at all.
pub async fn answer(lifeboat: &Lifeboat, saga: &Saga<Failover>, round: &Round, look: &Look) -> Option<Facts> {
    let of = &saga.runbook;
    match look {
        Look::Ready(it)
        | Look::Newest(it)
        | Look::FailedOver(it)
        | Look::Running(it)
        | Look::PointChanged(it)
        | Look::Committed(it) => Some(Facts::Member(replica::facts(lifeboat, of, round, look, it).await)),
        Look::ProtectedBack(it) => {
            let member = replica::facts(lifeboat, of, round, look, it);
            let (member, needs) = futures::join!(member, old_side::back(lifeboat, of, round, it));
            Some(Facts::Turning(member, needs))
        }
        Look::Stopped(it) | Look::Started(it) => Some(Facts::Old(old_machine(lifeboat, round, &it.old).await)),
        Look::TargetUsable => Some(Facts::Target(target::facts(lifeboat, of).await)),
        Look::ProfileUsable(it)
        | Look::Enabled(it)
        | Look::EnabledUndone(it)
        | Look::Disabled(it)
        | Look::DisabledUndone(it) => Some(Facts::Profile(profile(round, it))),
        Look::Answers(it) => Some(Facts::Answer(answers(lifeboat, it).await?)),
        Look::Saved(it, point) => {
            let saved = old_side::saved(lifeboat, of, round, it, point);
            let (saved, old) = futures::join!(saved, old_machine(lifeboat, round, &it.old));
            Some(Facts::Saved(saved, mapped(old, |old| old.power == Power::Deallocated)))
        }
        Look::CanProtect(it) => Some(Facts::Back(old_side::back(lifeboat, of, round, it).await)),
    }
}

/// Waits for something of the old side, and no longer than that is worth.
pub async fn in_time<T>(read: impl Future<Output = Result<T, Error>>) -> Option<Result<T, Error>> {
    tokio::time::timeout(Duration::from_secs(OLD_SIDE_SECS_MAX), read).await.ok()
}

/// An old machine.
async fn old_machine(lifeboat: &Lifeboat, round: &Round, machine: &str) -> Known<MachineFacts> {
    let Ok(id) = machine.parse::<ResourceId>() else { return Known::Unknown };
    match in_time(machines::get(&lifeboat.arm, &id)).await {
        Some(read) => mapped(round.known(read, &id), |found| machine_facts(&found)),
        None => {
            tracing::info!(machine, "not known: the old side does not answer");
            Known::Unknown
        }
    }
}

/// The same of what was found.
pub fn mapped<T, U>(known: Known<T>, with: impl FnOnce(T) -> U) -> Known<U> {
    match known {
        Known::Is(found) => Known::Is(with(found)),
        Known::Absent => Known::Absent,
        Known::Unknown => Known::Unknown,
    }
}

/// A machine as the saga sees it. Where Azure does not say when it was made, it was made before all that matters here.
pub fn machine_facts(machine: &Machine) -> MachineFacts {
    let is = |state: &str| machine.provisioning_state.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(state));
    MachineFacts {
        id: machine.id.as_str().to_owned(),
        vm_id: machine.vm_id.clone(),
        location: machine.location.clone(),
        created_at: machine.time_created.unwrap_or(jiff::Timestamp::MIN),
        power: match machine.power {
            PowerState::Running => Power::Running,
            PowerState::Starting => Power::Starting,
            PowerState::Deallocating => Power::Deallocating,
            PowerState::Deallocated => Power::Deallocated,
            PowerState::Stopping | PowerState::Stopped => Power::Stopped,
            PowerState::Unknown => Power::Other,
        },
        provisioned: is("Succeeded"),
    }
}

/// A profile, as the round read it.
fn profile(round: &Round, it: &Traffic) -> Known<ProfileFacts> {
    mapped(round.profile(&it.profile), profile_facts)
}

/// A profile as the saga sees it.
pub fn profile_facts(profile: &traffic_manager::Profile) -> ProfileFacts {
    let endpoint = |endpoint: &traffic_manager::Endpoint| {
        let nested = endpoint.id.is(&format!("{}/nestedEndpoints", traffic_manager::PROFILE));
        let served = endpoint.always_serve.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("Enabled"));
        EndpointFacts {
            name: endpoint.id.name().to_owned(),
            enabled: endpoint.enabled == Switch::Enabled,
            monitor: match endpoint.monitor {
                MonitorState::Online => Monitor::Online,
                MonitorState::CheckingEndpoint => Monitor::Checking,
                MonitorState::Degraded => Monitor::Degraded,
                MonitorState::Disabled
                | MonitorState::Inactive
                | MonitorState::Stopped
                | MonitorState::Unmonitored
                | MonitorState::Other(_) => Monitor::Other,
            },
            unmonitored: nested || served,
        }
    };
    ProfileFacts {
        enabled: profile.status.as_deref().is_some_and(|word| word.eq_ignore_ascii_case("Enabled")),
        endpoints: profile.endpoints.iter().map(endpoint).collect(),
    }
}

/// Whether the workload answers from outside: by the same rule as a probe of `HealthPoll`, so that what serves now passes then.
async fn answers(lifeboat: &Lifeboat, it: &Traffic) -> Option<bool> {
    let (url, _) = it.verify.as_ref()?;
    match probe::ask(lifeboat.probes.as_ref(), &url.parse().ok()?).await {
        Probed::Good(_) => Some(true),
        Probed::Bad(_) | Probed::NoAnswer => Some(false),
        // Nothing was asked: that says nothing of the workload.
        Probed::NotSent(why) => {
            tracing::warn!(why, "the workload was not asked for its answer");
            None
        }
    }
}
