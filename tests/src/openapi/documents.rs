//! Microsoft's OpenAPI 2.0 documents, read from the folder of data when they are first asked for, each once.
//! It never judges anything; it finds files, what a `$ref` points to, and which definitions extend another.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

/// The documents below a folder that is laid out as Microsoft's repository of specifications.
pub struct Documents {
    folder: PathBuf,
    loaded: Mutex<BTreeMap<String, Arc<Value>>>,
    children: Mutex<BTreeMap<String, Arc<Children>>>,
}

/// A definition's name and all that name it as what they extend, in one document.
type Children = BTreeMap<String, BTreeSet<String>>;

/// A part of a document. Its `$ref`s are relative to the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// The file, as its path below the folder.
    pub file: String,
    /// Where in the file, as a JSON pointer; empty where the part was not reached by a `$ref`.
    pub pointer: String,
    /// The part.
    pub value: Value,
}

impl Documents {
    /// The documents below this folder.
    pub fn below(folder: impl Into<PathBuf>) -> Self {
        Self { folder: folder.into(), loaded: Mutex::default(), children: Mutex::default() }
    }

    /// A document; panics where it is not there or is no JSON, since then nothing can be said at all.
    pub fn read(&self, file: &str) -> Arc<Value> {
        let mut loaded = self.loaded.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(document) = loaded.get(file) {
            return Arc::clone(document);
        }
        let text = std::fs::read_to_string(self.folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        let document = Arc::new(document);
        loaded.insert(file.to_owned(), Arc::clone(&document));
        document
    }

    /// All documents that say something of paths, examples apart.
    pub fn list(&self) -> Vec<String> {
        let mut found = Vec::new();
        walk(&self.folder, &self.folder, &mut found);
        found.sort();
        found
    }

    /// What this part is: what its `$ref` points to, or itself.
    pub fn resolve(&self, node: &Node) -> Node {
        let mut node = node.clone();
        while let Some(reference) = node.value.get("$ref").and_then(Value::as_str) {
            node = self.follow(&node.file, reference);
        }
        node
    }

    /// What a `$ref` in this file points to; panics where it points nowhere.
    pub fn follow(&self, file: &str, reference: &str) -> Node {
        let (path, pointer) = reference.split_once('#').unwrap_or((reference, ""));
        let file = if path.is_empty() { file.to_owned() } else { beside(file, path) };
        let document = self.read(&file);
        let value = document.pointer(pointer).unwrap_or_else(|| panic!("{file}: nothing is at {pointer}")).clone();
        Node { file, pointer: pointer.to_owned(), value }
    }

    /// All definitions of the same file that extend this one, at any remove.
    pub fn descendants(&self, file: &str, name: &str) -> Vec<String> {
        let children = self.children(file);
        let (mut found, mut open) = (BTreeSet::new(), vec![name.to_owned()]);
        while let Some(next) = open.pop() {
            for child in children.get(&next).into_iter().flatten() {
                if found.insert(child.clone()) {
                    open.push(child.clone());
                }
            }
        }
        found.into_iter().collect()
    }

    fn children(&self, file: &str) -> Arc<Children> {
        if let Some(known) = self.children.lock().unwrap_or_else(PoisonError::into_inner).get(file) {
            return Arc::clone(known);
        }
        let (document, mut children) = (self.read(file), Children::new());
        for (name, definition) in document.get("definitions").and_then(Value::as_object).into_iter().flatten() {
            for parent in definition.get("allOf").and_then(Value::as_array).into_iter().flatten() {
                let parent = parent.get("$ref").and_then(Value::as_str).unwrap_or_default();
                if let Some(parent) = parent.strip_prefix("#/definitions/") {
                    children.entry(parent.to_owned()).or_default().insert(name.clone());
                }
            }
        }
        let children = Arc::new(children);
        self.children.lock().unwrap_or_else(PoisonError::into_inner).insert(file.to_owned(), Arc::clone(&children));
        children
    }
}

/// A path relative to a file, with its dots resolved.
fn beside(file: &str, path: &str) -> String {
    let mut parts: Vec<&str> = file.split('/').collect();
    parts.pop();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn walk(root: &Path, folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            if entry.file_name() != "examples" {
                walk(root, &path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "json")
            && let Ok(below) = path.strip_prefix(root)
        {
            found.push(below.to_string_lossy().into_owned());
        }
    }
}

impl std::fmt::Debug for Documents {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Documents").field("folder", &self.folder).finish_non_exhaustive()
    }
}
