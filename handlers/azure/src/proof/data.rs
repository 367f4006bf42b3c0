//! Where the documents and recordings are, and where the counts of the gates go.
//!
//! It never copies the data; without the folder the tests say so and do nothing, or fail where it is required.

use serde_json::Value;
use std::{collections::BTreeMap, fs, path::PathBuf};

/// The folder with the recordings and the documents, if it is there.
#[expect(clippy::disallowed_methods, reason = "where the data is, is the one thing that a test asks its environment")]
pub fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/azure");
    let folder = PathBuf::from(std::env::var_os("LIFEBOAT_AZURE_DATA").unwrap_or_else(|| beside.into()));
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_none(), "there is no data at {}", folder.display());
    eprintln!("ignored: there is no data at {}", folder.display());
    None
}

/// Leaves a gate's counts for the table at the end, as one line of JSON, where somebody collects them.
#[expect(
    clippy::disallowed_methods,
    reason = "where the counts go, is the other thing that a test asks its environment"
)]
pub fn count(gate: &str, counts: &Value) {
    if let Some(folder) = std::env::var_os("LIFEBOAT_GATES") {
        fs::create_dir_all(&folder).unwrap();
        fs::write(PathBuf::from(folder).join(format!("{gate}.json")), format!("{counts}\n")).unwrap();
    }
}

/// One request of a recording with its answer.
#[derive(Clone)]
pub struct Recorded {
    pub method: String,
    pub path: String,
    pub request: Value,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub response: Value,
}

impl Recorded {
    /// The path without its query.
    pub fn bare_path(&self) -> &str {
        self.path.split('?').next().unwrap()
    }
}

/// All recordings in the folder by name, whatever they are called.
pub fn tapes() -> BTreeMap<String, Vec<Recorded>> {
    let Some(folder) = folder() else { return BTreeMap::new() };
    let files = fs::read_dir(folder.join("recordings")).unwrap().map(|file| file.unwrap().path());
    let tapes = files.filter(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    tapes.map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), read(&path))).collect()
}

/// One recording; nothing where there is no data.
pub fn tape(name: &str) -> Vec<Recorded> {
    folder().map(|folder| read(&folder.join("recordings").join(name))).unwrap_or_default()
}

fn read(path: &std::path::Path) -> Vec<Recorded> {
    let line = |line: &str| {
        let value: Value = serde_json::from_str(line).unwrap();
        Recorded {
            method: value["method"].as_str().unwrap().to_owned(),
            path: value["path"].as_str().unwrap().to_owned(),
            request: value["request"].clone(),
            status: value["status"].as_u64().unwrap().try_into().unwrap(),
            headers: serde_json::from_value(value["headers"].clone()).unwrap(),
            response: value["response"].clone(),
        }
    };
    fs::read_to_string(path).unwrap().lines().filter(|text| !text.trim().is_empty()).map(line).collect()
}
