//! Gets the handler's executable: the one beside this command when it is of the same sources, else one built by cargo.
//! It never downloads a handler and never takes one of other sources for ours.

use std::ffi::OsString;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use tokio::process::Command;

use crate::output::{tell, with_progress};
use crate::settings::Settings;
use crate::stage::EXECUTABLE;

/// Static, and with randomness straight from the kernel: a static glibc finds no `getrandom` by name, and an empty root has no
/// `/dev/urandom`.
const DEPLOYED_RUSTFLAGS: &str = r#"-C target-feature=+crt-static --cfg getrandom_backend="linux_raw""#;
/// What the deployed handler runs on.
const DEPLOYED_TARGET: &str = "x86_64-unknown-linux-gnu";

/// How long an executable has to say its build id: it answers within milliseconds, and anything slower is not ours.
const BUILD_ID_WITHIN: Duration = Duration::from_secs(5);

/// The package that the handler is built from.
const PACKAGE: &str = "lifeboat-functions";

/// What is said where the deployed handler cannot be built.
const HOW_ELSEWHERE: &str = "the handler that is deployed is an x86-64 Linux executable, which this machine cannot build. Either run \
    `lifeboat package` on an x86-64 Linux machine with Rust; or in a container:\n  \
    docker run --rm --platform linux/amd64 -v \"$PWD\":/src -w /src rust:1 cargo run -- package\n\
    or build it elsewhere and give it: lifeboat package --handler PATH";

/// Which handler is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Build {
    /// The one that is deployed: static, for x86-64 Linux, profile `dist`.
    Deployed,
    /// One for this machine, in a cargo profile, sharing what is built already.
    Here {
        /// The profile's name.
        profile: String,
    },
}

/// How an executable finds the C library.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linking {
    /// It holds it.
    Static,
    /// The machine that runs it must have one that fits.
    Dynamic,
}

/// The handler for this machine: the executable beside this command if its build id is ours, else built.
pub async fn beside_or_built(settings: &Settings) -> Result<PathBuf> {
    if let Some(sibling) = settings.executable.as_deref().and_then(sibling) {
        match build_id(&sibling).await {
            Ok(id) if id == lifeboat_functions::BUILD_ID => return Ok(sibling),
            Ok(_) => {}
            Err(error) => tell(format_args!("{} is not used: {error:#}", sibling.display())),
        }
    }
    let profile = profile_of(settings.executable.as_deref());
    build(settings, &Build::Here { profile }).await
}

