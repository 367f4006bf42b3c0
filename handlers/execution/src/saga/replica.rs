//! What is read of a member: its replicated item, its jobs and points, and the machine that its failover makes.
//! It never says what follows, and takes what two members could share for neither's.

use jiff::Timestamp;
use lifeboat_azure::replicated_items::{NEVER_TESTED, ReplicatedItem, ReplicationState, UNPLANNED_FAILOVER};
use lifeboat_azure::replication::{self, ReplicationPoint};
use lifeboat_azure::replication_jobs::{ReplicationError, ReplicationJob, ReplicationJobState};
use lifeboat_azure::{Error, ResourceId, machines, vaults};
use lifeboat_planning::saga::failover::{
    Failover, ItemFacts, JobFacts, JobKind, JobState, Known, Look, MachineFacts, Member, MemberFacts, PointFacts,
};

use super::looks::{machine_facts, mapped};
use super::round::{Round, say};
use crate::lifeboat::Lifeboat;

/// Azure's own words in a warning, at most: enough for a code and its sentence.
const WARNING_CHARS_MAX: usize = 300;

/// Everything of a member that this look is about.
pub async fn facts(lifeboat: &Lifeboat, of: &Failover, round: &Round, look: &Look, it: &Member) -> MemberFacts {
    let item = item(of, round, it);
    let jobs = match &item {
        Known::Is(item) => jobs(round, item, lifeboat.clock.now()),
        Known::Absent | Known::Unknown => Some(Vec::new()),
    };
    // Jobs that cannot be read are no jobs that are not there: then nothing is known of the item either.
    let unread = jobs.is_none() && needs_jobs(look);
    let mut facts = MemberFacts {
        item: if unread { Known::Unknown } else { mapped(item, |found| of_item(round, &found, it)) },
        target: Known::Unknown,
        alike: Vec::new(),
        points: Vec::new(),
        jobs: jobs.unwrap_or_default(),
    };
    if matches!(facts.item, Known::Is(_)) && needs_points(of, look, it) {
        match points(lifeboat, it).await {
            Ok(points) => facts.points = points,
            // A point that is not known is none that can be chosen: the look is asked again.
            Err(error) => {
                say(&error);
                facts.item = Known::Unknown;
            }
        }
    }
    match look {
        Look::Ready(_) => facts.target = machine(lifeboat, round, &it.target).await,
        Look::FailedOver(_) => {
            facts.target = machine(lifeboat, round, &it.target).await;
            let since = of.order.ordered_at;
            if !matches!(&facts.target, Known::Is(machine) if machine.created_at >= since) {
                facts.alike = alike(lifeboat, of, round, it).await;
            }
        }
        Look::Running(_) => {
            let made = of.memory.of(&it.name).target.map_or_else(|| it.target.clone(), |(id, _)| id);
            facts.target = machine(lifeboat, round, &made).await;
        }
        _ => {}
    }
    facts
}

/// Jobs say how far a change is.
pub fn needs_jobs(look: &Look) -> bool {
    matches!(look, Look::FailedOver(_) | Look::PointChanged(_) | Look::Committed(_) | Look::ProtectedBack(_))
}

/// Points are read where one is chosen.
fn needs_points(of: &Failover, look: &Look, it: &Member) -> bool {
    match look {
        Look::Ready(_) | Look::Newest(_) => true,
        Look::FailedOver(_) | Look::PointChanged(_) => of.memory.of(&it.name).point.is_none(),
        _ => false,
    }
}

