//! `lifeboat send` and its kin as people run them: what is told before anything is sent, and what is never sent.
//! It reaches no handler: what one answers is tested beside it.

use std::process::{Command, Output};

fn lifeboat(args: &[&str], token: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(args).env_remove("LIFEBOAT_AUDIENCE").env_remove("LIFEBOAT_TOKEN").env_remove("LIFEBOAT_KEY");
    if let Some(token) = token {
        command.env("LIFEBOAT_TOKEN", token);
    }
    command.output().expect("runs")
}

fn err(run: &Output) -> String {
    String::from_utf8_lossy(&run.stderr).into_owned()
}

const DIGEST: &str = "3f0c6a1de1d14bd0f1fae2c8c8f5f2f3f0c4a3dbb7a9c7a54fd6e7c1a2b3c4d5";

#[test]
fn a_slip_in_a_command_is_told_with_what_was_meant_and_nothing_is_sent() {
    for (args, expected) in [
        (&["send", "CloseBraker"][..], "did you mean CloseBreaker?"),
        (&["send", "Restart"], "the commands are StartFailover, Approve, Reject, Abort, CommitFailover, Hold,"),
        (&["send", "BackUpNow"], "BackUpNow is not taken by this release: it is agreed and not built yet"),
        (&["send", "SetMode", "policy=production", "mode=reprt", "reason=x"], "did you mean report?"),
        (&["send", "SetMode", "policy=production", "mode=report"], "the field data.reason is missing"),
        (&["send", "Hold", "point=vm", "reason=x"], "expected an ARM id"),
        (&["release", "vm", "--reason", "x"], "expected an ARM id"),
        (&["approve", "shop", "--order", "o-1", "--digest", "x"], "expected a digest"),
        (&["approve", "shop", "--order", "a b", "--digest", DIGEST], "the field data.of.order holds something else"),
        (&["approve", "shop", "--order", "o", "--choice", "again", "--digest", DIGEST], "no meaning beside order"),
        (&["resume", "--reason", " "], "the field data.reason is empty"),
    ] {
        let run = lifeboat(args, None);
        assert_eq!(run.status.code(), Some(1), "{args:?}");
        assert!(err(&run).contains(expected), "{args:?}: {}", err(&run));
    }
}

#[test]
fn every_one_of_them_helps_and_says_its_exit_codes() {
    for command in ["send", "approve", "reject", "abort", "release", "resume"] {
        let run = lifeboat(&["help", command], None);
        assert_eq!(run.status.code(), Some(0), "{command}");
        assert!(String::from_utf8_lossy(&run.stdout).contains("Exit codes: 0 "), "{command}");
    }
}

#[test]
fn what_is_missing_on_the_command_line_ends_2() {
    for args in [
        &["send"][..],
        &["send", "Hold", "point"],
        &["approve", "shop", "--digest", DIGEST],
        &["approve", "shop", "--order", "o", "--incident", "i", "--digest", DIGEST],
        &["reject", "shop", "--order", "o"],
        &["abort", "shop"],
        &["release", "/subscriptions/s"],
        &["resume"],
    ] {
        assert_eq!(lifeboat(args, None).status.code(), Some(2), "{args:?}");
    }
}

#[test]
fn an_order_that_needs_a_name_says_how_to_give_one_and_no_token_goes_over_plain_http_to_another_machine() {
    let run = lifeboat(&["resume", "--reason", "x"], None);
    assert_eq!(run.status.code(), Some(1));
    assert!(
        err(&run).contains("--audience or LIFEBOAT_AUDIENCE") && err(&run).contains("LIFEBOAT_TOKEN"),
        "{}",
        err(&run)
    );
    let run = lifeboat(&["resume", "--reason", "x", "--url", "http://app.example"], Some("secret.token.text"));
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("no token is sent there") && !err(&run).contains("secret"), "{}", err(&run));
    // Nobody listens there: it was to be sent, and no token is shown in what is told of it.
    let run = lifeboat(&["abort", "shop", "--reason", "x", "--url", "http://127.0.0.1:9"], Some("secret.token.text"));
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("did not answer") && !err(&run).contains("secret"), "{}", err(&run));
}

#[test]
fn what_only_adds_safety_asks_for_no_name() {
    let run = lifeboat(&["send", "StopChanges", "reason=x", "--url", "http://127.0.0.1:9"], None);
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("did not answer"), "it was to be sent: {}", err(&run));
}
