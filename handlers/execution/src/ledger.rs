//! The ledger: what was decided and what came of it, a hash chain per machine, one JSON line an entry.
//! It never changes a line. This file knows the lines; `ledger_blob` keeps them.
//!
//! ```text
//! {"hash":"<sha256 of body>","body":{"version":1,"seq":7,"previous":"<hash of 6>","at":…,"machine":…,"entry":{…}}}
//! ```
//! A cut tail shows against the head that is kept apart, an edit in its own hash, a gap in `seq` and `previous`.

use jiff::Timestamp;
use lifeboat_planning::id::hex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

/// The version that this release writes. It reads every version up to it.
pub const VERSION: u32 = 1;

/// What one entry says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Entry {
    /// Saved before any of its effects is performed.
    #[serde(rename_all = "camelCase")]
    Decision(Decision),
    /// Saved after an effect was tried.
    #[serde(rename_all = "camelCase")]
    Outcome {
        /// The effect's key.
        effect: String,
        /// What became of it.
        result: OutcomeResult,
        /// Azure's own words, bounded.
        #[serde(default, skip_serializing_if = "String::is_empty")]
        detail: String,
        /// What was read of it later, in an entry that says so; none in the one that tells the answer. A release that does not know
        /// it reads the rest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        read: Option<ReadBack>,
    },
    /// A point was read and is final.
    #[serde(rename_all = "camelCase")]
    Verified {
        /// The point's name.
        point: String,
        /// True when it succeeded.
        succeeded: bool,
        /// Consistency as really reached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        consistency: Option<String>,
    },
}

/// How the cause of a decision of the sweep of expiry begins; its number follows.
pub const EXPIRY_CAUSE: &str = "ExpirySweep";

/// A decision with what it rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    /// What woke us.
    pub cause: String,
    /// Looks before this one.
    pub look: u32,
    /// The policy's name; empty where none is followed.
    pub policy: String,
    /// The digest of the bundle that it is in.
    pub policy_digest: String,
    /// What will be done, in this order.
    pub effects: Vec<PlannedEffect>,
    /// What would be done if the policy did more than report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would: Vec<PlannedEffect>,
    /// What is not done, and why.
    pub refusals: Vec<String>,
    /// The point is later than the policy wants it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub late: bool,
    /// Slots before the one that is made, which have no point and get none any more.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub missed: usize,
    /// The point waits for its turn at a budget of Azure's until then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn_at: Option<Timestamp>,
    /// What the audit found; a decision with notes was not performed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub audit: Vec<String>,
    /// What people are told with it, of a saga. A release that does not know it reads the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks by reference")]
fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// An effect in a decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PlannedEffect {
    /// Its key: an outcome names it.
    pub key: String,
    /// In words.
    pub what: String,
}

/// What became of an effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum OutcomeResult {
    /// Azure accepted it.
    Done,
    /// It was there already.
    AlreadyThere,
    /// Refused for now: throttled, busy, a transient fault.
    NotYet,
    /// Refused.
    Refused,
    /// Not permitted.
    NotPermitted,
    /// Sent, but no answer came: what is there will be read.
    Unanswered,
    /// Not sent: an effect before it did not get through, or its latest moment had passed.
    NotSent,
    /// No outcome had been saved (we were stopped); read again, and it is as the effect wanted it.
    FoundAfterStop,
    /// No outcome had been saved (we were stopped); read again, and it is not as the effect wanted it.
    AbsentAfterStop,
    /// No outcome had been saved (we were stopped), and nothing that can be read tells whether it was done.
    UnknownAfterStop,
}

/// What a reading after the answer found of a deletion.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReadBack {
    /// It is *gone*: only now the deletion is done.
    Gone,
    /// It was still there after as many attempts as are untold; it is tried on.
    StillThere,
    /// It is not due any more and stays; nothing more is tried.
    Stays,
}

/// The end of a chain: what the next entry rests on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Head {
    /// Number of the last entry; 0 for an empty chain.
    pub seq: u64,
    /// Its hash; empty for an empty chain.
    pub hash: String,
}

/// One entry with its place in the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Body {
    /// Version of the record.
    pub version: u32,
    /// 1, 2, …
    pub seq: u64,
    /// Hash of the entry before.
    pub previous: String,
    /// When it was written.
    pub at: Timestamp,
    /// ARM id of the machine.
    pub machine: String,
    /// What it says.
    pub entry: Entry,
    /// The events that it tells other systems, as they are kept in the outbox: in the same write as the entry. A release that does not
    /// know the field, or an event, reads the rest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outbox: Vec<Value>,
}

