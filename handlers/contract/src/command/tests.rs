//! Every command is read as it is written, and what is wrong with one is told with the field and the nearest name.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeSet;

use lifeboat_planning::declaration::Name;
use lifeboat_planning::saga::Choice;
use lifeboat_planning::saga::failover::PointChoice;

fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

fn given() -> Timestamp {
    moment("2026-11-22T09:40:00Z")
}

const POINT: &str = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/lifeboat-points-westeurope/providers/Microsoft.Compute/snapshots/lb-daily";

fn of_all_kinds() -> Vec<Order> {
    let (recovery_plan, digest, reason) = ("shop".to_owned(), "ab".repeat(32), "the region is lost".to_owned());
    let point = || OfPoint { point: POINT.to_owned(), reason: "audit".to_owned() };
    let why = || Why { reason: "disks are moved".to_owned() };
    vec![
        Order::StartFailover(StartFailover {
            recovery_plan: recovery_plan.clone(),
            digest: digest.clone(),
            point: Point(PointChoice::At(given())),
            passes: BTreeSet::from([Passed(Name::TargetHealthy), Passed(Name::Window)]),
            reason: reason.clone(),
            protect_back: false,
        }),
        Order::Approve(Approve {
            recovery_plan: recovery_plan.clone(),
            digest: digest.clone(),
            of: Of::Question(2),
            choice: Some(Answer(Choice::AnotherPoint)),
            point: Point(PointChoice::ApplicationConsistent),
            passes: BTreeSet::new(),
            reason: None,
            protect_back: false,
        }),
        Order::Reject(Reject {
            recovery_plan: recovery_plan.clone(),
            of: Of::Order("c-1".to_owned()),
            choice: None,
            reason: reason.clone(),
        }),
        Order::Abort(Abort { recovery_plan: recovery_plan.clone(), reason }),
        Order::CommitFailover(CommitFailover { recovery_plan, digest, reason: None }),
        Order::Hold(point()),
        Order::ReleaseHold(point()),
        Order::CloseBreaker(CloseBreaker {
            policy: "production".to_owned(),
            counter: CounterName::Expiry,
            reason: "seen".to_owned(),
        }),
        Order::SetMode(SetMode {
            policy: "production".to_owned(),
            mode: ModeName::AsWritten,
            reason: "tried".to_owned(),
        }),
        Order::Freeze(Freeze { frozen: true, reason: "audit".to_owned() }),
        Order::StopChanges(why()),
        Order::ResumeChanges(why()),
    ]
}

fn written(order: Order) -> Value {
    Command::new("c-7", "/lifeboat/cli", order, given()).body()
}

fn hold() -> Value {
    written(Order::Hold(OfPoint { point: POINT.to_owned(), reason: "audit".to_owned() }))
}

fn refusal(body: &Value) -> Refusal {
    Command::read(body.to_string().as_bytes()).expect_err("it is refused").why
}

#[test]
fn every_command_reads_back_as_it_was_written() {
    let orders = of_all_kinds();
    let names: Vec<&str> = orders.iter().map(Order::name).collect();
    assert_eq!(names, COMMANDS.iter().map(|form| form.name).collect::<Vec<_>>(), "a form for each, and no other");
    for order in orders {
        let mut command = Command::new("c-7", "/lifeboat/cli", order, given());
        (command.dry_run, command.token) = (true, Some(Token::new("a.b.c")));
        let read = Command::read(command.body().to_string().as_bytes()).expect("reads");
        assert_eq!(read, command);
    }
}

#[test]
fn what_only_adds_safety_is_hold_and_stop_alone() {
    let safe: Vec<&str> = of_all_kinds().iter().filter(|o| o.only_adds_safety()).map(Order::name).collect();
    assert_eq!(safe, ["Hold", "StopChanges"]);
}

#[test]
fn a_misspelt_field_is_named_with_the_known_one_that_is_nearest() {
    for (pointer, name, expected) in [
        ("", "expirytme", "the field expirytme is not known; did you mean expirytime?"),
        ("", "dry-run", "the field dry-run is not known; did you mean dryrun?"),
        ("", "zebra", "the field zebra is not known"),
        ("/data", "raeson", "the field data.raeson is not known; did you mean reason?"),
    ] {
        let mut body = hold();
        body.pointer_mut(pointer).expect("there")[name] = "x".into();
        assert_eq!(refusal(&body).to_string(), expected);
    }
    let mut body = hold();
    body[&"\u{1b}[2J".repeat(100)] = "x".into();
    let told = refusal(&body).to_string();
    assert!(told.len() < 200 && !told.contains('\u{1b}'), "{told}");
}

