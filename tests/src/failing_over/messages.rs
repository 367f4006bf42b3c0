//! The queue `sagas` of the stage, emptied as the host does it: a process for each message, which is completed when it was taken care of
//! and comes again when the process was killed. It never calls the saga itself.

use std::time::Duration;

use lifeboat_contract::sagas::{QUEUE as SAGAS, SagasMessage};
use lifeboat_execution::{Answer, Event};
use lifeboat_planning::saga::Saga;
use lifeboat_planning::saga::failover::Failover;
use lifeboat_simulator::bus::Message;

use super::{PLAN, RUNS_MAX, Stage, lock};

impl Stage {
    /// Queues the first look at the saga, as whoever began it does.
    pub fn first_message(&self) {
        let first = SagasMessage::step(PLAN);
        let body = first.encode().expect("a message");
        let message = Message { message_id: Some(first.message_id()), ..Message::new(body) };
        self.bus.send(SAGAS, message).expect("the queue takes it");
    }

    /// The next message is lost; says whether there was one.
    pub fn lose_message(&self) -> bool {
        let lost = self.bus.try_receive(SAGAS).expect("a queue");
        lost.is_some_and(|lost| self.bus.complete(&lost.lock_token).is_ok())
    }

    /// Takes message after message as they come due, until this holds; false where none comes in so long, or none waits.
    pub async fn by_messages(&self, holds: impl Fn(&Saga<Failover>) -> bool, at_most: Duration) -> bool {
        let until = tokio::time::Instant::now() + at_most;
        for _ in 0..RUNS_MAX {
            if self.saga().is_some_and(|saga| holds(&saga)) {
                return true;
            }
            let Some(locked) = self.bus.try_receive(SAGAS).expect("a queue") else {
                let Some(at) = self.bus.next_visible(SAGAS) else { return false };
                let wait = Duration::try_from(at.duration_since(self.clock.now())).unwrap_or_default();
                let due = tokio::time::Instant::now() + wait.max(Duration::from_millis(1));
                if due > until {
                    return false;
                }
                tokio::time::sleep_until(due).await;
                continue;
            };
            let (process, body) = (self.process(), locked.message.body.to_vec());
            let work = tokio::spawn(async move { process.handle(Event::SagaWoken(body)).await });
            match self.or_killed(work).await {
                Some(Ok(Answer::Done(report))) => {
                    lock(&self.told).extend(report.lines.iter().map(|line| format!("{} {line}", self.clock.now())));
                    // Whoever took longer than the lock lasts finds it gone, and the message comes again.
                    let _ = self.bus.complete(&locked.lock_token);
                }
                Some(other) => panic!("{other:?}\n{}", self.story()),
                None => self.bus.abandon(&locked.lock_token).expect("it is locked"),
            }
            self.invariants();
        }
        panic!("it goes round for ever:\n{}", self.story());
    }
}
