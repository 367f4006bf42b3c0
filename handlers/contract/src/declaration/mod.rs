//! Declarations in words: histories of signals as lines of JSON, played through in virtual time, and decisions as text and JSON.
//! It never decides: `planning` does, by the same code as in the handler; and it never asks Azure or a clock.

mod history;
mod replay;
mod shown;
mod supposed;
mod words;

pub use history::{HISTORY_BYTES_MAX, HistoryProblem, LINES_MAX, Line, LineFault, SPAN_MAX, read_history};
pub use replay::{Heard, Played, replay};
pub use shown::{as_json, as_lines, decision_as_json, decision_as_lines};
pub use supposed::{NotSupposed, Supposed};
pub use words::{condition, loss, source, takes};

pub use lifeboat_planning::declaration::{Act, Condition, Decision, Name, Phase};
