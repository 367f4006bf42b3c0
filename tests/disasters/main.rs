//! Disasters: what a region's loss does to recovery plans, judged by a reference model that has never read the product.
//! It never asks the product what should be: the model judges by what Azure accepted, what arrived and what was told.

mod model;
