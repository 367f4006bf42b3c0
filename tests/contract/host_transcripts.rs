//! The stand-in host against the recorded one: the same stimuli, a handler that does what the recorded one did, and then
//! the same bytes to the handler, the same answers to clients, the same log, in virtual time.
//! It never goes easy on a difference: what is left out is a list with reasons, what varies from run to run is another.

#[path = "host_transcripts_apps.rs"]
mod apps;
#[path = "host_transcripts_compare.rs"]
mod compare;
#[path = "host_transcripts_listed.rs"]
mod listed;
#[path = "host_transcripts_replay.rs"]
mod replay;
#[path = "host_transcripts_script.rs"]
mod script;
#[path = "host_transcripts_tape.rs"]
mod tape;

use std::collections::BTreeMap;

use crate::replay::Report;

/// The files that are replayed.
const FILES: [&str; 11] = [
    "admin.jsonl",
    "answers.jsonl",
    "coretools_env.jsonl",
    "eventgrid.jsonl",
    "http_forward.jsonl",
    "lifecycle.jsonl",
    "limits.jsonl",
    "servicebus_standin.jsonl",
    "startup.jsonl",
    "timer.jsonl",
    "tracing.jsonl",
];

/// Replays all runs of a file and prints what came of it.
async fn check(file: &str) {
    let Some(folder) = tape::folder() else {
        #[expect(
            clippy::disallowed_methods,
            reason = "whether the data must be there is said by the environment alone"
        )]
        let required = std::env::var_os("LIFEBOAT_AZURE_DATA_REQUIRED").is_some();
        assert!(!required, "the transcripts are required and not there");
        eprintln!("ignored: no transcripts; LIFEBOAT_AZURE_DATA names their folder");
        return;
    };
    let lines = tape::read(&folder, file);
    let mut runs: Vec<String> = Vec::new();
    for line in &lines {
        if !runs.iter().any(|run| run == line.run()) {
            runs.push(line.run().to_owned());
        }
    }
    let mut total = Report::default();
    for run in runs {
        let own: Vec<_> = lines.iter().filter(|line| line.run() == run).cloned().collect();
        match listed::run(&run) {
            Some(reason) => total.skip_run(reason, &own),
            None => total.add(replay::run(file, &run, own).await),
        }
    }
    eprintln!(
        "{file}: {} exchanges equal, {} answers equal, {} log lines equal",
        total.exchanges, total.answers, total.logs
    );
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for reason in &total.skipped {
        *reasons.entry(reason).or_default() += 1;
    }
    for (reason, count) in reasons {
        eprintln!("  not replayed: {count} × {reason}");
    }
    assert!(
        total.differences.is_empty(),
        "{} differences:\n{}",
        total.differences.len(),
        total.differences.join("\n\n")
    );
    assert!(total.exchanges > 0, "nothing was compared");
}

macro_rules! replays {
    ($($name:ident: $file:literal;)*) => {
        $(#[tokio::test(start_paused = true)]
        #[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
        async fn $name() {
            check($file).await;
        })*
    };
}

replays! {
    the_stand_in_starts_a_handler_as_recorded: "startup.jsonl";
    timers_fire_as_recorded: "timer.jsonl";
    event_grid_is_delivered_as_recorded: "eventgrid.jsonl";
    messages_arrive_as_recorded: "servicebus_standin.jsonl";
    http_is_forwarded_as_recorded: "http_forward.jsonl";
    answers_are_judged_as_recorded: "answers.jsonl";
    a_handler_lives_and_dies_as_recorded: "lifecycle.jsonl";
    large_bodies_and_repeats_are_as_recorded: "limits.jsonl";
    the_admin_api_answers_as_recorded: "admin.jsonl";
    traces_go_on_as_recorded: "tracing.jsonl";
    core_tools_send_a_length_as_recorded: "coretools_env.jsonl";
}

#[test]
#[cfg_attr(not(azure_data), ignore = "no data folder; set LIFEBOAT_AZURE_DATA")]
fn every_transcript_is_replayed_or_listed_with_a_reason() {
    let Some(folder) = tape::folder() else { return eprintln!("ignored: no transcripts") };
    let files = std::fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").file_name());
    let files = files.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.ends_with(".jsonl"));
    let mut files: Vec<String> = files.collect();
    files.sort();
    let mut known: Vec<&str> = FILES.into_iter().chain(listed::FILES.map(|(name, _)| name)).collect();
    known.sort_unstable();
    assert_eq!(files, known);
    for (name, reason) in listed::FILES {
        eprintln!("{name}: not replayed: {reason}");
    }
}
