//! What managed disks and snapshots have in common: they keep what they were given, and add what the provider adds.
//! It never makes or removes one, and never changes what somebody wrote.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::graph::{Listed, Table};
use super::ids::{ResourceId, stamp};
use super::machines::Os;

/// GiB to bytes.
const GIB_SHIFT: u32 = 30;

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Disk,
    Snapshot,
}

/// Where a disk or snapshot is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Accepted: only what was sent is told (recorded).
    Updating,
    Succeeded,
    Failed,
    Deleting,
}

/// A copy that goes on after the operation has succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Progress {
    pub(crate) began: Timestamp,
    pub(crate) length: SignedDuration,
    /// Whether it comes from another region: then the operation's answer does not mention it (recorded).
    pub(crate) crosses: bool,
    /// Whether its source went away meanwhile.
    pub(crate) lost: Option<Timestamp>,
}

/// A disk or a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct Volume {
    pub(crate) kind: Kind,
    pub(crate) id: ResourceId,
    pub(crate) location: String,
    /// What the accepted call said, as it is answered until it is carried out.
    pub(crate) sent: Arc<Value>,
    /// The whole resource, but for its states.
    pub(crate) body: Arc<Value>,
    pub(crate) phase: Phase,
    pub(crate) size_gib: u32,
    pub(crate) os: Option<Os>,
    pub(crate) unique_id: String,
    pub(crate) created: Timestamp,
    /// The machine that it is attached to; disks only.
    pub(crate) managed_by: Option<String>,
    /// Whether that machine gave its hardware back.
    pub(crate) reserved: bool,
    /// Until when somebody may read it by a signed URL.
    pub(crate) open_until: Option<Timestamp>,
    pub(crate) progress: Option<Progress>,
    /// Whether it is known by a seeded machine's mention alone: who writes it makes it.
    pub(crate) implied: bool,
}

impl Kind {
    /// The part of the path.
    pub(crate) fn part(self) -> &'static str {
        match self {
            Self::Disk => "disks",
            Self::Snapshot => "snapshots",
        }
    }

    /// The type, as a resource names it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Disk => "Microsoft.Compute/disks",
            Self::Snapshot => "Microsoft.Compute/snapshots",
        }
    }
}

impl Progress {
    /// How much is copied, in hundredths. *Assumed* (`snapshot-copy-duration`): in steps of ten, evenly; recorded is only
    /// that it is 0.0 for a while.
    fn percent(&self, now: Timestamp) -> f64 {
        let until = self.lost.unwrap_or(now).min(now);
        let (passed, whole) = (until.duration_since(self.began).as_millis(), self.length.as_millis());
        let tens = if whole <= 0 { 10 } else { (passed.max(0) * 10 / whole).min(10) };
        f64::from(i32::try_from(tens).unwrap_or(10)) * 10.0
    }

    /// Whether it still goes on.
    pub(crate) fn runs(&self, now: Timestamp) -> bool {
        self.lost.is_none() && now.duration_since(self.began) < self.length
    }
}

impl Volume {
    pub(crate) fn id(&self) -> String {
        let ResourceId { subscription, group, provider, path } = &self.id;
        let path: String = path.iter().map(|(kind, name)| format!("/{kind}/{name}")).collect();
        format!("/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}{path}")
    }

    pub(crate) fn name(&self) -> &str {
        self.id.name()
    }

    /// Whether only what changed is in it.
    pub(crate) fn is_incremental(&self) -> bool {
        self.body["properties"]["incremental"].as_bool().unwrap_or(false)
    }

    /// The disk or snapshot that it was made from, by that one's unique id.
    pub(crate) fn source_unique_id(&self) -> Option<&str> {
        self.body["properties"]["creationData"]["sourceUniqueId"].as_str()
    }

    /// Whether the sku is one whose snapshots are copied in the background (documented).
    pub(crate) fn is_ultra(&self) -> bool {
        self.body["sku"]["name"].as_str().is_some_and(|sku| sku.starts_with("Ultra") || sku.starts_with("PremiumV2"))
    }

