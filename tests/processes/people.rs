//! What a person does with the real command: begins a store, puts policies in force, asks, holds, stops, adopts; by a sign-in that is
//! satisfied as theirs is, by an `az` on the path, before the simulated Azure and a real handler on TCP ports.
//! It never calls a library of the command: what it was answered, its exit code, and the store say what came of it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use jiff::SignedDuration;
use lifeboat_execution::estate::{self, Estate};
use lifeboat_execution::orders::READ;
use lifeboat_execution::policies;
use lifeboat_simulator::azure::{ARM_AUDIENCE, Grant, PersonSeed, STORAGE_AUDIENCE, TokenOrder};
use lifeboat_simulator::host::Keys;
use lifeboat_simulator::serve::{Served, serve};
use lifeboat_simulator::world::World;
use lifeboat_tests::policy;
use lifeboat_tests::rig::{CONTAINER, DEPLOYMENT, SUBSCRIPTION};
use serde_json::Value;
use tokio::process::Command;

use crate::site::Site;
use crate::{PATIENCE, executables, one_process, settle};

/// How long the stand-in says that its tokens last.
const TOKENS_LAST: SignedDuration = SignedDuration::from_hours(1);

/// A person at their shell.
struct Person {
    lifeboat: PathBuf,
    path: String,
    key: Option<String>,
    /// Of somebody who may read.
    token: String,
    asked: PathBuf,
    store: String,
    arm: String,
    host: String,
}

/// What one run of the command said.
struct Run {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Person {
    /// Somebody who is signed in and owns the subscription, with the key of the app. Each has an `az` in a folder of their own: tests
    /// run side by side.
    fn signed_in(name: &str, world: &World, served: &Served, host: &str) -> Self {
        let folder = folder(&format!("people-az-{name}"));
        let asked = folder.join("asked.txt");
        let operator = world.add_principal("operator", vec![Grant::owner()]);
        let reader = world.directory().add(PersonSeed { name: name.to_owned(), roles: vec![READ.to_owned()] });
        let token = |audience| world.token(&operator.object_id, audience);
        let ends = world.clock().now().checked_add(TOKENS_LAST).expect("a time").as_second();
        write_az(&folder.join("az"), &asked, (&token(ARM_AUDIENCE), &token(STORAGE_AUDIENCE)), ends);
        Self {
            lifeboat: executables::build("lifeboat", &[]),
            path: format!("{}:/usr/bin:/bin", folder.display()),
            key: Some(Keys::default().host),
            token: world.directory().token(&reader, &TokenOrder::default()),
            asked,
            store: format!("http://{}/{CONTAINER}", served.blobs),
            arm: format!("http://{}", served.arm),
            host: host.to_owned(),
        }
    }

    /// Runs the command with nothing in its environment but the path and the key, and waits for its end.
    async fn runs(&self, args: &[&str]) -> Run {
        let mut command = Command::new(&self.lifeboat);
        command.args(args).stdin(Stdio::null()).env_clear().env("PATH", &self.path).kill_on_drop(true);
        command.env("LIFEBOAT_TOKEN", &self.token);
        if let Some(key) = &self.key {
            command.env("LIFEBOAT_KEY", key);
        }
        let run = tokio::time::timeout(PATIENCE, command.output()).await;
        let Output { status, stdout, stderr } = run.expect("it ends").expect("the command starts");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
        Run { code: status.code(), out: text(stdout), err: text(stderr) }
    }

    async fn init(&self, besides: &[&str]) -> Run {
        let own = ["init", "--store", &self.store, "--arm", &self.arm, "--deployment", DEPLOYMENT];
        self.runs(&[&own, besides].concat()).await
    }

    async fn push(&self, folder: &Path) -> Run {
        let folder = folder.to_str().expect("UTF-8");
        self.runs(&["policies", "push", folder, "--store", &self.store]).await
    }

    async fn points(&self, besides: &[&str]) -> Run {
        let own = ["points", "--store", &self.store, "--arm", &self.arm, "--subscriptions", SUBSCRIPTION];
        self.runs(&[&own, besides].concat()).await
    }

    async fn explains(&self, about: &str) -> Run {
        self.runs(&["explain", about, "--store", &self.store]).await
    }

