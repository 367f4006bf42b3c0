//! ARM as a caller sees it: state machines, shapes against the recordings, gates, budgets, faults, pages.

pub(crate) mod calls;
mod faults;
mod gates;
mod points;
mod power;
mod recorded;
mod replayed;
mod seeded;
mod volumes;