    fn state(&self) -> &'static str {
        match (self.open_until.is_some(), self.managed_by.is_some(), self.reserved) {
            (true, ..) => "ActiveSAS",
            (false, false, _) => "Unattached",
            (false, true, true) => "Reserved",
            (false, true, false) => "Attached",
        }
    }

    /// As `GET` and lists answer.
    pub(crate) fn json(&self, now: Timestamp) -> Value {
        if self.phase == Phase::Updating && self.sent.is_object() {
            return Value::clone(&self.sent);
        }
        let mut body = self.finished();
        if let Some(progress) = self.progress {
            body["properties"]["completionPercent"] = json!(progress.percent(now));
            if progress.lost.is_some() {
                // The error is documented, its text is *assumed* (`snapshot-copy-source-deleted`).
                body["properties"]["copyCompletionError"] = json!({
                    "errorCode": "CopySourceNotFound",
                    "errorMessage": "The source snapshot was deleted while it was being copied.",
                });
            }
        }
        body
    }

    /// As the operation that made it answers in `properties.output`.
    pub(crate) fn output(&self, now: Timestamp) -> Value {
        let whole = Self { phase: Phase::Succeeded, ..self.clone() };
        if self.progress.is_some_and(|progress| progress.crosses) { whole.finished() } else { whole.json(now) }
    }

    fn finished(&self) -> Value {
        let mut body = Value::clone(&self.body);
        body["properties"]["provisioningState"] = json!(match self.phase {
            Phase::Updating => "Updating",
            Phase::Succeeded => "Succeeded",
            Phase::Failed => "Failed",
            Phase::Deleting => "Deleting",
        });
        body["properties"]["diskState"] = json!(self.state());
        match &self.managed_by {
            Some(machine) => body["managedBy"] = json!(machine),
            None => drop(body.as_object_mut().and_then(|fields| fields.remove("managedBy"))),
        }
        body
    }
}

impl Listed for Volume {
    fn table(&self) -> Table {
        Table::Resources
    }

    fn row(&self) -> Value {
        let body = self.finished();
        json!({
            "id": self.id(),
            "name": self.name(),
            "type": self.kind.word().to_ascii_lowercase(),
            "location": self.location,
            "resourceGroup": self.id.group.to_ascii_lowercase(),
            "subscriptionId": self.id.subscription,
            "managedBy": self.managed_by.as_deref().unwrap_or(""),
            "sku": body["sku"],
            "tags": if body["tags"].is_object() { body["tags"].clone() } else { json!({}) },
            "properties": body["properties"],
        })
    }
}

/// What the provider knows about a new one besides what was sent.
pub(crate) struct Added<'a> {
    pub(crate) size_gib: u32,
    pub(crate) os: Option<Os>,
    pub(crate) unique_id: &'a str,
    pub(crate) source_unique_id: Option<&'a str>,
    pub(crate) created: Timestamp,
}

/// What is answered at once: what was sent, and that it is under way (recorded). The speed of a copy is not repeated.
pub(crate) fn sent_body(kind: Kind, id: &str, name: &str, given: &Value) -> Value {
    let mut properties = given["properties"].as_object().cloned().unwrap_or_default();
    if let Some(creation) = properties.get_mut("creationData").and_then(Value::as_object_mut) {
        creation.remove("provisionedBandwidthCopySpeed");
    }
    properties.insert("provisioningState".to_owned(), json!("Updating"));
    let mut body = frame(kind, id, name, given);
    body.insert("properties".to_owned(), Value::Object(properties));
    Value::Object(body)
}

