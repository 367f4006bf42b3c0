//! Holds the committed schema, the shipped examples and the reader together.
//! It never writes the schema file unless LIFEBOAT_GOLDEN=write asks for it.

use lifeboat_contract::policy::{check_policies, read_policies, read_policy};
use lifeboat_contract::schema;
use lifeboat_planning::policy::{BackupPolicy, Mode, PointKind};
use serde_json::Value;

const EXAMPLE: &str = include_str!("../examples/backup-policy.yaml");
const VAULT_ONLY: &str = include_str!("../examples/vault-only.yaml");
const SNAPSHOTS: &str = include_str!("../examples/snapshots.yaml");
const EVERYTHING: &str = include_str!("../examples/everything.yaml");
/// Of another kind, with tests of its own.
const RECOVERY_PLAN: &str = "recovery-plan.yaml";
const EXAMPLES: &[(&str, &str)] = &[
    ("backup-policy.yaml", EXAMPLE),
    ("vault-only.yaml", VAULT_ONLY),
    ("snapshots.yaml", SNAPSHOTS),
    ("everything.yaml", EVERYTHING),
];

fn schema_accepts(yaml: &str) -> bool {
    // As editors read YAML 1.2: `no` is a text.
    let options = serde_saphyr::options! { strict_booleans: true };
    let document: Value = serde_saphyr::from_str_with_options(yaml, options).unwrap_or(Value::Null);
    jsonschema::validator_for(&schema::backup_policy()).expect("a valid schema").is_valid(&document)
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment asks a test to write its golden file; no setting of the product"
)]
#[test]
fn the_committed_schema_is_the_one_that_the_code_gives() {
    let path = format!("{}/{}", env!("CARGO_MANIFEST_DIR"), schema::BACKUP_POLICY_FILE);
    let now = schema::text(&schema::backup_policy());
    if std::env::var("LIFEBOAT_GOLDEN").as_deref() == Ok("write") {
        std::fs::write(&path, &now).unwrap();
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(
        committed, now,
        "write it again with LIFEBOAT_GOLDEN=write cargo test -p lifeboat-contract --test schema"
    );
}

#[test]
fn the_schema_itself_is_valid() {
    assert!(jsonschema::meta::is_valid(&schema::backup_policy()));
}

#[test]
fn every_shipped_example_names_its_schema_validates_and_is_read_as_report_without_a_warning() {
    for (file, text) in EXAMPLES {
        let first = text.lines().next().unwrap();
        let named = first.strip_prefix("# yaml-language-server: $schema=").unwrap();
        let path = format!("{}/examples/{named}", env!("CARGO_MANIFEST_DIR"));
        assert!(std::fs::exists(path).unwrap(), "{file}");
        assert!(schema_accepts(text), "{file}");
        let checked = check_policies(&[(file, text)]);
        assert_eq!(checked.problems, [], "{file}");
        let [only] = checked.policies.as_slice() else { panic!("{file}") };
        assert_eq!(
            (only.policy.mode, only.mode()),
            (Mode::Report, "report"),
            "{file}: an example changes nothing until told otherwise"
        );
    }
}

#[test]
fn no_shipped_example_is_left_out() {
    let folder = std::fs::read_dir(format!("{}/examples", env!("CARGO_MANIFEST_DIR"))).unwrap();
    let files = folder.map(|entry| entry.unwrap()).filter(|entry| entry.file_type().unwrap().is_file());
    let mut there: Vec<String> = files.map(|entry| entry.file_name().into_string().unwrap()).collect();
    there.sort();
    let mut listed: Vec<&str> = EXAMPLES.iter().map(|(file, _)| *file).chain([RECOVERY_PLAN]).collect();
    listed.sort_unstable();
    assert_eq!(there, listed);
}

#[test]
fn the_shipped_examples_can_be_in_force_together() {
    assert_eq!(check_policies(EXAMPLES).problems, []);
}

#[test]
fn the_examples_ask_for_what_they_say() {
    let read = |text: &str| -> BackupPolicy { read_policies(&[("p", text)]).unwrap().remove(0) };
    let vault = read(VAULT_ONLY);
    assert!(vault.points.is_empty());
    let placed: Vec<_> =
        vault.vault.unwrap().placement.into_iter().map(|p| (p.vault, p.vault_policy_from_tag)).collect();
    assert_eq!(placed, [("rsv-weu-1".into(), Some("backup-policy".into())), ("rsv-neu-1".into(), None)]);
    assert_eq!((vault.priority, vault.limits.new_protections_per_day, vault.limits.expire_per_day), (50, 100, 200));
    let snapshots = read(SNAPSHOTS);
    assert_eq!(snapshots.priority, 100, "where nothing is said");
    let [entry] = snapshots.points.as_slice() else { panic!("{snapshots:?}") };
    assert_eq!((entry.kind, entry.on_create), (PointKind::Snapshot, None));
    assert_eq!(entry.schedule.as_ref().unwrap().to_string(), "30 19 * * 1-5 Europe/Berlin");
    let keep = entry.keep.unwrap();
    assert_eq!((keep.daily, keep.weekly, keep.min, keep.last), (5, 4, 2, 0));
    let everything = read(EVERYTHING);
    assert_eq!(everything.rpo.map(|rpo| rpo.as_hours()), Some(24));
    assert_eq!(everything.points.len(), 2);
    assert_eq!(everything.points[0].keep.unwrap().within.map(|within| within.as_hours()), Some(48));
}

/// What only the reader can say, each with its reason.
const READER_ALONE: &[(&str, &str, &str)] = &[
    (EXAMPLE, "within: 24h", "within: 0m"), // The bounds of a duration.
    (EXAMPLE, "within: 24h", "within: 31d"),
    (EVERYTHING, "rpo: 24h", "rpo: 5m"),
    (EVERYTHING, "within: 2d", "within: 5m"),
    (EXAMPLE, "name: production }", "name: production, name: b }"), // Twice the same key.
    (EXAMPLE, "env: prod", "env: &a prod"),                         // Anchors are gone before a schema is asked.
    (EVERYTHING, "priority: 200", "priority: 200.0"),               // A whole number to a schema.
    (EVERYTHING, "0 2 * * *", "0 25 * * *"),                        // What a cron expression is.
    (EVERYTHING, "Europe/Berlin", "Europe/Berlyn"),                 // Which zones there are.
    (EVERYTHING, "name: hourly", "name: daily"),                    // Names that are taken.
    (EVERYTHING, "rsv-weu-1", "a/b"),                               // What stands in no path.
    (VAULT_ONLY, "location: northeurope, vaults", "location: West Europe, vaults"), // A second placement for a region.
];

/// What both refuse, of the parts that only the largest example has.
const SAME_OF_EVERYTHING: &[(&str, &str)] = &[
    ("priority: 200", "priority: high"),
    ("priority: 200", "priority: -1"),
    ("priority: 200", "priority: 1001"),
    ("priority: 200", "priority: '200'"),
    ("rpo: 24h", "rpo: 24"),
    ("rpo: 24h", "rpo: { atMost: 24h }"),
    ("vaults: [ rsv-weu-1 ]", "vaults: [ rsv-weu-1, rsv-weu-2 ]"),
    ("vaults: [ rsv-weu-1 ]", "vaults: []"),
    ("vaults: [ rsv-weu-1 ]", "vaults: rsv-weu-1"),
    ("vaults: [ rsv-weu-1 ]", "vault: rsv-weu-1"),
    ("vaultPolicyFromTag: backup-policy, vaultPolicy: EnhancedPolicy", "retention: 30d"),
    (", vaultPolicyFromTag: backup-policy, vaultPolicy: EnhancedPolicy", ""),
    ("vaultPolicyFromTag: backup-policy", "vaultPolicyFromTag: ''"),
    ("onDrift: report", "onDrift: repair"),
    ("onDrift: report", "schedule: {}"),
    ("atLeast: fileSystem", "atLeast: filesystem"),
    ("atLeast: fileSystem", "atMost: crash"),
    ("cron: \"0 2 * * *\"", "at: 02:00"),
    (", timezone: Europe/Berlin", ""),
    ("timezone: Europe/Berlin", "timezone: ''"),
    ("keep: { last: 3,", "keep: { latest: 3,"),
    ("last: 3,", "last: 0,"),
    ("last: 3,", "last: -3,"),
    ("last: 3,", "last: 10000,"),
    ("last: 3,", "last: 3.5,"),
    ("within: 2d", "within: 2"),
    ("keep: { hourly: 24, min: 2 }", "keep: { min: 2 }"),
    ("keep: { hourly: 24, min: 2 }", "keep: {}"),
    ("keep: { hourly: 24, min: 2 }", "keep: all"),
    ("whenMachineDeleted: keepLast", "whenMachineDeleted: keepByRules"),
    ("whenMachineDeleted: keepLast", "whenMachineDeleted: { expireAfter: 30d }"),
    ("whenMachineDeleted: keepLast", "copies: [ { region: northeurope } ]"),
    ("excludeDisks: { tag: { backup: no } }", "excludeDisks: { name: data-1 }"),
    ("excludeDisks: { tag: { backup: no } }", "excludeDisks: { tag: {} }"),
    ("expirePerDay: 200", "expirePerDay: -1"),
    ("expirePerDay: 200", "expirePerDay: 100001"),
    ("expirePercentPerDay: 10", "expirePercentPerDay: 101"),
    ("expirePercentPerDay: 10", "expirePercentPerDay: 10%"),
    ("newProtectionsPerDay: 500", "newProtections: 500"),
];

#[test]
fn schema_and_reader_refuse_the_same() {
    let same = [
        ("mode: report", "mode: watch"),
        ("mode: report", "mode: true"),
        ("mode: report", "moed: report"),
        ("mode: report", "freeze: []"),
        ("kind: BackupPolicy", "kind: RecoveryPlan"),
        ("kind: BackupPolicy", "kind: Backup"),
        ("lifeboat/v1", "lifeboat/v2"),
        ("name: production", "name: Production"),
        ("name: production", "name: 7"),
        ("name: production", "title: production"),
        ("name: production", "name: a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z"),
        ("name: first", "name: -first"),
        ("name: first", "name: the-first-of-all-points"),
        ("kind: restorePoint", "kind: galleryVersion"),
        ("onCreate: { within: 24h }", "keep: { last: 3 }"),
        ("onCreate: { within: 24h }", "grace: 3d"),
        ("within: 24h", "within: 24"),
        ("within: 24h", "within: PT24H"),
        ("within: 24h", "after: 24h"),
        ("env: prod", "env: 1"),
        ("env: prod", "env: prod, team: a"),
        ("{ tag: { env: prod } }", "{}"),
        ("{ tag: { env: prod } }", "{ tag: { env: prod }, os: linux }"),
        ("{ tag: { env: prod } }", "{ os: Linux }"),
        ("{ tag: { env: prod } }", "{ location: west* }"),
        ("{ tag: { env: prod } }", "{ subscription: prod }"),
        ("{ tag: { env: prod } }", "{ name: '' }"),
        ("{ tag: { env: prod } }", "{ any: [] }"),
        ("{ tag: { env: prod } }", "{ noConformingPointFor: 24 }"),
        ("{ tag: { env: prod } }", "tag"),
    ];
    refused_by_both(EXAMPLE, &same);
    refused_by_both(EVERYTHING, SAME_OF_EVERYTHING);
    for (text, from, to) in READER_ALONE {
        let changed = text.replacen(from, to, 1);
        assert_ne!(&changed, text, "{from}");
        assert!(read_policy(&changed, "p").is_err(), "the reader takes `{to}`");
    }
}

fn refused_by_both(example: &str, same: &[(&str, &str)]) {
    for (from, to) in same {
        let text = example.replacen(from, to, 1);
        assert_ne!(text, example, "{from}");
        assert!(!schema_accepts(&text), "the schema takes `{to}`");
        assert!(read_policy(&text, "p").is_err(), "the reader takes `{to}`");
    }
}

#[test]
fn schema_and_reader_accept_the_same() {
    let subscription = "{ subscription: 00000000-0000-0000-0000-00000000000A }";
    for (from, to) in [
        ("mode: report", "mode: enforce"),
        ("{ tag: { env: prod } }", "{ os: windows }"),
        ("{ tag: { env: prod } }", "{ location: West Europe }"),
        ("{ tag: { env: prod } }", subscription),
        ("{ tag: { env: prod } }", "{ any: [ { name: 'vm-*' }, { size: Standard_D?s_v5 }, { resourceGroup: rg-1 } ] }"),
        ("{ tag: { env: prod } }", "{ tag: { backup: no } }"),
        ("{ tag: { env: prod } }", "{ tag: { empty: '' } }"),
        ("within: 24h", "within: 15m"),
        ("name: first", "name: '7'"),
        ("mode: report", "priority: 0"),
        ("mode: report", "rpo: 7d"),
        ("mode: report", "limits: { expirePercentPerDay: 0 }"),
        ("kind: restorePoint", "kind: snapshot"),
        ("{ tag: { env: prod } }", "{ noConformingPointFor: 24h }"),
        ("onCreate: { within: 24h }", "schedule: { cron: '0 2 * * *', timezone: UTC }"),
    ] {
        let text = EXAMPLE.replacen(from, to, 1);
        assert_ne!(text, EXAMPLE, "{from}");
        assert!(read_policy(&text, "p").is_ok(), "the reader refuses `{to}`: {:?}", read_policy(&text, "p"));
        assert!(schema_accepts(&text), "the schema refuses `{to}`");
    }
    for (from, to) in [
        ("vaultPolicyFromTag: backup-policy", "vaultPolicyFromTag: 'backup:policy/1'"),
        (", vaultPolicy: EnhancedPolicy", ""),
        ("vaultPolicyFromTag: backup-policy, ", ""),
        ("keep: { hourly: 24, min: 2 }", "keep: { within: 1h }"),
        ("      whenMachineDeleted: keepLast", "      # nothing"),
    ] {
        let text = EVERYTHING.replacen(from, to, 1);
        assert_ne!(text, EVERYTHING, "{from}");
        assert!(read_policy(&text, "p").is_ok(), "the reader refuses `{to}`: {:?}", read_policy(&text, "p"));
        assert!(schema_accepts(&text), "the schema refuses `{to}`");
    }
}
