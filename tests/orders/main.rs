//! Orders with a name, over the simulated Azure and its directory: who may give them, what they do, and that each is done once.
//! It never reads a clock: time is virtual.

mod doing;
mod heard;
mod late;
mod logs;
mod malformed;
mod names;
mod saga;
mod stage;
