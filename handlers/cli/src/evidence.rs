//! `lifeboat evidence`: what this release believes about Azure, how well each belief is known, and where from.
//! It never asks Azure: the register is part of the code.

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use comfy_table::{ContentArrangement, Table, presets};
use lifeboat_execution::evidence::{Entry, Grade, entries};
use serde_json::{Value, json};

use crate::output::{self, Form, Outcome};

/// Prints what this release believes about Azure, with the grade and the source of each belief.
///
/// Recorded: seen in real traffic. Documented: in a document or a page of Microsoft's, or in the source of its libraries. Assumed:
/// neither; the safe reading was chosen, and what could destroy, stop or move something on such a ground is refused.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  lifeboat evidence
  lifeboat evidence --grade assumed
  lifeboat evidence point-failed
  lifeboat evidence --output json

Exit codes: 0 printed, 1 there is no such entry, 2 the command line was not understood.")]
pub struct EvidenceArgs {
    /// Only this entry, or those whose name begins so.
    entry: Option<String>,
    /// Only entries of this grade.
    #[arg(long, value_enum)]
    grade: Option<Graded>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t)]
    output: Form,
}

/// A grade, as it is typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Graded {
    Recorded,
    Documented,
    Assumed,
}

/// Runs the command.
pub fn run(args: &EvidenceArgs) -> Result<Outcome> {
    let wanted = |entry: &&Entry| {
        args.grade.is_none_or(|grade| graded(entry.grade) == grade)
            && args.entry.as_deref().is_none_or(|begin| entry.id.starts_with(begin))
    };
    let found: Vec<&Entry> = entries().filter(wanted).collect();
    if found.is_empty() {
        bail!("the register has no such entry; `lifeboat evidence` prints all of them");
    }
    match args.output {
        Form::Json => output::say_json(&found.iter().map(|entry| as_json(entry)).collect::<Vec<Value>>()),
        Form::Text => show(&found),
    }
    Ok(Outcome::Held)
}

fn show(found: &[&Entry]) {
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["entry", "grade", "behaviour", "source"]);
    for entry in found {
        table.add_row([entry.id, word(entry.grade), entry.behaviour, entry.source]);
    }
    output::say(table);
    let of = |grade| found.iter().filter(|entry| entry.grade == grade).count();
    let (recorded, documented, assumed) = (of(Grade::Recorded), of(Grade::Documented), of(Grade::Assumed));
    output::say(format_args!("{recorded} recorded, {documented} documented, {assumed} assumed"));
}

fn as_json(entry: &Entry) -> Value {
    json!({ "id": entry.id, "grade": word(entry.grade), "behaviour": entry.behaviour, "source": entry.source })
}

fn graded(grade: Grade) -> Graded {
    match grade {
        Grade::Recorded => Graded::Recorded,
        Grade::Documented => Graded::Documented,
        Grade::Assumed => Graded::Assumed,
    }
}

fn word(grade: Grade) -> &'static str {
    match grade {
        Grade::Recorded => "recorded",
        Grade::Documented => "documented",
        Grade::Assumed => "assumed",
    }
}
