//! The form of a backup policy: which fields there are, which must be there, and which this release does not act on yet.
//! It never reads a document; the reader and the schema both follow these tables.

/// The version of the documents.
pub const API_VERSION: &str = "lifeboat/v1";
/// The kind of a backup policy.
pub const BACKUP_POLICY: &str = "BackupPolicy";
/// The kind of a recovery plan: agreed, and of a later release.
pub const RECOVERY_PLAN: &str = "RecoveryPlan";

/// A field of a mapping.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name.
    pub name: &'static str,
    /// What it means when it is there or not.
    pub standing: Standing,
}

/// What a field's presence means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Must be there.
    Required,
    /// May be there.
    Optional,
    /// Agreed, but this release would not act on it: an error, because a promise nobody keeps is worse than none.
    Later,
}

use Standing::{Later, Optional, Required};

/// The document.
pub const DOCUMENT: &[Field] =
    &fields([("apiVersion", Required), ("kind", Required), ("metadata", Required), ("spec", Required)]);
/// `metadata`.
pub const METADATA: &[Field] = &fields([("name", Required), ("formerly", Later)]);
/// `spec`.
pub const SPEC: &[Field] = &fields([
    ("mode", Optional),
    ("match", Required),
    ("points", Required),
    ("priority", Later),
    ("rpo", Later),
    ("vault", Later),
    ("freeze", Later),
    ("limits", Later),
    ("formerly", Later),
]);
/// An entry of `spec.points`.
pub const POINT: &[Field] = &fields([
    ("name", Required),
    ("kind", Required),
    // Required for now: nothing else of this release makes a point, so that an entry without it would protect nobody.
    ("onCreate", Required),
    ("consistency", Later),
    ("schedule", Later),
    ("excludeDisks", Later),
    ("copies", Later),
    ("keep", Later),
    ("whenMachineDeleted", Later),
    ("grace", Later),
]);
/// `onCreate` of an entry.
pub const ON_CREATE: &[Field] = &fields([("within", Required)]);
/// Conditions of `match`, of which exactly one stands in a place.
pub const CONDITIONS: &[Field] = &fields([
    ("all", Optional),
    ("any", Optional),
    ("not", Optional),
    ("tag", Optional),
    ("name", Optional),
    ("resourceGroup", Optional),
    ("subscription", Optional),
    ("location", Optional),
    ("os", Optional),
    ("size", Optional),
    ("noConformingPointFor", Later),
]);

/// Values of `mode`; the first is the default.
pub const MODES: &[&str] = &["report", "enforce"];
/// Values of an entry's `kind` that this release makes.
pub const POINT_KINDS: &[&str] = &["restorePoint"];
/// Values of an entry's `kind` of later releases.
pub const POINT_KINDS_LATER: &[&str] = &["snapshot", "galleryVersion"];
/// Values of `os`.
pub const SYSTEMS: &[&str] = &["windows", "linux"];

/// The longest name of a policy. It stands in tags and messages, and for a person in one column of a table.
pub const POLICY_NAME_CHARS_MAX: usize = 40;
/// The longest name of an entry: it is part of restore points' names, which take 80 characters beside two hashes.
pub const ENTRY_NAME_CHARS_MAX: usize = 20;
/// The longest pattern or value in a condition: Azure's tag values take 256 characters, its names fewer.
pub const PATTERN_CHARS_MAX: usize = 256;
/// The longest tag key that Azure takes.
pub const TAG_KEY_CHARS_MAX: usize = 512;
/// Bound on the conditions of one policy: each is asked of each machine of a sweep, a hundred thousand times.
pub const CONDITIONS_MAX: usize = 256;
/// How many entries `points` has in this release.
pub const POINTS_MAX: usize = 1;

const fn fields<const N: usize>(rows: [(&'static str, Standing); N]) -> [Field; N] {
    let mut fields = [Field { name: "", standing: Standing::Optional }; N];
    let mut at = 0;
    while at < N {
        fields[at] = Field { name: rows[at].0, standing: rows[at].1 };
        at += 1;
    }
    fields
}