#[test]
fn each_field_that_holds_something_else_is_told_with_what_it_should_hold() {
    let approve = || written(of_all_kinds().remove(1));
    let cases: &[(Value, &str, Value, &str)] = &[
        (hold(), "/specversion", json!("0.3"), "the field specversion holds something else: expected one of 1.0"),
        (hold(), "/id", json!("a b"), "the field id holds something else: expected letters, digits"),
        (hold(), "/id", json!("x".repeat(129)), "the field id is longer than 128 characters"),
        (hold(), "/id", json!(7), "the field id holds something else: expected a text"),
        (hold(), "/source", json!(" "), "the field source is empty"),
        (hold(), "/time", json!("yesterday"), "the field time holds something else: expected a moment"),
        (hold(), "/datacontenttype", json!("text/xml"), "the field datacontenttype holds something else"),
        (hold(), "/dryrun", json!("true"), "the field dryrun holds something else: expected true or false"),
        (hold(), "/token", json!("x".repeat(16 * 1024 + 1)), "the field token is longer than 16384"),
        (hold(), "/expirytime", json!("2026-11-23T09:40:01Z"), "the field expirytime is not within a day after time"),
        (hold(), "/expirytime", json!("2026-11-22T09:39:59Z"), "the field expirytime is not within a day after time"),
        (hold(), "/data", json!([]), "the field data holds something else: expected a mapping"),
        (hold(), "/data/point", json!("vm-1"), "the field data.point holds something else: expected an ARM id"),
        (hold(), "/data/reason", json!("x".repeat(401)), "the field data.reason is longer than 400 characters"),
        (approve(), "/data/recoveryPlan", json!("Shop"), "the field data.recoveryPlan holds something else"),
        (
            approve(),
            "/data/digest",
            json!("AB".repeat(32)),
            "the field data.digest holds something else: expected a digest",
        ),
        (approve(), "/data/of", json!({}), "the field data.of needs exactly one of order, incident, question"),
        (approve(), "/data/of", json!({"question": 1, "order": "x"}), "the field data.of needs exactly one of"),
        (
            approve(),
            "/data/of",
            json!({"question": 0}),
            "the field data.of.question holds something else: expected a whole",
        ),
        (
            approve(),
            "/data/of",
            json!({"assumptions": false}),
            "the field data.of.assumptions holds something else: expected true",
        ),
        (approve(), "/data/of", json!({"order": "c-1"}), "the field data.choice has no meaning beside order"),
        (approve(), "/data/choice", json!("goon"), "expected one of go-on, again, another-point; did you mean go-on?"),
        (approve(), "/data/passes", json!(["window"]), "the field data.passes has no meaning beside question"),
        (approve(), "/data/passes", json!(["windw"]), "did you mean window?"),
        (approve(), "/data/passes", json!(["ready", "ready"]), "the field data.passes names one word twice"),
        (approve(), "/data/point", json!("newest"), "expected one of latest, latestProcessed"),
    ];
    for (body, pointer, value, expected) in cases {
        let mut body = body.clone();
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        body.pointer_mut(parent).expect("there")[name] = value.clone();
        let told = refusal(&body).to_string();
        assert!(told.contains(expected), "{pointer}: {told}");
    }
}

#[test]
fn each_required_field_that_is_not_there_is_named() {
    let mut checked = 0;
    for order in of_all_kinds() {
        let form = COMMANDS.iter().find(|form| form.name == order.name()).expect("has one");
        let body = written(order);
        for (pointer, fields) in [("", ENVELOPE), ("/data", form.data)] {
            for field in fields.iter().filter(|field| field.required) {
                let mut body = body.clone();
                let map = body.pointer_mut(pointer).expect("there").as_object_mut().expect("a mapping");
                map.remove(field.name).expect("was there");
                let why = refusal(&body);
                assert!(why.to_string().ends_with("is missing"), "{why}");
                assert!(why.path().is_some_and(|path| path.ends_with(field.name)), "{why}");
                checked += 1;
            }
        }
    }
    assert!(checked > 80, "{checked}");
}

#[test]
fn a_command_that_is_agreed_and_not_built_is_refused_with_a_reason_of_its_own() {
    for planned in PLANNED {
        let mut body = hold();
        body["type"] = format!("{TYPE_PREFIX}{planned}.v1").into();
        let why = refusal(&body);
        assert_eq!(why, Refusal::NotBuilt { command: planned });
        assert!(why.to_string().contains("not built yet"), "{why}");
    }
}

#[test]
fn a_type_that_names_no_command_is_told_with_the_nearest() {
    for (written, nearest) in [
        ("io.lifeboat.command.StopChange.v1", Some("StopChanges")),
        ("io.lifeboat.command.startfailover.v1", Some("StartFailover")),
        ("io.lifeboat.command.Restart.v1", None),
        ("StartFailover", Some("StartFailover")),
        ("com.example.Hold.v1", Some("Hold")),
        ("io.lifeboat.command.", None),
    ] {
        let mut body = hold();
        body["type"] = written.into();
        assert_eq!(refusal(&body), Refusal::UnknownCommand { nearest }, "{written}");
    }
    let mut body = hold();
    body["type"] = "io.lifeboat.command.Hold.v2".into();
    assert_eq!(refusal(&body), Refusal::OtherVersion { command: "Hold" });
}