/// Builds the handler and says where it is.
pub async fn build(settings: &Settings, build: &Build) -> Result<PathBuf> {
    if *build == Build::Deployed && !cfg!(all(target_os = "linux", target_arch = "x86_64")) {
        bail!("{HOW_ELSEWHERE}");
    }
    let cargo = settings.cargo.clone().unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(&cargo);
    command.arg("build").arg("--manifest-path").arg(workspace()?.join("Cargo.toml"));
    command.args(["--quiet", "--message-format", "json-render-diagnostics", "--bin", EXECUTABLE]);
    match build {
        Build::Deployed => {
            command.args(["--package", PACKAGE, "--profile", "dist", "--target", DEPLOYED_TARGET]);
            command.env_remove("CARGO_ENCODED_RUSTFLAGS").env("RUSTFLAGS", DEPLOYED_RUSTFLAGS);
        }
        // With all members named, the features of what they share are those that `cargo run` has built already.
        Build::Here { profile } => drop(command.args(["--workspace", "--profile", profile])),
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    let doing = match build {
        Build::Deployed => "building the handler for deployment (a few minutes the first time)",
        Build::Here { .. } => "building the handler",
    };
    let run = with_progress(doing, command.output()).await;
    let run = run.with_context(|| {
        format!("{} cannot be started; it comes with Rust: https://rustup.rs", Path::new(&cargo).display())
    })?;
    if !run.status.success() {
        tell(String::from_utf8_lossy(&run.stderr).trim_end());
        match build {
            Build::Deployed => {
                bail!("the handler was not built. A static build needs the C library's static part (Debian: libc6-dev)")
            }
            Build::Here { .. } => bail!("the handler was not built"),
        }
    }
    executable_in(&run.stdout).context("cargo did not say where the handler is")
}

/// Holds an executable to what a deployment runs: an ELF executable for x86-64.
pub fn check_deployable(path: &Path) -> Result<Linking> {
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    file.take(PROGRAM_HEADERS_END_BYTES)
        .read_to_end(&mut bytes)
        .with_context(|| format!("{} cannot be read", path.display()))?;
    linking(&bytes).with_context(|| format!("{} is not an x86-64 Linux executable; {HOW_ELSEWHERE}", path.display()))
}

/// Where program headers end at the latest: linkers put a dozen of 56 bytes right behind the first 64.
const PROGRAM_HEADERS_END_BYTES: u64 = 64 * 1024;

/// Reads the head of an ELF file: none when it is not one for x86-64; a program interpreter means a dynamic linker.
fn linking(elf: &[u8]) -> Option<Linking> {
    let half = |at: usize| Some(u16::from_le_bytes(elf.get(at..at + 2)?.try_into().ok()?));
    // Magic number, 64 bits, little-endian; then the machine's number.
    if !elf.starts_with(b"\x7fELF\x02\x01") || half(18)? != 62 {
        return None;
    }
    let table = usize::try_from(u64::from_le_bytes(elf.get(32..40)?.try_into().ok()?)).ok()?;
    let (size, count) = (usize::from(half(54)?), usize::from(half(56)?));
    let kinds = (0..count).filter_map(|at| elf.get(table.checked_add(at * size)?..)?.get(..4));
    let interpreter = 3_u32.to_le_bytes();
    Some(if kinds.into_iter().any(|kind| kind == interpreter) { Linking::Dynamic } else { Linking::Static })
}

fn sibling(own: &Path) -> Option<PathBuf> {
    let path = own.with_file_name(format!("{EXECUTABLE}{}", std::env::consts::EXE_SUFFIX));
    path.is_file().then_some(path)
}

/// The profile that this command was built in, by the folder that cargo put it in.
fn profile_of(own: Option<&Path>) -> String {
    let folder = own.and_then(Path::parent).and_then(Path::file_name).map(|name| name.to_string_lossy());
    match folder.as_deref() {
        Some(name @ ("release" | "dist")) => name.to_owned(),
        _ => "dev".to_owned(),
    }
}

async fn build_id(executable: &Path) -> Result<String> {
    let mut command = Command::new(executable);
    command.arg("--build-id").stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let run =
        tokio::time::timeout(BUILD_ID_WITHIN, command.output()).await.context("it does not say its build id")??;
    ensure!(run.status.success(), "it does not know its build id");
    Ok(String::from_utf8_lossy(&run.stdout).trim().to_owned())
}

/// The sources: the checkout that we stand in, else the one that this command was built from.
fn workspace() -> Result<PathBuf> {
    let holds = |folder: &Path| folder.join("handlers/functions/Cargo.toml").is_file();
    let here = std::env::current_dir().unwrap_or_default();
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let found = here.ancestors().find(|folder| holds(folder)).map(Path::to_path_buf);
    found.or_else(|| holds(&built_from).then_some(built_from)).with_context(|| {
        format!("no checkout of Lifeboat to build the handler from; run this in one, or put {EXECUTABLE} of the same build beside it")
    })
}

/// The executable among cargo's messages, one JSON object on each line.
fn executable_in(messages: &[u8]) -> Option<PathBuf> {
    messages.split(|byte| *byte == b'\n').find_map(|line| {
        let message: serde_json::Value = serde_json::from_slice(line).ok()?;
        (message["target"]["name"] == EXECUTABLE).then(|| message["executable"].as_str().map(PathBuf::from))?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_executable_for_another_machine_is_not_deployable_and_a_dynamic_one_is_told_apart() {
        assert_eq!(linking(b"#!/bin/sh\n"), None);
        assert_eq!(linking(b""), None);
        let elf = |machine: u16, segment: u32| {
            let mut head = vec![0; 64 + 56];
            head[..6].copy_from_slice(b"\x7fELF\x02\x01");
            head[18..20].copy_from_slice(&machine.to_le_bytes());
            head[32..40].copy_from_slice(&64_u64.to_le_bytes());
            head[54..56].copy_from_slice(&56_u16.to_le_bytes());
            head[56..58].copy_from_slice(&1_u16.to_le_bytes());
            head[64..68].copy_from_slice(&segment.to_le_bytes());
            head
        };
        assert_eq!(linking(&elf(183, 1)), None, "an executable for arm64");
        assert_eq!(linking(&elf(62, 1)), Some(Linking::Static));
        assert_eq!(linking(&elf(62, 3)), Some(Linking::Dynamic));
    }

    #[test]
    fn the_profile_is_read_from_the_folder() {
        for (path, profile) in
            [("target/debug/lifeboat", "dev"), ("target/dist/lifeboat", "dist"), ("/usr/bin/lifeboat", "dev")]
        {
            assert_eq!(profile_of(Some(Path::new(path))), profile);
        }
    }

    #[test]
    fn cargo_says_where_the_handler_is() {
        let messages = b"{\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"other\"},\"executable\":\"/x\"}\n\
            {\"reason\":\"compiler-artifact\",\"target\":{\"name\":\"lifeboat-handler\"},\"executable\":\"/y\"}\n{\"reason\":\"build-finished\"}\n";
        assert_eq!(executable_in(messages), Some(PathBuf::from("/y")));
    }
}
