//! What is believed about identities and their tokens.
//!
//! It never decides anything.

use super::{Entry, Grade::Documented, entry};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[entry(
    "identity-endpoint",
    Documented,
    "the platform gives tokens at `IDENTITY_ENDPOINT` under `X-IDENTITY-HEADER`",
    "Learn, App Service managed identity; azure_identity 1.0",
)];
