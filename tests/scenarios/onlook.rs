//! The lines of scenarios about those who only look: what a plan says, and what a check against the estate finds.
//! It never lets one pass that changed something: that is an error of the scenario.
//!
//! ```text
//! plan [by FILE] [of MACHINE …]      what the handler would do now, by the policies in force or by policies/FILE.yaml
//! check-estate FILE …                policies/FILE.yaml against the machines and vaults that are there
//! ```

use lifeboat_contract::plan::{MachinePlan, PlanDocument, PlannedStep, PointDue};
use lifeboat_contract::policy::check_policies;
use lifeboat_execution::Asked;
use lifeboat_execution::bundle::{Bundle, File};
use lifeboat_tests::{Rig, looking};

/// Machines looked at, at most.
const AT_MOST: usize = 100;

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Onlook {
    Plan { by: Option<String>, of: Vec<String> },
    CheckEstate(Vec<String>),
}

/// Reads a line; none when it is about something else.
pub fn read(words: &[&str]) -> Option<Result<Onlook, String>> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Some(match words {
        ["plan"] => Ok(Onlook::Plan { by: None, of: Vec::new() }),
        ["plan", "of", machines @ ..] => Ok(Onlook::Plan { by: None, of: owned(machines) }),
        ["plan", "by", file] => Ok(Onlook::Plan { by: Some((*file).to_owned()), of: Vec::new() }),
        ["plan", "by", file, "of", machines @ ..] => {
            Ok(Onlook::Plan { by: Some((*file).to_owned()), of: owned(machines) })
        }
        ["plan", ..] => Err("plan [by <file>] [of <machine> …]".to_owned()),
        ["check-estate"] => Err("check-estate <file> …".to_owned()),
        ["check-estate", files @ ..] => Ok(Onlook::CheckEstate(owned(files))),
        _ => return None,
    })
}

/// Does what a line asks for; the lines to be shown.
pub async fn act(rig: &Rig, line: &Onlook) -> Result<Vec<String>, String> {
    let (shown, changes) = looking::watched(rig, look(rig, line)).await;
    match changes.as_slice() {
        [] => shown,
        changes => Err(format!("who only looks has changed something: {}", changes.join("; "))),
    }
}

async fn look(rig: &Rig, line: &Onlook) -> Result<Vec<String>, String> {
    let onlooker = rig.onlooker();
    match line {
        Onlook::Plan { by, of } => {
            let policies = by.as_ref().map(|file| Ok::<_, String>(Bundle::new(vec![document(file)?]))).transpose()?;
            let asked = Asked { machines: of.clone(), policies, at_most: AT_MOST };
            match onlooker.foresee(&asked).await {
                Ok(plan) => Ok(said(&plan)),
                Err(error) => Ok(vec![format!("  no plan: {error}")]),
            }
        }
        Onlook::CheckEstate(files) => {
            let files: Vec<File> = files.iter().map(|file| document(file)).collect::<Result<_, _>>()?;
            let files: Vec<(&str, &str)> = files.iter().map(|one| (one.name.as_str(), one.text.as_str())).collect();
            let checked = check_policies(&files);
            if !checked.holds() {
                return Err(format!("the text has errors: {:?}", checked.problems));
            }
            let held = onlooker.hold_against(&checked).await.map_err(|error| error.to_string())?;
            let mut lines: Vec<String> = held.problems.iter().map(|problem| format!("  {problem}")).collect();
            lines.extend(held.unseen.iter().map(|subscription| format!("  not all seen: {subscription}")));
            let followed: Vec<String> = held.followed.iter().map(|(name, count)| format!("{name} {count}")).collect();
            lines.push(format!("  {} machines in scope; followed: {}", held.machines, followed.join(", ")));
            Ok(lines)
        }
    }
}

fn document(name: &str) -> Result<File, String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/policies");
    let name = format!("{name}.yaml");
    let text = std::fs::read_to_string(folder.join(&name)).map_err(|error| error.to_string())?;
    Ok(File { name, text })
}

fn said(plan: &PlanDocument) -> Vec<String> {
    let mut lines: Vec<String> = plan.notes.iter().map(|note| format!("  note: {note}")).collect();
    lines.extend(plan.unseen.iter().map(|subscription| format!("  not all seen: {subscription}")));
    plan.machines.iter().for_each(|machine| of_machine(machine, &mut lines));
    plan.expiry.points.iter().for_each(|point| of_point(point, &mut lines));
    let quiet = plan.quiet.by_reason.iter();
    lines.extend(quiet.map(|(reason, count)| format!("  quiet: {count}, {reason}")));
    if let Some(why) = &plan.expiry.withheld {
        lines.push(format!("  nothing is deleted: {why}"));
    }
    let verdicts: Vec<String> = plan.expiry.verdicts.iter().map(|(word, count)| format!("{count} {word}")).collect();
    lines.push(format!("  holds: {}; verdicts: {}", plan.holds(), verdicts.join(", ")));
    lines
}

fn of_machine(one: &MachinePlan, lines: &mut Vec<String>) {
    let policy = one.policy.as_deref().unwrap_or("no policy");
    lines.push(format!("  {}, {policy}:", last(&one.machine)));
    let mut steps = |word: &str, steps: &[PlannedStep]| {
        for step in steps {
            let instead = step.instead.as_ref().map(|instead| format!(" ({instead})")).unwrap_or_default();
            lines.push(format!("    {word} {}, because {}{instead}", step.what, step.why));
        }
    };
    steps("do", &one.effects);
    steps("would", &one.would);
    for refusal in &one.refusals {
        let person = if refusal.needs_person { " (a person's turn)" } else { "" };
        lines.push(format!("    not, because {}{person}", refusal.why));
    }
    lines.extend(one.audit.iter().map(|note| format!("    AUDIT: {note}")));
    lines.extend(one.unread.iter().map(|why| format!("    not read: {why}")));
}

fn of_point(point: &PointDue, lines: &mut Vec<String>) {
    let reasons = point.reasons.join("; ");
    let left = point.left.as_ref().map(|left| format!("; left: {left}")).unwrap_or_default();
    let machine = last(&point.machine);
    lines.extend(point.effects.iter().map(|step| format!("  {machine}: {}, because {reasons}{left}", step.what)));
}

fn last(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}
