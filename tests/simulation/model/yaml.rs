//! A policy of the simulation as the YAML document that people would write for it (design §6).
//! It writes only what the type has, and never a default that the reader should find by itself, but for `keepLast`, which the model means.

use super::calendar::{HOUR, MINUTE};
use super::history::{Entry, Keep, Kind, Policy, Schedule, Zone};

impl Policy {
    /// The document, ending with a line feed.
    pub fn yaml(&self) -> String {
        let mode = if self.enforce { "enforce" } else { "report" };
        let mut text = format!(
            "apiVersion: lifeboat/v1\nkind: BackupPolicy\nmetadata: {{ name: {} }}\nspec:\n  mode: {mode}\n  priority: {}\n",
            self.name, self.priority
        );
        text += &format!("  match:\n    all: [ {{ tag: {{ env: \"{}\" }} }} ]\n", self.env);
        if let Some((vault, vault_policy)) = &self.vault {
            text += "  vault:\n    placement:\n";
            text += &format!("      - {{ location: westeurope, vaults: [{vault}], vaultPolicy: {vault_policy} }}\n");
        }
        if !self.entries.is_empty() {
            text += "  points:\n";
        }
        for entry in &self.entries {
            text += &entry_lines(entry);
        }
        text += &format!(
            "  limits: {{ expirePerDay: {}, expirePercentPerDay: {}, newProtectionsPerDay: {} }}\n",
            self.expire_per_day, self.expire_percent_per_day, self.new_protections_per_day
        );
        text
    }
}

fn entry_lines(entry: &Entry) -> String {
    let kind = match entry.kind {
        Kind::RestorePoint => "restorePoint",
        Kind::Snapshot => "snapshot",
    };
    let at_least = if entry.crash { "crash" } else { "application" };
    let mut text =
        format!("    - name: {}\n      kind: {kind}\n      consistency: {{ atLeast: {at_least} }}\n", entry.name);
    if let Some(schedule) = &entry.schedule {
        let zone = match schedule.zone {
            Zone::Utc => "Etc/UTC",
            Zone::Berlin => "Europe/Berlin",
        };
        text += &format!("      schedule: {{ cron: \"{}\", timezone: {zone} }}\n", cron(schedule));
    }
    if let Some(within) = entry.on_create_within {
        text += &format!("      onCreate: {{ within: {} }}\n", duration(within));
    }
    if let Some(keep) = &entry.keep {
        text += &format!("      keep: {{ {} }}\n      whenMachineDeleted: keepLast\n", keep_fields(keep));
    }
    text
}

/// Five fields: minute, hours, every day of every month, days of the week.
fn cron(schedule: &Schedule) -> String {
    let hours = if schedule.hours.len() == 24 { "*".to_owned() } else { listed(&schedule.hours) };
    let weekdays = if schedule.weekdays.is_empty() { "*".to_owned() } else { listed(&schedule.weekdays) };
    format!("{} {hours} * * {weekdays}", schedule.minute)
}

fn listed(numbers: &[u8]) -> String {
    numbers.iter().map(u8::to_string).collect::<Vec<_>>().join(",")
}

fn keep_fields(keep: &Keep) -> String {
    let counts = [
        ("last", keep.last),
        ("hourly", keep.hourly),
        ("daily", keep.daily),
        ("weekly", keep.weekly),
        ("monthly", keep.monthly),
        ("yearly", keep.yearly),
        ("min", keep.min),
    ];
    let mut fields: Vec<String> =
        counts.iter().filter_map(|(name, count)| count.map(|count| format!("{name}: {count}"))).collect();
    fields.extend(keep.within.map(|within| format!("within: {}", duration(within))));
    fields.join(", ")
}

/// Hours where they are whole, never days: a day of a zone need not have 24 hours, and the model counts seconds.
fn duration(seconds: i64) -> String {
    match seconds {
        whole if whole % HOUR == 0 => format!("{}h", whole / HOUR),
        whole if whole % MINUTE == 0 => format!("{}m", whole / MINUTE),
        odd => format!("{odd}s"),
    }
}
