//! Reads policy files from paths on this computer: files as they are named, folders with all below them, standard input.
//! It never judges what they say, and never reads more than any set of policies has.

use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use lifeboat_contract::policy::{DOCUMENT_BYTES_MAX, FILES_MAX};

/// The path that stands for standard input.
pub const STANDARD_INPUT: &str = "-";

/// How a policy file in a folder ends; whoever names a file may call it anything.
const ENDINGS: [&str; 2] = ["yaml", "yml"];

/// Bound on folders within folders: nobody puts policies deeper, and a folder that holds itself ends here.
const FOLDERS_DEEP_MAX: usize = 8;

/// Reads all policy files of these paths, each with its name, in the order of the paths and in folders in that of the names.
/// A file that is named twice is read once.
///
/// # Errors
/// A path that cannot be read, a file that is no text, and a folder without any policy file.
pub fn read(paths: &[PathBuf]) -> Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    for path in paths {
        if path.is_dir() {
            let before = files.len();
            in_folder(path, 0, &mut files)?;
            if files.len() == before {
                bail!("{} has no policy file, which ends in .{}", path.display(), ENDINGS.join(" or ."));
            }
        } else {
            files.push(path.clone());
        }
    }
    let mut seen = BTreeSet::new();
    files.retain(|path| seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())));
    files.iter().take(FILES_MAX + 1).map(|path| text_of(path)).collect()
}

/// Reads all policy files of a folder and of those below it, each named by its path in the folder, in the order of those: the
/// same files have the same names wherever the folder is.
///
/// # Errors
/// What cannot be read, a file that is no text, and a folder without any policy file.
pub fn read_folder(folder: &Path) -> Result<Vec<(String, String)>> {
    let files = read(&[folder.to_owned()])?;
    let in_it =
        |name: String| Path::new(&name).strip_prefix(folder).map(|path| path.display().to_string()).unwrap_or(name);
    Ok(files.into_iter().map(|(name, text)| (in_it(name), text)).collect())
}

/// The policy files below a folder. What begins with a dot is not for people.
fn in_folder(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<()> {
    if depth >= FOLDERS_DEEP_MAX {
        bail!("{} is more than {FOLDERS_DEEP_MAX} folders deep", folder.display());
    }
    let unreadable = || format!("{} cannot be read", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(unreadable)? {
        paths.push(entry.with_context(unreadable)?.path());
    }
    paths.sort();
    for path in paths {
        let hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        let ending =
            path.extension().is_some_and(|ending| ENDINGS.iter().any(|known| ending.eq_ignore_ascii_case(known)));
        match hidden {
            true => {}
            false if path.is_dir() => in_folder(&path, depth + 1, files)?,
            false if ending => files.push(path),
            false => {}
        }
        // One more than allowed is enough to say that there are too many.
        if files.len() > FILES_MAX {
            return Ok(());
        }
    }
    Ok(())
}

fn text_of(path: &Path) -> Result<(String, String)> {
    let is_input = path.as_os_str() == STANDARD_INPUT;
    let name = if is_input { "standard input".to_owned() } else { path.display().to_string() };
    let bytes = bytes_of(path, is_input).with_context(|| format!("{name} cannot be read"))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok((name, text)),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            bail!("{name}:{line}: this is not UTF-8 text (byte {})", at + 1);
        }
    }
}

/// At most one byte more than a document may have: its reader then says that it is too large.
fn bytes_of(path: &Path, is_input: bool) -> std::io::Result<Vec<u8>> {
    let bound = DOCUMENT_BYTES_MAX as u64 + 1;
    let mut bytes = Vec::new();
    if is_input {
        std::io::stdin().lock().take(bound).read_to_end(&mut bytes)?;
    } else {
        std::fs::File::open(path)?.take(bound).read_to_end(&mut bytes)?;
    }
    // The cut may go through a character; the document is refused for its length, not for that.
    while bytes.len() as u64 == bound && std::str::from_utf8(&bytes).is_err_and(|error| error.error_len().is_none()) {
        bytes.pop();
        bytes.push(b' ');
    }
    Ok(bytes)
}
