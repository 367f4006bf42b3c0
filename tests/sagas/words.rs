//! A person's word to fail over, in the running handler: given on what was shown, read again, and carried out to the end by messages.
//! It never writes what is shown, nor what a look at readiness leaves.

use std::collections::BTreeSet;
use std::time::Duration;

use lifeboat_contract::command::{Order, Passed, Point, StartFailover};
use lifeboat_execution::declaration::word::{NotGiven, Word};
use lifeboat_execution::declaration::{self, record::Record};
use lifeboat_execution::orders::saga::deliver;
use lifeboat_execution::orders::{NotDelivered, Verified};
use lifeboat_execution::saga::{Event, followed};
use lifeboat_planning::declaration::{Name, Phase, Worse};
use lifeboat_planning::saga::failover::PointChoice;
use lifeboat_planning::saga::{Ask, Choice, End};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::failing_over::{ENDPOINTS, OTHER, PERSON, PLAN, Stage};
use lifeboat_tests::rig::{CONTAINER, LOCATION};

const HOUR: Duration = Duration::from_secs(3_600);
/// What is not met while nothing says that a region is lost: an order that is given all the same names it.
const UNMET: [Name; 5] = [Name::Sources, Name::Window, Name::FreshRead, Name::TargetHealthy, Name::DataLoss];

/// What is kept of the recovery plan, after one more evaluation.
async fn evaluated(stage: &Stage) -> Record {
    declaration::evaluate_all(&stage.process(), "test").await.expect("it is evaluated");
    let bytes = stage.blobs.bytes(CONTAINER, &declaration::record::blob_name(PLAN)).expect("a declaration");
    serde_json::from_slice(&bytes).expect("a record")
}

async fn shown(stage: &Stage) -> String {
    evaluated(stage).await.shown.last().expect("something is shown").digest.clone()
}

/// Gives the word by an order of this id, to a process of its own.
async fn given(stage: &Stage, id: &str, digest: &str, passes: &[Name]) -> Result<Vec<String>, NotDelivered> {
    given_with(stage, id, digest, (passes, false)).await
}

/// The same, with or without the answer to the question about protecting the other way.
async fn given_with(
    stage: &Stage,
    id: &str,
    digest: &str,
    (passes, protect_back): (&[Name], bool),
) -> Result<Vec<String>, NotDelivered> {
    let order = Order::StartFailover(StartFailover {
        recovery_plan: PLAN.to_owned(),
        digest: digest.to_owned(),
        point: Point::default(),
        passes: passes.iter().copied().map(Passed).collect::<BTreeSet<_>>(),
        reason: "the region is to be left".to_owned(),
        protect_back,
    });
    let verified =
        Verified { id: id.to_owned(), order, by: PERSON.to_owned(), approved_by: Vec::new(), incident: None };
    deliver(&stage.process(), &verified).await.expect("nothing is busy")
}

fn not_given(came: Result<Vec<String>, NotDelivered>) -> NotGiven {
    match came {
        Err(NotDelivered::NotGiven(why)) => why,
        other => panic!("{other:?}"),
    }
}

async fn ready(seed: u64) -> Stage {
    let stage = Stage::new(seed);
    stage.in_force();
    assert_eq!(stage.look_at_readiness().await, ["shop: ready"]);
    stage
}

#[tokio::test(start_paused = true)]
async fn a_word_begins_the_failover_once_and_messages_take_it_to_the_other_region() {
    let stage = ready(51).await;
    let digest = shown(&stage).await;
    let lines = given(&stage, "start", &digest, &UNMET).await.expect("it goes through");
    assert!(lines.last().is_some_and(|line| line.contains("is begun")), "{lines:?}");
    let again = given(&stage, "start", &digest, &UNMET).await.expect("it was taken");
    assert!(again[0].contains("took this order before"), "{again:?}");
    assert!(matches!(not_given(given(&stage, "start-2", &digest, &UNMET).await), NotGiven::Worse(_)));
    let now = shown(&stage).await;
    assert!(matches!(not_given(given(&stage, "start-3", &now, &UNMET).await), NotGiven::UnderWay));
    let serves = stage.by_messages(|saga| saga.questions().any(|question| question.ask == Ask::Commit), 2 * HOUR).await;
    assert!(serves, "{}", stage.story());
    assert_eq!(stage.running(OTHER).len(), 3);
    assert_eq!(stage.enabled(), [ENDPOINTS.1]);
    assert_eq!(evaluated(&stage).await.phase, Phase::FailedOver);
    let now = shown(&stage).await;
    assert!(matches!(not_given(given(&stage, "start-4", &now, &UNMET).await), NotGiven::FailedOver));
}

