//! `lifeboat page` as people run it: what is told where nothing can be shown; and that the commands which pages show are commands.
//! It reaches no handler: what one answers is tested beside it.

use std::process::{Command, Output};

use lifeboat_execution::saga::record::SagaRecord;
use lifeboat_execution::saga::shown::Shown;
use lifeboat_functions::pages::orders;

const DIGEST: &str = "3f0c6a1de1d14bd0f1fae2c8c8f5f2f3f0c4a3dbb7a9c7a54fd6e7c1a2b3c4d5";

fn lifeboat<S: AsRef<std::ffi::OsStr>>(args: &[S]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(args).env_remove("LIFEBOAT_AUDIENCE").env_remove("LIFEBOAT_KEY");
    command.env("LIFEBOAT_TOKEN", "secret.token.text").output().expect("runs")
}

fn err(run: &Output) -> String {
    String::from_utf8_lossy(&run.stderr).into_owned()
}

#[test]
fn where_nothing_can_be_shown_it_ends_and_says_why() {
    for (args, code, expected) in [
        (&["page", "--url", "http://127.0.0.1:9"][..], 1, "http://127.0.0.1:9 did not answer"),
        (&["page", "failover", "shop", "--url", "http://app.example"], 1, "no token is sent there"),
        (&["page", "failover"], 2, "<NAME>"),
        (&["page", "point", "p-1"], 2, "region, recovery, failover"),
    ] {
        let run = lifeboat(args);
        assert_eq!(run.status.code(), Some(code), "{args:?}: {}", err(&run));
        assert!(err(&run).contains(expected) && !err(&run).contains("secret"), "{args:?}: {}", err(&run));
    }
    let help = lifeboat(&["help", "page"]);
    assert!(String::from_utf8_lossy(&help.stdout).contains("Exit codes: 0 "));
}

/// The commands that a page shows for a question with this ask and every choice.
fn answers(ask: &str) -> Vec<String> {
    let mut record: SagaRecord =
        serde_json::from_slice(include_bytes!("../../execution/golden/saga-v1.json")).expect("a record");
    let choices = "go-on,again,another-point,undo,end,fail-back";
    record.progress = record
        .progress
        .replace("question 2 commit blocks", &format!("question 2 {ask} blocks"))
        .replace("go-on,another-point,fail-back", choices);
    let shown = Shown::of(&record.saga().expect("it reads"), record.began_at, None);
    let question = shown.questions().next().expect("a question");
    let answers = orders::answers("shop", &shown.id, question);
    assert_eq!((question.choices.len(), answers.len()), (6, 6));
    answers.into_iter().filter_map(|answer| answer.command).collect()
}

/// A command's words, as a shell makes them.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (place, part) in command.split('\'').enumerate() {
        for (number, word) in part.split(if place % 2 == 0 { ' ' } else { '\0' }).enumerate() {
            if number > 0 {
                words.push(String::new());
            }
            words.last_mut().expect("a word").push_str(word);
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

#[test]
fn every_command_that_a_page_shows_is_one_that_would_be_sent() {
    let mut commands = [answers("commit"), answers("failed")].concat();
    commands.extend(orders::of_incident("shop", "2026-11-22T02:03:00Z", Some(DIGEST)).expect("commands"));
    commands.extend(orders::of_order("shop", "start-shop-1", DIGEST).expect("commands"));
    commands.extend(orders::undo("shop"));
    assert_eq!(commands.len(), 15);
    for command in commands {
        let mut words = words(&command);
        assert_eq!(words.remove(0), "lifeboat");
        words.extend(["--url".to_owned(), "http://127.0.0.1:9".to_owned()]);
        let run = lifeboat(&words);
        // Nobody listens there: what is understood is to be sent.
        assert!(err(&run).contains("http://127.0.0.1:9 did not answer"), "{command}: {}", err(&run));
    }
    let order = words(&orders::fail_over("shop", &["window", "ready"]).expect("a command"));
    let run = lifeboat(&order[1..]);
    assert_eq!(run.status.code(), Some(1), "it is understood, and its store is no URL: {}", err(&run));
}
