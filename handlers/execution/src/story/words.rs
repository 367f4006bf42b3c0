//! A story in words: a line says which ledger and whether it verifies, then come its entries, each with its time.
//! It never leaves out a fault, and never says more than the entries do.

use jiff::Timestamp;

use super::{About, Chapter, HeadSeen, Story};
use crate::ledger::{Body, Decision, Entry, OutcomeResult, ReadBack};

/// Hex digits of a digest that people are shown: enough to tell bundles apart, and `policies/` takes them for a search.
const DIGEST_CHARS: usize = 12;

impl Story {
    /// True when every ledger that was found verifies.
    pub fn holds(&self) -> bool {
        self.chapters.iter().all(|chapter| chapter.fault.is_none())
    }

    /// All of it, a line each; a blank line between ledgers.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for chapter in &self.chapters {
            if !lines.is_empty() {
                lines.push(String::new());
            }
            lines.extend(chapter.lines(matches!(self.about, About::Point { .. })));
        }
        lines
    }
}

impl Chapter {
    /// The ledger in words; of a point it is said how many of its entries concern it.
    fn lines(&self, of_point: bool) -> Vec<String> {
        let mut lines = vec![self.title(of_point)];
        lines.extend(self.fault.as_ref().map(|fault| {
            let rest = "nothing from there on is told, for nobody knows whether it is what was written";
            format!("  THE LEDGER DOES NOT VERIFY: {fault}; {rest}")
        }));
        match self.head {
            HeadSeen::Kept => {}
            HeadSeen::Missing => {
                lines.push("  its head is not kept apart: an end that was cut off would not show".into())
            }
            HeadSeen::Unreadable => {
                lines.push("  its head cannot be read: an end that was cut off would not show".into())
            }
        }
        for body in &self.entries {
            let at = time(body.at);
            let mut said = self.said(body).into_iter();
            lines.extend(said.next().map(|first| format!("  {at}  {first}")));
            lines.extend(said.map(|more| format!("    {more}")));
        }
        lines
    }

    fn title(&self, of_point: bool) -> String {
        let machine = if self.machine().is_empty() { "a machine that is not told" } else { self.machine() };
        let identity = self.vm_id.as_ref().map(|vm_id| format!(" (vmId {vm_id})")).unwrap_or_default();
        let told = if of_point { format!(", {} of them about it", self.entries.len()) } else { String::new() };
        let holds = if self.fault.is_none() { "verified" } else { "before the fault" };
        format!("{} of {machine}{identity}: {} entries {holds}{told}", self.ledger, self.verified)
    }

    /// One entry in words, its first line first.
    fn said(&self, body: &Body) -> Vec<String> {
        match &body.entry {
            Entry::Decision(decision) => decided(decision),
            Entry::Outcome { effect, result, detail, read } => {
                let what = self.effect(effect).map_or_else(|| format!("effect {effect}"), short);
                let detail = if detail.is_empty() { String::new() } else { format!(": {detail}") };
                vec![match read {
                    Some(read) => format!("end of {what}: {}{detail}", ended(*read)),
                    None => format!("outcome of {what}: {}{detail}", words(*result)),
                }]
            }
            Entry::Verified { point, succeeded, consistency } => {
                let how = if *succeeded { "it succeeded" } else { "it failed" };
                let consistency = consistency.as_ref().map(|word| format!(", {word}")).unwrap_or_default();
                vec![format!("read {point}: {how}{consistency}")]
            }
        }
    }
}

fn decided(decision: &Decision) -> Vec<String> {
    let policy = match (decision.policy.as_str(), decision.policy_digest.get(..DIGEST_CHARS)) {
        ("", None) => "without a policy".to_owned(),
        ("", Some(digest)) => format!("by no policy of the bundle {digest}"),
        (policy, None) => format!("by policy {policy} of the bundle {}", decision.policy_digest),
        (policy, Some(digest)) => format!("by policy {policy} of the bundle {digest}"),
    };
    let late = if decision.late { ", later than the policy wants it" } else { "" };
    let mut lines = vec![format!("decided {policy}, woken by {}, look {}{late}", decision.cause, decision.look)];
    // A decision that the audit refuses is written down and not performed.
    let verb = if decision.audit.is_empty() { "do" } else { "would do, had the audit not refused" };
    lines.extend(decision.effects.iter().map(|effect| format!("{verb}: {}", effect.what)));
    lines.extend(decision.would.iter().map(|effect| format!("would do, if the policy enforced: {}", effect.what)));
    lines.extend(decision.refusals.iter().map(|refusal| format!("not done: {refusal}")));
    lines.extend(decision.audit.iter().map(|note| format!("THE AUDIT REFUSED IT: {note}")));
    if decision.missed > 0 {
        lines.push(format!("{} earlier slots have no point and get none any more", decision.missed));
    }
    lines.extend(decision.turn_at.map(|at| format!("it waits for its turn at Azure's budget until {}", time(at))));
    lines
}

/// An effect without its reasons, which stand beside the decision.
fn short(what: &str) -> String {
    format!("`{}`", what.split(", ").next().unwrap_or(what))
}

fn words(result: OutcomeResult) -> &'static str {
    match result {
        OutcomeResult::Done => "Azure accepted it",
        OutcomeResult::AlreadyThere => "it was so already",
        OutcomeResult::NotYet => "refused for now, and safe to try again",
        OutcomeResult::Refused => "Azure refused it",
        OutcomeResult::NotPermitted => "not permitted",
        OutcomeResult::Unanswered => "sent, and no answer came",
        OutcomeResult::NotSent => "not sent",
        OutcomeResult::FoundAfterStop => "stopped before it was written down; read again, it is so",
        OutcomeResult::AbsentAfterStop => "stopped before it was written down; read again, it is not so",
        OutcomeResult::UnknownAfterStop => "stopped before it was written down; nothing tells whether it was done",
    }
}

fn ended(read: ReadBack) -> &'static str {
    match read {
        ReadBack::Gone => "it is gone",
        ReadBack::StillThere => "it is still there after several attempts, and is tried on",
        ReadBack::Stays => "it is not due any more, and stays",
    }
}

/// A time to the millisecond, in UTC.
fn time(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}
