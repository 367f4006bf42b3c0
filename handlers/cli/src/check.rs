//! `lifeboat check FILE`: judges a policy document and shows each problem at its place in the text.
//! It never asks Azure and never changes the file.

use std::io::Read;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;
use lifeboat_contract::policy::{BackupPolicyDocument, DOCUMENT_BYTES_MAX, Problem, read_policy};
use serde_json::{Value, json};

use crate::output::{self, Form, Outcome};

/// The longest piece of a line that is shown, in characters: what fits a terminal beside the line number.
const SHOWN_CHARS_MAX: usize = 100;

/// What stands before the place of a problem when a long line is cut, in characters: enough to know where one is.
const SHOWN_BEFORE_CHARS: usize = 60;

/// Judges a policy document: is it understood, whole, and acted on by this release?
///
/// Each problem is shown with line, column and field, what was expected, and the nearest known name. Nothing is sent anywhere.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat check policies/production.yaml
  lifeboat check policies/production.yaml --output json
  generate-policy | lifeboat check -

Exit codes: 0 the document is a policy, 1 it is not or cannot be read, 2 the command line was not understood.")]
pub struct CheckArgs {
    /// The document; `-` reads standard input.
    file: PathBuf,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// Runs the command.
pub fn run(args: &CheckArgs) -> Result<Outcome> {
    let name = if args.file.as_os_str() == "-" { "standard input".to_owned() } else { args.file.display().to_string() };
    let bytes = read(args).with_context(|| format!("{name} cannot be read"))?;
    let text = match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            anyhow::bail!("{name}:{line}: this is not UTF-8 text (byte {})", at + 1);
        }
    };
    let read = read_policy(&text, &name);
    match args.output {
        Form::Json => output::say_json(&as_json(&name, &read)),
        Form::Text => show(&name, &text, &read),
    }
    Ok(if read.is_ok() { Outcome::Held } else { Outcome::DidNotHold })
}

/// At most one byte more than a document may have: its reader then says that it is too large.
fn read(args: &CheckArgs) -> std::io::Result<Vec<u8>> {
    let bound = DOCUMENT_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::new();
    if args.file.as_os_str() == "-" {
        std::io::stdin().lock().take(bound).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(&args.file)?.take(bound).read_to_end(&mut bytes)?;
    }
    // The cut may go through a character; the document is refused for its length, not for that.
    while bytes.len() as u64 == bound && std::str::from_utf8(&bytes).is_err_and(|error| error.error_len().is_none()) {
        bytes.pop();
        bytes.push(b' ');
    }
    Ok(bytes)
}

fn show(name: &str, text: &str, read: &Result<BackupPolicyDocument, Vec<Problem>>) {
    match read {
        Ok(document) => {
            output::say(format_args!(
                "{name}: policy `{}`, mode {}, digest {}",
                document.policy.name,
                mode(document),
                &document.digest[..12]
            ));
        }
        Err(problems) => show_problems(name, text, problems),
    }
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

fn as_json(name: &str, read: &Result<BackupPolicyDocument, Vec<Problem>>) -> Value {
    match read {
        Ok(document) => json!({
            "file": name,
            "ok": true,
            "policy": { "name": document.policy.name, "mode": mode(document), "digest": document.digest },
        }),
        Err(problems) => {
            let problems: Vec<Value> = problems
                .iter()
                .map(|problem| {
                    json!({
                        "line": problem.line,
                        "column": problem.column,
                        "field": problem.field,
                        "fault": problem.fault.to_string(),
                        "expected": problem.expected,
                        "nearest": problem.nearest,
                        "advice": problem.advice.map(|advice| advice.to_string()),
                        "message": problem.to_string(),
                    })
                })
                .collect();
            json!({ "file": name, "ok": false, "problems": problems })
        }
    }
}

fn mode(document: &BackupPolicyDocument) -> String {
    format!("{:?}", document.policy.mode).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> String {
        shown(&read_policy(text, "p.yaml").unwrap_err()[0], text)
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
        for problem in read_policy(&text, "p.yaml").unwrap_err() {
            let said = shown(&problem, &text);
            assert!(!said.contains('\u{1b}'), "{said:?}");
            assert!(said.lines().skip(1).all(|line| line.chars().count() < SHOWN_CHARS_MAX + 10), "{said}");
        }
    }
}
