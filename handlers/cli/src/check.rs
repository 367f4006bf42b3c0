//! `lifeboat check FILE|DIR…`: judges policies and recovery plans and shows each problem at its place in the text.
//! It never asks Azure unless it is told to (`--estate`), and never changes a file.

use std::path::PathBuf;

use anyhow::Result;
use clap::Args;
use lifeboat_contract::policy::{Checked, CheckedRecoveryPlan, Problem, Weight, check_policies, digest};
use lifeboat_contract::recovery::NO_WAY_BACK;
use serde_json::{Value, json};

use crate::check_estate::{self, EstateArgs};
use crate::output::{self, Form, Outcome};
use crate::policy_files;

/// The longest piece of a line that is shown, in characters: what fits a terminal beside the line number.
const SHOWN_CHARS_MAX: usize = 100;

/// What stands before the place of a problem when a long line is cut, in characters: enough to know where one is.
const SHOWN_BEFORE_CHARS: usize = 60;

/// Judges policies and recovery plans: are they understood, whole, acted on by this release, and can what they ask for be met?
///
/// Each problem is shown with line, column and field, what was expected, and the nearest known name. Several files and folders are
/// judged as one set, as they will be in force together. A warning is something that can be meant so. Nothing is sent anywhere, but
/// with `--estate`: then Azure is asked which machines and vaults there are, and the documents are judged against them too: vaults
/// that are not there or elsewhere, equal priorities on one machine, more points than Azure makes in the time of a schedule. Of a
/// recovery plan: members that are not replicated, a machine in two groups, a vault or a group in the region that may be lost, traffic
/// profiles without its endpoints, endpoints that lead elsewhere. What passes by itself, such as a point that is too old, is a warning.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat check policies/
  lifeboat check policies/production.yaml --output json
  generate-policy | lifeboat check -
  lifeboat check policies/ --estate --subscriptions 0000…,1111… --regions westeurope

Exit codes: 0 no errors (warnings may be shown), 1 there are errors, or a file, or machines, cannot be read, 2 the command line was not understood.")]
pub struct CheckArgs {
    /// Files, and folders with all .yaml and .yml files below them; `-` reads standard input.
    #[arg(required = true, value_name = "FILE|DIR")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    estate: EstateArgs,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub async fn run(args: &CheckArgs) -> Result<Outcome> {
    let files = policy_files::read(&args.paths)?;
    let mut checked = check_policies(&files);
    let held = check_estate::hold(&args.estate, &files, &mut checked).await?;
    match args.output {
        Form::Json => {
            let mut said = as_json(&files, &checked, args.estate.estate);
            if let Some(held) = &held {
                said["estate"] = check_estate::as_json(held);
            }
            output::say_json(&said);
        }
        Form::Text => {
            show(&files, &checked, args.estate.estate);
            match &held {
                Some(held) => output::say(check_estate::table(&checked, held)),
                None if args.estate.estate => output::tell("The machines were not asked for: the text has errors."),
                None => {}
            }
        }
    }
    let all_seen = held.is_none_or(|held| held.unseen.is_empty());
    Ok(if checked.holds() && all_seen { Outcome::Held } else { Outcome::DidNotHold })
}

fn show(files: &[(String, String)], checked: &Checked, estate: bool) {
    for problem in &checked.problems {
        output::say(shown(problem, text_of(files, &problem.file)));
    }
    // Where a policy of the set is refused, none of them would be put in force: they are not listed as if all were well.
    if checked.holds() {
        for read in &checked.policies {
            let (file, name, mode) = (&read.file, &read.policy.name, read.mode());
            let digest = digest(text_of(files, file));
            output::say(format_args!("{file}: policy `{name}`, mode {mode}, digest {}", &digest[..12]));
        }
        for CheckedRecoveryPlan { file, plan, .. } in &checked.recovery_plans {
            let (from, to, by) = (plan.from.as_str(), plan.to.as_str(), plan.declaration.by.name());
            let what = format!("recovery plan `{}`, from {from} to {to}, declared by {by}", plan.name);
            output::say(format_args!("{file}: {what}, digest {}", &plan.digest()[..12]));
        }
    }
    notes(checked, estate).iter().for_each(output::say);
    let (errors, warnings) = counts(checked);
    if errors + warnings > 0 {
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        let files = if let [(name, _)] = files { name.clone() } else { format!("{} files", files.len()) };
        output::tell(format_args!("{files}: {errors} error{}, {warnings} warning{}", plural(errors), plural(warnings)));
    }
}

