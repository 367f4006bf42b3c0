//! The lines of scenarios about disks: data disks with tags, and which disks were copied.
//! It never asks the product what it left out: Azure's own answer tells.
//!
//! ```text
//! machine|create … disk:NAME …     with data disks
//! disk NAME|os:MACHINE tag=value   a person tags it; `os:` is the disk that a machine runs from
//! copied                           which disks the points hold, and which they leave out
//! ```

use lifeboat_simulator::azure::{DiskSeed, MachineSeed};
use lifeboat_tests::Rig;
use lifeboat_tests::azure::Azure;
use lifeboat_tests::person::Person;
use lifeboat_tests::rig::{GROUP, SUBSCRIPTION};
use serde_json::Value;

/// The size of a data disk; nothing depends on it.
const SIZE_GIB: u32 = 32;
/// The versions of Compute's documents, as the product speaks them.
const COMPUTE: &str = "2025-04-01";
/// See above.
const SNAPSHOTS: &str = "2025-01-02";

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Disks {
    Tag { name: String, tag: String, value: String },
    Copied,
}

/// Reads a line; none when it is about something else.
pub fn read(words: &[&str]) -> Option<Result<Disks, String>> {
    Some(match words {
        ["disk", name, tag] => match tag.split_once('=') {
            Some((tag, value)) => {
                Ok(Disks::Tag { name: (*name).to_owned(), tag: tag.to_owned(), value: value.to_owned() })
            }
            None => Err(format!("{tag} is no tag")),
        },
        ["copied"] => Ok(Disks::Copied),
        _ => return None,
    })
}

/// A machine with one data disk more.
pub fn with_disk(mut seed: MachineSeed, name: &str) -> MachineSeed {
    seed.disks.push(DiskSeed { name: name.to_owned(), size_gib: SIZE_GIB });
    seed
}

/// Does what a line asks for; the lines to be shown.
pub async fn act(rig: &Rig, line: &Disks) -> Result<Vec<String>, String> {
    let person = Person::of(&rig.azure);
    match line {
        Disks::Tag { name, tag, value } => {
            let disk = match name.strip_prefix("os:") {
                Some(machine) => {
                    let machine = person.get(&format!("{}?api-version={COMPUTE}", Azure::id(machine))).await;
                    text(&machine["properties"]["storageProfile"]["osDisk"]["managedDisk"]["id"])
                }
                None => {
                    let group = format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{GROUP}");
                    format!("{group}/providers/Microsoft.Compute/disks/{name}")
                }
            };
            person.tag(&disk, tag, value).await?;
            Ok(Vec::new())
        }
        Disks::Copied => Ok(copied(&person).await),
    }
}

async fn copied(person: &Person<'_>) -> Vec<String> {
    let provider = format!("/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute");
    let mut lines = Vec::new();
    let collections = person.get(&format!("{provider}/restorePointCollections?api-version={COMPUTE}")).await;
    for collection in list(&collections["value"]) {
        let path = format!("{}?$expand=restorePoints&api-version={COMPUTE}", text(&collection["id"]));
        let read = person.get(&path).await;
        for point in list(&read["properties"]["restorePoints"]) {
            let storage = &point["properties"]["sourceMetadata"]["storageProfile"];
            let data = list(&storage["dataDisks"]).iter();
            let of = |disk: &Value| disk["diskRestorePoint"]["id"].is_string().then(|| text(&disk["name"]));
            let held: Vec<String> = std::iter::once(&storage["osDisk"]).chain(data).filter_map(of).collect();
            let left = list(&point["properties"]["excludeDisks"]).iter().map(|disk| last(&disk["id"]));
            let left: Vec<String> = left.collect();
            lines.push(format!("  {} holds {}; leaves out {}", text(&point["name"]), all(&held), all(&left)));
        }
    }
    let snapshots = person.get(&format!("{provider}/snapshots?api-version={SNAPSHOTS}")).await;
    for snapshot in list(&snapshots["value"]) {
        let disk = last(&snapshot["properties"]["creationData"]["sourceResourceId"]);
        lines.push(format!(
            "  {} is of {disk}, one of {}",
            text(&snapshot["name"]),
            text(&snapshot["tags"]["lifeboat-set-of"])
        ));
    }
    lines
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn last(id: &Value) -> String {
    let id = text(id);
    id.rsplit('/').next().unwrap_or_default().to_owned()
}

fn all(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
