//! The query language against golden answers, its refusals against the recording, and pages.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::eval::run;
use super::options::window;
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

/// What a query answers over [`rows`], and over items of two of them.
fn asked(query: &str) -> Rows {
    let now = "2026-11-23T12:00:00Z".parse().unwrap();
    let read = parse(query).unwrap_or_else(|token| panic!("{query}: fails at {token:?}"));
    run(&read.query, &tables, now)
}

fn tables(table: Table) -> Vec<Value> {
    let item = |machine: &str, policy: &str| {
        json!({
            "id": format!("/items/{machine}-{policy}"),
            "type": "microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems",
            "name": "item",
            "properties": {
                "backupManagementType": "AzureIaasVM",
                "sourceResourceId": format!("/Subscriptions/S/{machine}"),
                "protectionState": "Protected",
                "policyId": policy,
                "lastBackupTime": "2026-11-23T02:00:00Z",
            },
        })
    };
    match table {
        Table::Resources => rows(),
        Table::RecoveryServicesResources => {
            vec![item("WEB-1", "daily"), item("WEB-1", "weekly"), item("web-9", "daily")]
        }
        _ => Vec::new(),
    }
}

fn names(query: &str) -> Vec<String> {
    let found = asked(query).rows;
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
    let found = asked("Resources | take 1 | project id, cores = properties.cores, tags.Tier, now = 5, t = isnull(x)");
    let expected = json!({ "id": "/subscriptions/s/Web-1", "cores": 5, "tags_Tier": "Gold", "now": 5, "t": true });
    assert_eq!(found.rows, [expected]);
    assert_eq!(found.columns(), ["id", "cores", "tags_Tier", "now", "t"]);
    assert_eq!(asked("Resources | count").rows, [json!({ "Count": 3 })]);
}

