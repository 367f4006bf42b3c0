//! Gives the build an id, `LIFEBOAT_BUILD_ID`: a digest over the sources that the handler is made of, so that a command and a
//! handler can tell whether they come from the same ones. It never reads the clock or the repository's history: the same
//! sources have the same id everywhere.

#[expect(dead_code, reason = "as a build script of its own it has a `main`")]
#[path = "../../tests/build.rs"]
mod azure_data;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

/// The crates that the handler is made of.
const CRATES: [&str; 5] = ["planning", "contract", "azure", "execution", "functions"];

/// Hexadecimal digits of the id: 64 bits, enough to tell the builds of one machine apart, short enough for a line of a log.
const ID_CHARS: usize = 16;

fn main() -> io::Result<()> {
    let handlers = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let lock = handlers.join("../Cargo.lock");
    let mut files = Vec::new();
    for name in CRATES {
        let folder = handlers.join(name);
        println!("cargo::rerun-if-changed={}", folder.join("src").display());
        println!("cargo::rerun-if-changed={}", folder.join("Cargo.toml").display());
        collect(&folder.join("src"), &format!("{name}/src"), &mut files)?;
        files.push((format!("{name}/Cargo.toml"), folder.join("Cargo.toml")));
    }
    println!("cargo::rerun-if-changed={}", lock.display());
    files.push(("Cargo.lock".to_owned(), lock));
    files.sort();
    println!("cargo::rustc-env=LIFEBOAT_BUILD_ID={}", digest(&files)?);
    azure_data::tell();
    Ok(())
}

/// Adds the files below a folder, each with a name that is the same on every machine.
fn collect(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}/{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &name, files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}

/// Each name and each content is preceded by its length, so that no two sets of files read as one text.
fn digest(files: &[(String, PathBuf)]) -> io::Result<String> {
    let mut sha = Sha256::new();
    for (name, path) in files {
        let content = fs::read(path)?;
        for part in [name.as_bytes(), &content] {
            sha.update((part.len() as u64).to_be_bytes());
            sha.update(part);
        }
    }
    let mut id: String = sha.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    id.truncate(ID_CHARS);
    Ok(id)
}
