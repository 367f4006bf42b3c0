//! Disasters: what a region's loss does to recovery plans, played with the real handler in virtual time and judged by a reference model that
//! has never read the product. It never asks the product what should be: the model judges by what Azure accepted, what arrived and what was
//! told.
//!
//! LIFEBOAT_SEEDS=n runs so many seeds; LIFEBOAT_SEED=n runs that one and tells what happens.

mod alerts;
mod asks;
mod cases;
mod dice;
mod door;
mod model;
mod people;
mod play;
mod record;
mod said;
mod script;
mod seed;
mod seeds;
mod shape;
mod world;
