//! What came of the replays: line by line, tape by tape, and in all.
//! It never leaves a line out: each is equal, different, seeded, not modelled or a repeat.

use std::fmt::Write;

use serde_json::{Value, json};

use crate::compare::{Difference, told};

/// What came of a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The simulator answered as Azure did.
    Equal,
    /// It answered otherwise.
    Different(Vec<Difference>),
    /// The recorded answer was a seed.
    Seeded,
    /// Neither does the client speak it nor the simulator answer it.
    NotModelled,
    /// The same `GET` with the same answer as right before.
    Repeated,
}

/// A line and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Judged {
    /// Its number in the file.
    pub number: usize,
    /// Method and path.
    pub request: String,
    /// Whether the client speaks it.
    pub spoken: bool,
    /// Whether it starts an operation that is polled, or polls one.
    pub of_operation: bool,
    /// Lines that ask the same kind of thing have the same text here.
    pub kind: String,
    /// What came of it.
    pub outcome: Outcome,
    /// The states that the recorded answer tells and those that ours told; none where it was not sent.
    pub states: Option<(Vec<String>, Vec<String>)>,
}

/// A tape and what came of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Played {
    /// The file.
    pub tape: String,
    /// Its lines.
    pub lines: Vec<Judged>,
    /// Seeds that the simulator did not take, and seeded lines that it answered otherwise: told, not counted.
    pub notes: Vec<String>,
}

/// The numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Tapes.
    pub tapes: usize,
    /// Their lines.
    pub lines: usize,
    /// Lines that the simulator answers as Azure did.
    pub equal: usize,
    /// Lines that it answers otherwise.
    pub different: usize,
    /// Lines whose recorded answer was a seed.
    pub seeded: usize,
    /// Lines that neither the client speaks nor the simulator answers.
    pub not_modelled: usize,
    /// Equal `GET`s in a row after the first.
    pub repeated: usize,
    /// Lines that the client speaks, repeats apart.
    pub spoken: usize,
    /// Those of them that are equal.
    pub spoken_equal: usize,
    /// Those of them that are seeded.
    pub spoken_seeded: usize,
}

impl Played {
    /// The numbers of this tape.
    pub fn totals(&self) -> Totals {
        let mut totals = Totals { tapes: 1, lines: self.lines.len(), ..Totals::default() };
        for line in &self.lines {
            let count = match line.outcome {
                Outcome::Equal => &mut totals.equal,
                Outcome::Different(_) => &mut totals.different,
                Outcome::Seeded => &mut totals.seeded,
                Outcome::NotModelled => &mut totals.not_modelled,
                Outcome::Repeated => &mut totals.repeated,
            };
            *count += 1;
            if line.spoken && line.outcome != Outcome::Repeated {
                totals.spoken += 1;
                totals.spoken_equal += usize::from(line.outcome == Outcome::Equal);
                totals.spoken_seeded += usize::from(line.outcome == Outcome::Seeded);
            }
        }
        totals
    }
}

impl Totals {
    /// The numbers of all tapes.
    pub fn of(played: &[Played]) -> Self {
        played.iter().map(Played::totals).fold(Self::default(), |sum, one| Self {
            tapes: sum.tapes + one.tapes,
            lines: sum.lines + one.lines,
            equal: sum.equal + one.equal,
            different: sum.different + one.different,
            seeded: sum.seeded + one.seeded,
            not_modelled: sum.not_modelled + one.not_modelled,
            repeated: sum.repeated + one.repeated,
            spoken: sum.spoken + one.spoken,
            spoken_equal: sum.spoken_equal + one.spoken_equal,
            spoken_seeded: sum.spoken_seeded + one.spoken_seeded,
        })
    }

    /// Spoken requests that are compared.
    pub fn compared(&self) -> usize {
        self.spoken - self.spoken_seeded
    }

    /// How many of them are equal, in thousandths; all, where there are none.
    pub fn equal_permille(&self) -> usize {
        (self.spoken_equal * 1000).checked_div(self.compared()).unwrap_or(1000)
    }

    /// For the table of all gates.
    pub fn json(&self) -> Value {
        json!({
            "tapes": self.tapes, "equal": self.equal, "different": self.different, "seeded": self.seeded,
            "not_modelled": self.not_modelled, "spoken": self.spoken, "spoken_equal": self.spoken_equal,
            "spoken_seeded": self.spoken_seeded,
        })
    }

    /// How many are equal, in words.
    pub fn share(&self, of: &str) -> String {
        let (compared, equal, share) = (self.compared(), self.spoken_equal, self.equal_permille());
        format!("{of}, compared: {compared}, equal: {equal} ({}.{} %)", share / 10, share % 10)
    }

    fn row(&self, name: &str) -> String {
        format!(
            "{name:<48} {:>6} {:>6} {:>10} {:>7} {:>13} {:>7} | {:>7} {:>6} {:>7}\n",
            self.lines,
            self.equal,
            self.different,
            self.seeded,
            self.not_modelled,
            self.repeated,
            self.spoken,
            self.spoken_equal,
            self.spoken_seeded,
        )
    }
}

/// The table, then every difference with its place, then the notes.
pub fn text(played: &[Played]) -> String {
    let mut text = format!(
        "{:<48} {:>6} {:>6} {:>10} {:>7} {:>13} {:>7} | {:>7} {:>6} {:>7}\n",
        "tape", "lines", "equal", "different", "seeded", "not modelled", "repeats", "spoken", "equal", "seeded"
    );
    for one in played {
        text.push_str(&one.totals().row(&one.tape));
    }
    let totals = Totals::of(played);
    text.push_str(&totals.row("all"));
    let _ = writeln!(text, "{}", totals.share("spoken"));
    for one in played {
        for line in &one.lines {
            if let Outcome::Different(differences) = &line.outcome {
                let mark = if line.spoken { "" } else { " (not spoken)" };
                let _ =
                    writeln!(text, "{}:{}{mark} {}\n    {}", one.tape, line.number, line.request, told(differences));
            }
        }
        for note in &one.notes {
            let _ = writeln!(text, "{}: note: {note}", one.tape);
        }
    }
    text
}
