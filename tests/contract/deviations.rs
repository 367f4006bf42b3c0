//! Where real Azure itself does not answer as its documents say, each with the recording that proves it.
//! It never excuses what no recording shows: a line without its proof, or without its use, fails.

use std::path::Path;
use std::sync::LazyLock;

use lifeboat_tests::openapi::{Finding, Traffic};
use lifeboat_tests::traffic::sample;
use serde_json::{Value, json};

use crate::gate::{self, Gate};

#[path = "deviations_recovery.rs"]
mod recovery;

/// One thing that is otherwise than documented.
#[derive(Debug, PartialEq, Eq)]
pub struct Deviation {
    /// The end of the document's path.
    pub document: &'static str,
    /// The operation's id, or `*` for any of the document.
    pub operation: &'static str,
    /// Where, as a finding says it; a part `*` stands for any one.
    pub place: &'static str,
    /// A part of what the document expects there.
    pub expected: &'static str,
    /// The recording that proves it.
    pub tape: &'static str,
    /// The line in it, from 1.
    pub line: usize,
}

/// All of them.
pub static DEVIATIONS: LazyLock<Vec<&'static Deviation>> =
    LazyLock::new(|| OF_OTHERS.iter().chain(recovery::DEVIATIONS.iter()).collect());

/// Those of everything but Site Recovery and Traffic Manager.
const OF_OTHERS: &[Deviation] = &[
    // The document says that rows are an object; they are a list of objects.
    Deviation {
        document: "resourcegraph.json",
        operation: "Resources",
        place: "answer/data",
        expected: "is not of type \"object\"",
        tape: "query.jsonl",
        line: 1,
    },
    // Disk's status URLs tell the resource in `properties.output`.
    Deviation {
        document: "types.json",
        operation: "OperationStatusResult",
        place: "answer/properties",
        expected: "does not name",
        tape: "snapshot_incremental.jsonl",
        line: 9,
    },
    // Tasks of backup jobs say their type, and have times of no form at all while they have not begun.
    Deviation {
        document: "bms.json",
        operation: "JobDetails_Get",
        place: "answer/properties/extendedInfo/tasksList/*/taskType",
        expected: "does not name",
        tape: "backup_scenario.jsonl",
        line: 38,
    },
    Deviation {
        document: "bms.json",
        operation: "JobDetails_Get",
        place: "answer/properties/extendedInfo/tasksList/*/startTime",
        expected: "date-time",
        tape: "backup_scenario.jsonl",
        line: 38,
    },
    Deviation {
        document: "bms.json",
        operation: "JobDetails_Get",
        place: "answer/properties/extendedInfo/tasksList/*/endTime",
        expected: "date-time",
        tape: "backup_scenario.jsonl",
        line: 38,
    },
    // An operation that runs ends in the year 1, without a zone.
    Deviation {
        document: "bms.json",
        operation: "BackupOperationStatuses_Get",
        place: "answer/endTime",
        expected: "date-time",
        tape: "backup_scenario.jsonl",
        line: 31,
    },
    // Items say more than the document knows.
    Deviation {
        document: "bms.json",
        operation: "BackupProtectedItems_List",
        place: "answer/value/*/properties/sourceSideScanning",
        expected: "does not name",
        tape: "backup_scenario.jsonl",
        line: 35,
    },
    Deviation {
        document: "bms.json",
        operation: "BackupProtectedItems_List",
        place: "answer/value/*/properties/softDeleteRetentionPeriod",
        expected: "does not name",
        tape: "backup_scenario.jsonl",
        line: 35,
    },
    Deviation {
        document: "bms.json",
        operation: "*",
        place: "answer/properties/sourceSideScanning",
        expected: "does not name",
        tape: "backup_item.jsonl",
        line: 62,
    },
    Deviation {
        document: "bms.json",
        operation: "*",
        place: "answer/properties/softDeleteRetentionPeriod",
        expected: "does not name",
        tape: "backup_item.jsonl",
        line: 62,
    },
    // So do points.
    Deviation {
        document: "bms.json",
        operation: "RecoveryPoints_List",
        place: "answer/value/*/properties/threatStatus",
        expected: "does not name",
        tape: "backup_scenario.jsonl",
        line: 123,
    },
    Deviation {
        document: "bms.json",
        operation: "RecoveryPoints_List",
        place: "answer/value/*/properties/createdWithPolicyType",
        expected: "does not name",
        tape: "backup_scenario.jsonl",
        line: 123,
    },
    Deviation {
        document: "bms.json",
        operation: "BackupStatus_Get",
        place: "answer/objectType",
        expected: "does not name",
        tape: "backup_protection.jsonl",
        line: 24,
    },
    // A vault without immutability says null.
    Deviation {
        document: "openapi.json",
        operation: "Vaults_Get",
        place: "answer/properties/securitySettings/immutabilitySettings",
        expected: "is not of type",
        tape: "backup_scenario.jsonl",
        line: 24,
    },
];

impl Deviation {
    /// Whether this is what was found.
    pub fn covers(&self, finding: &Finding) -> bool {
        let parts: Vec<&str> = self.place.split('/').collect();
        let found: Vec<&str> = finding.place.split('/').collect();
        finding.document.ends_with(self.document)
            && (self.operation == "*" || self.operation == finding.operation)
            && finding.expected.contains(self.expected)
            && parts.len() == found.len()
            && parts.iter().zip(found).all(|(part, found)| *part == "*" || *part == found)
    }

    /// Why the recording does not prove it; none when it does.
    pub fn unproven(&self, data: &Path, gate: &Gate) -> Option<String> {
        let tape = data.join("recordings").join(self.tape);
        let text = std::fs::read_to_string(&tape).map_err(|error| error.to_string());
        let line = match &text {
            Ok(text) => text.lines().nth(self.line.saturating_sub(1)),
            Err(error) => return Some(format!("{}: {error}", self.tape)),
        };
        let Some(line) = line else { return Some(format!("{} has no line {}", self.tape, self.line)) };
        let traffic = recorded(&serde_json::from_str(line).expect("a line of a recording is JSON"));
        let found = match gate.place(&traffic, false) {
            gate::Place::Operation(operation) => gate.specs.answer(&operation, &traffic),
            gate::Place::Status => gate.status(&traffic),
            gate::Place::Recorded | gate::Place::Nowhere => Vec::new(),
        };
        let proven = found.iter().any(|finding| self.covers(finding));
        (!proven).then(|| format!("{} line {} shows {found:?}", self.tape, self.line))
    }
}

/// A line of a recording as traffic.
fn recorded(line: &Value) -> Traffic {
    let path = line["path"].as_str().unwrap_or_default();
    sample::traffic(&json!({
        "liveRequest": {
            "method": line["method"],
            "url": format!("https://management.azure.com{path}"),
            "headers": { "content-type": "application/json" },
            "body": line["request"],
        },
        "liveResponse": {
            "statusCode": line["status"].to_string(),
            "headers": line["headers"],
            "body": line["response"],
        },
    }))
}
