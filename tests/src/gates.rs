//! Where the gates put their counts, when somebody wants them: one JSON file a gate, in a folder that the environment names.
//! It never decides whether a gate holds.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// The folder, where one is named.
#[expect(
    clippy::disallowed_methods,
    reason = "the environment says where the counts of the gates go; no setting of the product"
)]
pub fn folder() -> Option<PathBuf> {
    std::env::var_os("LIFEBOAT_GATES").map(PathBuf::from)
}

/// Writes the counts of a gate, where a folder is named.
pub fn write(name: &str, counts: &Value) {
    if let Some(folder) = folder() {
        write_to(&folder.join(name), &format!("{counts:#}\n"));
    }
}

/// Writes a file and the folders above it.
pub fn write_to(path: &Path, text: &str) {
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all);
    made.and_then(|()| std::fs::write(path, text)).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
