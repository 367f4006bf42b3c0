//! What was played of what seeds play seldom, counted in the history: another recovery point, reminders, orders that others approve of.
//! It never judges: the model does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::model::history::{About, Call, History, Order, OrderKind, Told, What};

/// How often each was.
#[derive(Clone, Default)]
pub struct Played(BTreeMap<&'static str, usize>);

/// All that is to be played at some time.
const ALL: [&str; 4] = [
    "members were given another recovery point",
    "another recovery point was refused",
    "reminders of the commit were told",
    "failovers were begun by an order that two others approved of",
];

impl Played {
    /// Of one history.
    pub fn of(history: &History) -> Self {
        let told = || {
            history.events.iter().filter_map(|event| match &event.what {
                What::Told { id, told } => Some((id, told)),
                _ => None,
            })
        };
        let refused: BTreeSet<&String> = told()
            .filter_map(|(_, told)| match told {
                Told::OrderRefused { order } => Some(order),
                _ => None,
            })
            .collect();
        let picked = |order: &Order| order.another_point.is_some() && refused.contains(&order.id);
        let too_late: BTreeSet<&String> = history
            .events
            .iter()
            .filter_map(|event| match &event.what {
                What::Order(order) if picked(order) => Some(&order.id),
                _ => None,
            })
            .collect();
        let changed = |what: &What| matches!(what, What::Accepted { call: Call::ChangePoint { .. }, .. });
        let asked: BTreeSet<(&String, &String)> = told()
            .filter_map(|(id, told)| match told {
                Told::Asked { question, about: About::Commit, .. } => Some((question, id)),
                _ => None,
            })
            .collect();
        let questions: BTreeSet<&String> = asked.iter().map(|(question, _)| *question).collect();
        let counts = [
            history.events.iter().filter(|event| changed(&event.what)).count(),
            too_late.len(),
            asked.len() - questions.len(),
            approved_orders(history, &refused),
        ];
        Self(ALL.into_iter().zip(counts).collect())
    }

    /// And those of another one.
    pub fn add(&mut self, other: &Self) {
        for (name, count) in &other.0 {
            *self.0.entry(name).or_default() += count;
        }
    }

    /// What was never played.
    pub fn never(&self) -> Vec<&'static str> {
        ALL.into_iter().filter(|name| self.0.get(name).is_none_or(|count| *count == 0)).collect()
    }
}

/// Failovers that begin after two others approved of an order, who were not refused.
fn approved_orders(history: &History, refused: &BTreeSet<&String>) -> usize {
    let (mut approved, mut begun) = (BTreeMap::<&String, BTreeSet<&String>>::new(), 0);
    for event in &history.events {
        match &event.what {
            What::Order(order) if order.kind == OrderKind::Approve && !refused.contains(&order.id) => {
                let of = order.approves.iter().filter(|of| !refused.contains(of));
                of.for_each(|of| _ = approved.entry(of).or_default().insert(&order.by));
            }
            What::Begun { by_rules: false, .. } => {
                begun += usize::from(approved.values().any(|persons| persons.len() >= 2));
                approved.clear();
            }
            _ => {}
        }
    }
    begun
}

impl fmt::Display for Played {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = self.0.iter().map(|(name, count)| format!("{count} {name}")).collect();
        f.write_str(&words.join(", "))
    }
}
