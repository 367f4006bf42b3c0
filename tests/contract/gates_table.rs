//! Prints the one table at the end: what each gate counted, from the JSON files that the gates wrote into a folder.
//! It never counts anything itself, and fails where a gate wrote nothing.
//!
//! `cargo run -p lifeboat-tests --bin gates-table -- FOLDER`

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::Value;

/// A line of the table.
struct Line {
    words: &'static str,
    /// The gate's file.
    file: &'static str,
    /// Pointers to what is shown, each with its unit; every number at the top where none is chosen.
    members: &'static [(&'static str, &'static str)],
}

/// All lines.
const LINES: &[Line] = &[
    Line {
        words: "operations spoken",
        file: "traffic.json",
        members: &[("/operationsSpoken", ""), ("/operations", "registered")],
    },
    Line {
        words: "requests validated",
        file: "traffic.json",
        members: &[("/requests/shapes", "shapes"), ("/requests/exchanges", "exchanges")],
    },
    Line {
        words: "simulator answers validated",
        file: "traffic.json",
        members: &[("/answers/shapes", "shapes"), ("/answers/exchanges", "exchanges")],
    },
    Line { words: "deviations that real Azure has", file: "traffic.json", members: &[("/deviations", "")] },
    Line { words: "not as documented", file: "traffic.json", members: &[("/wrong", "")] },
    Line {
        words: "operations that the handler spoke",
        file: "roles.json",
        members: &[("/operationsOfTheHandler", ""), ("/actionsOfRoles", "actions in the roles")],
    },
    Line { words: "examples decoded", file: "examples.json", members: &[] },
    Line { words: "recorded answers decoded", file: "decoded.json", members: &[] },
    Line { words: "tapes", file: "recordings.json", members: &[] },
    Line {
        words: "of them Azure to Azure",
        file: "services.json",
        members: &[("/azureToAzure/equal", "equal"), ("/azureToAzure/compared", "compared")],
    },
    Line {
        words: "of them Traffic Manager",
        file: "services.json",
        members: &[("/trafficManager/equal", "equal"), ("/trafficManager/compared", "compared")],
    },
];
/// Longest list of numbers that is shown of a file without chosen members.
const MEMBERS_MAX: usize = 12;

fn main() -> ExitCode {
    let Some(folder) = std::env::args_os().nth(1) else {
        eprintln!("gates-table FOLDER: the folder that LIFEBOAT_GATES named");
        return ExitCode::from(2);
    };
    match table(Path::new(&folder)) {
        Ok(table) => {
            println!("{table}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("gates-table: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn table(folder: &Path) -> anyhow::Result<String> {
    let mut lines = Vec::new();
    for Line { words, file, members } in LINES {
        let text = std::fs::read_to_string(folder.join(file)).with_context(|| format!("no gate wrote {file}"))?;
        let counts: Value = serde_json::from_str(&text).with_context(|| format!("{file} is no JSON"))?;
        let shown = if members.is_empty() { numbers(&counts) } else { chosen(&counts, members, file)? };
        anyhow::ensure!(!shown.is_empty(), "{file} counts nothing");
        lines.push(format!("{words:<32} {}", shown.join(", ")));
    }
    Ok(lines.join("\n"))
}

fn chosen(counts: &Value, members: &[(&str, &str)], file: &str) -> anyhow::Result<Vec<String>> {
    let shown = members.iter().map(|(pointer, unit)| {
        let count = counts.pointer(pointer).with_context(|| format!("{file} has no {pointer}"))?;
        Ok(format!("{count} {unit}").trim_end().to_owned())
    });
    shown.collect()
}

/// Every number at the top of a file, under its own name; of `totals` where there is such a member, since others list tape by tape.
fn numbers(counts: &Value) -> Vec<String> {
    let top = counts.get("totals").unwrap_or(counts).as_object().into_iter().flatten();
    let numbers = top.filter(|(_, count)| count.is_number()).take(MEMBERS_MAX);
    numbers.map(|(name, count)| format!("{count} {}", spaced(name))).collect()
}

/// `notModelled` and `not_modelled` as `not modelled`.
fn spaced(name: &str) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        if letter.is_uppercase() {
            text.push(' ');
        }
        text.extend(if letter == '_' { ' ' } else { letter }.to_lowercase());
    }
    text
}
