//! A saga of nothing in particular: switches that are turned on. It holds every kind of step that a table can have.

use std::collections::BTreeMap;
use std::fmt;

use jiff::{SignedDuration, Timestamp};
use lifeboat_planning::saga::{
    Ask, Asked, Choice, Does, Lane, Notice, Opens, Outcome, Patience, Runbook, Seen, Sent, Step, Task, WhyKind, Work,
};

use crate::harness::World;

/// A switch, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Is(pub String, pub bool);

/// Turns a switch.
#[derive(Clone, Debug, PartialEq)]
pub struct Turn(pub String, pub bool);

impl fmt::Display for Is {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is {}", self.0, if self.1 { "on" } else { "off" })
    }
}

impl fmt::Display for Turn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "turn {} {}", self.0, if self.1 { "on" } else { "off" })
    }
}

/// The saga.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Trial;

fn switch(name: &str) -> Task<Trial> {
    Task::change(name, Is(name.into(), true), Turn(name.into(), true))
}

fn undoable(name: &str) -> Task<Trial> {
    switch(name).undone_by(Is(name.into(), false), Turn(name.into(), false))
}

fn work(tasks: Vec<Task<Trial>>) -> Work<Trial> {
    Work {
        tasks,
        at_once: 2,
        every: SignedDuration::from_secs(15),
        usually: None,
        patience: Patience::Fails(SignedDuration::from_secs(600)),
        choices: vec![Choice::Again, Choice::GoOn],
        asks: None,
    }
}

fn step(name: &str, does: impl Into<Does<Trial>>) -> Step<Trial> {
    Step { name: name.into(), no_return: false, needs: Vec::new(), does: does.into() }
}

impl Runbook for Trial {
    type Look = Is;
    type Change = Turn;
    type Facts = bool;
    type Pick = ();

    const NAME: &'static str = "trial";
    const VERSION: u32 = 7;

    fn lanes(&self) -> Vec<Lane<Self>> {
        let asked = Asked {
            ask: Ask::Approve,
            words: "ready?".into(),
            choices: vec![Choice::GoOn, Choice::Undo],
            another: None,
            answered_by: None,
        };
        let first = vec![
            step("look first", work(vec![Task::verify("door", Is("door".into(), false))])),
            step("turn three", work(vec![undoable("a"), undoable("b"), undoable("c")])),
            step("wait", Does::Wait(SignedDuration::from_secs(90))),
            step("ask", Does::Ask(asked)),
            step(
                "turn one, or ask",
                Work { asks: Some((vec![WhyKind::BoundPassed], Ask::FenceImpossible)), ..work(vec![undoable("d")]) },
            ),
            step(
                "turn one, or not",
                Work { patience: Patience::GivesUp(SignedDuration::from_secs(300)), ..work(vec![undoable("e")]) },
            ),
            Step { no_return: true, ..step("no way back", work(vec![switch("f"), switch("g"), switch("h")])) },
            step("afterwards", work(vec![undoable("i")])),
        ];
        let watch = Patience::Watches(SignedDuration::from_secs(3_600), Ask::OldSideSilent);
        let second = vec![
            step("watch", Work { patience: watch, ..work(vec![switch("j")]) }),
            Step { needs: vec!["afterwards".into()], ..step("last", work(vec![switch("k")])) },
        ];
        vec![
            Lane { name: "first", opens: Opens::AtOnce, steps: first },
            Lane { name: "second", opens: Opens::PastNoReturn, steps: second },
        ]
    }

    fn judge(&mut self, look: &Is, _: Sent, on: &bool, _: Timestamp) -> Seen {
        if *on == look.1 { Seen::Done } else { Seen::NotBegun }
    }

    fn pick(&mut self, (): &(), _: &str, _: &[String]) -> bool {
        false
    }

    fn heard(&mut self) {}

    fn gave_up(&mut self, _: &Is) {}

    fn memory(&self) -> Vec<String> {
        Vec::new()
    }

    fn remember(&mut self, _: &str) -> bool {
        false
    }
}

/// Switches.
#[derive(Clone, Debug, Default)]
pub struct Switches {
    on: BTreeMap<String, bool>,
    broken: Option<String>,
}

impl World for Switches {
    type Book = Trial;

    fn book(&self) -> Trial {
        Trial
    }

    fn see(&mut self, look: &Is, _: Timestamp) -> Option<bool> {
        Some(self.on.get(&look.0).copied().unwrap_or(false))
    }

    fn send(&mut self, change: &Turn, _: Timestamp) -> Outcome {
        let before = ["a", "b", "c"].iter().all(|name| self.on.get(*name) == Some(&true));
        if change.0 == "d" && change.1 && !before {
            self.broken = Some("d was turned on before a, b and c".into());
        }
        self.on.insert(change.0.clone(), change.1);
        Outcome::Accepted
    }

    fn hear(&mut self, _: &Notice) {}

    fn happens(&mut self, dice: u64, _: Timestamp) {
        if dice.is_multiple_of(2) {
            self.on.insert("x".into(), dice.is_multiple_of(4));
        }
    }

    fn heal(&mut self, _: Timestamp) {}

    fn pick(&self, _: u64) {}

    fn state(&self) -> String {
        let on: Vec<_> =
            self.on.iter().filter(|(name, on)| **on && name.as_str() != "x").map(|(name, _)| &**name).collect();
        on.join(" ")
    }

    fn broken(&self) -> Option<String> {
        self.broken.clone()
    }
}
