//! Where the traffic of a run is kept: below the build's folder, one folder a run.
//! It never deletes the folder of a run that goes on.

use std::path::{Path, PathBuf};

/// The folder of the run that this process belongs to. Its name is the parent's id and the moment when the parent started, since
/// ids come again.
pub fn of_this_run() -> PathBuf {
    let parent = std::os::unix::process::parent_id();
    let started = started(parent).unwrap_or_default();
    all().join(format!("{parent}-{started}"))
}

/// Removes what runs that have ended left behind.
pub fn sweep() {
    for entry in std::fs::read_dir(all()).into_iter().flatten().filter_map(Result::ok) {
        let name = entry.file_name().to_string_lossy().into_owned();
        let Some((parent, start)) = name.split_once('-') else { continue };
        let goes_on = parent.parse().ok().and_then(started).is_some_and(|now| now == start);
        if !goes_on {
            // Another process may be sweeping too; what is gone is gone.
            drop(std::fs::remove_dir_all(entry.path()));
        }
    }
}

fn all() -> PathBuf {
    let own = std::env::current_exe().expect("a running program has a path");
    let built =
        own.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "debug" || name == "release"));
    let target = built.and_then(Path::parent).map_or_else(std::env::temp_dir, Path::to_path_buf);
    target.join("tmp").join("traffic")
}

/// When a process started, as the system counts; none where it does not run.
fn started(process: u32) -> Option<String> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    // The name in brackets may hold spaces; the start is the twentieth field after it.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}
