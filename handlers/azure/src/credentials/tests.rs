//! Every kind of sign-in gives tokens that are kept, replaced early, replaced once when refused, and seen by nobody.
//!
//! It never opens a socket or runs a program.

use super::{developer_by, managed_identity};
use crate::{
    Access, ArmClient,
    error::ErrorKind,
    scripted::{Reply, Scripted},
    subscriptions,
};
use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use azure_identity::Executor;
use serde_json::json;
use std::{
    ffi::OsStr,
    fmt, io,
    os::unix::process::ExitStatusExt as _,
    process::{ExitStatus, Output},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tracing::{
    Event, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// An hour after the tests' wall time.
const ENDS: i64 = 1_795_312_800 + 3600;
const SECRET: &str = "eyJhbGciOi.planted";

fn identity_answers(number: usize) -> Reply {
    let token = format!("{SECRET}-{number}");
    let body = json!({
        "access_token": token, "expires_on": ENDS.to_string(), "token_type": "Bearer", "resource": "r",
    });
    Reply::json(200, &body)
}

fn enabled() -> Reply {
    Reply::json(200, &json!({ "subscriptionId": "s", "state": "Enabled" }))
}

fn refused() -> Reply {
    Reply::json(401, &json!({ "error": { "code": "ExpiredAuthenticationToken", "message": "m" } }))
}

fn client(scripted: &Arc<Scripted>, credential: Arc<dyn TokenCredential>) -> (ArmClient, Access) {
    let mut access = scripted.access();
    access.credential = credential;
    (ArmClient::new("https://management.azure.com".parse().unwrap(), &access).unwrap(), access)
}

/// Which tokens Resource Manager was shown.
fn shown(scripted: &Scripted) -> Vec<String> {
    let asked = scripted.asked();
    let arm = asked.iter().filter(|asked| asked.url.host_str() == Some("management.azure.com"));
    arm.map(|asked| asked.header("authorization").replace(SECRET, "token")).collect()
}

#[tokio::test(start_paused = true)]
async fn the_systems_and_a_users_identity_are_asked_once_and_again_before_the_end() {
    for client_id in [None, Some("11111111-2222-3333-4444-555555555555")] {
        let replies = [identity_answers(1), enabled(), enabled(), identity_answers(2), enabled()];
        let scripted = Scripted::new(replies);
        let credential = managed_identity(Arc::<Scripted>::clone(&scripted), client_id.map(str::to_owned));
        let (arm, _) = client(&scripted, credential);
        for minutes in [0, 50, 6] {
            tokio::time::advance(Duration::from_secs(minutes * 60)).await;
            subscriptions::get(&arm, "s").await.unwrap();
        }
        assert_eq!(shown(&scripted), ["Bearer token-1", "Bearer token-1", "Bearer token-2"]);
        let asked = &scripted.asked()[0];
        let query =
            |name: &str| asked.url.query_pairs().find(|(own, _)| own == name).map(|(_, value)| value.into_owned());
        assert_eq!(query("resource").as_deref(), Some("https://management.azure.com"));
        assert_eq!(query("client_id").as_deref(), client_id);
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_token_of_an_identity_is_replaced_once() {
    let scripted = Scripted::new([identity_answers(1), refused(), identity_answers(2), enabled()]);
    let (arm, _) = client(&scripted, managed_identity(Arc::<Scripted>::clone(&scripted), None));
    subscriptions::get(&arm, "s").await.unwrap();
    assert_eq!(shown(&scripted), ["Bearer token-1", "Bearer token-2"], "the library's own cache is not asked");

    let scripted = Scripted::new([identity_answers(1), refused(), identity_answers(2), refused()]);
    let (arm, _) = client(&scripted, managed_identity(Arc::<Scripted>::clone(&scripted), None));
    assert_eq!(subscriptions::get(&arm, "s").await.unwrap_err().kind, ErrorKind::Unauthorized);
    assert_eq!(shown(&scripted).len(), 2);
}

#[tokio::test(start_paused = true)]
async fn an_identity_that_is_not_assigned_is_refused_and_not_a_passing_fault() {
    let scripted =
        Scripted::new([Reply::json(400, &json!({ "error": "invalid_request", "error_description": SECRET }))]);
    let (arm, _) = client(&scripted, managed_identity(Arc::<Scripted>::clone(&scripted), None));
    let error = subscriptions::get(&arm, "s").await.unwrap_err();
    assert_eq!((error.kind, error.maybe_done()), (ErrorKind::Unauthorized, false));
    assert!(!format!("{error:?}").contains("planted"), "{error:?}");
}

/// Answers as `az` does, and counts.
#[derive(Debug, Default)]
struct Az(AtomicUsize);

#[async_trait]
impl Executor for Az {
    async fn run(&self, _: &OsStr, args: &[&OsStr]) -> io::Result<Output> {
        assert!(args.iter().any(|arg| arg.to_string_lossy().contains("https://management.azure.com/.default")));
        let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        let token = format!("{SECRET}-{number}");
        let stdout = json!({ "accessToken": token, "expires_on": ENDS, "tokenType": "Bearer" }).to_string();
        Ok(Output { status: ExitStatus::from_raw(0), stdout: stdout.into_bytes(), stderr: Vec::new() })
    }
}

#[tokio::test(start_paused = true)]
async fn a_developers_sign_in_is_kept_and_replaced_like_any_other() {
    let scripted = Scripted::new([enabled(), enabled(), refused(), enabled()]);
    let az = Arc::new(Az::default());
    let (arm, _) = client(&scripted, developer_by(Some(Arc::<Az>::clone(&az))));
    for _ in 0..3 {
        subscriptions::get(&arm, "s").await.unwrap();
    }
    let shown = shown(&scripted);
    assert_eq!(shown, ["Bearer token-1", "Bearer token-1", "Bearer token-1", "Bearer token-2"]);
    assert_eq!(az.0.load(Ordering::Relaxed), 2, "the tool is slow, and run only for a new token");
}

/// Keeps all that is logged.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<String>>);

impl Visit for Log {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.lock().unwrap().push_str(&format!("{field}={value:?} "));
    }
}

impl Subscriber for Log {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }
    fn new_span(&self, attributes: &span::Attributes<'_>) -> span::Id {
        attributes.record(&mut self.clone());
        span::Id::from_u64(1)
    }
    fn record(&self, _: &span::Id, values: &span::Record<'_>) {
        values.record(&mut self.clone());
    }
    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
    fn event(&self, event: &Event<'_>) {
        event.record(&mut self.clone());
    }
    fn enter(&self, _: &span::Id) {}
    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn nobody_sees_a_token_or_a_signed_url() {
    let log = Log::default();
    let _logging = tracing::subscriber::set_default(log.clone());
    let signed = "https://management.azure.com/subscriptions/s/providers/x/operations/o?s=planted";
    let begun = || Reply::text(202, "").with("azure-asyncoperation", signed);
    let replies = [
        identity_answers(1),
        refused(),
        identity_answers(2),
        Reply::text(503, SECRET),
        begun(),
        Reply::text(503, signed),
        Reply::json(200, &json!({ "status": "Succeeded" })),
    ];
    let scripted = Scripted::new(replies);
    let (arm, access) = client(&scripted, managed_identity(Arc::<Scripted>::clone(&scripted), None));
    let machine = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/m".parse().unwrap();
    let latest = crate::Latest::after(Duration::from_secs(10));
    let acted = crate::machines::start(&arm, &machine, latest).await.unwrap();
    let crate::long_running::Acted::Begun(Some(accepted)) = &acted else { panic!("{acted:?}") };
    arm.operation_state(accepted).await.unwrap();
    let texts = format!("{arm:?} {access:?} {acted:?} {:?} {}", access.credential, log.0.lock().unwrap());
    assert!(texts.contains("repeats"), "what is logged is seen here: {texts}");
    assert!(!texts.contains("planted"), "{texts}");
}
