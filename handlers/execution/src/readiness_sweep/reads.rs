//! What a look at one recovery plan reads: once without a bound, of what lies elsewhere, and once with one, of the region that may be lost.
//! It never judges. What was not answered in its time is missing in what was told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::StreamExt as _;
use futures::stream;
use lifeboat_azure::locks::{self, Lock};
use lifeboat_azure::machines::{self, Machine};
use lifeboat_azure::permissions::{self, Permission};
use lifeboat_azure::presence::{self, Presence};
use lifeboat_azure::replication::{self, ReplicationPoint};
use lifeboat_azure::resource_groups::{self, ResourceGroup};
use lifeboat_azure::target_sizes::{self, TargetSize};
use lifeboat_azure::{ArmClient, Error, ErrorKind, ResourceId};
use lifeboat_planning::saga::failover::Known;

use super::pace::Pace;
use super::shared::Shared;
use crate::saga::looks::in_time;
use crate::saga::round::{AT_ONCE, say};

/// How long all reads in the region that may be lost may take together for one recovery plan. Each alone has the bound of a saga's look.
pub const SOURCE_SECS_MAX: u64 = 20;

/// A question.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ask {
    /// A machine, by its id.
    Machine(String),
    /// The points of an item, by its id.
    Points(String),
    /// The sizes that an item's machine is offered, by the item's id.
    Sizes(String),
    /// A group: subscription and name.
    Group(String, String),
    /// What is allowed in a group.
    Rights(String, String),
    /// The locks of a subscription.
    Locks(String),
}

/// What was told, by keys in lower case.
#[derive(Debug, Default)]
pub struct Told {
    machines: BTreeMap<String, Result<Machine, Error>>,
    points: BTreeMap<String, Result<Vec<ReplicationPoint>, Error>>,
    sizes: BTreeMap<String, Result<Vec<TargetSize>, Error>>,
    groups: BTreeMap<String, Result<ResourceGroup, Error>>,
    rights: BTreeMap<String, Result<Vec<Permission>, Error>>,
    locks: BTreeMap<String, Result<Vec<Lock>, Error>>,
    asked_machines: usize,
}

enum Answer {
    Machine(String, Box<Result<Machine, Error>>),
    Points(String, Result<Vec<ReplicationPoint>, Error>),
    Sizes(String, Result<Vec<TargetSize>, Error>),
    Group(String, Result<ResourceGroup, Error>),
    Rights(String, Result<Vec<Permission>, Error>),
    Locks(String, Result<Vec<Lock>, Error>),
}

/// Reads what does not lie in the region that may be lost.
pub async fn elsewhere(arm: &ArmClient, asks: &BTreeSet<Ask>, pace: &Pace) -> Told {
    let mut reads = Vec::new();
    for ask in asks {
        reads.push(async move {
            pace.turn().await;
            answer(arm, ask.clone()).await
        });
    }
    Told::of(asks, stream::iter(reads).buffer_unordered(AT_ONCE).collect().await)
}

/// Reads what lies in the region that may be lost, and waits no longer than the bound.
pub async fn in_source(arm: &ArmClient, asks: &BTreeSet<Ask>, pace: &Pace) -> Told {
    let mut reads = Vec::new();
    for ask in asks {
        let _at_once = pace.counted();
        reads.push(in_time(wrapped(arm, ask.clone())));
    }
    let bound = Box::pin(tokio::time::sleep(Duration::from_secs(SOURCE_SECS_MAX)));
    let answers: Vec<_> = stream::iter(reads).buffer_unordered(AT_ONCE).take_until(bound).collect().await;
    Told::of(asks, answers.into_iter().flatten().filter_map(Result::ok).collect())
}

/// An answer in the form that has a bound: what went wrong is in it.
async fn wrapped(arm: &ArmClient, ask: Ask) -> Result<Answer, Error> {
    Ok(answer(arm, ask).await)
}

