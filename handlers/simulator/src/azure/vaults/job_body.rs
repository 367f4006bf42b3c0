//! How jobs are written.
//! It never says more of a job in a list than Azure does: parts and errors are told by the job alone.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::super::ids::stamp_z;
use super::jobs::{Job, Outcome, Work};
use super::pending::NEVER;
use super::runs::{Backup, Stage};
use super::{Vault, iso_duration};

impl Job {
    /// The job; with its parts where it is asked for alone.
    pub(super) fn json(&self, vault: &Vault, alone: bool, now: Timestamp) -> Value {
        let until = self.ended.map_or(now, |(at, _)| at);
        let mut properties = json!({
            "jobType": "AzureIaaSVMJob",
            "containerName": self.native,
            "duration": iso_duration(until.duration_since(self.started)),
            "virtualMachineVersion": "Compute",
            "entityFriendlyName": self.friendly,
            "backupManagementType": "AzureIaasVM",
            "operation": self.work.operation().word(),
            "status": self.status(),
            "startTime": stamp_z(self.started),
            "activityId": self.activity,
        });
        if matches!(self.work, Work::Backup(_) | Work::Restore(_)) {
            // It stays so to the end (recorded).
            properties["actionsInfo"] = json!(["Cancellable"]);
        }
        if let Some((at, _)) = self.ended {
            properties["endTime"] = json!(stamp_z(at));
        }
        if !self.errors.is_empty() {
            properties["errorDetails"] = self.error_details();
        }
        if alone {
            properties["extendedInfo"] = self.parts(vault, now);
        }
        json!({
            "id": format!("{}/backupJobs/{}", vault.id(), self.id),
            "name": self.id,
            "type": "Microsoft.RecoveryServices/vaults/backupJobs",
            "properties": properties,
        })
    }

    fn error_details(&self) -> Value {
        let error = |error: &super::jobs::JobError| {
            json!({
                "errorCode": error.code,
                "errorTitle": error.title,
                "errorString": error.text,
                "recommendations": error.cures,
            })
        };
        self.errors.iter().map(error).collect()
    }

    fn parts(&self, vault: &Vault, now: Timestamp) -> Value {
        match &self.work {
            Work::Backup(backup) => {
                let mut bag = json!({ "VM Name": self.friendly });
                if let Some(expiry) = backup.expiry {
                    bag["Recovery Point Expiry Time in UTC"] = json!(american(expiry));
                }
                if matches!(self.ended, Some((_, Outcome::Completed | Outcome::WithWarnings))) {
                    bag["Backup Size"] = json!("11390 MB");
                    let points = vault.items.get(&self.item).map(|item| item.points.as_slice()).unwrap_or_default();
                    let point = points.iter().find(|point| backup.point.as_ref() == Some(&point.name));
                    for (name, inside) in [("Backed-up disk(s)", true), ("Excluded disk(s)", false)] {
                        if let Some(disks) = point.and_then(|point| point.disk_names(inside)) {
                            bag[name] = json!(disks);
                        }
                    }
                }
                json!({
                    "tasksList": self.backup_tasks(backup, now),
                    "propertyBag": bag,
                    "internalPropertyBag": { "IsInstantRpJob": "True" },
                })
            }
            Work::Restore(restore) => restore.parts(self),
            Work::Delete => {
                let bag = json!({ "VM Name": self.friendly, "Number of Recovery Points": self.points.to_string() });
                json!({ "tasksList": [], "propertyBag": bag })
            }
            _ => {
                json!({ "tasksList": [], "propertyBag": { "VM Name": self.friendly, "Policy Name": self.policy } })
            }
        }
    }

    /// The two parts of a backup. That the second runs is told some three minutes late (recorded).
    fn backup_tasks(&self, backup: &Backup, now: Timestamp) -> Value {
        let (end, outcome) = self.ended.map_or((now, None), |(at, outcome)| (at, Some(outcome)));
        let last = match outcome {
            None => "InProgress",
            Some(outcome) => outcome.word(),
        };
        let task = |name: &str, from: Option<Timestamp>, until: Option<Timestamp>, status: &str| {
            let text = |at: Option<Timestamp>| at.map_or_else(|| NEVER.to_owned(), stamp_z);
            let length = from.map(|from| until.unwrap_or(now).duration_since(from)).unwrap_or_default();
            json!({
                "taskId": name,
                "startTime": text(from),
                "endTime": text(until),
                "duration": iso_duration(length),
                "status": status,
                "taskType": "Normal",
            })
        };
        let over = outcome.map(|_| end);
        let snapshot =
            |until: Option<Timestamp>, status: &str| task("Take Snapshot", Some(self.started), until, status);
        let transfer = |from, until, status: &str| task("Transfer data to vault", from, until, status);
        match backup.stage {
            Stage::Snapshot => json!([snapshot(over, last), transfer(None, None, "NotStarted")]),
            Stage::Taken(at) if outcome.is_none() => {
                json!([snapshot(Some(at), "Completed"), transfer(None, None, "NotStarted")])
            }
            Stage::Taken(at) | Stage::Transfer(at) => {
                json!([snapshot(Some(at), "Completed"), transfer(Some(at), over, last)])
            }
        }
    }
}

/// A time as property bags write it: `6/12/2024 12:00:00 AM` (recorded).
pub(super) fn american(at: Timestamp) -> String {
    let time = TimeZone::UTC.to_datetime(at);
    let (hour, half) = match time.hour() {
        0 => (12, "AM"),
        hour @ 1..=11 => (hour, "AM"),
        12 => (12, "PM"),
        hour => (hour - 12, "PM"),
    };
    format!("{}/{}/{} {hour}:{:02}:{:02} {half}", time.month(), time.day(), time.year(), time.minute(), time.second())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_in_property_bags_have_the_recorded_form() {
        let cases = [
            ("2024-06-12T00:00:00Z", "6/12/2024 12:00:00 AM"),
            ("2024-05-13T10:18:09Z", "5/13/2024 10:18:09 AM"),
            ("2024-05-13T13:05:09Z", "5/13/2024 1:05:09 PM"),
        ];
        for (at, written) in cases {
            assert_eq!(american(at.parse().unwrap()), written);
        }
    }
}
