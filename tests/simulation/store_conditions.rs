//! The store wiped, replaced by another estate's, read-only, slow, or with versions that are not what was read: for a look, a sweep and
//! a sweep of expiry. Nothing is done in Azure that the store does not bear out, and all is done once it is well.
//! It never asks the product what should be there: it is the newest point of the old machine, and one point of the new one.

use std::collections::{BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::headers::{HeaderName, Headers};
use azure_core::http::{AsyncRawResponse, HttpClient, Request, StatusCode};
use jiff::SignedDuration;
use lifeboat_contract::work::{Cause, ReconcileMessage};
use lifeboat_execution::estate::{self, Estate};
use lifeboat_execution::{Event, ExpirySweep, PolicySweep};
use lifeboat_simulator::azure::{EventEffect, EventOrder};
use lifeboat_tests::azure::Azure;
use lifeboat_tests::instance::Instance;
use lifeboat_tests::policy::document;
use lifeboat_tests::rig::{CONTAINER, DEPLOYMENT};
use lifeboat_tests::{Rig, past};

use crate::azure_now::azure_now;
use crate::virtual_time::{run, run_all};

/// Ages of the old machine's points, in days: the rule keeps one.
const DAYS: [i64; 3] = [40, 30, 20];
/// How long each call to a slow store takes: more than the latest moment of a request, less than its time-out.
const SLOW: Duration = Duration::from_secs(20);
/// How long a piece of work takes with a slow store, at most.
const ENDS_WITHIN: Duration = Duration::from_secs(3600);
/// Longer than a machine takes to be made and Resource Graph to show it.
const IS_SEEN: Duration = Duration::from_secs(60);
/// Longer than all leases, and than what waits to be looked at again.
const AFTERWARDS: Duration = Duration::from_secs(20 * 60);
/// Longer than the wait before a second attempt at a deletion.
const BEFORE_THE_NEXT_ATTEMPT: Duration = Duration::from_secs(61 * 60);

/// What is wrong with the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Store {
    /// Nothing is in it.
    Wiped,
    /// It is another deployment's.
    AnotherDeployments,
    /// It is this deployment's, under another id: what was made before is foreign.
    AnotherEstates,
    /// It takes no write.
    ReadOnly,
    /// Each call takes [`SLOW`].
    Slow,
    /// The first conditional write of each record fails, as if somebody had just written it.
    Stale,
}

/// What is done with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Work {
    Look,
    Sweep,
    Expiry,
}

const STORES: [Store; 6] =
    [Store::Wiped, Store::AnotherDeployments, Store::AnotherEstates, Store::ReadOnly, Store::Slow, Store::Stale];
const WORKS: [Work; 3] = [Work::Look, Work::Sweep, Work::Expiry];

#[test]
fn a_store_that_is_not_what_it_was_changes_nothing_and_one_that_is_in_trouble_nothing_that_is_not_due() {
    let cases: Vec<(Store, Work)> = STORES.iter().flat_map(|store| WORKS.map(|work| (*store, work))).collect();
    let results = run_all(&cases, |(store, work)| run(play(*store, *work)));
    let mut failures = Vec::new();
    for ((store, work), result) in cases.iter().zip(results) {
        match result.unwrap_or_else(Err) {
            Ok(changes) => println!("{store:?}, {work:?}: {changes} changes of Azure meanwhile"),
            Err(why) => failures.push(format!("{store:?}, {work:?}: {why}")),
        }
    }
    assert!(failures.is_empty(), "{} of {} went wrong:\n{}", failures.len(), cases.len(), failures.join("\n"));
}

