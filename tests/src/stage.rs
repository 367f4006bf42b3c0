//! Stages the app as `lifeboat package` lays it out: host.json and each function's folder beside it.
//! It never stages an executable: the rig's handler is a router in this process.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// The folder of the staged app, made once per process from the repository's own files.
pub fn app_root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        let root = std::env::temp_dir().join(format!("lifeboat-tests-{}", std::process::id()));
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        copy(&repository.join("host.json"), &root.join("host.json"));
        let functions =
            std::fs::read_dir(repository.join("function-definitions")).expect("the function definitions are there");
        for function in functions.filter_map(Result::ok) {
            let from = function.path().join("function.json");
            if from.is_file() {
                copy(&from, &root.join(function.file_name()).join("function.json"));
            }
        }
        root
    })
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to.parent().expect("a file has a folder")).expect("the folder can be made");
    std::fs::copy(from, to).expect("the file can be copied");
}
