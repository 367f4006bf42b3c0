//! Reads `spec.vault`: the vault and vault policy for the machines of each region.
//! It never knows whether they are there; the estate is asked elsewhere.

use lifeboat_planning::policy::{OnDrift, Placement, VaultRule};
use std::collections::BTreeMap;

use super::document::if_there;
use super::form;
use super::matching;
use super::problem::Fault;
use super::reader::{Complaint, Reader};
use super::tree::Node;

const VAULT: &str = "a vault's name";
const VAULT_POLICY: &str = "a vault policy's name";
const TAG_KEY: &str = "the key of a machine's tag whose value names the vault policy";

/// Reads the rule.
pub fn read(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<VaultRule> {
    let fields = reader.fields(node, path, form::VAULT)?;
    let placement = fields.get("placement").and_then(|n| placements(reader, n, &format!("{path}.placement")));
    let on_drift = if_there(&fields, "onDrift", |n| {
        reader.choice(n, &format!("{path}.onDrift"), form::DRIFTS, form::DRIFTS_LATER).map(|_| OnDrift::Report)
    });
    Some(VaultRule { placement: placement?, on_drift: on_drift?.unwrap_or_default() })
}

fn placements(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Vec<Placement>> {
    let items = reader.list_of_at_most(node, path, form::PLACEMENTS_MAX)?;
    let read: Vec<_> =
        items.iter().enumerate().map(|(i, item)| placement(reader, item, &format!("{path}[{i}]"))).collect();
    let mut first_lines = BTreeMap::new();
    for (i, (item, placement)) in items.iter().zip(&read).enumerate() {
        let Some(placement) = placement else { continue };
        let (region, at) = (placement.location.as_str().to_string(), item.place_of("location"));
        let Some(first_line) = first_lines.insert(region.clone(), at.line) else { continue };
        first_lines.insert(region.clone(), first_line);
        let complaint = Complaint::of(Fault::RegionTwice { region, first_line }).expected("one placement for a region");
        reader.complain(at, &format!("{path}[{i}].location"), complaint);
    }
    read.into_iter().collect()
}

fn placement(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<Placement> {
    let fields = reader.fields(node, path, form::PLACEMENT)?;
    let location = fields.get("location").and_then(|n| matching::location(reader, n, &format!("{path}.location")));
    let vault = fields.get("vaults").and_then(|n| vault(reader, n, &format!("{path}.vaults")));
    let name = form::AZURE_NAME_CHARS_MAX;
    let policy = if_there(&fields, "vaultPolicy", |n| {
        reader.azure_name(n, &format!("{path}.vaultPolicy"), VAULT_POLICY, name).map(str::to_string)
    });
    let tag = if_there(&fields, "vaultPolicyFromTag", |n| {
        let path = format!("{path}.vaultPolicyFromTag");
        matching::tag_key(reader, n, &path, TAG_KEY).map(str::to_string)
    });
    reader.need_one_of(node, path, &fields, form::PLACEMENT_NEEDS);
    Some(Placement { location: location?, vault: vault?, vault_policy_from_tag: tag?, vault_policy: policy? })
}

/// The one vault of a placement. The form has a list, because a later release spills over into the next one.
fn vault(reader: &mut Reader<'_>, node: &Node, path: &str) -> Option<String> {
    let items = reader.list(node, path)?;
    if let Some(second) = items.get(form::VAULTS_MAX) {
        let complaint = Complaint::of(Fault::NotBuiltYet("a second vault".to_string()));
        reader.complain(second.at, path, complaint.expected("exactly one vault in this release"));
    }
    let read: Vec<_> = items
        .iter()
        .enumerate()
        .map(|(i, item)| reader.azure_name(item, &format!("{path}[{i}]"), VAULT, form::AZURE_NAME_CHARS_MAX))
        .collect();
    read.into_iter().next().flatten().map(str::to_string)
}
