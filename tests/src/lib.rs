//! What the tests of the whole share: the rig, in which the real handler runs against a simulated Azure in virtual time.
//! It never holds anything of the product; it starts it, breaks what is around it, and looks at what came of it.

pub mod azure;
pub mod data;
pub mod estate;
pub mod failing_over;
pub mod gates;
pub mod gateway;
pub mod identity;
pub mod instance;
pub mod ledgers;
pub mod lines;
pub mod looking;
pub mod openapi;
pub mod past;
pub mod person;
pub mod policy;
pub mod rig;
pub mod stage;
pub mod tap;
pub mod traffic;

pub use rig::Rig;
