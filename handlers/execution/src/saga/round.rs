//! What one round of looks reads once for all of them: lists of vaults, groups and subscriptions.
//! It never judges, and keeps nothing from one round to the next: what is decided on is read for it.

use std::collections::{BTreeMap, BTreeSet};

use futures::StreamExt as _;
use futures::stream;
use lifeboat_azure::machines::Machine;
use lifeboat_azure::presence::{self, Presence};
use lifeboat_azure::replicated_items::{self, ReplicatedItem};
use lifeboat_azure::replication_jobs::{self, ReplicationJob};
use lifeboat_azure::subscriptions::{self, Subscription};
use lifeboat_azure::traffic_manager::{self, Profile};
use lifeboat_azure::{ArmClient, Error, ResourceId, machines, vaults};
use lifeboat_planning::saga::failover::{Known, Look};

use super::replica::needs_jobs;

/// How many requests are under way at once: ARM takes 200 reads in one burst and 25 a second, and one process has one connection.
pub const AT_ONCE: usize = 30;

/// What was read.
#[derive(Debug, Default)]
pub struct Round {
    items: BTreeMap<String, Result<Vec<ReplicatedItem>, Error>>,
    jobs: BTreeMap<String, Result<Vec<ReplicationJob>, Error>>,
    groups: BTreeMap<String, Result<Vec<Machine>, Error>>,
    subscriptions: BTreeMap<String, Result<Subscription, Error>>,
    profiles: BTreeMap<String, Result<Profile, Error>>,
}

/// What is to be read.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Ask {
    Items(String),
    Jobs(String),
    Group(String, String),
    Subscription(String),
    Profile(String),
}

enum Told {
    Items(String, Result<Vec<ReplicatedItem>, Error>),
    Jobs(String, Result<Vec<ReplicationJob>, Error>),
    Group(String, Result<Vec<Machine>, Error>),
    Subscription(String, Result<Subscription, Error>),
    Profile(String, Result<Profile, Error>),
}

impl Round {
    /// Reads what these looks have in common.
    pub async fn of(arm: &ArmClient, looks: impl Iterator<Item = &Look>) -> Self {
        let asks: BTreeSet<Ask> = looks.flat_map(asks).collect();
        let mut reads = Vec::new();
        for ask in asks {
            reads.push(tell(arm, ask));
        }
        let mut told = stream::iter(reads).buffer_unordered(AT_ONCE);
        let mut round = Self::default();
        while let Some(told) = told.next().await {
            match told {
                Told::Items(vault, found) => drop(round.items.insert(vault, found)),
                Told::Jobs(vault, found) => drop(round.jobs.insert(vault, found)),
                Told::Group(group, found) => drop(round.groups.insert(group, found)),
                Told::Subscription(id, found) => drop(round.subscriptions.insert(id, found)),
                Told::Profile(id, found) => drop(round.profiles.insert(id, found)),
            }
        }
        round
    }

    /// The items of the vault that something is in; nothing while they cannot be read.
    pub fn items(&self, vault: &str) -> Option<&[ReplicatedItem]> {
        self.items.get(&vault.to_lowercase())?.as_deref().map_err(say).ok()
    }

    /// Its jobs.
    pub fn jobs(&self, vault: &str) -> Option<&[ReplicationJob]> {
        self.jobs.get(&vault.to_lowercase())?.as_deref().map_err(say).ok()
    }

    /// The machines of a group, without their instance views.
    pub fn machines(&self, subscription: &str, group: &str) -> Option<&[Machine]> {
        self.groups.get(&group_key(subscription, group))?.as_deref().map_err(say).ok()
    }

    /// A traffic profile.
    pub fn profile(&self, profile: &str) -> Known<&Profile> {
        match self.profiles.get(&profile.to_lowercase()) {
            Some(Ok(profile)) => Known::Is(profile),
            Some(Err(error)) => {
                say(error);
                Known::Unknown
            }
            None => Known::Unknown,
        }
    }

