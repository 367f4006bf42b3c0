//! Gets the executables under test from cargo, of the sources as they are.
//! It never takes one that cargo does not say is up to date.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// The handler of this workspace, built if it is not.
pub fn handler() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| build("lifeboat-handler", &[])).clone()
}

/// Builds a binary of the workspace with these arguments besides, and says where it is.
///
/// All members are named, because then what they share has the features that the build of the tests gave it: nothing is built twice.
/// Cargo's own lock lets one build wait for another.
pub fn build(binary: &str, besides: &[&str]) -> PathBuf {
    let mut command = cargo_of(&manifest());
    command.args(["--workspace", "--bin", binary]).args(besides);
    run(command, binary)
}

/// How the handler is compiled for deployment: with the C library in it. Then a library that looks for the C library's `getrandom` at
/// run time finds none, and would need a `/dev/urandom`; told so, it asks the kernel itself.
pub const RUSTFLAGS_DEPLOYED: &str = r#"-C target-feature=+crt-static --cfg getrandom_backend="linux_raw""#;

/// Builds the handler as it is deployed: static, for this target, out of the workspace of this manifest.
///
/// A copy of the workspace names the folder that this one builds into: what does not differ is not built twice.
pub fn build_deployed(manifest: &Path, binary: &str, target: &str, into: Option<&Path>) -> PathBuf {
    let mut command = cargo_of(manifest);
    if let Some(into) = into {
        command.arg("--target-dir").arg(into);
    }
    command.args(["--package", "lifeboat-functions", "--bin", binary, "--profile", "dist", "--target", target]);
    command.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", RUSTFLAGS_DEPLOYED);
    run(command, binary)
}

/// The manifest of this workspace.
pub fn manifest() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.toml")
}

#[expect(
    clippy::disallowed_methods,
    reason = "cargo tells by the environment which cargo it is; no setting of the product"
)]
fn cargo_of(manifest: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--quiet", "--message-format", "json-render-diagnostics"]);
    command.arg("--manifest-path").arg(manifest).stdin(Stdio::null());
    command
}

fn run(mut command: Command, binary: &str) -> PathBuf {
    let run = command.output().expect("cargo starts");
    assert!(run.status.success(), "{binary} is not built: {}", String::from_utf8_lossy(&run.stderr));
    let messages = String::from_utf8_lossy(&run.stdout);
    let found = messages.lines().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        (message["target"]["name"] == binary).then(|| message["executable"].as_str().map(PathBuf::from))?
    });
    found.unwrap_or_else(|| panic!("cargo does not say where {binary} is"))
}
