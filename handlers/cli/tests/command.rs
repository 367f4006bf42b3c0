//! The command as a person meets it: its words, its JSON and its exit codes, on the built executable.
//! It never builds a handler and never listens.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const GOOD: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../contract/examples/backup-policy.yaml");

/// A folder under cargo's own scratch folder for tests, made anew.
fn folder(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _absent = std::fs::remove_dir_all(&path);
    std::fs::create_dir_all(&path).expect("a folder for a test");
    path
}

fn lifeboat(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lifeboat"));
    command.args(args).env_remove("LIFEBOAT_KEY").output().expect("the command starts")
}

fn out(run: &Output) -> String {
    String::from_utf8(run.stdout.clone()).expect("UTF-8")
}

fn err(run: &Output) -> String {
    String::from_utf8(run.stderr.clone()).expect("UTF-8")
}

#[test]
fn a_good_policy_ends_0_and_says_what_it_is() {
    let run = lifeboat(&["check", GOOD]);
    assert_eq!(run.status.code(), Some(0), "{}", err(&run));
    assert!(out(&run).contains("policy `production`, mode report"), "{}", out(&run));
    let run = lifeboat(&["check", GOOD, "--output", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&said["ok"], &said["policies"][0]["mode"]), (&true.into(), &"report".into()));
}

#[test]
fn a_bad_policy_ends_1_and_points_at_the_place() {
    let file = folder("check").join("p.yaml");
    let text = std::fs::read_to_string(GOOD).unwrap().replace("kind: restorePoint", "kind: restorPoint");
    std::fs::write(&file, &text).unwrap();
    let file = file.to_str().unwrap();
    let run = lifeboat(&["check", file]);
    assert_eq!(run.status.code(), Some(1));
    let said = out(&run);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].starts_with(&format!("{file}:13:13: spec.points[0].kind: ")), "{said}");
    assert_eq!(lines[2].find("restorPoint"), lines[3].find('^'), "{said}");
    let run = lifeboat(&["check", file, "--output", "json"]);
    assert_eq!(run.status.code(), Some(1));
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&said["ok"], &said["problems"][0]["line"]), (&false.into(), &13.into()));
    assert_eq!(said["problems"][0]["nearest"], "restorePoint");
}

#[test]
fn a_folder_is_judged_as_one_set_with_all_below_it() {
    let folder = folder("check-folder");
    let good = std::fs::read_to_string(GOOD).unwrap();
    let nested = folder.join("more");
    std::fs::create_dir_all(&nested).unwrap();
    std::fs::write(folder.join("a.yaml"), &good).unwrap();
    std::fs::write(folder.join("notes.txt"), "no policy").unwrap();
    std::fs::write(folder.join(".hidden.yaml"), "no policy").unwrap();
    let second = good.replace("name: production", "name: second").replace("mode: report", "priority: 50");
    std::fs::write(nested.join("b.yml"), format!("{second}---\n{}", good.replace("name: production", "name: c")))
        .unwrap();
    let folder = folder.to_str().unwrap();
    let run = lifeboat(&["check", folder, "--output", "json"]);
    assert_eq!(run.status.code(), Some(1), "two of equal priority for the same machines: {}", out(&run));
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let names: Vec<_> = said["policies"].as_array().unwrap().iter().map(|policy| policy["name"].clone()).collect();
    assert_eq!(names, ["production", "second", "c"]);
    assert_eq!((&said["errors"], &said["problems"][0]["field"]), (&1.into(), &"spec.match".into()));
    assert!(said["problems"][0]["file"].as_str().unwrap().ends_with("b.yml"), "{said}");

    std::fs::remove_dir_all(&nested).unwrap();
    let run = lifeboat(&["check", folder, &format!("{folder}/a.yaml")]);
    assert_eq!(run.status.code(), Some(0), "a file that is named twice is read once: {}", out(&run));
    std::fs::remove_file(format!("{folder}/a.yaml")).unwrap();
    let run = lifeboat(&["check", folder]);
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("has no policy file"), "{}", err(&run));
}

