//! A panic in a receiver of the packaged executable: a 500, and the process lives.
//! It never adds a switch to the handler: the panic is planted in a copy of the sources, which is then compiled exactly as
//! `lifeboat package` compiles them.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::executables;
use crate::package::{Running, TARGET, TICK, ask};

/// The executable of the copy: under another name, so that it never stands where the real one is looked for.
const BINARY: &str = "lifeboat-handler-that-panics";
/// The release that the copy says it is. Cargo keeps what it builds by names and releases, not by folders: under the workspace's own
/// release the copy's build would stand for that of the workspace, with an id of sources that are not these.
const RELEASE: &str = "version = \"0.1.0-panics\"";
/// The workspace's release, as its manifest and its lock file write it.
const RELEASE_COPIED: &str = concat!("version = \"", env!("CARGO_PKG_VERSION"), "\"");
/// What is changed in the copy besides: file, text, and what stands instead.
const PLANTED: [(&str, &str, &str); 2] = [
    (
        "handlers/functions/src/policy_sweep.rs",
        "let timer = invocation.timer()?;",
        "let timer = invocation.timer()?;\n    assert!(timer.is_past_due, \"planted\");",
    ),
    ("handlers/functions/Cargo.toml", "name = \"lifeboat-handler\"", "name = \"lifeboat-handler-that-panics\""),
];

#[test]
#[ignore = "needs the build for deployment, which takes minutes"]
fn package_answers_a_panic_with_500_and_lives() {
    let into = Path::new(env!("CARGO_TARGET_TMPDIR")).join("..");
    let executable = executables::build_deployed(&planted_copy().join("Cargo.toml"), BINARY, TARGET, Some(&into));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("a bound port").port();
    drop(listener);
    let mut command = Command::new(executable);
    command.env_clear().env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
    for (name, value) in [
        ("LIFEBOAT_STORE_URL", "https://127.0.0.1:1/lifeboat"),
        ("LIFEBOAT_DEPLOYMENT", "lb-panics"),
        ("LIFEBOAT_OWNED_REGIONS", "westeurope"),
        ("LIFEBOAT_SUBSCRIPTIONS", "00000000-0000-4000-8000-00000000000a"),
        ("ServiceBus__fullyQualifiedNamespace", "ns.servicebus.windows.net"),
    ] {
        command.env(name, value);
    }
    let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut handler = Running(spawned.expect("it starts"));
    assert_eq!(handler.refusal(port), None, "it listens");
    for round in 1..=3 {
        let answer = ask(port, "POST /PolicySweep", TICK);
        assert_eq!(answer.as_deref(), Some("HTTP/1.1 500 Internal Server Error"), "round {round}");
        assert_eq!(ask(port, "GET /", "").as_deref(), Some("HTTP/1.1 200 OK"), "round {round}: it lives");
    }
    let said = handler.end();
    assert_eq!(said.matches("panicked: planted").count(), 3, "each panic is told of before its 500: {said}");
}

/// A copy of the sources with the panic in it. It stays where it is, so that a second run compiles nothing.
fn planted_copy() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let copy = Path::new(env!("CARGO_TARGET_TMPDIR")).join("panics");
    let listed =
        Command::new("git").args(["ls-files", "-z"]).current_dir(&root).output().expect("git lists the sources");
    assert!(listed.status.success(), "git lists the sources");
    let listed = String::from_utf8(listed.stdout).expect("names of sources are text");
    let names: Vec<&str> = listed.split('\0').filter(|name| !name.is_empty()).collect();
    forget(&copy, &copy, &names);
    for name in names {
        let Ok(mut bytes) = std::fs::read(root.join(name)) else { continue };
        for (_, text, instead) in PLANTED.iter().filter(|(file, ..)| *file == name) {
            let source = String::from_utf8(bytes).expect("a source is text");
            assert!(source.contains(text), "{name} does not say «{text}» any more");
            bytes = source.replace(text, instead).into_bytes();
        }
        match name {
            "Cargo.toml" => bytes = released(bytes, |_| true),
            "Cargo.lock" => bytes = released(bytes, |package| package.contains("name = \"lifeboat-")),
            _ => {}
        }
        let to = copy.join(name);
        if std::fs::read(&to).is_ok_and(|there| there == bytes) {
            continue;
        }
        std::fs::create_dir_all(to.parent().expect("a file has a folder")).expect("the folder can be made");
        std::fs::write(&to, bytes).expect("the file can be written");
    }
    copy
}

/// Removes what is in the copy and not among the sources any more: a module that moved would else be there twice.
fn forget(copy: &Path, folder: &Path, names: &[&str]) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.strip_prefix(copy).ok().and_then(Path::to_str).expect("a path in the copy");
        if path.is_dir() {
            forget(copy, &path, names);
        } else if !names.contains(&name) {
            std::fs::remove_file(&path).expect("a file of the copy can be removed");
        }
    }
}

/// The blocks that `ours` takes, with the copy's release instead of the workspace's.
fn released(bytes: Vec<u8>, ours: impl Fn(&str) -> bool) -> Vec<u8> {
    let text = String::from_utf8(bytes).expect("a manifest is text");
    let blocks = text.split("\n\n").map(|block| match ours(block) {
        true => block.replacen(RELEASE_COPIED, RELEASE, 1),
        false => block.to_owned(),
    });
    let released = blocks.collect::<Vec<_>>().join("\n\n");
    assert_ne!(released, text, "the copy has a release of its own");
    released.into_bytes()
}
