//! The recordings of real Azure against the simulator: it is shown each tape's requests, and answers as Azure answered.
//! Nothing here knows a tape by name: one that is put into the folder runs as it is.

mod compare;
mod graph_rows;
mod names;
mod plan;
mod recordings;
mod replay;
mod report;
mod seed;
mod services;
mod spoken;
mod tape;
mod time;
mod ways;
mod world;