#[test]
fn a_warning_is_shown_and_ends_0() {
    let file = folder("check-warning").join("p.yaml");
    let text = std::fs::read_to_string(GOOD).unwrap();
    let schedule = "schedule: { cron: '0 2 * * *', timezone: UTC }";
    std::fs::write(&file, text.replace("onCreate: { within: 24h }", schedule)).unwrap();
    let run = lifeboat(&["check", file.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(0), "{}", out(&run));
    assert!(out(&run).contains("warning: spec.points[0].schedule: there is no `keep`"), "{}", out(&run));
    assert!(out(&run).contains("policy `production`") && err(&run).contains("0 errors, 1 warning"), "{}", err(&run));
}

#[test]
fn a_file_that_is_no_text_or_not_there_ends_1() {
    let file = folder("no-text").join("p.yaml");
    std::fs::write(&file, b"apiVersion: lifeboat/v1\nkind: \xff\n").unwrap();
    let run = lifeboat(&["check", file.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("p.yaml:2: this is not UTF-8"), "{}", err(&run));
    assert_eq!(lifeboat(&["check", "no/such/file.yaml"]).status.code(), Some(1));
}

#[test]
fn an_unknown_command_ends_2_and_is_told_what_there_is() {
    let run = lifeboat(&["assess"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        err(&run).contains("keep, init, policies, status, points, explain, hold, stop, send, approve, reject, abort, "),
        "{}",
        err(&run)
    );
    let run = lifeboat(&["invoke", "VmMoved", "--example", "created"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(
        err(&run).contains("RegionHealthChanged, HealthPoll, ReadinessSweep, SagaWoken, Command, Api"),
        "{}",
        err(&run)
    );
    let run = lifeboat(&["invoke", "VmWritten", "--example", "nothing"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("created, created-cloudevents, updated, deleted-ignored"), "{}", err(&run));
}

#[test]
fn every_command_helps_and_says_its_exit_codes() {
    for command in ["local", "check", "invoke", "package", "status", "points", "explain", "hold", "stop"] {
        let run = lifeboat(&["help", command]);
        assert_eq!(run.status.code(), Some(0));
        assert!(out(&run).contains("Exit codes: 0 "), "{command}: {}", out(&run));
    }
}

#[test]
fn what_people_ask_wrongly_is_told_before_anything_is_sent() {
    let nowhere = ["--store", "http://127.0.0.1:9/lifeboat"];
    let scope = ["--subscriptions", "s"];
    for (args, code, said) in [
        (vec!["points"], 2, "--subscriptions"),
        (vec!["points", "a/b"], 1, "a/b is neither the ARM id of a machine nor a name"),
        (vec!["points", "/subscriptions/s"], 1, "is neither the ARM id of a machine nor a name"),
        (vec!["explain"], 2, "MACHINE|POINT"),
        (vec!["explain", "/subscriptions/s"], 1, "is neither a machine nor a point"),
    ] {
        let scope: &[&str] = if code == 1 && args[0] == "points" { &scope } else { &[] };
        let run = lifeboat(&[&args, &nowhere[..], scope].concat());
        assert_eq!(run.status.code(), Some(code), "{args:?}: {}", err(&run));
        assert!(err(&run).contains(said), "{args:?}: {}", err(&run));
    }
    for (args, code, said) in [
        (vec!["hold", "/p"], 2, "--reason"),
        (vec!["stop"], 2, "--reason"),
        (vec!["stop", "--resume", "--reason", "r"], 2, "cannot be used with"),
        (vec!["status", "--url", "http://app.example", "--key", "s3cret"], 1, "the key is not sent there"),
        (vec!["stop", "--reason", "r", "--url", "http://127.0.0.1:9", "--key", "s3cret"], 1, "did not answer"),
    ] {
        let run = lifeboat(&args);
        assert_eq!(run.status.code(), Some(code), "{args:?}: {}", err(&run));
        assert!(err(&run).contains(said) && !err(&run).contains("s3cret"), "{args:?}: {}", err(&run));
    }
}

#[test]
fn all_examples_are_listed() {
    let run = lifeboat(&["invoke", "--list", "--output", "json"]);
    let listed: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(listed.as_array().unwrap().len(), 20);
    assert_eq!(out(&lifeboat(&["invoke", "--list", "Api"])).lines().count(), 3);
}

#[test]
fn a_host_that_is_not_there_ends_1_and_no_key_is_repeated() {
    // Port 9 of this machine: nobody listens to `discard` any more.
    let run =
        lifeboat(&["invoke", "VmWritten", "--example", "created", "--url", "http://127.0.0.1:9", "--key", "s3cret"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("http://127.0.0.1:9 did not answer") && !err(&run).contains("s3cret"), "{}", err(&run));
}

#[test]
fn a_package_is_the_same_twice_and_refuses_what_the_cloud_cannot_run() {
    let folder = folder("package");
    let handler = folder.join("handler");
    let (first, second) = (folder.join("a.zip"), folder.join("b.zip"));
    // The head of a static executable for x86-64: enough to be taken for one.
    let mut elf = vec![0; 4_096];
    elf[..6].copy_from_slice(b"\x7fELF\x02\x01");
    elf[18] = 62;
    std::fs::write(&handler, &elf).unwrap();
    let handler = handler.to_str().unwrap();
    let run = lifeboat(&["package", "--handler", handler, "--out", first.to_str().unwrap(), "--output", "json"]);
    assert_eq!(run.status.code(), Some(0), "{}", err(&run));
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let executable = said["files"].as_array().unwrap().iter().find(|file| file["path"] == "lifeboat-handler").unwrap();
    assert_eq!(executable["mode"], "755");
    assert_eq!(lifeboat(&["package", "--handler", handler, "--out", second.to_str().unwrap()]).status.code(), Some(0));
    let zip = std::fs::read(&first).unwrap();
    assert!(zip == std::fs::read(&second).unwrap(), "two packages differ");

    std::fs::write(handler, "#!/bin/sh\n").unwrap();
    let run = lifeboat(&["package", "--handler", handler, "--out", first.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("not an x86-64 Linux executable") && err(&run).contains("docker run"), "{}", err(&run));
    assert!(zip == std::fs::read(&first).unwrap(), "a refused package must leave the last one");
}

#[test]
fn policies_are_checked_together_before_anything_is_sent() {
    let dir = folder("policies");
    let good = std::fs::read_to_string(GOOD).unwrap();
    std::fs::create_dir_all(dir.join("more")).unwrap();
    std::fs::write(dir.join("a.yaml"), &good).unwrap();
    let other = good.replace("name: production", "name: other");
    std::fs::write(dir.join("more/b.yml"), other.replace("mode: report", "priority: 50")).unwrap();
    std::fs::write(dir.join("notes.txt"), "no policy").unwrap();
    let path = dir.to_str().unwrap();
    let run = lifeboat(&["policies", "push", path, "--check", "--output", "json"]);
    assert_eq!(run.status.code(), Some(0), "{}", err(&run));
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&said["ok"], &said["pushed"], &said["policies"][1]), (&true.into(), &false.into(), &"other".into()));
    assert_eq!(said["digest"].as_str().map(str::len), Some(64));
    std::fs::write(dir.join("c.yaml"), &good).unwrap();
    let run = lifeboat(&["policies", "push", path, "--check"]);
    assert_eq!(run.status.code(), Some(1));
    let said = out(&run);
    assert!(
        said.starts_with("c.yaml:6:19: metadata.name: the name `production` is taken, first in a.yaml:6"),
        "{said}"
    );
    std::fs::write(dir.join("c.yaml"), &other).unwrap();
    let run = lifeboat(&["policies", "push", path, "--check"]);
    assert_eq!(run.status.code(), Some(1), "what `check` refuses is not put in force");
    assert!(out(&run).contains("for the same machines with the same priority 100"), "{}", out(&run));
    let run = lifeboat(&["policies", "push", path]);
    assert_eq!(run.status.code(), Some(2), "without --check it must be told where the store is");
    let run = lifeboat(&["policies", "push", folder("no-policies").to_str().unwrap(), "--check"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("has no policy file"), "{}", err(&run));
}

const RECOVERY_PLAN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../contract/examples/recovery-plan.yaml");
const NO_WAY_BACK: &str = "this release fails over by recovery plans, and neither fails back nor drills yet";

#[test]
fn a_recovery_plan_is_checked_and_what_this_release_does_not_do_is_said() {
    let run = lifeboat(&["check", RECOVERY_PLAN]);
    assert_eq!(run.status.code(), Some(0), "{}", out(&run));
    assert!(out(&run).contains("recovery plan `shop`, from westeurope to northeurope, declared by approval, digest "));
    assert!(out(&run).contains(NO_WAY_BACK), "{}", out(&run));
    let run = lifeboat(&["check", RECOVERY_PLAN, GOOD, "--output", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&said["ok"], &said["recoveryPlans"][0]["to"]), (&true.into(), &"northeurope".into()));
    assert!(said["notes"][0].as_str().unwrap().starts_with(NO_WAY_BACK), "{said}");
    assert_eq!(said["recoveryPlans"][0]["digest"].as_str().map(str::len), Some(64));
    let run = lifeboat(&["check", GOOD, "--output", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(said["notes"], serde_json::json!([]), "nothing is said where there is none");

    let file = folder("check-recovery").join("r.yaml");
    let text = std::fs::read_to_string(RECOVERY_PLAN).unwrap();
    std::fs::write(&file, text.replace("tier: web", "tier: db").replace("{ all: [", "{ any: [")).unwrap();
    let run = lifeboat(&["check", file.to_str().unwrap()]);
    assert_eq!(run.status.code(), Some(1));
    assert!(
        out(&run).contains("spec.groups[1].members: machines of this group are members of `data` too"),
        "{}",
        out(&run)
    );
    assert!(out(&run).contains(NO_WAY_BACK) && !out(&run).contains("recovery plan `shop`"), "{}", out(&run));
    std::fs::write(&file, text.replace("by: approval ", "by: aproval ")).unwrap();
    let run = lifeboat(&["check", file.to_str().unwrap()]);
    let said = out(&run);
    let lines: Vec<&str> = said.lines().collect();
    assert!(lines[0].contains("spec.declaration.by: ") && lines[0].contains("did you mean `approval`?"), "{said}");
    assert_eq!(lines[2].find("aproval"), lines[3].find('^'), "{said}");
}

#[test]
fn recovery_plans_are_pushed_with_policies_and_never_instead_of_them() {
    let dir = folder("recovery-plans");
    let path = dir.to_str().unwrap();
    std::fs::copy(RECOVERY_PLAN, dir.join("shop.yaml")).unwrap();
    let run = lifeboat(&["policies", "push", path, "--check"]);
    assert_eq!(run.status.code(), Some(1), "no policy would be in force");
    assert!(out(&run).contains("recovery plans and no backup policy"), "{}", out(&run));
    std::fs::copy(GOOD, dir.join("production.yaml")).unwrap();
    let run = lifeboat(&["policies", "push", path, "--check"]);
    assert_eq!(run.status.code(), Some(0), "{}", out(&run));
    assert!(
        out(&run).contains("1 policies (production) with 1 recovery plans (shop) can be put in force"),
        "{}",
        out(&run)
    );
    assert!(out(&run).contains(NO_WAY_BACK), "{}", out(&run));
    let run = lifeboat(&["policies", "push", path, "--check", "--output", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((&said["policies"], &said["recoveryPlans"][0]), (&serde_json::json!(["production"]), &"shop".into()));
    assert!(said["notes"][0].as_str().unwrap().starts_with(NO_WAY_BACK), "{said}");
    std::fs::copy(RECOVERY_PLAN, dir.join("shop-again.yaml")).unwrap();
    let run = lifeboat(&["policies", "push", path, "--check"]);
    assert_eq!(run.status.code(), Some(1), "two of one name");
    assert!(out(&run).contains("the name `shop` is taken, first in shop-again.yaml:6"), "{}", out(&run));
}

#[test]
fn adopting_a_store_needs_the_subscriptions_in_scope() {
    let run = lifeboat(&["init", "--adopt", "--store", "https://a.blob.core.windows.net/l", "--deployment", "lb-weu"]);
    assert_eq!(run.status.code(), Some(2));
    assert!(err(&run).contains("--subscriptions"), "{}", err(&run));
}

const EVERYTHING: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../contract/examples/everything.yaml");

#[test]
fn keep_shows_what_would_stay_and_what_would_go_each_with_its_reasons() {
    let dates = folder("keep").join("dates.txt");
    let lines = "# one machine\n2026-11-20T02:00 snapshot restorable\n2026-11-24T23:15 snapshot restorable held\n\
                 2026-11-25T01:15 snapshot restorable\n2026-11-25T02:15 snapshot restorable\n\
                 2026-11-25T02:00 restorePoint failed\n";
    std::fs::write(&dates, lines).unwrap();
    let rules = ["keep", "--keep", "last=1,min=2", "--zone", "Europe/Berlin", "--dates", dates.to_str().unwrap()];
    let at = ["--now", "2026-11-25T12:00:00Z", "--output", "json"];
    let run = lifeboat(&[rules.as_slice(), at.as_slice()].concat());
    assert_eq!(run.status.code(), Some(0), "{}", err(&run));
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    let verdicts: Vec<&str> =
        said["points"].as_array().unwrap().iter().map(|p| p["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["expire", "blocked", "expire", "keep", "keep"]);
    assert_eq!(said["points"][3]["reasons"][0]["reason"], "last");
    assert_eq!(said["linesDueOldestFirst"], serde_json::json!([2, 4]));
    let run = lifeboat(&["keep", "--policy", EVERYTHING, "--dates", dates.to_str().unwrap(), at[0], at[1]]);
    assert_eq!(run.status.code(), Some(0), "{}", err(&run));
    assert!(out(&run).contains("5 points at 2026-11-25T12:00:00Z: 5 keep,"), "{}", out(&run));
    assert!(out(&run).contains("2026-11-25T02:15:00+01:00"), "{}", out(&run));
}

#[test]
fn keep_says_what_it_does_not_understand() {
    let folder = folder("keep-not");
    let (dates, policy) = (folder.join("dates.txt"), folder.join("p.yaml"));
    std::fs::write(&dates, "2026-10-25T02:30 restorePoint restorable\n").unwrap();
    let text = std::fs::read_to_string(EVERYTHING).unwrap();
    std::fs::write(&policy, text.replace("daily: 7", "dayly: 7")).unwrap();
    let (dates, policy) = (dates.to_str().unwrap(), policy.to_str().unwrap());
    let run = lifeboat(&["keep", "--policy", EVERYTHING, "--dates", dates]);
    assert_eq!(run.status.code(), Some(1));
    assert!(err(&run).contains("line 1: clocks show this time twice"), "{}", err(&run));
    let run = lifeboat(&["keep", "--policy", policy, "--dates", dates]);
    assert_eq!(run.status.code(), Some(1));
    assert!(out(&run).contains("spec.points[0].keep.dayly"), "{}", out(&run));
    let run = lifeboat(&["keep", "--policy", policy, "--dates", dates, "--output", "json"]);
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!((run.status.code(), &said["ok"]), (Some(1), &false.into()));
    let run = lifeboat(&["keep", "--policy", EVERYTHING, "--entry", "weekly", "--dates", dates]);
    assert!(err(&run).contains("no entry `weekly`"), "{}", err(&run));
    assert_eq!(lifeboat(&["keep", "--dates", dates]).status.code(), Some(2));
    assert_eq!(lifeboat(&["keep", "--keep", "last=1", "--policy", policy, "--dates", dates]).status.code(), Some(2));
}

#[test]
fn a_plan_and_a_check_of_the_estate_say_what_they_miss_before_anything_is_asked() {
    for (args, missing) in [
        (vec!["plan"], "--subscriptions"),
        (vec!["plan", "--subscriptions", "s", "--regions", "westeurope"], "--store"),
        (vec!["plan", "--store", "https://a.invalid/c", "--subscriptions", "s", "--regions", "r"], "--deployment"),
        (vec!["check", GOOD, "--estate"], "--subscriptions"),
        (vec!["check", GOOD, "--subscriptions", "s"], "--estate"),
    ] {
        let run = lifeboat(&args);
        assert_eq!(run.status.code(), Some(2), "{args:?}: {}", err(&run));
        assert!(err(&run).contains(missing), "{args:?}: {}", err(&run));
    }
    let file = folder("plan").join("p.yaml");
    std::fs::write(&file, std::fs::read_to_string(GOOD).unwrap().replace("mode: report", "mode: often")).unwrap();
    let file = file.to_str().unwrap();
    let run = lifeboat(&["plan", "--policies", file, "--subscriptions", "s", "--regions", "r", "--output", "json"]);
    assert_eq!(run.status.code(), Some(1), "{}", err(&run));
    let said: serde_json::Value = serde_json::from_slice(&run.stdout).unwrap();
    assert!(said["problems"][0].as_str().unwrap().contains("spec.mode"), "{said}");
    let run = lifeboat(&["check", file, "--estate", "--subscriptions", "s"]);
    assert_eq!(run.status.code(), Some(1));
    assert!(out(&run).contains("spec.mode") && err(&run).contains("not asked for"), "{}", err(&run));
}

#[test]
fn help_of_plan_and_check_says_what_each_exit_code_means() {
    for command in ["plan", "check"] {
        let run = lifeboat(&[command, "--help"]);
        assert_eq!(run.status.code(), Some(0));
        assert!(out(&run).contains("Exit codes: 0 ") && out(&run).contains("2 the command line"), "{}", out(&run));
    }
}