#[tokio::test(start_paused = true)]
async fn a_word_that_contains_the_answer_protects_the_other_way_after_the_commit_and_is_not_asked_again() {
    let stage = ready(60).await;
    let digest = shown(&stage).await;
    given_with(&stage, "start", &digest, (&UNMET, true)).await.expect("it goes through");
    let serves = stage.by_messages(|saga| saga.questions().any(|question| question.ask == Ask::Commit), 2 * HOUR).await;
    assert!(serves, "{}", stage.story());
    tokio::time::sleep(3 * HOUR).await;
    assert_eq!(stage.accepted("/switchprotection"), 0, "nothing of it before the commit");
    stage.answer(Ask::Commit, Choice::GoOn, None).await;
    stage.until_ended(End::Done, 5 * HOUR).await;
    assert!(stage.accepted("/switchprotection") > 0 && stage.running(LOCATION).is_empty(), "{}", stage.story());
    assert!(!stage.story().contains(&Ask::ProtectBack.to_string()), "{}", stage.story());
}

#[tokio::test(start_paused = true)]
async fn a_word_passes_the_conditions_that_it_names_and_no_other() {
    let stage = ready(52).await;
    let digest = shown(&stage).await;
    for name in UNMET {
        let others: Vec<Name> = UNMET.into_iter().filter(|other| *other != name).collect();
        match not_given(given(&stage, name.word(), &digest, &others).await) {
            NotGiven::Unmet(unmet) => assert_eq!(unmet, [name]),
            other => panic!("{name}: {other:?}"),
        }
    }
    assert!(stage.saga().is_none(), "nothing was begun");
    assert_eq!(evaluated(&stage).await.phase, Phase::Normal);
}

#[tokio::test(start_paused = true)]
async fn a_word_is_refused_that_rests_on_nothing_that_was_shown_or_on_what_was_shown_an_hour_ago() {
    let stage = ready(53).await;
    let digest = shown(&stage).await;
    match not_given(given(&stage, "one", &"ab".repeat(32), &UNMET).await) {
        NotGiven::NotShown { now } => assert_eq!(now.as_deref(), Some(digest.as_str())),
        other => panic!("{other:?}"),
    }
    tokio::time::sleep(HOUR).await;
    assert!(matches!(not_given(given(&stage, "two", &digest, &UNMET).await), NotGiven::NotShown { .. }));
    assert!(stage.saga().is_none(), "nothing was begun");
}

#[tokio::test(start_paused = true)]
async fn a_word_is_refused_when_a_member_came_to_be_not_ready_since_it_was_shown() {
    let stage = ready(54).await;
    let digest = shown(&stage).await;
    stage.azure.arm.add_machine(&Azure::seed("db-4"));
    stage.look_at_readiness().await;
    match not_given(given(&stage, "one", &digest, &UNMET).await) {
        NotGiven::Worse(worse) => assert!(worse.contains(&Worse::Unmet(Name::Ready)), "{worse:?}"),
        other => panic!("{other:?}"),
    }
    assert!(stage.saga().is_none(), "nothing was begun");
}

#[tokio::test(start_paused = true)]
async fn without_a_look_at_readiness_no_word_begins_anything() {
    let stage = Stage::new(55);
    stage.in_force();
    let digest = shown(&stage).await;
    let passes: Vec<Name> = UNMET.into_iter().chain([Name::Ready]).collect();
    assert!(matches!(not_given(given(&stage, "one", &digest, &passes).await), NotGiven::NoOrder(_)));
    assert!(stage.saga().is_none(), "nothing was begun");
    assert_eq!(evaluated(&stage).await.phase, Phase::Normal);
}

