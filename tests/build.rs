//! Tells the compiler whether Azure's data and a browser are there, so that tests which need them say that they were ignored, and why.
//! It never reads the data and never starts the browser. It is the build script of every crate that has such tests.

use std::path::{Path, PathBuf};

fn main() {
    tell();
    tell_of_browser();
}

/// Sets `azure_data` where the folder is, or where its absence must fail: an ignored test fails nothing.
#[expect(clippy::disallowed_methods, reason = "the environment says where test data is; no setting of the product")]
pub fn tell() {
    println!("cargo::rustc-check-cfg=cfg(azure_data)");
    println!("cargo::rerun-if-env-changed=LIFEBOAT_AZURE_DATA");
    println!("cargo::rerun-if-env-changed=LIFEBOAT_AZURE_DATA_REQUIRED");
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    let checkout = own.ancestors().find(|folder| folder.join("Cargo.lock").is_file()).unwrap_or(own);
    let named = std::env::var_os("LIFEBOAT_AZURE_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| checkout.join("../shared/azure"));
    let required = std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_some_and(|value| value == "1");
    if folder.is_dir() {
        // One file stands for all: cargo would look through thousands. Removed, it makes this run again.
        println!("cargo::rerun-if-changed={}", folder.join("specs/SHA256SUMS").display());
    }
    if folder.is_dir() || required {
        println!("cargo::rustc-cfg=azure_data");
    }
}

/// Sets `chromium` where Debian's Chromium is on the path, or where its absence must fail.
#[expect(clippy::disallowed_methods, reason = "the environment says where programs are; no setting of the product")]
fn tell_of_browser() {
    println!("cargo::rustc-check-cfg=cfg(chromium)");
    println!("cargo::rerun-if-env-changed=PATH");
    println!("cargo::rerun-if-env-changed=LIFEBOAT_CHROMIUM_REQUIRED");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join("chromium")).find(|file| file.is_file());
    let required = std::env::var_os("LIFEBOAT_CHROMIUM_REQUIRED").is_some_and(|value| value == "1");
    if let Some(file) = &found {
        // Removed, it makes this run again.
        println!("cargo::rerun-if-changed={}", file.display());
    }
    if found.is_some() || required {
        println!("cargo::rustc-cfg=chromium");
    }
}
