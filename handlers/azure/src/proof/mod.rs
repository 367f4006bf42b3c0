//! The client is held to Microsoft's documents: every example of every spoken operation is decoded, and nothing that is used
//! is lost; whatever else comes is no panic.
//!
//! It never asks Azure and copies none of the documents.

mod calls;
pub mod data;
pub mod decoders;
mod examples;
pub mod kept;
mod parsers;
