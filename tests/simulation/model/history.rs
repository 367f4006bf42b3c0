//! The words in which months of a simulated estate are told to the reference model: what was there, what was done, and by whose hand.
//! It never imports the product, the simulator or a calendar: times are seconds, names are the simulation's own.

/// Seconds since 1970-01-01T00:00:00Z.
pub type Time = i64;

/// A policy as the simulation means it: the model judges by this, the product reads what is rendered from it.
#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    /// `metadata.name`.
    pub name: String,
    /// `spec.mode`: whether anything may be changed for it.
    pub enforce: bool,
    /// `spec.priority`: the higher wins; equal ones of the highest on one machine change nothing on it.
    pub priority: i64,
    /// `spec.match`: machines whose tag `env` is this.
    pub env: String,
    /// `spec.vault`: the vault's name and the vault policy's.
    pub vault: Option<(String, String)>,
    /// `spec.points`.
    pub entries: Vec<Entry>,
    /// `spec.limits.expirePerDay`.
    pub expire_per_day: u32,
    /// `spec.limits.expirePercentPerDay`.
    pub expire_percent_per_day: u32,
    /// `spec.limits.newProtectionsPerDay`.
    pub new_protections_per_day: u32,
}

/// One kind of points that a policy asks for.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// Its name, unique within the policy.
    pub name: String,
    /// Restore points, or snapshots of each disk as one set.
    pub kind: Kind,
    /// `consistency.atLeast: crash` when so, else `application`.
    pub crash: bool,
    /// When, if on a schedule.
    pub schedule: Option<Schedule>,
    /// `onCreate.within` in seconds, if so.
    pub on_create_within: Option<i64>,
    /// What stays; without it everything does.
    pub keep: Option<Keep>,
}

/// What is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `restorePoint`.
    RestorePoint,
    /// `snapshot`.
    Snapshot,
}

/// Slots: at a minute of each of these hours of each day, on the clocks of a zone.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    /// 0 to 59.
    pub minute: u8,
    /// Hours 0 to 23 in ascending order, none twice; all 24 is hourly.
    pub hours: Vec<u8>,
    /// Days of the week, 0 is Sunday; empty is every day.
    pub weekdays: Vec<u8>,
    /// Whose clocks.
    pub zone: Zone,
}

/// The clocks of a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    /// `Etc/UTC`.
    Utc,
    /// `Europe/Berlin`: UTC+1, and UTC+2 from the last Sunday of March to the last of October, changing at 01:00 UTC.
    Berlin,
}

/// `keep`: each rule by its count; a rule that is none is not written.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Keep {
    pub last: Option<u32>,
    pub hourly: Option<u32>,
    pub daily: Option<u32>,
    pub weekly: Option<u32>,
    pub monthly: Option<u32>,
    pub yearly: Option<u32>,
    /// In seconds.
    pub within: Option<i64>,
    pub min: Option<u32>,
}

/// Whose hand did it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hand {
    /// A call of the handler.
    Lifeboat,
    /// Somebody else.
    Person,
}

/// What a point stands for, as its name or tags say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Slot {
    /// `on-create`.
    OnCreate,
    /// A moment of the schedule.
    At(Time),
}

/// Something that was, at a time.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When.
    pub at: Time,
    /// What.
    pub what: What,
}

/// What was. Machines are told apart by their `vm_id`, points by their ARM id (a set of snapshots by the id of its first).
#[derive(Clone, Debug, PartialEq)]
pub enum What {
    /// These policies are in force from here on; an empty list is an empty bundle.
    Policies(Vec<Policy>),
    /// A bundle that cannot be read was pushed: what was in force stays, nothing is deleted until it can be read again.
    PoliciesUnreadable,
    /// A machine is there. `subscription` is the id of the one it lives in (upper and lower case are one), and another one than before
    /// says that it moved; `created` is Azure's `timeCreated` (it may lie before the history); `agent` whether its guest agent is ready.
    Machine { vm_id: String, subscription: String, name: String, env: String, created: Time, disks: u32, agent: bool },
    /// Its tag `env` is now this.
    Tagged { vm_id: String, env: String },
    /// It was deleted.
    MachineGone { vm_id: String },
    /// A point was begun (accepted by Azure). `ours` is false for a point that nobody of Lifeboat's made, then entry and slot mean nothing.
    Begun { point: String, vm_id: String, by: Hand, ours: bool, entry: String, slot: Slot, attempt: u32 },
    /// It succeeded, whole; from here on it is restorable.
    Succeeded { point: String, crash: bool },
    /// It failed.
    Failed { point: String },
    /// Its deletion was sent and reached Azure: accepted or refused.
    DeleteSent { point: String, by: Hand, accepted: bool },
    /// It is not there any more.
    PointGone { point: String },
    /// A person holds it (the tag on the resource says so), or no longer.
    Held { point: String, held: bool },
    /// A CanNotDelete lock stands over it, or no longer.
    Locked { point: String, locked: bool },
    /// A point that is older than the history: ours, succeeded then.
    Past { point: String, vm_id: String, entry: String, slot: Slot, created: Time },
    /// Protection of a machine in a vault was asked for and accepted, or was stopped, or its item deleted.
    Protected { vm_id: String, vault: String, by: Hand },
    /// Somebody stopped protection, keeping points.
    ProtectionStopped { vm_id: String, by: Hand },
    /// A backup in the vault began.
    BackupBegun { vm_id: String, by: Hand },
    /// A vault point is there: a backup ended well.
    VaultPoint { vm_id: String },
    /// Any other change that the handler asked Azure for, by its method and path: one that the model knows no reason for is wrong.
    OtherChange { call: String },
    /// The switch that stops all changes was turned (confirmed to the person), or taken back.
    Stopped { stopped: bool },
    /// The store was emptied, or another estate's record stands in it: nothing may be changed until `StoreBack`.
    StoreLost,
    /// `init --adopt` was done: the estate is known again, and nothing expires for 24 hours.
    StoreBack,
    /// The handler may not read or change anything of this subscription any more (true), or may again; other subscriptions are not
    /// touched by it.
    PermissionLost { subscription: String, lost: bool },
    /// A breaker for deletions of this policy was closed by a person.
    BreakerClosed { policy: String },
    /// ARM's clock and ours differ by more than five minutes (true), or no longer: nothing is deleted meanwhile.
    ClocksApart { apart: bool },
    /// An expiry sweep that ran to its end, or a policy sweep.
    Swept { expiry: bool },
}

/// Something that is wrong, in words for people: which point or machine, when, and what promise it breaks.
pub type Wrong = String;
