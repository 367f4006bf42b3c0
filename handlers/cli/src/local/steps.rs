//! Tells the tour: what happens, when, and whether each step held, in lines for people or as JSON.
//! It never judges: a step hands in what was expected and what was seen.

use serde_json::json;
use tokio::time::Instant;

use crate::output::{self, Form};

/// Something expected that was not seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// What was expected.
    pub expected: String,
    /// What was seen instead.
    pub seen: String,
}

/// Tells what happens.
#[derive(Debug)]
pub struct Steps {
    form: Form,
    began: Instant,
    step: Option<Step>,
    count: u32,
    missed: u32,
}

#[derive(Debug)]
struct Step {
    title: String,
    began: Instant,
}

impl Steps {
    /// Begins to tell.
    pub fn new(form: Form) -> Self {
        Self { form, began: Instant::now(), step: None, count: 0, missed: 0 }
    }

    /// A line beside the tour: where something is, what is still to be done.
    pub fn note(&self, text: &str) {
        match self.form {
            Form::Text => output::say(text),
            Form::Json => line(&json!({ "kind": "note", "text": text })),
        }
    }

    /// Everything runs; from here times count anew.
    pub fn ready(&mut self, urls: &[(&str, String)]) {
        self.began = Instant::now();
        match self.form {
            Form::Text => {
                let urls: Vec<String> = urls.iter().map(|(name, url)| format!("{name}={url}")).collect();
                output::say(format_args!("ready {}", urls.join(" ")));
            }
            Form::Json => {
                let urls: serde_json::Map<_, _> =
                    urls.iter().map(|(name, url)| ((*name).to_owned(), json!(url))).collect();
                line(&json!({ "kind": "ready", "urls": urls }));
            }
        }
    }

    /// A step begins.
    pub fn begin(&mut self, title: &str) {
        self.count += 1;
        self.step = Some(Step { title: title.to_owned(), began: Instant::now() });
        if self.form == Form::Text {
            output::say(format_args!("\n{}. {title}", self.count));
        }
    }

    /// Something happened.
    pub fn tell(&self, text: &str) {
        match self.form {
            Form::Text => output::say(format_args!("   {:>5.1} s  {text}", seconds(self.began))),
            Form::Json => {
                line(&json!({ "kind": "told", "step": self.count, "seconds": rounded(self.began), "text": text }))
            }
        }
    }

    /// The step ends.
    pub fn end(&mut self, result: Result<String, Missed>) {
        let Some(step) = self.step.take() else { return };
        if result.is_err() {
            self.missed += 1;
        }
        match (self.form, &result) {
            (Form::Text, Ok(seen)) => {
                output::say(format_args!(
                    "   {:>5.1} s  held: {seen} (the step took {:.1} s)",
                    seconds(self.began),
                    seconds(step.began)
                ));
            }
            (Form::Text, Err(missed)) => {
                output::say(format_args!("   {:>5.1} s  DID NOT HOLD", seconds(self.began)));
                output::say(format_args!("            expected: {}", missed.expected));
                output::say(format_args!("            seen:     {}", missed.seen));
            }
            (Form::Json, result) => {
                let (seen, expected) = match result {
                    Ok(seen) => (seen, None),
                    Err(missed) => (&missed.seen, Some(&missed.expected)),
                };
                line(&json!({
                    "kind": "step", "step": self.count, "title": step.title, "held": result.is_ok(),
                    "expected": expected, "seen": seen, "seconds": rounded(step.began),
                }));
            }
        }
    }

    /// The tour ends; says whether all of it held.
    pub fn finish(&self, planned: u32) -> bool {
        let held = self.missed == 0 && self.count == planned;
        match self.form {
            Form::Json => {
                line(
                    &json!({ "kind": "tour", "held": held, "steps": planned, "played": self.count, "missed": self.missed, "seconds": rounded(self.began) }),
                );
            }
            Form::Text if held => {
                output::say(format_args!("\nAll {planned} steps held, in {:.1} s.", seconds(self.began)))
            }
            Form::Text => {
                let missed = self.missed;
                output::say(format_args!(
                    "\nThe tour did not hold: {missed} step{} of {planned} failed, {} played.",
                    if missed == 1 { "" } else { "s" },
                    self.count
                ));
            }
        }
        held
    }
}

fn line(value: &serde_json::Value) {
    output::say(value);
}

fn seconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64()
}

/// Seconds with three decimals: more is noise.
fn rounded(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 1_000.0).round() / 1_000.0
}
