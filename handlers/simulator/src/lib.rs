//! A simulated Azure, Service Bus and Functions host: what stands in where the real ones cannot be reached.
//! It never imports anything of Lifeboat, so that it cannot share its mistakes, and never reads the wall clock outside `clock`.

pub mod azure;
pub mod bus;
pub mod clock;
pub mod control;
pub mod host;
pub mod serve;
pub mod world;
