//! Holds the committed schema, the shipped example and the reader together.
//! It never writes the schema file unless LIFEBOAT_GOLDEN=write asks for it.

use lifeboat_contract::policy::read_policy;
use lifeboat_contract::schema;
use lifeboat_planning::policy::Mode;
use serde_json::Value;

const EXAMPLE: &str = include_str!("../examples/backup-policy.yaml");

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
fn the_shipped_example_names_its_schema_validates_and_reads_as_report() {
    let first = EXAMPLE.lines().next().unwrap();
    let named = first.strip_prefix("# yaml-language-server: $schema=").unwrap();
    let path = format!("{}/examples/{named}", env!("CARGO_MANIFEST_DIR"));
    assert!(std::fs::exists(path).unwrap());
    assert!(schema_accepts(EXAMPLE));
    let read = read_policy(EXAMPLE, "backup-policy.yaml").unwrap();
    assert_eq!(read.policy.name, "production");
    assert_eq!(read.policy.mode, Mode::Report, "an example changes nothing until told otherwise");
}

/// What only the reader can say, each with its reason.
const READER_ALONE: &[(&str, &str)] = &[
    ("within: 24h", "within: 0m"), // The bounds of a duration.
    ("within: 24h", "within: 31d"),
    ("name: production }", "name: production, name: b }"), // Twice the same key.
    ("env: prod", "env: &a prod"),                         // Anchors are gone before a schema is asked.
];

#[test]
fn schema_and_reader_refuse_the_same() {
    let same = [
        ("mode: report", "mode: watch"),
        ("mode: report", "mode: true"),
        ("mode: report", "moed: report"),
        ("mode: report", "priority: 100"),
        ("kind: BackupPolicy", "kind: RecoveryPlan"),
        ("kind: BackupPolicy", "kind: Backup"),
        ("lifeboat/v1", "lifeboat/v2"),
        ("name: production", "name: Production"),
        ("name: production", "name: 7"),
        ("name: production", "title: production"),
        ("name: production", "name: a-b-c-d-e-f-g-h-i-j-k-l-m-n-o-p-q-r-s-t-u-v-w-x-y-z"),
        ("name: first", "name: -first"),
        ("name: first", "name: the-first-of-all-points"),
        ("kind: restorePoint", "kind: snapshot"),
        ("onCreate: { within: 24h }", "keep: { last: 3 }"),
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
        ("{ tag: { env: prod } }", "{ noConformingPointFor: 24h }"),
        ("{ tag: { env: prod } }", "tag"),
    ];
    for (from, to) in same {
        let text = EXAMPLE.replacen(from, to, 1);
        assert_ne!(text, EXAMPLE, "{from}");
        assert!(!schema_accepts(&text), "the schema takes `{to}`");
        assert!(read_policy(&text, "p").is_err(), "the reader takes `{to}`");
    }
    for (from, to) in READER_ALONE {
        assert!(read_policy(&EXAMPLE.replacen(from, to, 1), "p").is_err(), "the reader takes `{to}`");
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
    ] {
        let text = EXAMPLE.replacen(from, to, 1);
        assert_ne!(text, EXAMPLE, "{from}");
        assert!(read_policy(&text, "p").is_ok(), "the reader refuses `{to}`: {:?}", read_policy(&text, "p"));
        assert!(schema_accepts(&text), "the schema refuses `{to}`");
    }
}
