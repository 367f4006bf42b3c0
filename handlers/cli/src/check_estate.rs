//! `lifeboat check --estate`: judges documents against the machines, vaults and profiles that are there, by the operator's own sign-in.
//! It never changes anything, and says of what it could not read that it was not judged.

use anyhow::{Context, Result};
use clap::Args;
use comfy_table::{ContentArrangement, Table, presets};
use lifeboat_contract::policy::{Checked, CheckedRecoveryPlan, Problem, Weight};
use lifeboat_execution::{ARM_URL, Connections, HeldAgainst, Onlooker};
use serde_json::{Value, json};

use crate::{output, plan};

/// Which estate.
#[derive(Debug, Args)]
pub struct EstateArgs {
    /// Judges them against the machines and vaults that are there too. You act by your own sign-in (`az login`).
    #[arg(long, requires = "subscriptions")]
    pub estate: bool,
    /// The subscriptions in scope.
    #[arg(long, value_name = "IDS", value_delimiter = ',', requires = "estate")]
    subscriptions: Vec<String>,
    /// The regions whose machines count; all where none is given.
    #[arg(long, value_name = "REGIONS", value_delimiter = ',', requires = "estate")]
    regions: Vec<String>,
    /// Where Azure Resource Manager is.
    #[arg(long, value_name = "URL", default_value = ARM_URL)]
    arm: String,
}

/// Holds documents against the estate; what it says is among their problems then, each in its place. Documents with errors in their
/// text are not: nothing of them would be in force.
pub async fn hold(args: &EstateArgs, files: &[(String, String)], checked: &mut Checked) -> Result<Option<HeldAgainst>> {
    if !args.estate || !checked.holds() {
        return Ok(None);
    }
    let settings = plan::settings(None, &args.regions, &args.subscriptions);
    let onlooker = Onlooker::connect(&Connections::signed_in(), &args.arm, None, settings)?;
    let held = output::with_progress("looking at the machines and vaults", onlooker.hold_against(checked)).await;
    let held = held.context("the machines could not be read")?;
    put_in(files, checked, &held.problems);
    Ok(Some(held))
}

/// Puts problems among those of the text: in the order of the files and in each in the order of its text.
fn put_in(files: &[(String, String)], checked: &mut Checked, problems: &[Problem]) {
    checked.problems.extend(problems.iter().cloned());
    let place_of = |file: &str| files.iter().position(|(name, _)| name == file);
    checked.problems.sort_by_key(|problem| (place_of(&problem.file), problem.line, problem.column));
}

/// The policies with the machines that follow them, and what of the estate stands against them.
pub fn table(checked: &Checked, held: &HeldAgainst) -> String {
    let of = |file: &str, weight| {
        let own = |problem: &&Problem| problem.file == file && problem.weight() == weight;
        held.problems.iter().filter(own).count().to_string()
    };
    let mut table = with_header(["policy", "mode", "priority", "machines", "errors", "warnings", "file"]);
    for read in &checked.policies {
        let (name, file) = (read.policy.name.clone(), read.file.clone());
        let machines = held.followed.get(&name).copied().unwrap_or_default().to_string();
        let priority = read.policy.priority.to_string();
        let [errors, warnings] = [Weight::Error, Weight::Warning].map(|weight| of(&file, weight));
        table.add_row([name, read.mode().to_owned(), priority, machines, errors, warnings, file]);
    }
    let mut plans = with_header(["recovery plan", "from", "to", "members", "errors", "warnings", "file"]);
    for CheckedRecoveryPlan { file, plan, .. } in &checked.recovery_plans {
        let members = held.members.get(&plan.name).copied().flatten();
        let members = members.map_or_else(|| "?".to_owned(), |count| count.to_string());
        let [errors, warnings] = [Weight::Error, Weight::Warning].map(|weight| of(file, weight));
        let (from, to) = (plan.from.as_str().to_owned(), plan.to.as_str().to_owned());
        plans.add_row([plan.name.clone(), from, to, members, errors, warnings, file.clone()]);
    }
    let unseen: Vec<String> = held.unseen.iter().map(|subscription| plan::not_all_seen(subscription)).collect();
    let tables = [(!checked.policies.is_empty(), table), (!checked.recovery_plans.is_empty(), plans)];
    let mut lines: Vec<String> =
        tables.iter().filter(|(shown, _)| *shown).map(|(_, table)| table.to_string()).collect();
    lines.extend(unseen);
    lines.push(format!("{} machines in scope", held.machines));
    lines.join("\n")
}

fn with_header(names: [&str; 7]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_header(names);
    table
}

/// The same for programs.
pub fn as_json(held: &HeldAgainst) -> Value {
    json!({ "machines": held.machines, "unseen": held.unseen, "followed": held.followed, "members": held.members })
}

#[cfg(test)]
mod tests {
    use lifeboat_contract::policy::{Advice, Covered, Misfit, check_policies};

    use super::*;

    #[test]
    fn what_the_estate_says_stands_at_its_place_in_the_text_and_is_counted() {
        let text = include_str!("../../contract/examples/backup-policy.yaml").to_owned();
        let files = vec![("p.yaml".to_owned(), text)];
        let mut checked = check_policies(&files);
        let mut of = Covered::default();
        of.add("web-1");
        let misfit = Misfit::EqualPriorities { others: vec!["other".to_owned()], priority: 100, of };
        let problem = checked.policies[0].misfit("spec.match", misfit, None, Some(Advice::Prefer));
        let said = "spec.match: 1 machine (web-1) would be left alone: `other` matches with the same priority 100 (give each another \
                    priority, or take the machines out of one of them)";
        assert!(problem.to_string().ends_with(said) && problem.line > 1, "{problem}");
        let held = HeldAgainst {
            machines: 4,
            unseen: vec!["s-1".to_owned()],
            followed: [("production".to_owned(), 3)].into(),
            members: [].into(),
            problems: vec![problem.clone()],
        };
        put_in(&files, &mut checked, &held.problems);
        assert!(!checked.holds() && checked.problems == [problem]);
        let table = table(&checked, &held);
        let row = table.lines().nth(1).expect("a row").split_whitespace().collect::<Vec<_>>();
        assert_eq!(row, ["production", "report", "100", "3", "1", "0", "p.yaml"], "{table}");
        assert!(
            table.ends_with("4 machines in scope") && table.contains("subscription s-1 may not all be seen"),
            "{table}"
        );
        assert_eq!(as_json(&held)["followed"]["production"], 3);
    }
}
