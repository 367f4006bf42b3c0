//! The query language against golden answers, its refusals against the recording, and pages.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::eval::run;
use super::parser::parse;
use super::*;

fn rows() -> Vec<Value> {
    let row = |name: &str, created: &str, tier: Value, managed: &str| {
        json!({
            "id": format!("/subscriptions/s/{name}"),
            "name": name,
            "type": "microsoft.compute/virtualmachines",
            "managedBy": managed,
            "tags": { "Tier": tier, "cost center": "7" },
            "properties": { "timeCreated": created, "cores": name.len() },
        })
    };
    vec![
        row("Web-1", "2026-11-20T00:00:00.1234567Z", json!("Gold"), ""),
        row("web-2", "2026-11-22T12:00:00Z", json!("silver"), "/subscriptions/s/set"),
        row("database", "2026-11-23T10:00:00+00:00", Value::Null, ""),
    ]
}

fn names(query: &str) -> Vec<String> {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let query = parse(query).unwrap_or_else(|token| panic!("{query}: fails at {token:?}"));
    let found = run(&query.stages, rows(), now);
    found.iter().map(|row| row["name"].as_str().unwrap_or("-").to_owned()).collect()
}

/// Each case: a query and the names that it answers, in order.
#[test]
fn queries_answer_as_the_language_says() {
    let cases: [(&str, &[&str]); 24] = [
        ("Resources", &["Web-1", "web-2", "database"]),
        ("resources | where type =~ 'Microsoft.Compute/VirtualMachines'", &["Web-1", "web-2", "database"]),
        ("Resources | where type == 'Microsoft.Compute/VirtualMachines'", &[]),
        ("Resources | where name != 'web-2'", &["Web-1", "database"]),
        ("Resources | where name in~ ('WEB-1', 'database')", &["Web-1", "database"]),
        ("Resources | where name !in ('Web-1', \"web-2\")", &["database"]),
        ("Resources | where name startswith 'WEB' and not(name =~ 'web-2')", &["Web-1"]),
        ("Resources | where name contains 'ATA' or name endswith '-2'", &["web-2", "database"]),
        ("Resources | where name has 'web'", &["Web-1", "web-2"]),
        ("Resources | where name !contains 'web'", &["database"]),
        ("Resources | where tags['Tier'] =~ 'GOLD'", &["Web-1"]),
        ("Resources | where tags.Tier == 'silver'", &["web-2"]),
        ("Resources | where isnull(tags.Tier)", &["database"]),
        ("Resources | where isnotempty(managedBy)", &["web-2"]),
        ("Resources | where isempty(managedBy) and tags['cost center'] == '7'", &["Web-1", "database"]),
        ("Resources | where todatetime(properties.timeCreated) > ago(1d)", &["database"]),
        (
            "Resources | where todatetime(properties.timeCreated) >= datetime(2026-11-22T12:00:00Z)",
            &["web-2", "database"],
        ),
        ("Resources | where todatetime(properties.timeCreated) < datetime(2026-11-22)", &["Web-1"]),
        ("Resources | where properties.timeCreated > ago(1d)", &[]),
        ("Resources | where properties.cores > 5", &["database"]),
        ("Resources | order by tolower(name) asc | take 2", &["database", "Web-1"]),
        ("Resources | order by todatetime(properties.timeCreated) | limit 1", &["database"]),
        ("project name\n| where name =~ 'web-1' // a comment\n", &["Web-1"]),
        ("Resources | extend t = tolower(tostring(tags.Tier)) | where t == 'gold' | project name, id", &["Web-1"]),
    ];
    for (query, expected) in cases {
        assert_eq!(names(query), expected, "{query}");
    }
}

#[test]
fn columns_are_named_as_asked_or_by_their_path() {
    let query =
        parse("Resources | take 1 | project id, cores = properties.cores, tags.Tier, now = 5, t = isnull(x)").unwrap();
    let found = run(&query.stages, rows(), Timestamp::UNIX_EPOCH);
    let expected = json!({ "id": "/subscriptions/s/Web-1", "cores": 5, "tags_Tier": "Gold", "now": 5, "t": false });
    let expected = {
        let mut e = expected;
        e["t"] = json!(true);
        e
    };
    assert_eq!(found, [expected]);
    assert_eq!(
        run(&parse("Resources | count").unwrap().stages, rows(), Timestamp::UNIX_EPOCH),
        [json!({ "Count": 3 })]
    );
}

