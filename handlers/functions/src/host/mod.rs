//! A runtime for custom handlers behind the Azure Functions host v4: receives invocations over HTTP, runs receivers, answers as the host understands.
//! It never knows what an invocation means, never sends output bindings, and imports nothing of the product around it.
//!
//! ```text
//!  host ──POST /<Function>──▶ bodies ─▶ decode ─▶ receiver (deadline, panic caught) ─▶ error line, flush ─▶ 200 {} | 5xx
//!       ──<method> /api/…───▶ bodies ─▶ keys off ─▶ receiver (same)               ─▶ error line, flush ─▶ the reply, verbatim
//!       ──GET /─────────────▶ 200
//! ```

mod answer;
mod app;
mod bodies;
mod decode;
mod forwarded;
mod invocation;
mod observe;
mod parent;
mod process;
mod run;
mod stdio;

pub mod log;

pub use answer::{Done, Failure};
pub use app::{App, RuntimeOptions};
pub use bodies::{BODIES_MAX_BYTES, BODY_MAX_BYTES, BodyError};
pub use decode::{DecodeError, Envelope, Fields, Wanted};
pub use forwarded::{HttpInvocation, HttpReply, Query};
pub use invocation::{Invocation, InvocationId, TimerFired, TraceContext};
pub use observe::{About, Observe, Outcome, Quiet, Trigger, current};
pub use process::{StartError, run};
