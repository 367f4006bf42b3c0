//! Rows that a test puts into Resource Graph without a resource behind them.
//! It never changes a row but for the columns that the id itself tells.

use serde_json::{Value, json};

use super::super::ids::key;
use super::{Listed, Table};

/// A row as it was given.
#[derive(Clone, Debug)]
pub(crate) struct SeededRow {
    table: Table,
    row: Value,
}

impl SeededRow {
    pub(crate) fn new(row: &Value) -> Self {
        let mut row = row.clone();
        let id = row["id"].as_str().unwrap_or_default().to_owned();
        if !row["type"].is_string() {
            row["type"] = json!(kind_of(&id));
        }
        let kind = row["type"].as_str().unwrap_or_default().to_ascii_lowercase();
        Self { table: table_of(&kind), row }
    }

    pub(crate) fn key(&self) -> String {
        key(self.row["id"].as_str().unwrap_or_default())
    }
}

impl Listed for SeededRow {
    fn table(&self) -> Table {
        self.table
    }

    fn row(&self) -> Value {
        self.row.clone()
    }

    fn is_everywhere(&self) -> bool {
        self.row["subscriptionId"].is_null()
    }
}

/// The type that an id tells, in lower case as Resource Graph has it (recorded).
fn kind_of(id: &str) -> String {
    let id = key(id);
    match id.rsplit_once("/providers/") {
        Some((_, rest)) => {
            let mut parts = rest.split('/');
            let provider = parts.next().unwrap_or_default();
            parts.step_by(2).fold(provider.to_owned(), |kind, part| format!("{kind}/{part}"))
        }
        None if id.contains("/resourcegroups/") => "microsoft.resources/subscriptions/resourcegroups".to_owned(),
        None => "microsoft.resources/subscriptions".to_owned(),
    }
}

fn table_of(kind: &str) -> Table {
    let begins = |word: &str| kind.starts_with(word);
    if begins("microsoft.resources/subscriptions") || begins("microsoft.management/") {
        Table::ResourceContainers
    } else if begins("microsoft.resourcehealth/events") {
        Table::ServiceHealthResources
    } else if begins("microsoft.resourcehealth/") {
        Table::HealthResources
    } else if begins("microsoft.recoveryservices/vaults/") {
        Table::RecoveryServicesResources
    } else {
        Table::Resources
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_follows_from_the_type_and_the_type_from_the_id() {
        let cases = [
            ("/subscriptions/s", Table::ResourceContainers),
            ("/subscriptions/s/resourceGroups/g", Table::ResourceContainers),
            ("/providers/Microsoft.Management/managementGroups/m", Table::ResourceContainers),
            (
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.CustomProviders/resourceProviders/r",
                Table::Resources,
            ),
            ("/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v", Table::Resources),
            (
                "/subscriptions/s/resourceGroups/g/providers/Microsoft.RecoveryServices/vaults/v/backupJobs/j",
                Table::RecoveryServicesResources,
            ),
            ("/subscriptions/s/providers/Microsoft.ResourceHealth/events/E", Table::ServiceHealthResources),
        ];
        for (id, table) in cases {
            assert_eq!(SeededRow::new(&json!({ "id": id })).table, table, "{id}");
        }
        let row = SeededRow::new(&json!({ "id": cases[3].0 }));
        assert_eq!(row.row["type"], "microsoft.customproviders/resourceproviders");
    }
}
