//! A machine's ledger in the store: loaded by its end, appended under its position, its head kept apart.
//! It never rewrites; two writers cannot both append at one position, so the chain cannot fork.

use jiff::{SignedDuration, Timestamp};
use lifeboat_azure::ErrorKind;
use lifeboat_azure::blobs::Condition;
use lifeboat_contract::events::Event;
use lifeboat_planning::id::MachineKey;

use crate::clock::Clock;
use crate::ledger::{self, Body, Decision, EXPIRY_CAUSE, Entry, Fault, Head};
use crate::outbox::{self, Outbox, Proof};

/// The end of a chain that is read before it is added to: some forty entries, more than one piece of work writes.
const TAIL_BYTES: usize = 32 * 1024;

/// How long after its turn a message may come before another look takes over: queues lag, and a message may be lost.
const TURN_GRACE: SignedDuration = SignedDuration::from_mins(2);

/// Why the ledger cannot be written to. Nothing is done without it.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// The store did not take or give it. Repeating is safe.
    #[error("the store did not answer for the ledger")]
    Store(#[from] lifeboat_azure::Error),
    /// The chain is broken. Repeating is pointless until a person has looked.
    #[error("the ledger {name} is broken")]
    Broken {
        /// Its blob.
        name: String,
        /// What is wrong.
        source: Fault,
    },
    /// An entry could not be written down. A bug; repeating is pointless.
    #[error("an entry cannot be written as JSON")]
    Unwritable(#[from] serde_json::Error),
}

/// A machine's chain, open for adding to.
#[derive(Debug)]
pub struct Chain<'a> {
    outbox: &'a Outbox,
    clock: Clock,
    name: String,
    machine: String,
    position: u64,
    head: Head,
    bodies: Vec<Body>,
    head_name: String,
    unsealed: bool,
}

/// The blob of a machine's chain.
pub fn blob_name(key: &MachineKey) -> String {
    format!("ledger/{key}.jsonl")
}

/// The blob of a chain's head, kept apart so that a cut tail shows.
pub fn head_name(key: &MachineKey) -> String {
    format!("ledger/{key}.head.json")
}

impl<'a> Chain<'a> {
    /// Opens the chain of a machine, reading its end.
    pub async fn open(outbox: &'a Outbox, clock: Clock, key: &MachineKey, machine: &str) -> Result<Self, ChainError> {
        Self::at(outbox, clock, (blob_name(key), head_name(key)), machine).await
    }

    /// Opens the chain of a saga, whose entries say what it is about where a machine's say which machine.
    pub async fn of_saga(outbox: &'a Outbox, clock: Clock, saga: &str, subject: &str) -> Result<Self, ChainError> {
        let names = (format!("ledger/sagas/{saga}.jsonl"), format!("ledger/sagas/{saga}.head.json"));
        Self::at(outbox, clock, names, subject).await
    }

    async fn at(
        outbox: &'a Outbox,
        clock: Clock,
        (name, head_name): (String, String),
        machine: &str,
    ) -> Result<Self, ChainError> {
        let store = outbox.store();
        let (position, text) = match store.tail(&name, TAIL_BYTES).await? {
            Some(tail) => (tail.length, whole_lines(tail.bytes.as_ref(), tail.length)),
            None => (0, String::new()),
        };
        let (bodies, head) = ledger::read(&text).map_err(|source| ChainError::Broken { name: name.clone(), source })?;
        let machine = machine.to_owned();
        // Whoever was here before may have been stopped between its last entry and the head: what is found is sealed again.
        let unsealed = !bodies.is_empty();
        Ok(Self { outbox, clock, name, machine, position, head, bodies, head_name, unsealed })
    }

