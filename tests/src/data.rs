//! Finds the official payloads and recordings, which are not part of the repository.
//! It never copies them.

use std::path::{Path, PathBuf};

/// The folder with Azure's data, or why there is none: then the test is ignored, or fails where the data is required.
#[expect(clippy::disallowed_methods, reason = "the environment says where test data is; no setting of the product")]
pub fn azure_data(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("LIFEBOAT_AZURE_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/azure"));
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_some_and(|value| value == "1");
    assert!(!required, "{test}: there is no folder {}", folder.display());
    eprintln!("ignored: {test}: there is no folder {}; set LIFEBOAT_AZURE_DATA", folder.display());
    None
}
