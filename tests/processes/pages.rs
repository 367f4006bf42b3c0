//! The handler's pages as a person sees them: a failover over the simulated Azure, the real command before its handler, and a real
//! browser that runs no script.
//! It never looks into the command or the handler: what the browser shows is the word.

mod browser;
mod scene;

use std::process::Stdio;
use std::time::Duration;

use lifeboat_simulator::azure::TokenOrder;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::{PATIENCE, executables};
use browser::Browser;
use scene::{Moment, Scene};

/// The command `lifeboat page`, running.
struct Shown {
    relay: Child,
    /// Where the page is that it was asked for.
    url: String,
}

/// What one run came to that showed nothing.
struct Refused {
    code: Option<i32>,
    err: String,
}

fn command(scene: &Scene, token: Option<&str>, page: &[&str]) -> Command {
    let mut command = Command::new(executables::build("lifeboat", &[]));
    command.arg("page").args(page).args(["--url", &scene.url, "--output", "json"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).env_clear().kill_on_drop(true);
    if let Some(token) = token {
        command.env("LIFEBOAT_TOKEN", token);
    }
    command
}

impl Shown {
    /// Starts it, and waits until it says where the page is.
    async fn at(scene: &Scene, token: &str, page: &[&str]) -> Self {
        let mut relay = command(scene, Some(token), page).spawn().expect("the command starts");
        let mut line = String::new();
        let mut out = BufReader::new(relay.stdout.take().expect("its output"));
        let read = tokio::time::timeout(PATIENCE, out.read_line(&mut line)).await;
        assert!(read.is_ok_and(|read| read.is_ok()), "it does not say where the page is");
        let said: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        Self { relay, url: said["url"].as_str().expect("an address").to_owned() }
    }

    /// The page of this path, beside the one that was asked for.
    fn beside(&self, path: &str) -> String {
        let (base, _) = self.url.split_once("/api/").expect("a page's address");
        format!("{base}{path}")
    }

    /// A person leaves; how it ended.
    async fn left(mut self) -> Option<i32> {
        let pid = self.relay.id().expect("it runs").to_string();
        let sent = Command::new("kill").args(["-INT", &pid]).status().await;
        assert!(sent.is_ok_and(|status| status.success()), "{pid} cannot be told");
        let ended = tokio::time::timeout(PATIENCE, self.relay.wait()).await.expect("it ends");
        ended.expect("a status").code()
    }
}

/// Runs it where it shows nothing, until it ends.
async fn refused(scene: &Scene, token: Option<&str>, page: &[&str]) -> Refused {
    let run = tokio::time::timeout(PATIENCE, command(scene, token, page).output()).await;
    let run = run.expect("it ends").expect("the command starts");
    Refused { code: run.status.code(), err: String::from_utf8_lossy(&run.stderr).into_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_shown_by_a_persons_own_sign_in_until_they_leave_and_to_nobody_without_one() {
    let scene = Scene::at(Moment::Committing).await;
    let reader = scene.token("reader", &TokenOrder::default());
    let shown = Shown::at(&scene, &reader, &["failover", "shop"]).await;
    let _chosen = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let page = client.get(&shown.url).send().await.expect("an answer").text().await.expect("a text");
    assert!(
        page.contains("lifeboat send CommitFailover recoveryPlan=shop digest=") && !page.contains(&reader),
        "{page}"
    );
    let other = client.get(&shown.url).header("host", "evil.example").send().await.expect("an answer");
    assert_eq!(other.status(), 403);
    assert_eq!(shown.left().await, Some(0));

    for (token, page, expected) in [
        (None, &["failover", "shop"][..], "the handler answered 401"),
        (Some("stranger"), &["failover", "shop"], "the handler answered 403"),
        (Some("reader"), &["failover", "no-shop"], "the handler has nothing of this name"),
    ] {
        let token = token.map(|name| scene.token(name, &TokenOrder::default()));
        let run = refused(&scene, token.as_deref(), page).await;
        assert_eq!(run.code, Some(1), "{page:?}: {}", run.err);
        assert!(run.err.contains(expected), "{page:?}: {}", run.err);
        assert!(token.is_none_or(|token| !run.err.contains(&token)), "{}", run.err);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(chromium), ignore = "no browser; install Debian's package chromium")]
async fn a_browser_without_script_shows_the_evidence_the_recovery_plan_and_the_failover_step_by_step() {
    let browser = Browser::new("pages-chromium").await;
    let scene = Scene::at(Moment::Fencing).await;
    let reader = scene.token("reader", &TokenOrder::default());
    let shown = Shown::at(&scene, &reader, &["failover", "shop"]).await;

    let fencing = browser.shows(&shown.url).await;
    fencing.holds(&[
        "westeurope → northeurope: waits for a person",
        "all of it can still be undone",
        "old machines cannot be stopped: their region does not answer, or Azure refuses it; go on without the fence?",
        "lifeboat approve shop --question 1 --choice go-on --digest",
        "lifeboat reject shop --question 1 --choice undo --reason",
        "lifeboat abort shop --reason",
        "0 of 3 new machines run",
        "1. preflight done",
        "2. fence failed",
        "6. group data: fail over not yet",
    ]);

    // While it is watched it goes on.
    scene.moves_on(Moment::Committing);
    let committing = browser.shows(&shown.url).await;
    committing.holds(&[
        "It is past the point of no return",
        "Question 2: a person's answer is awaited",
        "lifeboat send CommitFailover recoveryPlan=shop digest=",
        "3 of 3 new machines run",
        "endpoint neu : enabled and online, as looked at",
        "endpoint weu : disabled, as looked at",
        "1. data: db-1 not known to be stopped",
        "18. word to commit waits for a person",
        "1. stop the old machines under way",
    ]);
    let region = browser.shows(&shown.beside("/api/pages/region/westeurope")).await;
    region.holds(&[
        "serviceHealth reported NA0F-BJG (Virtual Machines) failing",
        "sources not met",
        "Recovery plan shop",
    ]);
    let recovery = browser.shows(&shown.beside("/api/pages/recovery/shop")).await;
    recovery.holds(&["Recovery plan shop", "ready", "web web-1", "profile tm-shop : from endpoint weu to neu"]);
    recovery.holds(&["One is unfinished: follow it"]);
    let start = browser.shows(&shown.beside("/")).await;
    start.holds(&["Recovery plans", "shop westeurope → northeurope", "waits for a person"]);

    for page in [&fencing, &committing, &region, &recovery, &start] {
        page.is_readable();
        assert!(!page.dom.contains(&reader), "the token is in the page");
    }
    browser.keeps_picture(&shown.url, "failover", (1100, 2400)).await;
    browser.keeps_picture(&shown.url, "failover-phone", (500, 3000)).await;
    assert_eq!(shown.left().await, Some(0));
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(not(chromium), ignore = "no browser; install Debian's package chromium")]
async fn a_browser_shows_hostile_words_as_words_and_a_handler_that_went_away_until_it_is_back() {
    let browser = Browser::new("pages-chromium-hostile").await;
    let scene = Scene::at(Moment::Fencing).await;
    scene.stops_changes(
        "</p><script>document.title='ran'</script><img src=x onerror=\"document.title='ran'\"><b id=own>",
    );
    let reader = scene.token("reader", &TokenOrder::default());
    let shown = Shown::at(&scene, &reader, &["failover", "shop"]).await;
    let page = browser.shows(&shown.url).await;
    page.holds(&["All changes are stopped", "</p><script>document.title='ran'</script><img src=x"]);
    assert!(
        !page.dom.contains("<script") && !page.dom.contains("<img") && !page.dom.contains("id=\"own\""),
        "{}",
        page.dom
    );

    drop(scene);
    let gone = browser.shows_within(&shown.url, Duration::from_secs(60), "could not be read just now").await;
    gone.holds(&["Not read", "did not answer", "It is asked for again by itself"]);
    assert!(gone.dom.contains("http-equiv=\"refresh\""), "{}", gone.dom);
}