    async fn asks_handler(&self, args: &[&str]) -> Run {
        self.runs(&[args, &["--url", &self.host]].concat()).await
    }

    /// Scopes that `az` was asked for.
    fn scopes_asked(&self) -> String {
        fs::read_to_string(&self.asked).unwrap_or_default()
    }
}

impl Run {
    /// Ended so, and what it wrote for whoever asked.
    fn ends(&self, code: i32) -> &str {
        assert_eq!(self.code, Some(code), "{}\n{}", self.out, self.err);
        &self.out
    }

    fn json(&self, code: i32) -> Value {
        serde_json::from_str(self.ends(code)).expect("JSON")
    }
}

/// A folder under cargo's own scratch folder for tests, made anew.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a folder for a test");
    path
}

/// What stands in for Azure's own command line: it gives a token for the two audiences, and notes what it was asked.
fn write_az(path: &Path, asked: &Path, (arm, storage): (&str, &str), ends: i64) {
    let text = format!(
        r#"#!/bin/sh
[ "$1 $2" = "account get-access-token" ] || {{ echo "ERROR: '$*' is not known here" >&2; exit 2; }}
while [ $# -gt 0 ]; do [ "$1" = --scope ] && scope=$2; shift; done
echo "$scope" >> '{asked}'
case "$scope" in
  {ARM_AUDIENCE}*) token='{arm}' ;;
  {STORAGE_AUDIENCE}*) token='{storage}' ;;
  *) echo "ERROR: no such scope: $scope" >&2; exit 1 ;;
esac
printf '{{"accessToken":"%s","expires_on":{ends},"subscription":"s","tenant":"t","tokenType":"Bearer"}}\n' "$token"
"#,
        asked = asked.display()
    );
    fs::write(path, text).expect("it can be written");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("it can be run");
}

/// A site whose store nobody has begun, and a person before it.
async fn site_without_store(name: &str) -> (Site, Served, Person) {
    let site = Site::start(&one_process()).await;
    for name in site.world.blobs().names(CONTAINER) {
        site.world.blobs().remove(CONTAINER, &name);
    }
    let served = serve(&site.world).await.expect("it is served");
    let person = Person::signed_in(name, &site.world, &served, site.hosts[0].url());
    (site, served, person)
}

