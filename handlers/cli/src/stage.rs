//! The folder that is deployed: what is in it, and the two ways to write it, as a folder and as a zip.
//! It never builds the handler, and never writes anything that differs between two runs with the same handler.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Seek, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

/// The name of the executable in the folder, which `host.json` names too.
pub const EXECUTABLE: &str = "lifeboat-handler";

/// Rights of an executable and of any other file, as the host's machine sees them.
const EXECUTABLE_MODE: u32 = 0o755;
const FILE_MODE: u32 = 0o644;

/// What the folder holds beside the executable: the host's settings, and one folder for each function.
const DEFINITIONS: [(&str, &str); 13] = [
    ("Api/function.json", include_str!("../../../function-definitions/Api/function.json")),
    ("Command/function.json", include_str!("../../../function-definitions/Command/function.json")),
    ("ExpirySweep/function.json", include_str!("../../../function-definitions/ExpirySweep/function.json")),
    ("HealthPoll/function.json", include_str!("../../../function-definitions/HealthPoll/function.json")),
    ("PolicySweep/function.json", include_str!("../../../function-definitions/PolicySweep/function.json")),
    ("ReadinessSweep/function.json", include_str!("../../../function-definitions/ReadinessSweep/function.json")),
    ("Reconcile/function.json", include_str!("../../../function-definitions/Reconcile/function.json")),
    ("RegionAlert/function.json", include_str!("../../../function-definitions/RegionAlert/function.json")),
    (
        "RegionHealthChanged/function.json",
        include_str!("../../../function-definitions/RegionHealthChanged/function.json"),
    ),
    ("SagaWoken/function.json", include_str!("../../../function-definitions/SagaWoken/function.json")),
    ("VmDeleted/function.json", include_str!("../../../function-definitions/VmDeleted/function.json")),
    ("VmWritten/function.json", include_str!("../../../function-definitions/VmWritten/function.json")),
    ("host.json", include_str!("../../../host.json")),
];

/// One file of the folder.
#[derive(Debug)]
pub struct AppFile {
    /// Where it lies, from the root.
    pub path: &'static str,
    /// What is in it.
    content: Content,
}

#[derive(Debug)]
enum Content {
    Text(&'static str),
    Executable(PathBuf),
}

impl AppFile {
    /// Its bytes.
    pub fn bytes(&self) -> Result<Cow<'static, [u8]>> {
        match &self.content {
            Content::Text(text) => Ok(Cow::Borrowed(text.as_bytes())),
            Content::Executable(path) => {
                fs::read(path).map(Cow::Owned).with_context(|| format!("{} cannot be read", path.display()))
            }
        }
    }

    /// Its rights.
    pub fn mode(&self) -> u32 {
        if matches!(self.content, Content::Executable(_)) { EXECUTABLE_MODE } else { FILE_MODE }
    }
}

/// The folder with this executable as its handler, sorted by path.
pub fn app_folder(handler: &Path) -> Vec<AppFile> {
    let mut files: Vec<AppFile> =
        DEFINITIONS.iter().map(|(path, text)| AppFile { path, content: Content::Text(text) }).collect();
    files.push(AppFile { path: EXECUTABLE, content: Content::Executable(handler.to_owned()) });
    files.sort_by_key(|file| file.path);
    files
}

/// Writes the files below a folder that exists.
pub fn write_folder(files: &[AppFile], folder: &Path) -> Result<()> {
    for file in files {
        let path = folder.join(file.path);
        write_file(file, &path).with_context(|| format!("{} cannot be written", path.display()))?;
    }
    Ok(())
}

/// Writes the files as a zip. The same files give the same bytes: one fixed time, sorted, nothing of this machine.
pub fn write_zip<W: Write + Seek>(files: &[AppFile], out: W) -> Result<W> {
    let mut zip = ZipWriter::new(out);
    for file in files {
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::DEFAULT)
            .unix_permissions(file.mode());
        zip.start_file(file.path, options)?;
        zip.write_all(&file.bytes()?)?;
    }
    Ok(zip.finish()?)
}

fn write_file(file: &AppFile, path: &Path) -> Result<()> {
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match &file.content {
        Content::Text(text) => fs::write(path, text)?,
        // Copied by the system, which may share the blocks: a handler that is not stripped is large.
        Content::Executable(from) => drop(fs::copy(from, path)?),
    }
    set_mode(path, file.mode())?;
    Ok(())
}

#[cfg(unix)]
fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_path: &Path, _mode: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;
    use std::io::Cursor;

    #[test]
    fn the_folder_holds_every_function_that_is_defined_and_the_executable_that_the_host_starts() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../function-definitions");
        let mut wanted: BTreeSet<String> = fs::read_dir(root)
            .unwrap()
            .map(|entry| format!("{}/function.json", entry.unwrap().file_name().to_string_lossy()))
            .collect();
        let host: serde_json::Value = serde_json::from_str(include_str!("../../../host.json")).unwrap();
        wanted.insert("host.json".to_owned());
        wanted.insert(host["customHandler"]["description"]["defaultExecutablePath"].as_str().unwrap().to_owned());
        let staged = app_folder(Path::new("handler")).iter().map(|file| file.path.to_owned()).collect();
        assert_eq!(wanted, staged);
    }

    #[test]
    fn folder_and_zip_hold_the_same_with_the_same_rights_and_a_zip_is_the_same_twice() {
        let scratch = crate::scratch::Scratch::new("stage").unwrap();
        let handler = scratch.path().join("built");
        fs::write(&handler, vec![7; 100_000]).unwrap();
        let files = app_folder(&handler);
        let zip = write_zip(&files, Cursor::new(Vec::new())).unwrap().into_inner();
        fs::write(&handler, vec![7; 100_000]).unwrap();
        assert!(zip == write_zip(&files, Cursor::new(Vec::new())).unwrap().into_inner(), "two zips differ");

        let folder = scratch.path().join("app");
        fs::create_dir(&folder).unwrap();
        write_folder(&files, &folder).unwrap();
        let mut archive = zip::ZipArchive::new(Cursor::new(zip)).unwrap();
        assert_eq!(archive.len(), files.len());
        for at in 0..archive.len() {
            let mut entry = archive.by_index(at).unwrap();
            let name = entry.name().unwrap().into_owned();
            let mode = entry.unix_mode().unwrap() & 0o777;
            assert_eq!(mode, if name == EXECUTABLE { 0o755 } else { 0o644 }, "{name}");
            let mut bytes = Vec::new();
            io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
            assert_eq!(bytes, fs::read(folder.join(&name)).unwrap(), "{name}");
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt;
                let there = fs::metadata(folder.join(&name)).unwrap().permissions().mode() & 0o777;
                assert_eq!(there, mode, "{name}");
            }
        }
    }
}