/// What is said of recovery plans, whatever else is wrong with them: what this release does not do yet, and how far they were judged.
fn notes(checked: &Checked, estate: bool) -> Vec<&'static str> {
    match (checked.recovery_plans.is_empty(), estate) {
        (true, _) => vec![],
        (false, false) => vec![NO_WAY_BACK],
        (false, true) => {
            vec![
                NO_WAY_BACK,
                "whether the handler's identity may do what recovery plans need was not asked: `lifeboat recovery show` tells it",
            ]
        }
    }
}

fn text_of<'a>(files: &'a [(String, String)], name: &str) -> &'a str {
    files.iter().find(|(file, _)| file == name).map_or("", |(_, text)| text)
}

fn counts(checked: &Checked) -> (usize, usize) {
    let warnings = checked.problems.iter().filter(|problem| problem.weight() == Weight::Warning).count();
    (checked.problems.len() - warnings, warnings)
}

/// Each problem at its place in the text, and how many there are.
pub fn show_problems(name: &str, text: &str, problems: &[Problem]) {
    for problem in problems {
        output::say(shown(problem, text));
    }
    let count = problems.len();
    output::tell(format_args!("{name}: {count} problem{}", if count == 1 { "" } else { "s" }));
}

/// A problem in one line that editors understand, and below it the place in the text.
fn shown(problem: &Problem, text: &str) -> String {
    let number = problem.line.to_string();
    let margin = " ".repeat(number.len());
    let line = text.lines().nth(problem.line.saturating_sub(1) as usize).unwrap_or_default();
    let column = problem.column.saturating_sub(1) as usize;
    let from = if column > SHOWN_CHARS_MAX - 1 { column - SHOWN_BEFORE_CHARS } else { 0 };
    // A tab would put the caret elsewhere, another control character could do anything to a terminal.
    let piece: String =
        line.chars().skip(from).take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let caret = " ".repeat(column - from);
    format!("{problem}\n{margin} |\n{number} | {}\n{margin} | {caret}^\n", piece.trim_end())
}

fn as_json(files: &[(String, String)], checked: &Checked, estate: bool) -> Value {
    let policies: Vec<Value> = checked
        .policies
        .iter()
        .map(|read| {
            json!({
                "file": read.file,
                "name": read.policy.name,
                "mode": read.mode(),
                "priority": read.policy.priority,
                "digest": digest(text_of(files, &read.file)),
            })
        })
        .collect();
    let plans: Vec<Value> = checked
        .recovery_plans
        .iter()
        .map(|CheckedRecoveryPlan { file, plan, .. }| {
            json!({
                "file": file,
                "name": plan.name,
                "from": plan.from.as_str(),
                "to": plan.to.as_str(),
                "by": plan.declaration.by.name(),
                "digest": plan.digest(),
            })
        })
        .collect();
    let problems: Vec<Value> = checked.problems.iter().map(problem_as_json).collect();
    let (errors, warnings) = counts(checked);
    json!({
        "ok": checked.holds(),
        "errors": errors,
        "warnings": warnings,
        "policies": policies,
        "recoveryPlans": plans,
        "notes": notes(checked, estate),
        "problems": problems,
    })
}

/// A problem with its place, for programs.
pub fn problem_as_json(problem: &Problem) -> Value {
    json!({
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "weight": match problem.weight() {
            Weight::Error => "error",
            Weight::Warning => "warning",
        },
        "field": problem.field,
        "fault": problem.fault.to_string(),
        "expected": problem.expected,
        "nearest": problem.nearest,
        "advice": problem.advice.map(|advice| advice.to_string()),
        "message": problem.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> String {
        shown(&check_policies(&[("p.yaml", text)]).problems[0], text)
    }

    #[test]
    fn a_problem_stands_under_its_place() {
        let text = include_str!("../../contract/examples/backup-policy.yaml").replace("mode: report", "mdoe: report");
        let said = first(&text);
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[0].starts_with("p.yaml:8:3: spec.mdoe"), "{said}");
        assert!(lines[0].contains("`mode`"), "{said}");
        assert!(lines[2].starts_with("8 |   mdoe: report"), "{said}");
        assert_eq!(lines[2].find("mdoe"), lines[3].find('^'), "{said}");
    }

    #[test]
    fn a_long_line_is_cut_around_the_place_and_no_control_character_gets_out() {
        let text = format!("apiVersion: lifeboat/v1\nkind: \u{1b}[31mred\nmetadata: {{ {}bad: 1 }}\n", "x".repeat(300));
        for problem in check_policies(&[("p.yaml", &text)]).problems {
            let said = shown(&problem, &text);
            assert!(!said.contains('\u{1b}'), "{said:?}");
            assert!(said.lines().skip(1).all(|line| line.chars().count() < SHOWN_CHARS_MAX + 10), "{said}");
        }
    }
}