#[test]
fn a_name_that_stands_twice_is_refused_wherever_it_stands() {
    let body = hold().to_string();
    let doubled = body.replacen('{', r#"{"dryrun":true,"dryrun":false,"#, 1);
    let nested = body.replacen(r#""reason":"#, r#""reason":"a","reason":"#, 1);
    for body in [doubled, nested] {
        let why = Command::read(body.as_bytes()).expect_err("it is refused").why;
        assert!(matches!(why, Refusal::NotJson { reason: JsonFault::Value, .. }), "{why}");
    }
}

#[test]
fn a_refused_command_keeps_its_id_so_that_its_sender_finds_it() {
    let mut body = hold();
    body["data"]["reason"] = "".into();
    let refused = Command::read(body.to_string().as_bytes()).expect_err("it is refused");
    assert_eq!((refused.id.as_deref(), refused.command), (Some("c-7"), Some("Hold")));
    body["id"] = "a b".into();
    assert_eq!(Command::read(body.to_string().as_bytes()).expect_err("it is refused").id, None);
    for body in ["", "[]", "7", "{", "\u{feff}{}"] {
        let refused = Command::read(body.as_bytes()).expect_err("it is refused");
        assert_eq!((refused.id, refused.command), (None, None), "{body}");
    }
    let large = Command::read(&vec![b' '; BODY_BYTES_MAX + 1]).expect_err("it is refused");
    assert_eq!(large.why, Refusal::TooLarge { bytes: BODY_BYTES_MAX + 1 });
}

#[test]
fn a_command_lapses_after_an_hour_or_when_it_says_and_none_is_of_the_future() {
    let read = |body: &Value| Command::read(body.to_string().as_bytes()).expect("reads");
    let mut body = hold();
    body.as_object_mut().expect("a mapping").remove("expirytime");
    let command = read(&body);
    assert_eq!(command.is_timely(moment("2026-11-22T10:39:59Z")), Ok(()));
    let lapsed = Refusal::Lapsed { at: moment("2026-11-22T10:40:00Z") };
    assert_eq!(command.is_timely(moment("2026-11-22T10:40:00Z")), Err(lapsed));
    assert_eq!(command.is_timely(moment("2026-11-22T09:35:00Z")), Ok(()));
    assert_eq!(command.is_timely(moment("2026-11-22T09:34:59Z")), Err(Refusal::OfTheFuture { at: given() }));
    body["expirytime"] = "2026-11-22T09:45:00Z".into();
    assert!(read(&body).is_timely(moment("2026-11-22T09:45:00Z")).is_err());
}

#[test]
fn no_token_is_shown_wherever_it_stands() {
    let secret = "eyJ0b2tlbiI6InNlY3JldCJ9.secret.secret";
    let mut body = hold();
    body["token"] = secret.into();
    let command = Command::read(body.to_string().as_bytes()).expect("reads");
    assert!(!format!("{command:?}").contains("secret"));
    for pointer in ["", "/data"] {
        for field in ["id", "type", "time", "dryrun", "toke", "point", secret] {
            let mut body = hold();
            body.pointer_mut(pointer).expect("there")[field] = secret.into();
            let refused = Command::read(body.to_string().as_bytes());
            let told = refused.as_ref().err().map(|refused| format!("{refused} {refused:?}")).unwrap_or_default();
            // A name is told in part; a value never is.
            assert!(field == secret || !told.contains("secret"), "{told}");
        }
    }
    let cut = body.to_string();
    let told = Command::read(&cut.as_bytes()[..cut.len() - 9]).expect_err("it is refused").to_string();
    assert!(!told.contains("secret"), "{told}");
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
        Just(json!("2026-11-22T09:40:00Z")),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map("[a-zA-Z]{1,12}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..512)) {
        let _ = Command::read(&bytes);
    }

    #[test]
    fn a_command_with_any_value_in_any_place_is_read_or_refused_and_what_is_read_reads_back(
        kind in 0..12_usize, place in 0..24_usize, value in any_json()
    ) {
        let mut body = written(of_all_kinds().remove(kind));
        let names: Vec<String> = body.as_object().into_iter().flatten().map(|(name, _)| format!("/{name}"))
            .chain(body["data"].as_object().into_iter().flatten().map(|(name, _)| format!("/data/{name}")))
            .collect();
        *body.pointer_mut(&names[place % names.len()]).expect("there") = value;
        if let Ok(command) = Command::read(body.to_string().as_bytes()) {
            prop_assert_eq!(Command::read(command.body().to_string().as_bytes()), Ok(command));
        }
    }
}
