//! The handler has no switch that weakens it: what it reads of its environment is a closed list, and anything else changes nothing.
//! It never trusts a description: names are taken from the readers, the sources and the executable itself.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use lifeboat_functions::{settings, telemetry};

use crate::site::Site;
use crate::{assert_protected_once, executables, one_process, settle};

/// Every name that the handler's own code asks its environment for: where things are and who it is, and none that says less.
const NAMES: [&str; 21] = [
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "AZURE_CLIENT_ID",
    "FUNCTIONS_APP_ROOT_PATH",
    "FUNCTIONS_CUSTOMHANDLER_PORT",
    "FUNCTIONS_CUSTOMHANDLER_WORKER_ID",
    "LIFEBOAT_ARM_URL",
    "LIFEBOAT_AUDIENCE",
    "LIFEBOAT_AUTHORITY_URL",
    "LIFEBOAT_DEPLOYMENT",
    "LIFEBOAT_EVENTS_URL",
    "LIFEBOAT_OWNED_REGIONS",
    "LIFEBOAT_PROBE_HOSTS",
    "LIFEBOAT_REGION",
    "LIFEBOAT_REPLICATION_CACHE",
    "LIFEBOAT_SERVICEBUS_URL",
    "LIFEBOAT_STORE_URL",
    "LIFEBOAT_SUBSCRIPTIONS",
    "LIFEBOAT_TENANT_ID",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "ServiceBus__fullyQualifiedNamespace",
    "lifeboat-handler --build-id",
];
/// The one that is no variable: an argument that prints and ends.
const ARGUMENT: &str = "lifeboat-handler --build-id";
/// Crates that the handler's executable is made of.
const CRATES: [&str; 5] = ["planning", "contract", "azure", "execution", "functions"];
/// The one place that may read the environment, and the one that may read arguments.
const READS_ENVIRONMENT: &str = "functions/src/settings.rs";
const READS_ARGUMENTS: &str = "functions/src/main.rs";

/// Settings that somebody might hope to weaken it with: the faults of the tour, and what such switches are called.
const HOPED_FOR: [&str; 12] = [
    "BREAK",
    "LIFEBOAT_BREAK",
    "LIFEBOAT_DRY_RUN",
    "LIFEBOAT_FAULT",
    "LIFEBOAT_FORCE",
    "LIFEBOAT_MODE",
    "LIFEBOAT_NO_AUDIT",
    "LIFEBOAT_NO_LEASE",
    "LIFEBOAT_NO_SAVE",
    "LIFEBOAT_SKIP_LEDGER",
    "LIFEBOAT_TEST",
    "RUST_LOG",
];

#[test]
fn the_handler_asks_its_environment_for_exactly_the_listed_names() {
    let asked = RefCell::new(BTreeSet::new());
    let note = |name: &str| {
        asked.borrow_mut().insert(name.to_owned());
        Some("1".to_owned())
    };
    // Values do not matter: a reader that stopped at one would leave names out, and the list would not fit.
    let read = settings::Settings::read(note);
    assert!(read.is_ok(), "{read:?}");
    drop(telemetry::Settings::read(note));
    let mut asked = asked.into_inner();
    asked.extend(literals_of("variable(\"", &sources().iter().map(|(_, text)| text.as_str()).collect::<String>()));
    asked.insert(ARGUMENT.to_owned());
    assert_eq!(asked.iter().map(String::as_str).collect::<Vec<_>>(), NAMES);
}

#[test]
fn nothing_else_of_the_handlers_sources_reads_environment_arguments_or_features() {
    for (path, text) in sources() {
        let environment =
            ["env::var", "env::vars", "env::remove_var", "option_env!", "/proc/self/environ", "cfg(feature"];
        for word in environment.iter().filter(|word| text.contains(**word)) {
            assert!(path.ends_with(READS_ENVIRONMENT) && *word == "env::var", "{}: {word}", path.display());
        }
        assert!(!text.contains("env::args") || path.ends_with(READS_ARGUMENTS), "{}: env::args", path.display());
    }
}

#[test]
fn the_executable_holds_no_other_name_of_a_setting_of_ours() {
    let bytes = std::fs::read(executables::handler()).expect("the executable is readable");
    let name = |at: usize| -> String {
        let of_a_name = |byte: &&u8| byte.is_ascii_uppercase() || **byte == b'_';
        bytes[at..].iter().take_while(of_a_name).map(|byte| char::from(*byte)).collect()
    };
    let prefix = b"LIFEBOAT_";
    let found = bytes.windows(prefix.len()).enumerate().filter(|(_, window)| window == prefix).map(|(at, _)| name(at));
    for name in found.collect::<BTreeSet<_>>() {
        // Texts lie side by side in an executable: the next one may go on behind a name.
        let known = NAMES.iter().any(|known| name.starts_with(known));
        assert!(known || name == "LIFEBOAT_BUILD_ID" || name == "LIFEBOAT_", "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn settings_that_are_none_change_nothing() {
    let calls = async |settings: Vec<(String, String)>| {
        let site = Site::start(&crate::SiteOptions { settings, ..one_process() }).await;
        let machine = site.create("vm-1");
        settle(&site, "with settings that are none").await;
        assert_protected_once(&site, &machine, "with settings that are none");
        site.calls.list().into_iter().collect::<BTreeSet<_>>()
    };
    let hoped = ["1", "true", "no-save", "lost-sweep"].iter().cycle();
    let hoped = HOPED_FOR.iter().zip(hoped).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    assert_eq!(calls(hoped.collect()).await, calls(Vec::new()).await);
}

/// The sources of the handler's executable, without its tests.
fn sources() -> Vec<(PathBuf, String)> {
    let handlers = Path::new(env!("CARGO_MANIFEST_DIR")).join("../handlers");
    let mut found = Vec::new();
    for name in CRATES {
        collect(&handlers.join(name).join("src"), &mut found);
    }
    assert!(found.len() > 50, "the sources are not where they were");
    // A file or folder that a `#[cfg(test)]` module names is no part of the executable.
    let tests: Vec<String> = found.iter().flat_map(|(_, text)| modules_of_tests(text)).collect();
    let of_tests = |path: &Path| {
        let below = path.strip_prefix(&handlers).unwrap_or(path).with_extension("");
        below.components().any(|part| tests.iter().any(|name| part.as_os_str() == name.as_str()))
    };
    found.retain(|(path, _)| !of_tests(path));
    found.into_iter().map(|(path, text)| (path, without_tests(&text))).collect()
}

fn collect(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    for entry in std::fs::read_dir(folder).expect("a readable folder").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a readable source");
            found.push((path, text));
        }
    }
}

fn modules_of_tests(text: &str) -> Vec<String> {
    let lines: Vec<&str> = text.lines().collect();
    let declared = lines.windows(2).filter(|pair| pair[0].trim() == "#[cfg(test)]");
    declared.filter_map(|pair| Some(pair[1].trim().strip_prefix("mod ")?.strip_suffix(';')?.to_owned())).collect()
}

/// Everything before the module of tests, which stands last in a file.
fn without_tests(text: &str) -> String {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned()
}

/// The texts that stand right behind these words.
fn literals_of(words: &str, text: &str) -> Vec<String> {
    text.split(words).skip(1).filter_map(|rest| Some(rest.split_once('"')?.0.to_owned())).collect()
}
