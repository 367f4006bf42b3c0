//! The lines of scenarios about expiry: points of the past, holds, locks, what people do behind Lifeboat's back, and the sweep.
//! It never deletes through the product, and never tells what is due by asking it.
//!
//! ```text
//! past NAME 400d 399d …         a collection of ours with points that were made so long before the start
//! order hold NAME 399d           by the Api
//! hold|release|lose NAME 399d   a tag says that the point is held, or no longer; somebody deletes the point
//! collection NAME owner|estate VALUE            whose the collection's tags say that it is
//! lock|unlock subscription|group|NAME [399d]    a lock on everything, on the points' group, on a point
//! move NAME                     to another group, with its vmId
//! expire | alarms | estate old
//! ```

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::SignedDuration;
use lifeboat_execution::alarms::Alarm;
use lifeboat_planning::id::points_group;
use lifeboat_simulator::azure::{CollectionSeed, LockLevel};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::rig::{CONTAINER, LOCATION, SUBSCRIPTION};
use lifeboat_tests::{Rig, past};

use crate::language::time;

/// The name of every lock: what matters is where it stands.
const LOCK: &str = "keep-out";
/// The group that machines move to.
const OTHER_GROUP: &str = "rg-other";

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Expiry {
    Past { name: String, ago: Vec<Duration> },
    Hold { name: String, ago: Duration, held: bool },
    Order { name: String, ago: Duration },
    Lose { name: String, ago: Duration },
    Collection { name: String, tag: &'static str, value: String },
    Lock { scope: Scope, locked: bool },
    Move(String),
    Expire,
    Alarms,
    OldEstate,
}

/// What a lock stands on.
#[derive(Clone, Debug, PartialEq)]
pub enum Scope {
    Subscription,
    Group,
    Point { name: String, ago: Duration },
}

/// Reads a line; none when it is about something else.
pub fn read(words: &[&str]) -> Option<Result<Expiry, String>> {
    let about = |name: &str, ago: &str| time(ago).map(|ago| (name.to_owned(), ago));
    Some(match words {
        ["past", name, ago @ ..] => ago
            .iter()
            .map(|ago| time(ago))
            .collect::<Result<_, _>>()
            .map(|ago| Expiry::Past { name: (*name).to_owned(), ago }),
        [word @ ("hold" | "release"), name, ago] => {
            about(name, ago).map(|(name, ago)| Expiry::Hold { name, ago, held: *word == "hold" })
        }
        ["order", "hold", name, ago] => about(name, ago).map(|(name, ago)| Expiry::Order { name, ago }),
        ["lose", name, ago] => about(name, ago).map(|(name, ago)| Expiry::Lose { name, ago }),
        ["collection", name, what @ ("owner" | "estate"), value] => {
            let tag = if *what == "owner" { "lifeboat-owner" } else { "lifeboat-estate" };
            Ok(Expiry::Collection { name: (*name).to_owned(), tag, value: (*value).to_owned() })
        }
        [word @ ("lock" | "unlock"), scope @ ..] => {
            let scope = match scope {
                ["subscription"] => Ok(Scope::Subscription),
                ["group"] => Ok(Scope::Group),
                [name, ago] => about(name, ago).map(|(name, ago)| Scope::Point { name, ago }),
                _ => Err(format!("{} is nothing that a lock stands on", scope.join(" "))),
            };
            scope.map(|scope| Expiry::Lock { scope, locked: *word == "lock" })
        }
        ["move", name] => Ok(Expiry::Move((*name).to_owned())),
        ["expire"] => Ok(Expiry::Expire),
        ["alarms"] => Ok(Expiry::Alarms),
        ["estate", "old"] => Ok(Expiry::OldEstate),
        _ => return None,
    })
}

/// The collections that were put there.
#[derive(Default)]
pub struct Collections {
    seeds: BTreeMap<String, (CollectionSeed, String)>,
    told: usize,
}

impl Collections {
    /// Does what the line asks for; the lines that show what came of it.
    pub async fn act(&mut self, rig: &Rig, line: &Expiry) -> Result<Vec<String>, String> {
        match line {
            Expiry::Past { name, ago } => self.past(rig, name, ago)?,
            Expiry::Hold { name, ago, held } => {
                let tag = format!("lifeboat-hold-{}", self.point(rig, name, *ago)?);
                let (seed, _) = self.seeds.get_mut(name).ok_or("no collection")?;
                match held {
                    true => seed.tags.insert(tag, "a test".to_owned()),
                    false => seed.tags.remove(&tag),
                };
                self.write(rig, name)?;
            }
            Expiry::Order { name, ago } => {
                let point = format!("{}/restorePoints/{}", self.id(name)?, self.point(rig, name, *ago)?);
                let order = serde_json::json!({ "reason": "evidence", "point": point });
                let (status, _) = rig.order("/api/hold", &order).await;
                return Ok(vec![format!("  Api answers {status}")]);
            }
            Expiry::Lose { name, ago } => {
                let (collection, point) = (self.id(name)?, self.point(rig, name, *ago)?);
                if !rig.azure.arm.lose_point(&collection, &point) {
                    return Err(format!("there is no point {point}"));
                }
            }
            Expiry::Collection { name, tag, value } => {
                let (seed, _) = self.seeds.get_mut(name).ok_or("no collection")?;
                seed.tags.insert((*tag).to_owned(), value.clone());
                self.write(rig, name)?;
            }
            Expiry::Lock { scope, locked } => {
                let scope = self.scope(rig, scope)?;
                match locked {
                    true => rig.azure.arm.add_lock(&scope, LOCK, LockLevel::CanNotDelete),
                    false => drop(rig.azure.arm.remove_lock(&scope, LOCK)),
                }
            }
            Expiry::Move(name) => {
                rig.azure.arm.add_group(SUBSCRIPTION, OTHER_GROUP, LOCATION);
                rig.azure.arm.move_machine(&Azure::id(name), OTHER_GROUP).ok_or("no such machine")?;
            }
            Expiry::OldEstate => past::old_estate(rig),
            Expiry::Expire => {
                rig.expire().await;
                return Ok(self.report(rig));
            }
            Expiry::Alarms => return alarms(rig),
        }
        Ok(Vec::new())
    }

    fn past(&mut self, rig: &Rig, name: &str, ago: &[Duration]) -> Result<(), String> {
        let machine = rig.azure.machine(name).ok_or(format!("there is no machine {name}"))?;
        let ago: Vec<SignedDuration> = ago.iter().map(|ago| signed(*ago)).collect::<Result<_, _>>()?;
        let seed = past::seed(rig, &machine, &ago);
        rig.azure.arm.add_collection(&seed).ok_or(format!("there is no machine {name}"))?;
        // What is written again later are the tags; the points stay as they are.
        self.seeds.insert(name.to_owned(), (CollectionSeed { points: Vec::new(), ..seed }, machine.vm_id));
        Ok(())
    }

    /// The name of the point that was made so long before the start.
    fn point(&self, rig: &Rig, name: &str, ago: Duration) -> Result<String, String> {
        let (_, vm_id) = self.seeds.get(name).ok_or(format!("{name} has no past"))?;
        Ok(past::point(rig, vm_id, signed(ago)?))
    }

    fn id(&self, name: &str) -> Result<String, String> {
        let (seed, _) = self.seeds.get(name).ok_or(format!("{name} has no past"))?;
        let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{}", seed.group);
        Ok(format!("{group}/providers/Microsoft.Compute/restorePointCollections/{}", seed.name))
    }

    fn scope(&self, rig: &Rig, scope: &Scope) -> Result<String, String> {
        Ok(match scope {
            Scope::Subscription => format!("/subscriptions/{SUBSCRIPTION}"),
            Scope::Group => format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{}", points_group(LOCATION)),
            Scope::Point { name, ago } => {
                format!("{}/restorePoints/{}", self.id(name)?, self.point(rig, name, *ago)?)
            }
        })
    }

    /// Writes the tags as they are now; the points stay.
    fn write(&self, rig: &Rig, name: &str) -> Result<(), String> {
        let (seed, _) = self.seeds.get(name).ok_or("no collection")?;
        rig.azure.arm.add_collection(seed).map(drop).ok_or(format!("there is no machine {name}"))
    }

    /// What the sweeps said since the last time.
    fn report(&mut self, rig: &Rig) -> Vec<String> {
        // The host's own line about the execution has an id and a duration in it.
        let mut all = rig.said_by("ExpirySweep");
        all.retain(|line| !line.starts_with("Execut"));
        let new = all.iter().skip(self.told).map(|line| format!("  {line}")).collect();
        self.told = all.len();
        new
    }
}

fn signed(ago: Duration) -> Result<SignedDuration, String> {
    SignedDuration::try_from(ago).map_err(|error| error.to_string())
}

/// The alarms in the store, by their names.
fn alarms(rig: &Rig) -> Result<Vec<String>, String> {
    let names = rig.blobs.names(CONTAINER).into_iter().filter(|name| name.starts_with("alarms/"));
    let mut lines = Vec::new();
    for name in names {
        let bytes = rig.blobs.bytes(CONTAINER, &name).ok_or(format!("{name} is not there"))?;
        let alarm: Alarm = serde_json::from_slice(&bytes).map_err(|error| format!("{name}: {error}"))?;
        let state = if alarm.settled_at.is_some() { "closed" } else { "open" };
        lines.push(format!("  {} {state}, raised {} times: {}", alarm.cause, alarm.count, alarm.what));
    }
    if lines.is_empty() {
        lines.push("  no alarms".to_owned());
    }
    Ok(lines)
}