/// Each case: a query, then line, character and token at which it is refused. The first is recorded.
#[test]
fn what_is_not_known_is_refused_where_it_stands() {
    let cases = [
        ("where where", 1, 11, "<EOF>"),
        ("", 1, 0, "<EOF>"),
        ("RecoveryServicesResources | take 1", 1, 0, "RecoveryServicesResources"),
        ("Resources | join kind=inner (x) on y", 1, 12, "join"),
        ("Resources\n| where name = 'x'", 2, 13, "="),
        ("Resources | where strcat(name) == 'x'", 1, 18, "strcat"),
        ("Resources | where name == 'x", 1, 26, "<EOF>"),
        ("Resources | where a == b ; drop", 1, 25, ";"),
        ("Resources | take many", 1, 17, "many"),
    ];
    for (query, line, column, token) in cases {
        let failed = parse(query).map(|found| panic!("{query}: {found:?}")).unwrap_err();
        assert_eq!((failed.line, failed.column, failed.text.as_str()), (line, column, token), "{query}");
    }
}

#[test]
fn a_skip_token_has_the_recorded_form_and_is_read_back() {
    let recorded = "ew0KICAiJGlkIjogIjEiLA0KICAiTWF4Um93cyI6IDMsDQogICJSb3dzVG9Ta2lwIjogNSwNCiAgIkt1c3RvQ2x1c3RlclVybCI6\
                    ICJodHRwczovL2FyZy13ZXUtZm91ci1zZi5hcmcuY29yZS53aW5kb3dzLm5ldCINCn0=";
    assert_eq!(skip_token(3, 5), recorded);
    assert_eq!(window(&json!({ "$skipToken": recorded })), Some((5, 3)));
    assert_eq!(window(&json!({})), Some((0, 1_000)));
    for options in
        [json!({ "$top": 0 }), json!({ "$top": 1001 }), json!({ "$skipToken": "x" }), json!({ "$skip": "1" })]
    {
        assert_eq!(window(&options), None, "{options}");
    }
}

#[test]
fn a_change_is_listed_only_after_the_lag() {
    #[derive(Debug)]
    struct One;
    impl Listed for One {
        fn table(&self) -> Table {
            Table::Resources
        }
        fn row(&self) -> Value {
            json!({ "id": "/x", "subscriptionId": "s" })
        }
    }
    let at = |second| Timestamp::from_second(second).unwrap();
    let mut index = GraphIndex::new(SignedDuration::from_secs(30));
    let listed = |index: &mut GraphIndex, second| {
        index.settle(at(second));
        index.rows_of(Table::Resources, &["S".to_owned()], &[crate::azure::Grant::owner()]).len()
    };
    index.record("x".to_owned(), Some(Arc::new(One)), at(100));
    assert_eq!(listed(&mut index, 129), 0);
    assert_eq!(listed(&mut index, 130), 1);
    index.record("x".to_owned(), None, at(200));
    assert_eq!((listed(&mut index, 229), listed(&mut index, 230)), (1, 0));
}

proptest! {
    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,200}") {
        let _ = parse(&text);
    }

    #[test]
    fn no_skip_token_makes_the_options_panic(text in "\\PC{0,80}", number in any::<i64>()) {
        let inside = STANDARD.encode(json!({ "RowsToSkip": number, "MaxRows": text }).to_string());
        for token in [text.clone(), STANDARD.encode(&text), inside] {
            let _ = window(&json!({ "$skipToken": token, "$skip": number, "$top": number }));
        }
    }

    #[test]
    fn no_row_of_words_makes_parser_or_evaluator_panic(words in prop::collection::vec(prop::sample::select(vec![
        "Resources", "|", "where", "project", "order by", "extend", "take", "5", "1d", "name", "tags", "['x']", ".", "==",
        "=~", "in~", "!in", "(", ")", ",", "'a'", "and", "or", "not", "ago", "datetime", "datetime(2026-01-01)", "=", ">",
        "tolower", "isnull", "has", "contains", "asc", "desc", "\n", "//", "-", "!",
    ]), 0..40)) {
        if let Ok(query) = parse(&words.join(" ")) {
            let _ = run(&query.stages, rows(), Timestamp::UNIX_EPOCH);
        }
        let _ = parse(&words.concat());
    }
}