/// The item where it lies now: under its id, or turned round, under the other fabric by the same name and of the new machine.
fn item(of: &Failover, round: &Round, it: &Member) -> Known<ReplicatedItem> {
    let Ok(id) = it.item.parse::<ResourceId>() else { return Known::Unknown };
    let Some(vault) = vaults::vault_of(&id) else { return Known::Unknown };
    let Some(items) = round.items(vault.as_str()) else { return Known::Unknown };
    let found = items.iter().find(|item| is_turned(of, item, &id, it)).or(items.iter().find(|item| item.id == id));
    match found {
        Some(item) if is_ambiguous(items, item) => {
            tracing::error!(
                item = it.item,
                "two items of the vault have one name: whose jobs are whose cannot be told"
            );
            Known::Unknown
        }
        Some(item) => Known::Is(item.clone()),
        // Left out of a list is not gone: no source shows what is answered for an item that is not there.
        None => {
            tracing::warn!(item = it.item, "not known: the vault's list does not have the item");
            Known::Unknown
        }
    }
}

fn is_turned(of: &Failover, item: &ReplicatedItem, id: &ResourceId, it: &Member) -> bool {
    let made = of.memory.of(&it.name).target.map(|(made, _)| made);
    let is_of_made = item
        .details
        .machine
        .as_ref()
        .is_some_and(|own| made.is_some_and(|made| own.as_str().eq_ignore_ascii_case(&made)));
    item.id != *id && item.name.eq_ignore_ascii_case(id.name()) && is_of_made
}

/// Jobs name what they are about by the machine's name alone (*Assumed*: `failover-job-object`).
fn is_ambiguous(items: &[ReplicatedItem], item: &ReplicatedItem) -> bool {
    let named = |other: &ReplicatedItem| called(other).eq_ignore_ascii_case(called(item));
    items.iter().any(|other| other.id != item.id && named(other) && other.details.machine != item.details.machine)
}

/// What jobs call an item.
fn called(item: &ReplicatedItem) -> &str {
    item.friendly_name.as_deref().unwrap_or(&item.name)
}

fn of_item(round: &Round, item: &ReplicatedItem, it: &Member) -> ItemFacts {
    let vault = vaults::vault_of(&item.id);
    let items = vault.as_ref().and_then(|vault| round.items(vault.as_str())).unwrap_or_default();
    ItemFacts { turned_round: !item.id.as_str().eq_ignore_ascii_case(&it.item), ..item_facts(items, item) }
}

/// An item among those of its vault, under the fabric where it lies when all is well.
pub fn item_facts(items: &[ReplicatedItem], item: &ReplicatedItem) -> ItemFacts {
    let word = |own: &Option<String>, word: &str| own.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(word));
    let group = item.details.group.as_deref();
    let shares = |other: &ReplicatedItem| other.id != item.id && other.details.group.as_deref() == group;
    let others = group.is_some() && items.iter().any(shares);
    let errors = item.health_errors.iter().filter_map(|error| error.code.clone());
    ItemFacts {
        state: state(&item.state),
        on_primary: word(&item.active, "Primary"),
        allows_failover: item.allows(UNPLANNED_FAILOVER),
        healthy: word(&item.replication_health, "Normal"),
        errors: errors.filter(|code| code != NEVER_TESTED).collect(),
        in_multi_vm_group: item.is_in_group_of_others() || others,
        turned_round: false,
    }
}

/// The state in Azure's word.
fn state(state: &ReplicationState) -> String {
    match state {
        ReplicationState::InitialReplication => "InitialReplicationInProgress",
        ReplicationState::FirstPointPending => "InitialReplicationRecoveryCompletionPending",
        ReplicationState::Protected => "Protected",
        ReplicationState::FailedOver => "UnplannedFailoverCommitPendingStatesBegin",
        ReplicationState::Committed => "UnplannedFailoverCommitted",
        ReplicationState::Other(word) => word,
    }
    .to_owned()
}

/// The item's jobs; nothing while they cannot be read.
fn jobs(round: &Round, item: &ReplicatedItem, now: Timestamp) -> Option<Vec<JobFacts>> {
    let jobs = round.jobs(vaults::vault_of(&item.id)?.as_str())?;
    let own = jobs.iter().filter(|job| job.object.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(called(item))));
    Some(own.filter_map(|job| job_facts(job, now)).collect())
}