#[derive(Serialize)]
struct LineOut<'a> {
    hash: &'a str,
    body: &'a RawValue,
}

#[derive(Deserialize)]
struct LineIn<'a> {
    hash: String,
    #[serde(borrow)]
    body: &'a RawValue,
}

/// What is wrong with a chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A line is not a ledger line.
    #[error("line {line} is not a ledger line")]
    Malformed {
        /// Counted from 1.
        line: usize,
    },
    /// A line's body does not have its hash.
    #[error("line {line} was edited: its body does not have its hash")]
    Edited {
        /// Counted from 1.
        line: usize,
    },
    /// A line does not follow the one before it.
    #[error("there is a gap before line {line}")]
    Gap {
        /// Counted from 1.
        line: usize,
    },
    /// The chain ends before the head that was kept apart.
    #[error("the end was cut off: {kept} was kept apart as the last entry, {found} is the last one here")]
    Cut {
        /// The head's number.
        kept: u64,
        /// The last number in the chain.
        found: u64,
    },
}

impl Head {
    /// The head of an empty chain.
    pub fn empty() -> Self {
        Self { seq: 0, hash: String::new() }
    }

    /// The next line of the chain, with its newline, and the new head.
    pub fn next(&self, at: Timestamp, machine: &str, entry: Entry) -> Result<(String, Self), serde_json::Error> {
        self.next_telling(at, machine, entry, Vec::new())
    }

    /// The same, with the events that the entry tells.
    pub fn next_telling(
        &self,
        at: Timestamp,
        machine: &str,
        entry: Entry,
        outbox: Vec<Value>,
    ) -> Result<(String, Self), serde_json::Error> {
        let (version, seq, previous) = (VERSION, self.seq + 1, self.hash.clone());
        let body = Body { version, seq, previous, at, machine: machine.to_owned(), entry, outbox };
        let body = serde_json::value::to_raw_value(&body)?;
        let hash = digest(body.get());
        let line = serde_json::to_string(&LineOut { hash: &hash, body: &body })? + "\n";
        Ok((line, Self { seq, hash }))
    }
}

fn digest(text: &str) -> String {
    hex(&Sha256::digest(text.as_bytes()))
}

/// Reads one line.
fn read_line(text: &str, line: usize) -> Result<(String, Body), Fault> {
    let read: LineIn<'_> = serde_json::from_str(text).map_err(|_| Fault::Malformed { line })?;
    if digest(read.body.get()) != read.hash {
        return Err(Fault::Edited { line });
    }
    let body: Body = serde_json::from_str(read.body.get()).map_err(|_| Fault::Malformed { line })?;
    Ok((read.hash, body))
}

/// Reads a chain, or its end: each line must follow the one before it.
pub fn read(text: &str) -> Result<(Vec<Body>, Head), Fault> {
    let mut head: Option<Head> = None;
    let mut bodies = Vec::new();
    for (at, text) in text.lines().enumerate() {
        let line = at + 1;
        let (hash, body) = read_line(text, line)?;
        if head.as_ref().is_some_and(|head| body.previous != head.hash || body.seq != head.seq + 1) {
            return Err(Fault::Gap { line });
        }
        head = Some(Head { seq: body.seq, hash });
        bodies.push(body);
    }
    Ok((bodies, head.unwrap_or_else(Head::empty)))
}

/// Verifies a whole chain against the head that was kept apart, if one was.
pub fn verify(text: &str, kept: Option<&Head>) -> Result<Vec<Body>, Fault> {
    let (bodies, head) = read(text)?;
    if bodies.first().is_some_and(|first| first.seq != 1 || !first.previous.is_empty()) {
        return Err(Fault::Gap { line: 1 });
    }
    if let Some(kept) = kept.filter(|kept| kept.seq > head.seq) {
        return Err(Fault::Cut { kept: kept.seq, found: head.seq });
    }
    if let Some(kept) = kept.filter(|kept| kept.seq == head.seq && kept.hash != head.hash) {
        return Err(Fault::Edited { line: usize::try_from(kept.seq).unwrap_or(usize::MAX) });
    }
    Ok(bodies)
}