fn estate_of(site: &Site) -> Option<Estate> {
    Some(Estate::read(&site.world.blobs().bytes(CONTAINER, estate::BLOB)?).expect("it reads"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_begins_a_store_puts_policies_in_force_loses_the_record_and_adopts_it() {
    let (site, _served, person) = site_without_store("begins").await;
    let policies_folder = folder("people-policies");
    fs::write(policies_folder.join("production.yaml"), policy::document("enforce", "24h")).expect("a policy");

    assert!(person.init(&[]).await.ends(0).contains("The store is begun"));
    let begun = estate_of(&site).expect("the record is there");
    assert_eq!(begun.deployment, DEPLOYMENT);
    let pushed = person.push(&policies_folder).await;
    assert!(pushed.ends(0).contains("are in force"), "{}", pushed.out);
    assert!(site.world.blobs().bytes(CONTAINER, policies::CURRENT).is_some());
    let again = person.push(&policies_folder).await;
    assert!(again.ends(0).contains("were in force already"), "{}", again.out);
    let again = person.init(&[]).await;
    again.ends(1);
    assert!(again.err.contains("there is an estate record already"), "{}", again.err);
    let adopted = person.init(&["--adopt", "--subscriptions", SUBSCRIPTION]).await;
    adopted.ends(1);
    assert!(adopted.err.contains("there is nothing to adopt"), "{}", adopted.err);

    // The handler works under the record that the person wrote; what it makes carries its id.
    let machine = site.create("vm-1");
    settle(&site, "under a person's record and policies").await;
    assert_eq!(site.world.points_of(&machine).len(), 1, "{:#?}", site.calls.list());
    site.world.blobs().remove(CONTAINER, estate::BLOB);
    let adopted = person.init(&["--adopt", "--subscriptions", SUBSCRIPTION]).await;
    assert!(adopted.ends(0).contains("The store is adopted"), "{}", adopted.out);
    let adopted = estate_of(&site).expect("the record is there");
    assert_eq!((adopted.id, adopted.adopted_at.is_some()), (begun.id, true));
    let scopes = person.scopes_asked();
    assert!(scopes.contains(ARM_AUDIENCE) && scopes.contains(STORAGE_AUDIENCE), "{scopes}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_asks_for_points_and_their_story_holds_one_and_stops_everything() {
    let (site, _served, person) = site_without_store("asks").await;
    let policies_folder = folder("people-more-policies");
    fs::write(policies_folder.join("production.yaml"), policy::document("enforce", "24h")).expect("a policy");
    person.init(&[]).await.ends(0);
    person.push(&policies_folder).await.ends(0);
    let machine = site.create("vm-1");
    settle(&site, "one creation").await;

    let before = site.world.blobs().names(CONTAINER);
    let points = person.points(&["vm-1", "--why"]).await;
    for part in
        [machine.as_str(), "VERDICT", "kept", "no policy that could be read says what to keep", "1 points: 1 kept"]
    {
        assert!(points.ends(0).contains(part), "{part} is not in\n{}", points.out);
    }
    let points = person.points(&["--output", "json"]).await.json(0);
    let point = points["points"][0]["id"].as_str().expect("its id").to_owned();
    assert_eq!(points["points"][0]["verdict"], "keep");
    person.points(&["no-such-machine"]).await.ends(1);
    for about in [machine.as_str(), "VM-1", point.as_str()] {
        let story = person.explains(about).await;
        for part in ["by policy production of the bundle", "make restore point lb-first-oncreate-1-", "it succeeded"] {
            assert!(story.ends(0).contains(part), "{part} is not in\n{}", story.out);
        }
    }
    person.explains("vm-2").await.ends(1);
    assert_eq!(site.world.blobs().names(CONTAINER), before, "asking writes nothing");

    let held = person.asks_handler(&["hold", &point, "--reason", "audit of march"]).await;
    assert!(held.ends(0).contains("It is certain from"), "{}", held.out);
    let points = person.points(&["vm-1", "--why"]).await;
    assert!(points.ends(0).contains("a person holds it"), "{}", points.out);
    let foreign = point.replace("/restorePointCollections/lb-", "/restorePointCollections/no-");
    let refused = person.asks_handler(&["hold", &foreign, "--reason", "audit"]).await;
    refused.ends(1);
    let released = person.asks_handler(&["hold", &point, "--release"]).await;
    released.ends(1);
    assert!(released.err.contains("403: this needs a person with a name"), "{}", released.err);

    let stopped = person.asks_handler(&["stop", "--reason", "disks are moved"]).await;
    assert!(stopped.ends(0).contains("All changes are stopped since"), "{}", stopped.out);
    let resumed = person.asks_handler(&["stop", "--resume"]).await;
    resumed.ends(1);
    assert!(resumed.err.contains("403: this needs a person with a name"), "{}", resumed.err);
    let status = person.asks_handler(&["status"]).await;
    for part in [DEPLOYMENT, "production (enforce)", "1 succeeded", "audit of march", "disks are moved"] {
        assert!(status.ends(1).contains(part), "{part} is not in\n{}", status.out);
    }
    let status = person.asks_handler(&["status", "--output", "json"]).await.json(1);
    assert_eq!(status["holds"][0]["point"], point.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_sign_in_a_key_or_an_answer_it_is_said_which_is_missing() {
    let (site, _served, mut person) = site_without_store("lacks").await;
    person.path = "/usr/bin:/bin".to_owned();
    let run = person.init(&[]).await;
    run.ends(1);
    assert!(run.err.contains("az") && run.err.contains("the estate record was not written"), "{}", run.err);
    assert!(estate_of(&site).is_none());
    person.key = None;
    let run = person.asks_handler(&["status"]).await;
    run.ends(1);
    assert!(run.err.contains("LIFEBOAT_KEY"), "{}", run.err);
    person.host = "http://127.0.0.1:9".to_owned();
    let run = person.asks_handler(&["stop", "--reason", "r"]).await;
    run.ends(1);
    assert!(run.err.contains("http://127.0.0.1:9 did not answer"), "{}", run.err);
    let run = person.explains("/subscriptions/s/resourceGroups/g").await;
    run.ends(1);
    assert!(run.err.contains("is neither a machine nor a point"), "{}", run.err);
    person.runs(&["hold", "/p"]).await.ends(2);
}
