//! What a vault was asked to do and finishes later (Microsoft.RecoveryServices 2025-02-01, `bms.json`).
//!
//! It never takes an operation's success for the work's: it only means that the job is there. It never keeps a signed URL:
//! an operation is asked about by its id, as Azure's own command line does, so the id can be saved for a later look.
//!
//! ```text
//! enable, back up now ─► 202, an id ─► backupOperations/{id}: InProgress ─► Succeeded, a job ─► backupJobs/{job}: its end
//! ```

use crate::{
    arm::{ArmClient, Call, decode},
    error::{Error, ErrorKind},
    id::ResourceId,
    json,
    long_running::{self, Accepted, OperationState},
    operations::{BACKUP, Harm, Operation},
    retry, vaults,
};
use serde_json::Value;
use std::{fmt, str::FromStr};

/// Asking how far an operation is.
pub const GET: Operation = Operation {
    action: "Microsoft.RecoveryServices/Vaults/backupOperations/read",
    method: "GET",
    path: "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}/providers/Microsoft.RecoveryServices/vaults/{vaultName}/backupOperations/{operationId}",
    api_version: BACKUP.0,
    document: BACKUP.1,
    harm: Harm::Nothing,
    evidence: &["backup-operation", "backup-operation-id", "backup-operation-job", "arm-async-failed", "arm-never"],
};

/// The longest id of an operation that is accepted, in characters; Azure's are GUIDs.
const MAX_ID_CHARS: usize = 64;

/// The id of an operation of a vault. It is no secret and may be saved, unlike the status URL that it is read from.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OperationId(String);

/// Not the id of an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the id of an operation: letters, digits and hyphens")]
pub struct NoOperationId;

/// An operation of a vault, as it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultOperation {
    /// Where it stands.
    pub state: OperationState,
    /// The job that it made, once it succeeded.
    pub job: Option<String>,
}

impl OperationId {
    /// The id in a status URL: its path's last part.
    pub(crate) fn of(accepted: &Accepted) -> Option<Self> {
        let path = accepted.status_url.split(['?', '#']).next().unwrap_or_default();
        path.rsplit('/').next()?.parse().ok()
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for OperationId {
    type Err = NoOperationId;

    fn from_str(text: &str) -> Result<Self, NoOperationId> {
        let fits = !text.is_empty()
            && text.len() <= MAX_ID_CHARS
            && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        if fits { Ok(Self(text.to_owned())) } else { Err(NoOperationId) }
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Asks once how far an operation is (`BackupOperationStatuses_Get`). A repeat is safe.
///
/// One that is not kept any more is unclear: then the item and the vault's jobs say what became of it.
pub async fn get(arm: &ArmClient, vault: &ResourceId, id: &OperationId) -> Result<VaultOperation, Error> {
    let [subscription, group, vault] = vaults::parameters(&GET, vault)?;
    let url = arm.url(&GET, &[subscription, group, vault, id.as_str()], &[])?;
    match arm.send(&Call::read(&GET, url)).await {
        Ok(answer) => {
            let running = OperationState::Running { retry_after: retry::retry_after(&answer, arm.wall_now()) };
            read(&decode(GET.action, &answer)?, running).ok_or_else(|| Error::malformed(GET.action, "no operation"))
        }
        Err(error) if error.kind == ErrorKind::NotFound => {
            Ok(VaultOperation { state: OperationState::Unclear, job: None })
        }
        Err(error) => Err(error),
    }
}

/// What an operation's JSON says; none where it is no object.
pub(crate) fn read(value: &Value, running: OperationState) -> Option<VaultOperation> {
    value.as_object()?;
    let state = long_running::read_body(value, running);
    Some(VaultOperation { state, job: json::filled(value, "/properties/jobId") })
}

#[cfg(test)]
mod tests {
    use super::OperationId;

    #[test]
    fn an_operations_id_is_one_part_of_a_path_and_nothing_else() {
        for text in ["eb8aad0e-184e-4ce1-a945-79af58613d86", "1"] {
            assert_eq!(text.parse::<OperationId>().unwrap().to_string(), text);
        }
        for text in ["", "a/b", "..", "a%2Fb", "a?b", "ä", "MTAy==", &"a".repeat(65)] {
            assert!(text.parse::<OperationId>().is_err(), "{text}");
        }
    }
}
