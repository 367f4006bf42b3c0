//! What the failover saga believes beyond what is recorded and documented: each the safe reading, and what makes it safe.
//!
//! It never decides anything.

use super::{Entry, Grade::Assumed, entry};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "failover-once",
        Assumed,
        "`unplannedFailover` of an item that is failed over, or whose failover runs, is refused",
        "no source shows the refusal; item, jobs and target machine are read before each one, and two minutes are waited after one that was not answered",
    ),
    entry(
        "failover-accepted-is-seen",
        Assumed,
        "an accepted order shows in the item or its jobs within a minute",
        "no source tells how late lists are; the item shows it in siterecovery_A2A_scenarios.jsonl at the next read, and nothing is sent again for two minutes",
    ),
    entry(
        "failover-not-begun",
        Assumed,
        "a failover whose job failed has not begun when the item is still `Protected` on its primary side and the target's id answers 404",
        "no tape has a failed job between regions; anything else that is seen asks a person",
    ),
    entry(
        "failover-target-absent",
        Assumed,
        "before a failover the target machine's id answers 404",
        "no tape reads it then; any other answer refuses to begin",
    ),
    entry(
        "failover-point-not-after-commit",
        Assumed,
        "`applyRecoveryPoint` is refused once the failover is committed",
        "documented is that it is possible until then; it is not sent after a commit was ordered",
    ),
    entry(
        "failover-commit-once",
        Assumed,
        "`failoverCommit` is refused for an item that has nothing to commit",
        "no source shows the refusal; item and jobs are read before each one, and a second commit would find nothing to delete",
    ),
    entry(
        "failover-commit-job",
        Assumed,
        "a commit is told by a job of its own that succeeded, whatever the item's state then says",
        "the call is recorded in siterecovery_A2A_scenarios.jsonl, the item afterwards is not; without such a job it is not taken for committed",
    ),
    entry(
        "failover-switch-once",
        Assumed,
        "`switchprotection` to a container in which the item no longer lies is refused",
        "no source shows it; the item is looked for under the other fabric, and its jobs are read, before each one",
    ),
    entry(
        "failover-old-disks",
        Assumed,
        "a restore point of a deallocated machine holds all its disks",
        "recorded are running machines alone; without a restorable point of every old machine protection is not turned round",
    ),
    entry(
        "failover-job-object",
        Assumed,
        "a job names as its object what the item is called, and `ApplyRecoveryPoint` is the scenario of another point",
        "the document's examples name scenarios and objects, no tape between regions lists such a job; where two items of a vault are called the same, nothing is believed of either",
    ),
    entry(
        "failover-cache-account",
        Assumed,
        "protecting the other way takes the cache account that is named for the region that took over",
        "recorded in siterecovery_A2A_scenarios.jsonl 71; nothing of Site Recovery tells which one, so it is a setting, and what Azure refuses asks a person",
    ),
    entry(
        "traffic-late",
        Assumed,
        "nothing but its age keeps a change of an endpoint that arrives late from being done",
        "Traffic Manager has no conditional write in its document; the profile is read again right before, and the transport drops what is older than ten seconds",
    ),
];
