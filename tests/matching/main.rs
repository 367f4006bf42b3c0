//! Which machines a policy is for: a table in words, and a second matcher that shares no code with the product's.
//! It never asks Azure; machines are what a line or a strategy says.

mod naive;
mod property;
mod table;