    /// Whether something is there, gone, or not known: design, Words.
    pub fn known<T>(&self, read: Result<T, Error>, id: &ResourceId) -> Known<T> {
        let unread = || Err(Error::no_resource("a subscription", lifeboat_azure::id::IdError::Root));
        let held = self.subscriptions.get(&id.subscription().to_lowercase());
        let judged = match held {
            Some(subscription) => presence::of(read, id, subscription),
            None => presence::of(read, id, &unread()),
        };
        match judged {
            Presence::There(found) => Known::Is(found),
            Presence::Gone => Known::Absent,
            Presence::Unknown(error) => {
                say(&error);
                Known::Unknown
            }
        }
    }
}

fn group_key(subscription: &str, group: &str) -> String {
    format!("{}/{}", subscription.to_lowercase(), group.to_lowercase())
}

/// What a look needs of what many share.
fn asks(look: &Look) -> Vec<Ask> {
    let of_vault = |item: &str| -> Vec<Ask> {
        let vault = item.parse::<ResourceId>().ok().as_ref().and_then(vaults::vault_of);
        let vault = vault.map(|vault| vault.as_str().to_lowercase());
        let jobs = vault.clone().filter(|_| needs_jobs(look)).map(Ask::Jobs);
        vault.map(Ask::Items).into_iter().chain(jobs).collect()
    };
    let subscription = |id: &str| -> Option<Ask> {
        Some(Ask::Subscription(id.parse::<ResourceId>().ok()?.subscription().to_lowercase()))
    };
    let group = |id: &str| -> Option<Ask> {
        let id: ResourceId = id.parse().ok()?;
        Some(Ask::Group(id.subscription().to_lowercase(), id.resource_group().to_lowercase()))
    };
    match look {
        Look::FailedOver(it) => {
            of_vault(&it.item).into_iter().chain(subscription(&it.target)).chain(group(&it.target)).collect()
        }
        Look::Ready(it) => of_vault(&it.item).into_iter().chain(subscription(&it.target)).collect(),
        Look::Running(it) => subscription(&it.target).into_iter().collect(),
        Look::Newest(it) | Look::PointChanged(it) | Look::Committed(it) => of_vault(&it.item),
        Look::CanProtect(it) | Look::ProtectedBack(it) => {
            of_vault(&it.item).into_iter().chain(subscription(&it.old)).collect()
        }
        Look::Stopped(it) | Look::Started(it) | Look::Saved(it, _) => subscription(&it.old).into_iter().collect(),
        Look::ProfileUsable(it)
        | Look::Enabled(it)
        | Look::EnabledUndone(it)
        | Look::Disabled(it)
        | Look::DisabledUndone(it) => {
            subscription(&it.profile).into_iter().chain([Ask::Profile(it.profile.to_lowercase())]).collect()
        }
        Look::TargetUsable | Look::Answers(_) => Vec::new(),
    }
}

async fn tell(arm: &ArmClient, ask: Ask) -> Told {
    let id = |text: &str| text.parse::<ResourceId>().map_err(|error| Error::no_resource("a look", error));
    match ask {
        Ask::Items(vault) => {
            let found = match id(&vault) {
                Ok(id) => replicated_items::list(arm, &id).await,
                Err(error) => Err(error),
            };
            Told::Items(vault, found)
        }
        Ask::Jobs(vault) => {
            let found = match id(&vault) {
                Ok(id) => replication_jobs::list(arm, &id).await,
                Err(error) => Err(error),
            };
            Told::Jobs(vault, found)
        }
        Ask::Group(subscription, group) => {
            let found = machines::list_in_group(arm, &subscription, &group).await;
            Told::Group(group_key(&subscription, &group), found)
        }
        Ask::Subscription(subscription) => {
            let found = subscriptions::get(arm, &subscription).await;
            Told::Subscription(subscription, found)
        }
        Ask::Profile(profile) => {
            let found = match id(&profile) {
                Ok(id) => traffic_manager::get(arm, &id).await,
                Err(error) => Err(error),
            };
            Told::Profile(profile, found)
        }
    }
}

/// Why something is not known: for whoever reads the log.
pub fn say(error: &Error) {
    let chain = std::iter::successors(Some(error as &dyn std::error::Error), |error| error.source());
    let text = chain.map(ToString::to_string).collect::<Vec<_>>().join(": ");
    if error.is_not_yet() {
        tracing::info!("not known: {text}");
    } else {
        tracing::warn!("not known: {text}");
    }
}
