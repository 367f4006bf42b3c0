//! A saga's ledger: what was decided before it is done, and what became of it after, in a chain of its own.
//! It never decides, and is opened only where there is something to write.

use lifeboat_planning::id::hash;
use lifeboat_planning::saga::failover::Failover;
use lifeboat_planning::saga::{Effect, Outcome, Tag};

use super::warnings::Warning;
use super::{SagaError, outcome};
use crate::chain::Chain;
use crate::ledger::{Decision, Entry, OutcomeResult, PlannedEffect};
use crate::lifeboat::Lifeboat;

/// How many effects one entry names: the end of a chain that is read before it is added to holds several such entries.
const EFFECTS_MAX: usize = 20;

/// The ledger of one saga.
pub struct Book<'a> {
    lifeboat: &'a Lifeboat,
    id: String,
    recovery_plan: String,
    chain: Option<Chain<'a>>,
}

impl<'a> Book<'a> {
    /// Not opened yet.
    pub fn of(lifeboat: &'a Lifeboat, id: &str, recovery_plan: &str) -> Self {
        Self { lifeboat, id: id.to_owned(), recovery_plan: recovery_plan.to_owned(), chain: None }
    }

    /// Opens it, and answers for what whoever was here before did not: the looks that come find out what became of it.
    async fn open(&mut self) -> Result<&mut Chain<'a>, SagaError> {
        if self.chain.is_none() {
            let name = hash(&[&self.id]);
            let subject = format!("recovery plan {}", self.recovery_plan);
            let mut chain = Chain::of_saga(&self.lifeboat.outbox, self.lifeboat.clock, &name, &subject).await?;
            let unanswered = chain.unanswered();
            let entries = unanswered.into_iter().map(|effect| Entry::Outcome {
                effect: effect.key,
                result: OutcomeResult::UnknownAfterStop,
                detail: String::new(),
                read: None,
            });
            chain.add_all(entries.collect()).await?;
            self.chain = Some(chain);
        }
        self.chain.as_mut().ok_or(SagaError::Overtaken)
    }

    /// Writes down what was decided, before any of it is done. Looks change nothing and are not written down.
    pub async fn decided(
        &mut self,
        cause: &str,
        looks: u32,
        (effects, warned): (&[Effect<Failover>], &[Warning]),
    ) -> Result<(), SagaError> {
        let (mut planned, mut told) = (Vec::new(), warned.iter().map(Warning::words).collect::<Vec<_>>());
        for effect in effects {
            match effect {
                Effect::Look(..) => {}
                Effect::Change(_, change) => {
                    planned.push(PlannedEffect { key: effect.key(), what: change.to_string() });
                }
                Effect::Tell(notice) => told.push(notice.to_string()),
            }
        }
        if planned.is_empty() && told.is_empty() {
            return Ok(());
        }
        let policy = self.recovery_plan.clone();
        let entry = |effects: Vec<PlannedEffect>, told: Vec<String>| {
            let (cause, policy) = (cause.to_owned(), policy.clone());
            Entry::Decision(Decision { cause, look: looks, policy, effects, told, ..Decision::default() })
        };
        let mut entries = Vec::new();
        while planned.len() > EFFECTS_MAX {
            let rest = planned.split_off(EFFECTS_MAX);
            entries.push(entry(std::mem::replace(&mut planned, rest), Vec::new()));
        }
        entries.push(entry(planned, told));
        self.open().await?.add_all(entries).await?;
        Ok(())
    }

    /// Writes down what became of changes.
    pub async fn became(&mut self, outcomes: &[(String, Tag, Outcome)]) -> Result<(), SagaError> {
        let entry = |(key, _, outcome): &(String, Tag, Outcome)| {
            let (result, detail) = outcome::in_ledger(outcome);
            Entry::Outcome { effect: key.clone(), result, detail, read: None }
        };
        let entries: Vec<Entry> = outcomes.iter().map(entry).collect();
        self.open().await?.add_all(entries).await?;
        Ok(())
    }

    /// Answers for what whoever ended the saga left, and keeps the head: they may have been stopped right before they did.
    pub async fn close(&mut self) -> Result<(), SagaError> {
        self.open().await?;
        self.seal().await
    }

    /// Keeps the head apart.
    pub async fn seal(&mut self) -> Result<(), SagaError> {
        if let Some(chain) = &mut self.chain {
            chain.seal().await?;
        }
        Ok(())
    }
}
