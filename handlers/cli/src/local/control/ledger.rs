//! What a ledger says, read as loosely as an auditor with a text editor would: lines of JSON, whatever else they hold.
//! It never verifies a chain.

use serde_json::Value;

/// What the ledger says about a machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LedgerSeen {
    /// Entries about it.
    pub entries: usize,
    /// A decision that plans its point: this one where it is there already, else any.
    pub decided: bool,
    /// The point was read and found good.
    pub verified: bool,
    /// It came after the window of its slot, as the decision says.
    pub late: bool,
}

impl LedgerSeen {
    /// Adds what the lines of one chain say. The form is read as loosely as an auditor with a text editor would.
    pub(super) fn add(&mut self, text: &str, machine: &str, point: Option<&str>) {
        for entry in entries(text, machine) {
            self.entries += 1;
            let plans = |effects: &Value| match point {
                Some(point) => effects.to_string().contains(point),
                None => effects.as_array().is_some_and(|effects| !effects.is_empty()),
            };
            match entry["kind"].as_str() {
                Some("decision") if plans(&entry["effects"]) => {
                    self.decided = true;
                    self.late |= entry["late"] == true;
                }
                Some("verified") => {
                    self.verified |= point.is_some_and(|point| entry["point"] == point) && entry["succeeded"] == true
                }
                _ => {}
            }
        }
    }
}

/// What was deleted of a machine by the lines of one chain: what, and why, in the words of its decisions.
pub(super) fn expired(text: &str, machine: &str) -> Vec<String> {
    let mut all = Vec::new();
    for entry in entries(text, machine) {
        if entry["kind"] == "decision" && entry["cause"].as_str().is_some_and(|cause| cause.starts_with("ExpirySweep"))
        {
            let effects = entry["effects"].as_array().into_iter().flatten();
            all.extend(effects.filter_map(|effect| effect["what"].as_str().map(str::to_owned)));
        }
    }
    all
}

/// The entries about a machine.
fn entries(text: &str, machine: &str) -> Vec<Value> {
    let lines = text.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut bodies = lines.map(|mut line| line["body"].take());
    let ours = |body: &Value| body["machine"].as_str().is_some_and(|own| own.eq_ignore_ascii_case(machine));
    bodies.by_ref().filter(ours).map(|mut body| body["entry"].take()).collect()
}
