//! The form of a backup policy: which fields there are, which must be there, and which this release does not act on yet.
//! It never reads a document; the reader and the schema both follow these tables.

/// The version of the documents.
pub const API_VERSION: &str = "lifeboat/v1";
/// The kind of a backup policy.
pub const BACKUP_POLICY: &str = "BackupPolicy";
/// The kind of a recovery plan, whose form is beside it.
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
/// `spec`. It needs `vault` or `points`, or it would ask for nothing.
pub const SPEC: &[Field] = &fields([
    ("mode", Optional),
    ("priority", Optional),
    ("match", Required),
    ("rpo", Optional),
    ("vault", Optional),
    ("points", Optional),
    ("limits", Optional),
    ("freeze", Later),
    ("formerly", Later),
]);
/// At least one of these stands in `spec`.
pub const SPEC_NEEDS: &[&str] = &["vault", "points"];
/// `spec.vault`.
pub const VAULT: &[Field] = &fields([("placement", Required), ("onDrift", Optional), ("schedule", Later)]);
/// An item of `spec.vault.placement`.
pub const PLACEMENT: &[Field] = &fields([
    ("location", Required),
    ("vaults", Required),
    ("vaultPolicyFromTag", Optional),
    ("vaultPolicy", Optional),
]);
/// At least one of these stands in a placement.
pub const PLACEMENT_NEEDS: &[&str] = &["vaultPolicy", "vaultPolicyFromTag"];
/// An entry of `spec.points`. It needs `schedule` or `onCreate`, or it would make nothing.
pub const POINT: &[Field] = &fields([
    ("name", Required),
    ("kind", Required),
    ("consistency", Optional),
    ("schedule", Optional),
    ("onCreate", Optional),
    ("excludeDisks", Optional),
    ("keep", Optional),
    ("whenMachineDeleted", Optional),
    ("copies", Later),
    ("grace", Later),
]);
/// At least one of these stands in an entry.
pub const POINT_NEEDS: &[&str] = &["schedule", "onCreate"];
/// `consistency` of an entry.
pub const CONSISTENCY: &[Field] = &fields([("atLeast", Required)]);
/// `schedule` of an entry.
pub const SCHEDULE: &[Field] = &fields([("cron", Required), ("timezone", Required)]);
/// `onCreate` of an entry.
pub const ON_CREATE: &[Field] = &fields([("within", Required)]);
/// `excludeDisks` of an entry.
pub const EXCLUDE_DISKS: &[Field] = &fields([("tag", Required)]);
/// `keep` of an entry. It needs a rule: `min` alone is only a floor under others.
pub const KEEP: &[Field] = &fields([
    ("last", Optional),
    ("hourly", Optional),
    ("daily", Optional),
    ("weekly", Optional),
    ("monthly", Optional),
    ("yearly", Optional),
    ("within", Optional),
    ("min", Optional),
]);
/// At least one of these stands in `keep`.
pub const KEEP_NEEDS: &[&str] = &["last", "hourly", "daily", "weekly", "monthly", "yearly", "within"];
/// `spec.limits`.
pub const LIMITS: &[Field] =
    &fields([("expirePerDay", Optional), ("expirePercentPerDay", Optional), ("newProtectionsPerDay", Optional)]);
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
    ("noConformingPointFor", Optional),
]);

/// Values of `mode`; the first is the default.
pub const MODES: &[&str] = &["report", "enforce"];
/// Values of an entry's `kind` that this release makes.
pub const POINT_KINDS: &[&str] = &["restorePoint", "snapshot"];
/// Values of an entry's `kind` of later releases.
pub const POINT_KINDS_LATER: &[&str] = &["galleryVersion"];
/// Values of `consistency.atLeast`, from most to least; the last is the default.
pub const CONSISTENCIES: &[&str] = &["application", "fileSystem", "crash"];
/// Values of `vault.onDrift` that this release acts on; the first is the default.
pub const DRIFTS: &[&str] = &["report"];
/// Values of `vault.onDrift` of later releases.
pub const DRIFTS_LATER: &[&str] = &["repair"];
/// Values of `whenMachineDeleted` that this release acts on; the first is the default.
pub const WHEN_DELETED: &[&str] = &["keepLast"];
/// Values of `whenMachineDeleted` of later releases; `expireAfter` is one with a duration.
pub const WHEN_DELETED_LATER: &[&str] = &["keepByRules", "expireAfter"];
/// Values of `os`.
pub const SYSTEMS: &[&str] = &["windows", "linux"];