/// A job that has ended and does not say when it began answers for nothing; one that has not may only just begin.
fn job_facts(job: &ReplicationJob, now: Timestamp) -> Option<JobFacts> {
    let state = match &job.state {
        ReplicationJobState::NotStarted
        | ReplicationJobState::InProgress
        | ReplicationJobState::Suspended
        | ReplicationJobState::Other(_) => JobState::Running,
        ReplicationJobState::Succeeded => JobState::Succeeded,
        ReplicationJobState::Failed => JobState::Failed(code(job, "Failed")),
        ReplicationJobState::Cancelled => JobState::Failed(code(job, "Cancelled")),
    };
    let began_at = job.started.or_else(|| (state == JobState::Running).then_some(now))?;
    let warnings = if state == JobState::Succeeded { warnings(job) } else { Vec::new() };
    Some(JobFacts { kind: kind(job.scenario.as_deref().unwrap_or_default()), state, began_at, warnings })
}

/// What a job that succeeded tells as errors (`replication-job-errors`).
fn warnings(job: &ReplicationJob) -> Vec<String> {
    let words = |error: &ReplicationError| {
        let (code, message) = (error.code.as_deref(), error.message.as_deref());
        let text = [code, message].into_iter().flatten().collect::<Vec<_>>().join(": ");
        text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(WARNING_CHARS_MAX).collect::<String>()
    };
    job.errors.iter().map(words).filter(|text| !text.is_empty()).collect()
}

fn code(job: &ReplicationJob, otherwise: &str) -> String {
    job.errors.iter().find_map(|error| error.code.clone()).unwrap_or_else(|| otherwise.to_owned())
}

/// What a job does, by the names that the document's examples have (*Assumed* for another point: `failover-job-object`).
fn kind(scenario: &str) -> JobKind {
    let is = |word: &str| scenario.eq_ignore_ascii_case(word);
    match scenario {
        _ if is("UnplannedFailover") => JobKind::Failover,
        _ if is("ApplyRecoveryPoint") => JobKind::ChangePoint,
        _ if is("CommitFailover") => JobKind::Commit,
        _ if is("ReverseReplication") => JobKind::ProtectBack,
        _ => JobKind::Other,
    }
}

async fn points(lifeboat: &Lifeboat, it: &Member) -> Result<Vec<PointFacts>, Error> {
    let id: ResourceId = it.item.parse().map_err(|error| Error::no_resource("a look", error))?;
    Ok(replication::list_points(&lifeboat.arm, &id).await?.iter().filter_map(point_facts).collect())
}

/// A point; none where Azure does not say of which moment it is.
pub fn point_facts(point: &ReplicationPoint) -> Option<PointFacts> {
    let application = point.consistency.as_deref().is_some_and(|own| own.eq_ignore_ascii_case("ApplicationConsistent"));
    Some(PointFacts { id: point.id.as_str().to_owned(), time: point.time?, application })
}

async fn machine(lifeboat: &Lifeboat, round: &Round, id: &str) -> Known<MachineFacts> {
    let Ok(id) = id.parse::<ResourceId>() else { return Known::Unknown };
    mapped(round.known(machines::get(&lifeboat.arm, &id).await, &id), |found| machine_facts(&found))
}

/// Machines of the target group that have the target's name with a tail, and are not what another member is to become.
async fn alike(lifeboat: &Lifeboat, of: &Failover, round: &Round, it: &Member) -> Vec<MachineFacts> {
    let Ok(target) = it.target.parse::<ResourceId>() else { return Vec::new() };
    let begins = format!("{}-", target.name().to_lowercase());
    let others = |id: &ResourceId| of.members().any(|other| other.target.eq_ignore_ascii_case(id.as_str()));
    let listed = round.machines(target.subscription(), target.resource_group()).unwrap_or_default();
    let named = listed.iter().filter(|one| one.name.to_lowercase().starts_with(&begins) && !others(&one.id));
    let mut found = Vec::new();
    for one in named {
        match machine(lifeboat, round, one.id.as_str()).await {
            Known::Is(machine) => found.push(machine),
            Known::Absent | Known::Unknown => {}
        }
    }
    found
}
