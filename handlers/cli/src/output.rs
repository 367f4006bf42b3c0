//! How the command speaks: lines for people, JSON for programs, a progress line when something takes long, exit codes.
//! It never fails because nobody listens, and never uses control characters where no person sees them.

use std::fmt::Display;
use std::future::Future;
use std::io::{IsTerminal, Write};
use std::process::ExitCode;
use std::time::Duration;

use clap::ValueEnum;
use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

/// How long something may take before a progress line says what it is: below it a person does not wonder.
const QUIET_FOR: Duration = Duration::from_secs(2);

/// How often a progress line is drawn again: it shows seconds, more often would show nothing new but the spinner.
const REDRAWN_EVERY: Duration = Duration::from_millis(200);

/// How a command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything held.
    Held,
    /// Something did not hold or was refused.
    DidNotHold,
    /// The command line was not understood.
    Usage,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(match outcome {
            Outcome::Held => 0,
            Outcome::DidNotHold => 1,
            Outcome::Usage => 2,
        })
    }
}

/// The form of what is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// Lines and tables for people.
    #[default]
    Text,
    /// JSON for programs.
    Json,
}

/// Writes one line for whoever asked. A closed pipe is their choice, not an error of ours.
pub fn say(line: impl Display) {
    let _closed = writeln!(std::io::stdout().lock(), "{line}");
}

/// Writes one line beside the result: what went wrong, what is going on.
pub fn tell(line: impl Display) {
    let _closed = writeln!(std::io::stderr().lock(), "{line}");
}

/// Writes a value as JSON, on several lines.
pub fn say_json(value: &impl Serialize) {
    say(serde_json::to_string_pretty(value).unwrap_or_else(|error| format!("{{\"error\":\"{error}\"}}")));
}

/// Waits for something; when it takes long, a line on stderr says what is being done.
pub async fn with_progress<T>(doing: &str, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    tokio::select! {
        done = &mut work => return done,
        () = tokio::time::sleep(QUIET_FOR) => {}
    }
    if !std::io::stderr().is_terminal() {
        tell(format_args!("{doing} …"));
        return work.await;
    }
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} … {elapsed}") {
        bar.set_style(style);
    }
    bar.set_message(doing.to_owned());
    bar.enable_steady_tick(REDRAWN_EVERY);
    let done = work.await;
    bar.finish_and_clear();
    done
}

/// An error with its causes, on one line.
pub fn with_causes(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
