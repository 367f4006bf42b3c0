//! Small parts that several pages share: moments with their age, states in words, commands, links.
//! They never say what something means; whoever uses them does.

use jiff::{SignedDuration, Timestamp};
use lifeboat_execution::readiness::shown::age;
use lifeboat_execution::saga::shown::{Stands, StepStands};
use lifeboat_execution::views::View;
use maud::{Markup, html};

use super::path;

/// The colour of a state, beside its words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to say about it.
    Plain,
    /// As it should be.
    Good,
    /// Under way.
    Go,
    /// Somebody should look.
    Warn,
    /// Not as it should be.
    Bad,
}

impl Tone {
    /// The class that the style knows.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Good => "good",
            Self::Go => "go",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

/// The tone of a step.
pub const fn of_step(stands: StepStands) -> Tone {
    match stands {
        StepStands::NotYet | StepStands::Nothing | StepStands::Waits => Tone::Plain,
        StepStands::Going => Tone::Go,
        StepStands::Done => Tone::Good,
        StepStands::Asks | StepStands::ToUndo | StepStands::Undoing | StepStands::Undone | StepStands::Left => {
            Tone::Warn
        }
        StepStands::Failed => Tone::Bad,
    }
}

/// The tone of one thing.
pub const fn of_thing(stands: Stands) -> Tone {
    match stands {
        Stands::NotYet => Tone::Plain,
        Stands::Going => Tone::Go,
        Stands::Done => Tone::Good,
        Stands::GivenUp | Stands::Undoing | Stands::Undone => Tone::Warn,
        Stands::Failed | Stands::NotUndone => Tone::Bad,
    }
}

/// A state in words.
pub fn state(words: &str, tone: Tone) -> Markup {
    html! { span.state.(tone.class()) { (words) } }
}

/// A moment.
pub fn moment(at: Timestamp) -> Markup {
    let exact = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    html! { time datetime=(exact) { (at.strftime("%Y-%m-%d %H:%M:%S UTC")) } }
}

/// A moment, and how long ago it was or how soon it comes.
pub fn aged(at: Timestamp, now: Timestamp) -> Markup {
    html! {
        (moment(at))
        @if at <= now { " (" (age(at, now)) " ago)" } @else { " (in " (age(now, at)) ")" }
    }
}

/// The same, where there may be none.
pub fn aged_or(at: Option<Timestamp>, now: Timestamp, none: &str) -> Markup {
    html! { @match at { Some(at) => (aged(at, now)), None => (none) } }
}

/// So long, as people say it.
pub fn span(span: SignedDuration) -> String {
    let seconds = span.as_secs();
    let parts = [(seconds / 3_600, "h"), (seconds / 60 % 60, "min"), (seconds % 60, "s")];
    let said: Vec<String> = parts.iter().filter(|part| part.0 > 0).map(|(many, of)| format!("{many} {of}")).collect();
    if said.is_empty() { "0 s".to_owned() } else { said.join(" ") }
}

/// A command that a person would give, with what it does.
pub fn command(does: &str, command: &str) -> Markup {
    html! {
        p { (does) ":" }
        pre { code { (command) } }
    }
}

/// A link to a page.
pub fn link(view: &View, text: &str) -> Markup {
    html! { a href=(path(view)) { (text) } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_hours_minutes_and_seconds() {
        let said = [0, 59, 60, 300, 21_600, 3_661].map(|secs| span(SignedDuration::from_secs(secs)));
        assert_eq!(said, ["0 s", "59 s", "1 min", "5 min", "6 h", "1 h 1 min 1 s"]);
    }
}
