//! A folder for a while: made under the system's temporary folder, gone when it is dropped.
//! It never takes a folder that exists, and never deletes anything that it did not make.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// How many names are tried before giving up: a name is taken only by what an ended process with our id left behind.
const NAMES_TRIED: u32 = 1_000;

/// The folder.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A new folder, empty, which only this user may enter.
    pub fn new(purpose: &str) -> io::Result<Self> {
        let root = std::env::temp_dir();
        let process = std::process::id();
        for number in 0..NAMES_TRIED {
            let path = root.join(format!("lifeboat-{purpose}-{process}-{number}"));
            match create(&path) {
                Ok(()) => return Ok(Self(path)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(error),
            }
        }
        Err(io::Error::new(io::ErrorKind::AlreadyExists, format!("{} is full of our folders", root.display())))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be deleted is left to the system, which clears its temporary folder.
        let _left = fs::remove_dir_all(&self.0);
    }
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    fs::DirBuilder::new().mode(0o700).create(path)
}

#[cfg(not(unix))]
fn create(path: &Path) -> io::Result<()> {
    fs::create_dir(path)
}
