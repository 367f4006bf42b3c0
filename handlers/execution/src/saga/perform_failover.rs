//! Performs changes of the family `Failover`: one exhaustive match, one order an arm. No choices are made here.
//! It never waits for what Azure has begun, and never fails: what went wrong is an outcome.

use std::time::Duration;

use lifeboat_azure::failover::{self, OtherWay, OtherWayDisk};
use lifeboat_azure::{Error, Latest, ResourceId, machines};
use lifeboat_planning::facts::Owner;
use lifeboat_planning::saga::Outcome;
use lifeboat_planning::saga::failover::{Back, Failover, FailoverEffect};

use super::{old_side, outcome};
use crate::lifeboat::Lifeboat;

/// How long an order to the old side may take: ARM answers one in seconds, and a region that is lost never does. Who gives up
/// does not know what became of it.
const OLD_SIDE_ORDER_SECS_MAX: u64 = 15;
/// What is refused because the effect does not say it.
const NO_POINT: &str = "after a failover the latest state is none of the points that can be taken: one must be named";
/// The same of what protecting the other way needs.
const NOT_READ: &str = "what protecting the other way needs was not read";

/// Performs one change, if it can be sent before its latest moment.
pub async fn perform(
    lifeboat: &Lifeboat,
    (of, owner): (&Failover, &Owner),
    effect: &FailoverEffect,
    latest: Latest,
) -> Outcome {
    let arm = &lifeboat.arm;
    match effect {
        FailoverEffect::StopOld { machine } => match id(machine) {
            Ok(id) => in_time(machines::deallocate(arm, &id, latest)).await,
            Err(error) => outcome::of(Err(error)),
        },
        FailoverEffect::StartOld { machine } => match id(machine) {
            Ok(id) => in_time(machines::start(arm, &id, latest)).await,
            Err(error) => outcome::of(Err(error)),
        },
        FailoverEffect::FailOver { item, point } => outcome::of(fail_over(arm, item, point.as_deref(), latest).await),
        FailoverEffect::ChangePoint { item, point: Some(point) } => {
            outcome::of(change_point(arm, item, point, latest).await)
        }
        FailoverEffect::ChangePoint { point: None, .. } => Outcome::Refused(NO_POINT.to_owned()),
        FailoverEffect::Commit { item } => outcome::of(commit(arm, item, latest).await),
        FailoverEffect::SaveDisks { machine, point } => {
            in_time(old_side::save(lifeboat, (of, owner), machine, point, latest)).await
        }
        FailoverEffect::ProtectBack { item, back: Some(back) } => {
            outcome::of(protect_back(arm, item, back, latest).await)
        }
        FailoverEffect::ProtectBack { back: None, .. } => Outcome::Refused(NOT_READ.to_owned()),
    }
}

/// An order to the old side. Of one that was not answered in its time nobody knows what became.
async fn in_time<T>(order: impl Future<Output = Result<T, Error>>) -> Outcome {
    match tokio::time::timeout(Duration::from_secs(OLD_SIDE_ORDER_SECS_MAX), order).await {
        Ok(sent) => outcome::of(sent.map(drop)),
        Err(_) => Outcome::NoAnswer,
    }
}

async fn fail_over(
    arm: &lifeboat_azure::ArmClient,
    item: &str,
    point: Option<&str>,
    latest: Latest,
) -> Result<(), Error> {
    let point = point.map(id).transpose()?;
    failover::fail_over(arm, &id(item)?, point.as_ref(), latest).await.map(drop)
}

async fn change_point(arm: &lifeboat_azure::ArmClient, item: &str, point: &str, latest: Latest) -> Result<(), Error> {
    failover::change_point(arm, &id(item)?, &id(point)?, latest).await.map(drop)
}

async fn commit(arm: &lifeboat_azure::ArmClient, item: &str, latest: Latest) -> Result<(), Error> {
    failover::commit(arm, &id(item)?, latest).await.map(drop)
}

/// To the container that held the item when it was read, which also takes it back.
async fn protect_back(arm: &lifeboat_azure::ArmClient, item: &str, back: &Back, latest: Latest) -> Result<(), Error> {
    const ITEMS: &str = "replicationProtectedItems";
    let within = id(&back.container)?.child(ITEMS, id(item)?.name());
    let item = within.map_err(|error| Error::no_resource("an effect", error))?;
    let (policy, group, cache) = (id(&back.policy)?, id(&back.group)?, id(&back.cache)?);
    let disk =
        |text: &String| Ok::<_, Error>(OtherWayDisk { disk: id(text)?, cache: cache.clone(), group: group.clone() });
    let disks: Vec<OtherWayDisk> = back.disks.iter().map(disk).collect::<Result<_, _>>()?;
    let way = OtherWay { item: &item, policy: &policy, group: &group, disks: &disks };
    failover::protect_other_way(arm, &way, latest).await.map(drop)
}

/// An ARM id that an effect names. They come from what Azure said.
fn id(text: &str) -> Result<ResourceId, Error> {
    text.parse().map_err(|error| Error::no_resource("an effect", error))
}