/// The effects of decisions that have no outcome yet: we were stopped between saving one and the other.
pub fn unanswered(bodies: &[Body]) -> Vec<PlannedEffect> {
    let mut open: Vec<PlannedEffect> = Vec::new();
    for body in bodies {
        match &body.entry {
            Entry::Decision(decision) if decision.audit.is_empty() => {
                for effect in &decision.effects {
                    open.retain(|seen| seen.key != effect.key);
                    open.push(effect.clone());
                }
            }
            Entry::Outcome { effect, .. } => open.retain(|seen| seen.key != *effect),
            Entry::Decision(_) | Entry::Verified { .. } => {}
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chain(entries: usize) -> (Vec<String>, Head) {
        let mut head = Head::empty();
        let lines = (0..entries).map(|n| {
            let decision = Decision { cause: format!("test {n}"), ..Decision::default() };
            let (line, next) =
                head.next(Timestamp::UNIX_EPOCH, "/vm/1", Entry::Decision(decision)).expect("serialises");
            head = next;
            line
        });
        (lines.collect(), head)
    }

    #[test]
    fn a_whole_chain_verifies() {
        let (lines, head) = chain(5);
        assert_eq!(verify(&lines.concat(), Some(&head)).map(|bodies| bodies.len()), Ok(5));
        assert_eq!(verify("", None).map(|bodies| bodies.len()), Ok(0));
    }

    #[test]
    fn a_cut_an_edit_and_a_gap_are_found() {
        let (lines, head) = chain(5);
        assert_eq!(verify(&lines[..4].concat(), Some(&head)), Err(Fault::Cut { kept: 5, found: 4 }));
        let text = lines.concat();
        assert_eq!(verify(&text[..text.len() - 9], Some(&head)), Err(Fault::Malformed { line: 5 }));
        assert_eq!(verify(&text.replace("test 2", "test 9"), Some(&head)), Err(Fault::Edited { line: 3 }));
        let gap = [&lines[..2], &lines[3..]].concat().concat();
        assert_eq!(verify(&gap, Some(&head)), Err(Fault::Gap { line: 3 }));
        assert_eq!(verify(&lines[1..].concat(), Some(&head)), Err(Fault::Gap { line: 1 }));
    }

    #[test]
    fn another_chain_of_the_same_length_is_not_taken_for_this_one() {
        let (_, head) = chain(3);
        let mut other = Head::empty();
        let lines: String = (0..3)
            .map(|n| {
                let entry = Entry::Verified { point: format!("p{n}"), succeeded: true, consistency: None };
                let (line, next) = other.next(Timestamp::UNIX_EPOCH, "/vm/1", entry).expect("serialises");
                other = next;
                line
            })
            .collect();
        assert_eq!(verify(&lines, Some(&head)), Err(Fault::Edited { line: 3 }));
    }

    #[test]
    fn effects_without_an_outcome_are_told() {
        let planned = |key: &str| PlannedEffect { key: key.into(), what: String::new() };
        let mut head = Head::empty();
        let mut text = String::new();
        let decision = Decision { effects: vec![planned("a"), planned("b")], ..Decision::default() };
        let outcome =
            Entry::Outcome { effect: "a".into(), result: OutcomeResult::Done, detail: String::new(), read: None };
        for entry in [Entry::Decision(decision), outcome] {
            let (line, next) = head.next(Timestamp::UNIX_EPOCH, "/vm/1", entry).expect("serialises");
            text += &line;
            head = next;
        }
        let (bodies, _) = read(&text).expect("reads");
        assert_eq!(unanswered(&bodies), vec![planned("b")]);
    }

    #[test]
    fn version_1_reads_as_it_was_written() {
        let golden = include_str!("../golden/ledger-v1.jsonl");
        let bodies = verify(golden, None).expect("the golden chain verifies");
        assert_eq!(bodies.len(), 3);
        assert!(bodies.iter().all(|body| body.version == 1));
    }

    #[test]
    fn version_1_with_what_was_read_later_reads_as_it_was_written() {
        let golden = include_str!("../golden/ledger-v1-read.jsonl");
        let bodies = verify(golden, None).expect("the golden chain verifies");
        let mut head = Head::empty();
        let mut written = String::new();
        for body in &bodies {
            let (line, next) = head.next(body.at, &body.machine, body.entry.clone()).expect("serialises");
            written += &line;
            head = next;
        }
        assert_eq!(written, golden);
        let read = |body: &Body| match &body.entry {
            Entry::Outcome { read, .. } => *read,
            Entry::Decision(_) | Entry::Verified { .. } => None,
        };
        let all: Vec<Option<ReadBack>> = bodies.iter().map(read).collect();
        assert_eq!(all, [None, None, Some(ReadBack::StillThere), Some(ReadBack::Stays), Some(ReadBack::Gone)]);
        assert!(unanswered(&bodies).is_empty(), "none of them opens anything again");
    }
}