#[tokio::test(start_paused = true)]
async fn a_saga_whose_beginner_was_killed_before_its_first_message_is_looked_at_after_the_next_evaluation() {
    let stage = ready(56).await;
    stage.begin(stage.order_of_what_was_saved().await).await;
    evaluated(&stage).await;
    evaluated(&stage).await;
    assert_eq!(stage.bus.waiting(lifeboat_contract::sagas::QUEUE).len(), 1, "once");
    let serves = stage.by_messages(|saga| saga.questions().any(|question| question.ask == Ask::Commit), 2 * HOUR).await;
    assert!(serves, "{}", stage.story());
}

#[tokio::test(start_paused = true)]
async fn what_an_order_would_begin_is_shown_before_and_followed_after() {
    let stage = ready(57).await;
    let store = stage.process().store;
    let digest = shown(&stage).await;
    let ahead = followed::ahead(&store, PLAN, stage.clock.now()).await.expect("read");
    assert_eq!((ahead.digest.as_deref(), ahead.last), (Some(digest.as_str()), None));
    let runbook = ahead.runbook.expect("an order can be made");
    assert!(runbook.contains("point of no return"), "{runbook}");
    let unmet: Vec<&str> = ahead.unmet.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(unmet, UNMET.map(Name::word));
    given(&stage, "start", &digest, &UNMET).await.expect("it goes through");
    stage.by_messages(|saga| saga.questions().any(|question| question.ask == Ask::Commit), 2 * HOUR).await;
    let followed = followed::read(&store, PLAN).await.expect("read").expect("it runs");
    assert_eq!((followed.ended_at, followed.is_done, followed.asked.len()), (None, false, 1));
    assert!(followed.lines.iter().filter(|line| line.starts_with("done ")).count() > 5, "{:?}", followed.lines);
    assert!(followed::ahead(&store, "other", stage.clock.now()).await.is_err(), "it is not in force");
}

#[tokio::test(start_paused = true)]
async fn a_word_is_tried_by_the_decision_that_would_take_it_and_begins_nothing() {
    let stage = ready(59).await;
    let digest = shown(&stage).await;
    let plan = lifeboat_tests::failing_over::recovery_plan();
    let kept = || stage.blobs.bytes(CONTAINER, &declaration::record::blob_name(PLAN));
    let before = kept();
    let tried = async |digest: &str, passes: &[Name]| {
        let word = Word {
            id: "try".to_owned(),
            by: PERSON.to_owned(),
            digest: digest.to_owned(),
            incident: None,
            passes: passes.iter().copied().collect(),
            point: PointChoice::Latest,
            protect_back: false,
        };
        declaration::would::begin(&stage.process(), &plan, &word).await.expect("it is read")
    };
    let lines = tried(&digest, &UNMET).await.expect("it would go through");
    assert!(lines[0].contains("would be begun") && lines.iter().any(|line| line.contains("point of no return")));
    assert!(matches!(tried(&digest, &UNMET[1..]).await, Err(NotGiven::Unmet(unmet)) if unmet == [UNMET[0]]));
    assert!(matches!(tried(&"ab".repeat(32), &UNMET).await, Err(NotGiven::NotShown { .. })));
    assert!(stage.saga().is_none() && kept() == before, "nothing was begun or written");
}

#[tokio::test(start_paused = true)]
async fn where_a_failover_of_the_incident_was_undone_another_word_begins_another_one() {
    let stage = ready(58).await;
    let digest = shown(&stage).await;
    given(&stage, "start", &digest, &UNMET).await.expect("it goes through");
    let first = followed::read(&stage.process().store, PLAN).await.expect("read").expect("it is begun").id;
    stage.bring(Event::Abort { by: PERSON.to_owned() }).await;
    stage.until_ended(End::Undone, HOUR).await;
    let passes: Vec<Name> = UNMET.into_iter().chain([Name::NoCooldown, Name::OncePerIncident]).collect();
    let digest = shown(&stage).await;
    given(&stage, "start-2", &digest, &passes).await.expect("it goes through");
    let second = followed::read(&stage.process().store, PLAN).await.expect("read").expect("it is begun");
    assert!(second.id != first && second.ended_at.is_none(), "{second:?}");
    let serves = stage.by_messages(|saga| saga.questions().any(|question| question.ask == Ask::Commit), 2 * HOUR).await;
    assert!(serves, "{}", stage.story());
}