/// Each case: a query, then line, character and token at which it is refused. The first is recorded.
#[test]
fn what_is_not_known_is_refused_where_it_stands() {
    let cases = [
        ("where where", 1, 11, "<EOF>"),
        ("", 1, 0, "<EOF>"),
        ("PolicyResources | take 1", 1, 0, "PolicyResources"),
        ("Resources | join kind=fullouter (Resources) on y", 1, 22, "fullouter"),
        ("Resources | join (x) on y", 1, 18, "x"),
        ("Resources | join (Resources | take 1) y", 1, 38, "y"),
        ("Resources | summarize dcount(name)", 1, 22, "dcount"),
        ("Resources | summarize", 1, 21, "<EOF>"),
        ("Resources | top by name", 1, 16, "by"),
        ("Resources | mv-expand tags", 1, 12, "mv"),
        ("Resources | distinct name", 1, 12, "distinct"),
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
    assert_eq!(window(&json!({ "$skipToken": recorded, "$top": 7 })), Some((5, 7)), "documented: $top counts more");
    assert_eq!(window(&json!({})), Some((0, 1_000)));
    for options in
        [json!({ "$top": 0 }), json!({ "$top": 1001 }), json!({ "$skipToken": "x" }), json!({ "$skip": "1" })]
    {
        assert_eq!(window(&options), None, "{options}");
    }
}

/// Each case: a query of the documents' examples or the reference, and its rows.
#[test]
fn the_samples_of_joins_and_sums_answer_as_they_are_described() {
    let cases = [
        (
            "Resources | project id, name, type | where type =~ 'Microsoft.Compute/virtualMachines' | summarize count() by type \
             | top 3 by count_",
            json!([{ "type": "microsoft.compute/virtualmachines", "count_": 3 }]),
        ),
        ("Resources | summarize by type", json!([{ "type": "microsoft.compute/virtualmachines" }])),
        ("Resources | summarize count()", json!([{ "count_": 3 }])),
        (
            "Resources | summarize machines = count() by tostring(tags.Tier) | order by machines desc, tags_Tier asc",
            json!([
                { "tags_Tier": "", "machines": 1 }, { "tags_Tier": "Gold", "machines": 1 },
                { "tags_Tier": "silver", "machines": 1 },
            ]),
        ),
        (
            "Resources | where type =~ 'microsoft.compute/virtualmachines' | extend vmId = tolower(id) | join kind=leftouter ( \
             RecoveryServicesResources | where type =~ \
             'microsoft.recoveryservices/vaults/backupfabrics/protectioncontainers/protecteditems' | where \
             properties.backupManagementType =~ 'AzureIaasVM' | project vmId = tolower(tostring(properties.sourceResourceId)), \
             itemId = id, policy = tostring(properties.policyId), last = todatetime(properties.lastBackupTime)) on vmId | \
             project id, itemId, policy, last | order by id asc, policy asc",
            json!([
                {
                    "id": "/subscriptions/s/Web-1", "itemId": "/items/WEB-1-daily", "policy": "daily",
                    "last": "2026-11-23T02:00:00Z",
                },
                {
                    "id": "/subscriptions/s/Web-1", "itemId": "/items/WEB-1-weekly", "policy": "weekly",
                    "last": "2026-11-23T02:00:00Z",
                },
                { "id": "/subscriptions/s/database", "itemId": null, "policy": null, "last": null },
                { "id": "/subscriptions/s/web-2", "itemId": null, "policy": null, "last": null },
            ]),
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(json!(asked(query).rows), expected, "{query}");
    }
}

#[test]
fn a_join_keeps_both_sides_and_numbers_what_both_have() {
    let join = |kind: &str| {
        let query = format!(
            "Resources | project k = tolower(id), name | join {kind} (RecoveryServicesResources | project k = \
             tolower(tostring(properties.sourceResourceId)), name) on $left.k == $right.k"
        );
        let found = asked(&query);
        assert_eq!(found.columns(), ["k", "name", "k1", "name1"], "{kind}");
        found.rows.len()
    };
    assert_eq!((join("kind=inner"), join(""), join("kind=innerunique"), join("kind=leftouter")), (2, 2, 2, 4));
    let twice =
        "RecoveryServicesResources | project k = name | join {} (RecoveryServicesResources | project k = name) on k";
    assert_eq!(asked(&twice.replace("{}", "kind=inner")).rows.len(), 9);
    assert_eq!(asked(&twice.replace("{}", "kind=innerunique")).rows.len(), 3);
}

#[test]
fn facets_are_counted_filtered_and_sorted_or_say_what_is_wrong() {
    let found = asked("Resources | project name, tier = tags.Tier, properties.cores");
    let facets = json!([
        { "expression": "properties.cores", "options": { "sortOrder": "desc", "$top": 1 } },
        { "expression": "tier", "options": { "sortBy": "tolower(tier)", "sortOrder": "asc" } },
        { "expression": "name", "options": { "filter": "name contains 'web'" } },
        { "expression": "nonExistingColumn" },
        { "expression": "name", "options": { "filter": "name =" } },
    ]);
    let objects = |rows: &[&Value], _: &[String]| json!(rows);
    let told = facets::answer(&facets, &found, &objects, Timestamp::UNIX_EPOCH);
    assert_eq!(told[0]["data"], json!([{ "properties_cores": 5, "count": 2 }]));
    assert_eq!((&told[0]["totalRecords"], &told[0]["count"]), (&json!(2), &json!(1)));
    let tiers: Vec<&Value> = told[1]["data"].as_array().unwrap().iter().map(|row| &row["tier"]).collect();
    assert_eq!(tiers, [&Value::Null, &json!("Gold"), &json!("silver")]);
    assert_eq!(told[2]["totalRecords"], 2);
    assert_eq!(told[3]["errors"][1]["message"], "Invalid column names: [nonExistingColumn].");
    assert_eq!((&told[3]["resultType"], &told[4]["resultType"]), (&json!("FacetError"), &json!("FacetError")));
}

#[test]
fn rows_come_as_a_table_where_it_is_asked_for() {
    let found = asked("Resources | take 1 | project name, cores = properties.cores, at = properties.timeCreated, tags");
    let options = Options::read(&json!({ "resultFormat": "table" })).unwrap();
    let rows: Vec<&Value> = found.rows.iter().collect();
    let expected = json!({
        "columns": [
            { "name": "name", "type": "string" }, { "name": "cores", "type": "integer" },
            { "name": "at", "type": "datetime" }, { "name": "tags", "type": "object" },
        ],
        "rows": [["Web-1", 5, "2026-11-20T00:00:00.1234567Z", { "Tier": "Gold", "cost center": "7" }]],
    });
    assert_eq!(options.shape(&rows, &found.columns()), expected);
    for wrong in [
        json!({ "resultFormat": "csv" }),
        json!({ "authorizationScopeFilter": "AtScopeExact" }),
        json!({ "allowPartialScopes": "yes" }),
    ] {
        assert_eq!(Options::read(&wrong), None, "{wrong}");
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
        "tolower", "isnull", "has", "contains", "asc", "desc", "join", "kind", "leftouter", "on", "summarize", "count", "by",
        "top", "$left", "$right", "\n", "//", "-", "!",
    ]), 0..40)) {
        if let Ok(query) = parse(&words.join(" ")) {
            let _ = run(&query.query, &tables, Timestamp::UNIX_EPOCH);
        }
        let _ = parse(&words.concat());
    }
}
