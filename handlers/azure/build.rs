//! Tells the compiler whether Azure's data is there, so that tests which need it say that they were ignored, and why.
//! It never reads the data.

use std::path::{Path, PathBuf};

#[expect(clippy::disallowed_methods, reason = "the environment says where test data is; no setting of the product")]
fn main() {
    println!("cargo::rustc-check-cfg=cfg(azure_data)");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIFEBOAT_AZURE_DATA");
    println!("cargo::rerun-if-env-changed=LIFEBOAT_AZURE_DATA_REQUIRED");
    let named = std::env::var_os("LIFEBOAT_AZURE_DATA").map(PathBuf::from);
    let folder = named.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/azure"));
    // Where the data is required its absence must fail, and an ignored test fails nothing.
    let required = std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_some_and(|value| value == "1");
    if folder.is_dir() {
        // One file stands for all: cargo would look through thousands. Removed, it makes this run again.
        println!("cargo::rerun-if-changed={}", folder.join("specs/SHA256SUMS").display());
    }
    if folder.is_dir() || required {
        println!("cargo::rustc-cfg=azure_data");
    }
}
