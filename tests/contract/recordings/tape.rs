//! Reads tapes: files of one recorded exchange a line, request and answer.
//! It never mends a line: what cannot be read is an error that names file and line.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// The methods that ARM has; another word on a line is a mistake of the recorder.
const METHODS: [&str; 6] = ["GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"];

/// An answer, recorded or given.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// The HTTP status.
    pub status: u16,
    /// Headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// The body; null where there is none.
    pub body: Value,
}

/// One exchange.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// Its place in the file, from 1.
    pub number: usize,
    /// The HTTP method.
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    /// The request's body; null where there is none.
    pub request: Value,
    /// What Azure answered.
    pub answer: Said,
}

/// A file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tape {
    /// The file's name.
    pub name: String,
    /// Its exchanges, in order.
    pub lines: Vec<Line>,
}

/// Why a tape cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The file's name.
    pub file: String,
    /// The line, from 1; 0 stands for the file.
    pub line: usize,
    /// What is wrong.
    pub what: String,
}

#[derive(Deserialize)]
struct Written {
    method: String,
    path: String,
    #[serde(default)]
    request: Value,
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    response: Value,
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

impl Line {
    /// The path without its query.
    pub fn path(&self) -> &str {
        self.target.split('?').next().unwrap_or_default()
    }

    /// The path as it is compared: any case is the same.
    pub fn key(&self) -> String {
        key(self.path())
    }

    /// Whether it asks without changing anything.
    pub fn is_read(&self) -> bool {
        matches!(self.method.as_str(), "GET" | "HEAD")
    }
}

/// A path as it is compared: ARM's ids mean the same in any case, and with a `;` escaped.
pub fn key(path: &str) -> String {
    path.trim_end_matches('/').to_lowercase().replace("%3b", ";")
}

/// Reads the text of a tape.
pub fn read(file: &str, text: &str) -> Result<Tape, Broken> {
    let mut lines = Vec::new();
    for (at, written) in text.lines().enumerate() {
        if written.trim().is_empty() {
            continue;
        }
        let broken = |what: String| Broken { file: file.to_owned(), line: at + 1, what };
        let line: Written = serde_json::from_str(written).map_err(|error| broken(error.to_string()))?;
        lines.push(checked(line, at + 1).map_err(broken)?);
    }
    Ok(Tape { name: file.to_owned(), lines })
}

fn checked(line: Written, number: usize) -> Result<Line, String> {
    if !METHODS.contains(&line.method.as_str()) {
        return Err(format!("«{}» is no method", line.method));
    }
    if !line.path.starts_with('/') {
        return Err(format!("«{}» is no path", line.path));
    }
    if !(100..=599).contains(&line.status) {
        return Err(format!("{} is no status", line.status));
    }
    let headers = line.headers.into_iter().map(|(name, value)| (name.to_lowercase(), value)).collect();
    let answer = Said { status: line.status, headers, body: line.response };
    Ok(Line { number, method: line.method, target: line.path, request: line.request, answer })
}

/// Reads every tape of a folder, in the order of their names.
pub fn read_all(folder: &Path) -> Result<Vec<Tape>, Broken> {
    let unreadable = |what: std::io::Error| Broken {
        file: folder.display().to_string(),
        line: 0,
        what: format!("it cannot be read: {what}"),
    };
    let mut tapes = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.extension().is_some_and(|ending| ending == "jsonl") {
            let text = std::fs::read_to_string(&path).map_err(unreadable)?;
            tapes.push(read(&name, &text)?);
        }
    }
    tapes.sort_by(|one, other| one.name.cmp(&other.name));
    Ok(tapes)
}