async fn answer(arm: &ArmClient, ask: Ask) -> Answer {
    let id = |text: &str| text.parse::<ResourceId>().map_err(|error| Error::no_resource("a look", error));
    match ask {
        Ask::Machine(text) => {
            let read = match id(&text) {
                Ok(id) => machines::get(arm, &id).await,
                Err(error) => Err(error),
            };
            Answer::Machine(text.to_lowercase(), Box::new(read))
        }
        Ask::Points(text) => {
            let read = match id(&text) {
                Ok(id) => replication::list_points(arm, &id).await,
                Err(error) => Err(error),
            };
            Answer::Points(text.to_lowercase(), read)
        }
        Ask::Sizes(text) => {
            let read = match id(&text) {
                Ok(id) => target_sizes::list(arm, &id).await,
                Err(error) => Err(error),
            };
            Answer::Sizes(text.to_lowercase(), read)
        }
        Ask::Group(subscription, group) => {
            let read = resource_groups::get(arm, &subscription, &group).await;
            Answer::Group(group_key(&subscription, &group), read)
        }
        Ask::Rights(subscription, group) => {
            let read = permissions::list_for_group(arm, &subscription, &group).await;
            Answer::Rights(group_key(&subscription, &group), read)
        }
        Ask::Locks(subscription) => {
            let read = locks::list_at_subscription(arm, &subscription).await;
            Answer::Locks(subscription.to_lowercase(), read)
        }
    }
}

fn group_key(subscription: &str, group: &str) -> String {
    format!("{}/{}", subscription.to_lowercase(), group.to_lowercase())
}

impl Told {
    fn of(asks: &BTreeSet<Ask>, answers: Vec<Answer>) -> Self {
        let asked_machines = asks.iter().filter(|ask| matches!(ask, Ask::Machine(_))).count();
        let mut told = Self { asked_machines, ..Self::default() };
        for answer in answers {
            match answer {
                Answer::Machine(key, read) => drop(told.machines.insert(key, *read)),
                Answer::Points(key, read) => drop(told.points.insert(key, read)),
                Answer::Sizes(key, read) => drop(told.sizes.insert(key, read)),
                Answer::Group(key, read) => drop(told.groups.insert(key, read)),
                Answer::Rights(key, read) => drop(told.rights.insert(key, read)),
                Answer::Locks(key, read) => drop(told.locks.insert(key, read)),
            }
        }
        told
    }

    /// True when machines were asked for, and Azure said nothing of any of them.
    pub fn is_silent(&self) -> bool {
        let said = |read: &Result<Machine, Error>| read.as_ref().err().is_none_or(|error| !error.is_not_yet());
        self.asked_machines > 0 && !self.machines.values().any(said)
    }

    /// A machine: there, gone, or not known. Each can be taken once.
    pub fn machine(&mut self, id: &ResourceId, shared: &Shared) -> Known<Machine> {
        let (Some(read), Some(subscription)) =
            (self.machines.remove(&id.as_str().to_lowercase()), shared.subscription(id.subscription()))
        else {
            return Known::Unknown;
        };
        match presence::of(read, id, subscription) {
            Presence::There(machine) => Known::Is(machine),
            Presence::Gone => Known::Absent,
            Presence::Unknown(error) => {
                say(&error);
                Known::Unknown
            }
        }
    }

    /// The points of an item; nothing where they could not be read.
    pub fn points(&self, item: &ResourceId) -> Option<&[ReplicationPoint]> {
        self.points.get(&item.as_str().to_lowercase())?.as_deref().map_err(say).ok()
    }

    /// The sizes that an item's machine is offered; nothing where they could not be read.
    pub fn sizes(&self, item: &ResourceId) -> Option<&[TargetSize]> {
        self.sizes.get(&item.as_str().to_lowercase())?.as_deref().map_err(say).ok()
    }

    /// Where a group lies; nothing where that could not be read.
    pub fn location(&self, subscription: &str, group: &str) -> Option<&str> {
        let read = self.groups.get(&group_key(subscription, group))?;
        read.as_ref().map_err(say).ok().map(|group| group.location.as_str())
    }

    /// Whether nothing was told of rights in a group because it is not there.
    pub fn lacks_group(&self, subscription: &str, group: &str) -> bool {
        let read = self.rights.get(&group_key(subscription, group)).and_then(|read| read.as_ref().err());
        read.is_some_and(|error| error.kind == ErrorKind::NotFound)
    }

    /// What is allowed in a group; nothing where that could not be read.
    pub fn rights(&self, subscription: &str, group: &str) -> Option<&[Permission]> {
        self.rights.get(&group_key(subscription, group))?.as_deref().map_err(say).ok()
    }

    /// The locks of a subscription; nothing where they could not be read.
    pub fn locks(&self, subscription: &str) -> Option<&[Lock]> {
        self.locks.get(&subscription.to_lowercase())?.as_deref().map_err(say).ok()
    }
}
