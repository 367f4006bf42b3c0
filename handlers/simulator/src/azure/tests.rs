//! ARM as a caller sees it: state machines, shapes against the recordings, gates, budgets, faults, pages.

pub(crate) mod calls;
mod estate;
mod faults;
mod gates;
mod health;
mod locks;
mod points;
mod power;
mod recorded;
mod recovery;
mod replayed;
mod samples;
mod seeded;
mod tags;
mod traffic;
mod vault_rules;
mod vaults;
mod volumes;