/// One piece of work with one store, and what comes after it; how many changes of Azure there were meanwhile.
async fn play(store: Store, work: Work) -> Result<usize, String> {
    let mut rig = begin().await;
    let whole = rig.blobs.snapshot().remove(CONTAINER).unwrap_or_default();
    match store {
        Store::Wiped => {
            let removed = whole.keys().all(|name| rig.blobs.remove(CONTAINER, name));
            assert!(removed, "all of it is taken away");
        }
        Store::AnotherDeployments => put_estate(&rig, "lb-neu", OTHER),
        Store::AnotherEstates => put_estate(&rig, DEPLOYMENT, OTHER),
        Store::ReadOnly | Store::Slow | Store::Stale => {}
    }
    let blobs_before = rig.blobs.snapshot();
    let before = azure_now(&rig).await;
    let instance = Instance::through(&rig, |inner| Arc::new(Troubled { inner, store, met: Mutex::default() }));
    let handled = tokio::time::timeout(ENDS_WITHIN, instance.handle(event(work))).await;
    let _answer = handled.map_err(|_| "it does not end".to_owned())?.map_err(|error| error.to_string())?;
    rig.run(IS_SEEN).await;
    let after = azure_now(&rig).await;
    let changes = before.symmetric_difference(&after).count();
    let must_not = matches!(store, Store::Wiped | Store::AnotherDeployments | Store::ReadOnly);
    // Under another id a new machine gets its own; what carries the first id stays as it is.
    let lost = before.difference(&after).count();
    if must_not && changes > 0 || store == Store::AnotherEstates && lost > 0 {
        return Err(format!("Azure was changed: {:?}", before.symmetric_difference(&after).collect::<Vec<_>>()));
    }
    if matches!(store, Store::Wiped | Store::AnotherDeployments) && rig.blobs.snapshot() != blobs_before {
        return Err("the store was written to".to_owned());
    }
    newest_is_there(&rig)?;
    if store == Store::AnotherEstates {
        return Ok(changes);
    }
    for (name, blob) in whole.into_iter().filter(|_| must_not && store != Store::ReadOnly) {
        rig.blobs.put(CONTAINER, &name, blob.bytes);
    }
    afterwards(&mut rig).await;
    all_is_done(&rig).map(|()| changes)
}

#[test]
fn while_azures_clock_and_ours_differ_nothing_is_deleted_and_an_alarm_says_so() {
    for (ahead, points) in [(-10, 3), (-4, 1), (4, 1), (10, 3)] {
        run(async {
            let rig = begin().await;
            let instance = Instance::ahead(&rig, SignedDuration::from_mins(ahead));
            let answer = instance.handle(event(Work::Expiry)).await.expect("it does not panic");
            assert!(answer.is_ok(), "{ahead} min ahead: {answer:?}");
            rig.run(IS_SEEN).await;
            assert_eq!(rig.azure.points("web-1").len(), points, "{ahead} min ahead");
            let alarm = rig.blobs.bytes(CONTAINER, "alarms/clockSkew.json").is_some();
            assert_eq!(alarm, points == 3, "{ahead} min ahead: the alarm");
        });
    }
}

/// Another estate's id.
const OTHER: &str = "00000000-0000-4000-8000-0000000000ff";

async fn begin() -> Rig {
    let rig = Rig::without_host(1);
    rig.azure.events.order(EventOrder::machine_write(EventEffect::Drop).always());
    past::old_estate(&rig);
    rig.write_policy(&(document("enforce", "24h") + "      keep: { last: 1 }\n"));
    let mut old = Azure::seed("web-1");
    old.created_at = rig.epoch.checked_sub(SignedDuration::from_hours(90 * 24)).ok();
    rig.azure.arm.add_machine(&old);
    let machine = rig.azure.machine("web-1").expect("a machine");
    let ago = DAYS.map(|days| SignedDuration::from_hours(24 * days));
    rig.azure.arm.add_collection(&past::seed(&rig, &machine, &ago)).expect("a collection");
    rig.azure.arm.create_machine(&Azure::seed("web-2")).expect("a machine");
    rig.run(IS_SEEN).await;
    rig
}

fn put_estate(rig: &Rig, deployment: &str, id: &str) {
    let old = rig.epoch.checked_sub(SignedDuration::from_hours(30 * 24)).expect("a time");
    rig.blobs.put(CONTAINER, estate::BLOB, Estate::new(deployment, id, old).to_bytes());
}

