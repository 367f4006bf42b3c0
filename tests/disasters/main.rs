//! Disasters: what a region's loss does to recovery plans, played with the real handler in virtual time and judged by a reference model that
//! has never read the product. It never asks the product what should be: the model judges by what Azure accepted, what arrived and what was
//! told.
//!
//! LIFEBOAT_SEEDS=n runs so many seeds, 2000 and more also what chance left out; LIFEBOAT_SEED=n runs that one and tells what happens;
//! LIFEBOAT_KILLS=1 runs each combination of a place with a kill and with a stage that can happen.

mod alerts;
mod asks;
mod cases;
mod dice;
mod door;
mod forced;
mod foreseen;
mod minds;
mod model;
mod orders;
mod people;
mod play;
mod played;
mod points;
mod record;
mod said;
mod script;
mod seed;
mod seeds;
mod sent;
mod shape;
mod switch;
mod tally;
mod troubles;
mod world;

/// A sixth of a simulation's time goes to the usual allocator.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