/// The longest name of a policy, and of a recovery plan. It stands in tags and messages, and for a person in one column of a table.
pub const POLICY_NAME_CHARS_MAX: usize = 40;
/// The longest name of an entry: it is part of restore points' names, which take 80 characters beside two hashes.
pub const ENTRY_NAME_CHARS_MAX: usize = 20;
/// The longest pattern or value in a condition: Azure's tag values take 256 characters, its names fewer.
pub const PATTERN_CHARS_MAX: usize = 256;
/// The longest tag key that Azure takes.
pub const TAG_KEY_CHARS_MAX: usize = 512;
/// Bound on the conditions of one policy: each is asked of each machine of a sweep, a hundred thousand times.
pub const CONDITIONS_MAX: usize = 256;
/// Bound on the entries of `points`: each is decided on for each machine of a sweep, and Azure makes one restore point of a
/// machine at a time.
pub const POINTS_MAX: usize = 8;
/// Bound on the placements of a policy: there are fewer regions than that, and each is for one.
pub const PLACEMENTS_MAX: usize = 100;
/// How many vaults a placement has in this release.
pub const VAULTS_MAX: usize = 1;
/// The longest name of a vault or vault policy that is read: longer than any that Azure takes, which refuses the rest itself.
pub const AZURE_NAME_CHARS_MAX: usize = 256;
/// The longest name of a time zone: those of the IANA database are below 40.
pub const ZONE_CHARS_MAX: usize = 64;

/// The priority of a policy that gives none: in the middle of nothing, with room on both sides.
pub const PRIORITY_DEFAULT: i64 = 100;
/// Bounds of `priority`: a thousand ranks are more than anybody puts in order by hand, and a typing error shows.
pub const PRIORITY: Whole = Whole { least: 0, most: 1_000 };
/// Bounds of a rule of `keep` and of `min`. A rule that keeps nothing is left out, and `min` is at least one in code. What
/// Azure holds is judged from all rules together, with the sum in the message; this bound only keeps sums small.
pub const KEEP_COUNT: Whole = Whole { least: 1, most: 9_999 };
/// Bounds of `limits.expirePerDay` and `limits.newProtectionsPerDay`. Nothing beyond normal turnover is a limit too; and the
/// largest estate that is swept has a hundred thousand machines.
pub const PER_DAY: Whole = Whole { least: 0, most: 100_000 };
/// Bounds of `limits.expirePercentPerDay`: a share.
pub const PERCENT: Whole = Whole { least: 0, most: 100 };

/// Bounds of `onCreate.within`. A minute, because creation times are compared with a sweep's; a month, because a machine
/// older than that is not new, whatever was missed.
pub const WITHIN: Span = Span { least: "1m", most: "30d" };
/// Bounds of `rpo` and `noConformingPointFor`. A quarter of an hour, because the age is looked at every five minutes; a year,
/// because who waits longer for an alarm wants none.
pub const AGE: Span = Span { least: "15m", most: "366d" };
/// Bounds of `keep.within`. An hour, because points are told apart by the minute and made in minutes; ten years, as the
/// longest that archives are commonly asked for.
pub const KEEP_WITHIN: Span = Span { least: "1h", most: "3660d" };

/// Bounds of a whole number, both allowed.
#[derive(Clone, Copy, Debug)]
pub struct Whole {
    /// The least.
    pub least: i64,
    /// The most.
    pub most: i64,
}

/// Bounds of a duration as people write it, both allowed.
#[derive(Clone, Copy, Debug)]
pub struct Span {
    /// The shortest.
    pub least: &'static str,
    /// The longest.
    pub most: &'static str,
}

/// A table of fields.
pub(crate) const fn fields<const N: usize>(rows: [(&'static str, Standing); N]) -> [Field; N] {
    let mut fields = [Field { name: "", standing: Standing::Optional }; N];
    let mut at = 0;
    while at < N {
        fields[at] = Field { name: rows[at].0, standing: rows[at].1 };
        at += 1;
    }
    fields
}