fn event(work: Work) -> Event {
    match work {
        Work::Look => {
            let cause = Cause::Written { event_id: "of-the-look".to_owned() };
            Event::Reconcile(ReconcileMessage::new(Azure::id("web-2"), cause).encode().expect("a message"))
        }
        Work::Sweep => Event::PolicySweep(PolicySweep { past_due: false, last: None }),
        Work::Expiry => Event::ExpirySweep(ExpirySweep { past_due: false, last: None }),
    }
}

/// The store is well again; the host does what is due.
async fn afterwards(rig: &mut Rig) {
    rig.host_on().await;
    rig.run(AFTERWARDS).await;
    rig.host_off(false).await;
    rig.run(BEFORE_THE_NEXT_ATTEMPT).await;
    rig.host_on().await;
    for _ in 0..2 {
        rig.sweep().await;
        rig.expire().await;
        rig.run(IS_SEEN).await;
    }
}

fn newest_is_there(rig: &Rig) -> Result<(), String> {
    let machine = rig.azure.machine("web-1").ok_or("the machine is gone")?;
    let newest = past::point(rig, &machine.vm_id, SignedDuration::from_hours(24 * DAYS[DAYS.len() - 1]));
    let there = rig.azure.points("web-1").iter().any(|point| point.name == newest && point.state == "Succeeded");
    if there { Ok(()) } else { Err("the newest point is not there any more".to_owned()) }
}

fn all_is_done(rig: &Rig) -> Result<(), String> {
    newest_is_there(rig)?;
    let states = |name: &str| -> Vec<String> { rig.azure.points(name).into_iter().map(|point| point.state).collect() };
    let (old, new) = (states("web-1"), states("web-2"));
    let done = [&old, &new].iter().all(|states| **states == ["Succeeded"]);
    let open: BTreeSet<String> = rig.read_ledgers()?.iter().flat_map(|ledger| ledger.unanswered()).collect();
    match (done, open.is_empty()) {
        (true, true) => Ok(()),
        (false, _) => Err(format!("in the end web-1 has {old:?} and web-2 {new:?}")),
        (true, false) => Err(format!("effects without an outcome: {open:?}")),
    }
}

/// A transport to a store in trouble.
struct Troubled {
    inner: Arc<dyn HttpClient>,
    store: Store,
    met: Mutex<HashSet<String>>,
}

impl Troubled {
    /// Whether this is the first conditional write of a record.
    fn is_first(&self, request: &Request) -> bool {
        let conditions = ["if-match", "if-none-match", "x-ms-blob-condition-appendpos"];
        let has = |name| request.headers().get_optional_str(&HeaderName::from_static(name)).is_some();
        conditions.into_iter().any(has)
            && self.met.lock().unwrap_or_else(PoisonError::into_inner).insert(request.url().path().to_owned())
    }
}

#[async_trait]
impl HttpClient for Troubled {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if !request.url().host_str().unwrap_or_default().contains(".blob.") {
            return self.inner.execute_request(request).await;
        }
        let writes = !matches!(request.method().as_str(), "GET" | "HEAD");
        match self.store {
            Store::ReadOnly if writes => return Ok(refusal(StatusCode::Forbidden, "AuthorizationFailure")),
            Store::Stale if writes && self.is_first(request) => {
                return Ok(refusal(StatusCode::PreconditionFailed, "ConditionNotMet"));
            }
            Store::Slow => tokio::time::sleep(SLOW).await,
            _ => {}
        }
        self.inner.execute_request(request).await
    }
}

fn refusal(status: StatusCode, code: &'static str) -> AsyncRawResponse {
    let mut headers = Headers::new();
    headers.insert("x-ms-error-code", code);
    headers.insert("content-type", "application/xml");
    let body = format!("<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{code}</Code></Error>");
    AsyncRawResponse::from_bytes(status, headers, body)
}

impl fmt::Debug for Troubled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Troubled").field("store", &self.store).finish_non_exhaustive()
    }
}
