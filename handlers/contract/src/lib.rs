//! The words Lifeboat exchanges with people and other systems: policies and recovery plans, messages, events, answers.
//! It never speaks Azure's management API, never performs IO and never decides; it reads, checks and writes forms.

#![forbid(unsafe_code)]

pub mod command;
pub mod declaration;
pub mod event_grid;
pub mod events;
pub mod keep;
pub mod plan;
pub mod policy;
pub mod recovery;
pub mod sagas;
pub mod schema;
pub mod signals;
pub mod status;
pub mod work;