    /// The entries at the end of the chain, oldest first, those added since included.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.bodies.iter().map(|body| &body.entry)
    }

    /// The effects that have no outcome yet.
    pub fn unanswered(&self) -> Vec<ledger::PlannedEffect> {
        ledger::unanswered(&self.bodies)
    }

    /// True when a decision that is still read here was to make this point.
    pub fn has_decided(&self, point: &str) -> bool {
        self.entries().any(|entry| match entry {
            Entry::Decision(decision) => decision.effects.iter().any(|effect| effect.what.contains(point)),
            Entry::Outcome { .. } | Entry::Verified { .. } => false,
        })
    }

    /// The last decision that did something, and when it was taken.
    pub fn last_act(&self) -> Option<(Timestamp, &Decision)> {
        acts(&self.bodies).next_back()
    }

    /// The last decision of a look that did something. The sweep of expiry decides too, and no look of its own follows it.
    pub fn last_act_of_looks(&self) -> Option<(Timestamp, &Decision)> {
        last_of_looks(&self.bodies)
    }

    /// When the point's turn at a budget of Azure's is, if its message is still to come: another look leaves it to that one.
    pub fn turn_after(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.entries().filter_map(|entry| match entry {
            Entry::Decision(decision) => Some(decision.turn_at),
            Entry::Outcome { .. } | Entry::Verified { .. } => None,
        });
        last.last().flatten().filter(|at| now.duration_since(*at) < TURN_GRACE)
    }

    /// Adds an entry, and in the same write what it tells other systems; it is in the store when this returns.
    pub async fn add(&mut self, entry: Entry) -> Result<(), ChainError> {
        self.add_all(vec![entry]).await
    }

    /// Adds entries in one write: all of them are in the store when this returns, with what they tell, or none.
    pub async fn add_all(&mut self, entries: Vec<Entry>) -> Result<(), ChainError> {
        let (mut text, mut head, now) = (String::new(), self.head.clone(), self.clock.now());
        let mut announced = Vec::new();
        for entry in entries {
            let told = match self.outbox.is_on() {
                true => outbox::of_entry(&self.bodies, &self.machine, &entry, now),
                false => None,
            };
            let told: Vec<_> = told.iter().map(Event::to_json).collect();
            let (line, next) = head.next_telling(now, &self.machine, entry, told.clone())?;
            let proof = Proof::line(&self.name, self.position + text.len() as u64);
            announced.push(self.outbox.announce(&proof, &told, now).await);
            text += &line;
            head = next;
        }
        if text.is_empty() {
            return Ok(());
        }
        let (mut read, _) =
            ledger::read(&text).map_err(|source| ChainError::Broken { name: self.name.clone(), source })?;
        let length = text.len() as u64;
        self.outbox.store().append(&self.name, self.position, text.into_bytes().into()).await?;
        announced.into_iter().for_each(|announced| self.outbox.written(announced));
        self.position += length;
        self.head = head;
        self.bodies.append(&mut read);
        self.unsealed = true;
        Ok(())
    }

    /// Keeps the head apart. It may lag behind from a stop to the next look, but it never leads, and is never put back: whoever was
    /// stopped for longer than the lease finds a later one.
    pub async fn seal(&mut self) -> Result<(), ChainError> {
        if !std::mem::take(&mut self.unsealed) {
            return Ok(());
        }
        let (kept, etag) = self.outbox.store().get(&self.head_name).await?.unzip();
        let kept: Option<Head> = kept.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        if kept.is_some_and(|kept| kept.seq >= self.head.seq) {
            return Ok(());
        }
        let head = serde_json::to_vec(&self.head)?;
        let condition = etag.map_or(Condition::IfAbsent, Condition::IfMatch);
        match self.outbox.store().put(&self.head_name, head.into(), condition).await {
            // Another one keeps its own at this moment; who opens the chain next finds one of the two, and goes on from there.
            Err(error) if error.kind == ErrorKind::Conflict => Ok(()),
            kept => Ok(kept.map(drop)?),
        }
    }
}

/// The decisions that did something, oldest first.
fn acts(bodies: &[Body]) -> impl DoubleEndedIterator<Item = (Timestamp, &Decision)> {
    bodies.iter().filter_map(|body| match &body.entry {
        Entry::Decision(decision) if !decision.effects.is_empty() => Some((body.at, decision)),
        Entry::Decision(_) | Entry::Outcome { .. } | Entry::Verified { .. } => None,
    })
}

/// The last of them that a look decided.
fn last_of_looks(bodies: &[Body]) -> Option<(Timestamp, &Decision)> {
    acts(bodies).rfind(|(_, decision)| !is_of_expiry(decision))
}

/// The text of a tail, less the first line when that may be cut.
fn whole_lines(bytes: &[u8], length: u64) -> String {
    let text = String::from_utf8_lossy(bytes);
    if (bytes.len() as u64) < length {
        return text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default();
    }
    text.into_owned()
}

/// True for what the sweep of expiry decided.
fn is_of_expiry(decision: &Decision) -> bool {
    decision.cause.starts_with(EXPIRY_CAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::PlannedEffect;

    fn decided(at: i64, cause: &str, effects: usize) -> Body {
        let effect = PlannedEffect { key: "k".to_owned(), what: "what".to_owned() };
        let decision = Decision { cause: cause.to_owned(), effects: vec![effect; effects], ..Decision::default() };
        let at = Timestamp::from_second(at).expect("a time");
        let (line, _) = Head::empty().next(at, "vm", Entry::Decision(decision)).expect("an entry");
        ledger::read(&line).expect("a chain").0.remove(0)
    }

    #[test]
    fn what_the_sweep_of_expiry_decided_is_no_act_of_a_look() {
        let bodies = [decided(1, "VmWritten", 1), decided(2, EXPIRY_CAUSE, 1), decided(3, "PolicySweep", 0)];
        let at = |act: Option<(Timestamp, &Decision)>| act.map(|(at, _)| at.as_second());
        assert_eq!(at(acts(&bodies).next_back()), Some(2));
        assert_eq!(at(last_of_looks(&bodies)), Some(1));
    }
}
