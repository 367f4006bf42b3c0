//! Evidence as it is kept: of each region the signals that stand, the machines that are known there, and what could not be read.
//! It never decides what a signal means, and never keeps more than its bounds: what does not fit is counted and said.
//!
//! ```text
//! payload ─► doors ─┬─► signals/<region>.json      what stands, by planning::signal
//!                   └─► signals/unread.json        what could not be read, as it came, the newest of it
//! Resource Graph ───────► signals/<region>-fleet.json   which machines are known in the region
//! ```

pub mod doors;
pub mod fleet;
pub mod region;
pub mod stored;
pub mod unread;

/// Where the records lie.
const FOLDER: &str = "signals/";
