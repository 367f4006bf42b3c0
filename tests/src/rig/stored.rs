//! What people's commands write into the store of a rig, past HTTP and their checks.
//! It never writes what only a handler does.

use jiff::Timestamp;
use lifeboat_execution::bundle::{Bundle, File};
use lifeboat_execution::estate::{self, Estate};
use lifeboat_execution::policies::{self, Pointer};
use lifeboat_simulator::azure::blobs::Blobs;

use super::{CONTAINER, DEPLOYMENT, ESTATE};

/// What `lifeboat init` writes, past HTTP.
pub fn init(blobs: &Blobs, now: Timestamp) {
    blobs.put(CONTAINER, estate::BLOB, Estate::new(DEPLOYMENT, ESTATE, now).to_bytes());
}

/// What `lifeboat policies push` writes, past HTTP and its checks.
pub fn push(blobs: &Blobs, documents: &[(&str, &str)], now: Timestamp) {
    let file = |(name, text): &(&str, &str)| File { name: (*name).to_owned(), text: (*text).to_owned() };
    let (bytes, digest) = Bundle::new(documents.iter().map(file).collect()).to_bytes();
    blobs.put(CONTAINER, &Bundle::blob_name(&digest), bytes);
    let pointer = Pointer { version: policies::VERSION, digest, previous: None, at: now };
    blobs.put(CONTAINER, policies::CURRENT, pointer.to_bytes());
}
