//! What is believed about Blob Storage.
//!
//! It never decides anything.

use super::{Entry, Grade::Documented, entry};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "blob-conditions",
        Documented,
        "`If-Match`, `If-None-Match: *` and `x-ms-blob-condition-appendpos` answer 409 or 412 when they do not hold",
        "Learn, Blob Storage",
    ),
    entry(
        "blob-lease",
        Documented,
        "409 `LeaseAlreadyPresent` while another holds it; acquiring under the same proposed id again succeeds",
        "Learn, Lease Blob",
    ),
    entry(
        "blob-slash",
        Documented,
        "azure_storage_blob 1.1 writes `/` in a blob's name as `%2F`; the service reads it as `/`",
        "its source; Learn, naming blobs",
    ),
];