/// The whole resource, but for its states (recorded).
pub(crate) fn whole_body(kind: Kind, id: &str, name: &str, given: &Value, added: &Added<'_>) -> Value {
    let sku = given["sku"]["name"].as_str().unwrap_or("Standard_LRS").to_owned();
    let mut body = frame(kind, id, name, given);
    body.insert("sku".to_owned(), json!({ "name": sku, "tier": tier_of_sku(&sku) }));
    let mut properties = given["properties"].as_object().cloned().unwrap_or_default();
    let mut fill = |name: &str, value: Value| {
        properties.entry(name).or_insert(value);
    };
    fill("diskSizeGB", json!(added.size_gib));
    fill("encryption", json!({ "type": "EncryptionAtRestWithPlatformKey" }));
    fill("networkAccessPolicy", json!("AllowAll"));
    fill("publicNetworkAccess", json!("Enabled"));
    fill("timeCreated", json!(stamp(added.created)));
    fill("diskSizeBytes", json!(u64::from(added.size_gib) << GIB_SHIFT));
    fill("uniqueId", json!(added.unique_id));
    if let Some(os) = added.os {
        fill("osType", json!(os));
    }
    match kind {
        Kind::Disk => performance(&sku, added.size_gib).into_iter().for_each(|(name, value)| fill(name, value)),
        Kind::Snapshot => fill("incremental", json!(false)),
    }
    let ultra = sku.starts_with("Ultra") || sku.starts_with("PremiumV2");
    if let Some(creation) = properties.get_mut("creationData").and_then(Value::as_object_mut) {
        if let Some(source) = added.source_unique_id {
            creation.insert("sourceUniqueId".to_owned(), json!(source));
        }
        if kind == Kind::Disk && ultra {
            creation.entry("logicalSectorSize").or_insert(json!(4096));
        }
    }
    body.insert("properties".to_owned(), Value::Object(properties));
    Value::Object(body)
}

/// All but the properties, as it was sent.
fn frame(kind: Kind, id: &str, name: &str, given: &Value) -> Map<String, Value> {
    let mut body = Map::new();
    for part in ["location", "tags", "sku", "zones", "extendedLocation"] {
        if let Some(value) = given.get(part).filter(|value| !value.is_null()) {
            body.insert(part.to_owned(), value.clone());
        }
    }
    body.insert("name".to_owned(), json!(name));
    body.insert("id".to_owned(), json!(id));
    body.insert("type".to_owned(), json!(kind.word()));
    body
}

fn tier_of_sku(sku: &str) -> &'static str {
    match sku.split('_').next().unwrap_or_default() {
        "Premium" | "PremiumV2" => "Premium",
        "UltraSSD" => "Ultra",
        _ => "Standard",
    }
}

/// What a disk can do. Recorded: P3, P15, S4 and Ultra; the other rows are those of Microsoft's public table, and the
/// figures of Ultra for other sizes are *assumed* (`disk-performance`).
fn performance(sku: &str, size_gib: u32) -> Vec<(&'static str, Value)> {
    // Tier number, most GiB, then operations and MB a second of premium and of standard disks.
    const TIERS: [(u32, u32, u32, u32, u32, u32); 14] = [
        (1, 4, 120, 25, 500, 60),
        (2, 8, 120, 25, 500, 60),
        (3, 16, 120, 25, 500, 60),
        (4, 32, 120, 25, 500, 60),
        (6, 64, 240, 50, 500, 60),
        (10, 128, 500, 100, 500, 60),
        (15, 256, 1_100, 125, 500, 60),
        (20, 512, 2_300, 150, 500, 60),
        (30, 1_024, 5_000, 200, 500, 60),
        (40, 2_048, 7_500, 250, 500, 60),
        (50, 4_096, 7_500, 250, 500, 60),
        (60, 8_192, 16_000, 500, 1_300, 300),
        (70, 16_384, 18_000, 750, 2_000, 500),
        (80, 32_767, 20_000, 900, 2_000, 500),
    ];
    let letter = match sku.split('_').next().unwrap_or_default() {
        "UltraSSD" | "PremiumV2" => {
            let (operations, megabytes) = (json!(100), json!(13));
            return vec![
                ("diskIOPSReadWrite", operations.clone()),
                ("diskMBpsReadWrite", megabytes.clone()),
                ("readOnly", json!(false)),
                ("diskIOPSReadOnly", operations),
                ("diskMBpsReadOnly", megabytes),
                ("maxShares", json!(1)),
            ];
        }
        "Premium" => "P",
        "StandardSSD" => "E",
        _ => "S",
    };
    let smallest = if letter == "S" { 3 } else { 0 };
    let row = TIERS[smallest..].iter().find(|row| size_gib <= row.1).unwrap_or(&TIERS[13]);
    let (operations, megabytes) = if letter == "P" { (row.2, row.3) } else { (row.4, row.5) };
    vec![
        ("diskIOPSReadWrite", json!(operations)),
        ("diskMBpsReadWrite", json!(megabytes)),
        ("tier", json!(format!("{letter}{}", row.0))),
    ]
}
