//! Principals, the App Service identity endpoint, and tokens: opaque texts bound to principal, audience and expiry.
//! It never makes a token that says what it is for, so that no client can read one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::http::HeaderMap;
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::access::Grant;
use super::blobs::TokenCheck;
use super::ids::{Names, guid_of};
use crate::clock::Clock;

/// The audience of ARM, without the slash that it may end in.
pub const ARM_AUDIENCE: &str = "https://management.azure.com";
/// The audience of the blob service.
pub const STORAGE_AUDIENCE: &str = "https://storage.azure.com";
/// The audience of Service Bus.
pub const BUS_AUDIENCE: &str = "https://servicebus.azure.net";
/// The only api-version of the App Service endpoint.
const API_VERSION: &str = "2019-08-01";
/// How long a managed identity's token lives, in hours: the platform's documented day.
const TOKEN_HOURS: i64 = 24;
/// Tokens remembered at most; the oldest are forgotten first and are then invalid.
const TOKENS: usize = 100_000;

/// Somebody who may be let in.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Principal {
    /// The object id, by which access is granted and quotas are counted.
    pub object_id: String,
    /// The client id.
    pub client_id: String,
    /// What it may do in ARM.
    pub grants: Vec<Grant>,
}

/// Why a token is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum TokenFault {
    Missing,
    Unknown,
    WrongAudience(String),
    Expired { at: Timestamp, now: Timestamp },
}

/// The directory and the identity endpoint. Clones are the same one.
#[derive(Clone)]
pub struct Identity {
    clock: Clock,
    book: Arc<Mutex<Book>>,
}

struct Book {
    seed: u64,
    names: Names,
    header: String,
    lifetime: SignedDuration,
    /// Shared with whoever asks in their name: what they may do is long, and read with each call.
    principals: BTreeMap<String, Arc<Principal>>,
    /// Whom the endpoint answers when no client id is given: an object id.
    system_assigned: Option<String>,
    tokens: BTreeMap<String, Issued>,
    order: std::collections::VecDeque<String>,
    down: bool,
}

#[derive(Clone, Debug)]
struct Issued {
    principal: String,
    audience: String,
    expires: Timestamp,
}

#[derive(Debug, Default)]
struct Asked {
    api_version: Option<String>,
    resource: Option<String>,
    client_id: Option<String>,
}

impl Identity {
    /// A directory without principals. The endpoint's secret comes from the seed.
    pub fn new(clock: Clock, seed: u64) -> Self {
        let book = Book {
            seed,
            names: Names::new(seed ^ 0x1d),
            header: guid_of(seed, "identity header", "").to_uppercase(),
            lifetime: SignedDuration::from_hours(TOKEN_HOURS),
            principals: BTreeMap::new(),
            system_assigned: None,
            tokens: BTreeMap::new(),
            order: std::collections::VecDeque::new(),
            down: false,
        };
        Self { clock, book: Arc::new(Mutex::new(book)) }
    }

    /// Adds a principal, or gives it other grants. The first one is the system-assigned identity of the app.
    pub fn add(&self, principal: Principal) {
        let mut book = self.book();
        book.system_assigned.get_or_insert_with(|| principal.object_id.clone());
        book.principals.insert(principal.object_id.clone(), Arc::new(principal));
    }

    /// A principal made from a name, with these grants; answers it.
    pub fn add_named(&self, name: &str, grants: Vec<Grant>) -> Principal {
        let seed = self.book().seed;
        let principal =
            Principal { object_id: guid_of(seed, "object", name), client_id: guid_of(seed, "client", name), grants };
        self.add(principal.clone());
        principal
    }

    /// Changes what a principal may do; says whether it exists.
    pub fn change_grants(&self, object_id: &str, change: impl FnOnce(&mut Vec<Grant>)) -> bool {
        let mut book = self.book();
        let found = book.principals.get_mut(object_id);
        let exists = found.is_some();
        if let Some(principal) = found {
            change(&mut Arc::make_mut(principal).grants);
        }
        exists
    }

    /// All principals.
    pub fn principals(&self) -> Vec<Principal> {
        self.book().principals.values().map(|one| Principal::clone(one)).collect()
    }

    /// What callers of the endpoint must send as `X-IDENTITY-HEADER`.
    pub fn header(&self) -> String {
        self.book().header.clone()
    }

    /// How long tokens live from now on.
    pub fn set_token_lifetime(&self, lifetime: SignedDuration) {
        self.book().lifetime = lifetime;
    }

    /// While down the endpoint answers 500.
    pub fn set_down(&self, down: bool) {
        self.book().down = down;
    }

    /// Makes a token without the endpoint, for a test's own credential.
    pub fn token(&self, object_id: &str, audience: &str) -> String {
        self.issued(object_id, audience).0
    }

    /// A new token of a principal, and until when it is good.
    pub(crate) fn issued(&self, object_id: &str, audience: &str) -> (String, Timestamp) {
        let now = self.clock.now();
        self.book().issue(object_id, audience, now)
    }

    /// Forgets every token: all are invalid from now on.
    pub fn revoke_tokens(&self) {
        let mut book = self.book();
        book.tokens.clear();
        book.order.clear();
    }

    /// A check for another service of this Azure: is the token good for its audience?
    pub fn token_check(&self, audience: &str) -> TokenCheck {
        let (own, audience) = (self.clone(), audience.to_owned());
        Arc::new(move |token| own.verify(token, &audience).is_ok())
    }

    /// The endpoint, for a listener or for calls inside the process.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    /// Whose token this is.
    pub(crate) fn verify(&self, token: Option<&str>, audience: &str) -> Result<Arc<Principal>, TokenFault> {
        let now = self.clock.now();
        let book = self.book();
        let issued = book.tokens.get(token.ok_or(TokenFault::Missing)?).ok_or(TokenFault::Unknown)?;
        if !same_audience(&issued.audience, audience) {
            return Err(TokenFault::WrongAudience(issued.audience.clone()));
        }
        if issued.expires <= now {
            return Err(TokenFault::Expired { at: issued.expires, now });
        }
        book.principals.get(&issued.principal).cloned().ok_or(TokenFault::Unknown)
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, headers: &HeaderMap, asked: &Asked) -> (u16, Value) {
        let now = self.clock.now();
        let mut book = self.book();
        if book.down {
            return (500, json!({ "statusCode": 500, "message": "The simulated identity endpoint is down." }));
        }
        // *Assumed* (`identity-refusals`): statuses and texts of the refusals. No source shows them.
        if headers.get("x-identity-header").and_then(|sent| sent.to_str().ok()) != Some(book.header.as_str()) {
            return (401, json!({ "statusCode": 401, "message": "X-IDENTITY-HEADER is missing or wrong." }));
        }
        if asked.api_version.as_deref() != Some(API_VERSION) {
            return (400, json!({ "statusCode": 400, "message": "The api-version is not supported." }));
        }
        let Some(resource) = asked.resource.as_deref().filter(|resource| !resource.is_empty()) else {
            return (400, json!({ "statusCode": 400, "message": "Parameter resource is required." }));
        };
        let found = match &asked.client_id {
            Some(client) => book.principals.values().find(|one| one.client_id.eq_ignore_ascii_case(client)),
            None => book.system_assigned.as_ref().and_then(|object| book.principals.get(object)),
        };
        let Some(principal) = found.cloned() else {
            let message =
                "No User Assigned or Delegated Managed Identity found for specified ClientId/ResourceId/PrincipalId.";
            return (400, json!({ "statusCode": 400, "message": message }));
        };
        let (token, expires) = book.issue(&principal.object_id, resource, now);
        // The time is a text: the platform writes it so, and azure_identity reads only that.
        let body = json!({
            "access_token": token,
            "expires_on": expires.as_second().to_string(),
            "resource": resource,
            "token_type": "Bearer",
            "client_id": principal.client_id,
        });
        (200, body)
    }
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}

impl Book {
    fn issue(&mut self, object_id: &str, audience: &str, now: Timestamp) -> (String, Timestamp) {
        let token = format!("sim.{}.{}", self.names.guid().replace('-', ""), self.names.guid().replace('-', ""));
        let expires = now.checked_add(self.lifetime).unwrap_or(Timestamp::MAX);
        let issued = Issued { principal: object_id.to_owned(), audience: audience.to_owned(), expires };
        self.tokens.insert(token.clone(), issued);
        self.order.push_back(token.clone());
        if self.order.len() > TOKENS
            && let Some(oldest) = self.order.pop_front()
        {
            self.tokens.remove(&oldest);
        }
        (token, expires)
    }
}

fn same_audience(one: &str, other: &str) -> bool {
    let bare = |text: &str| text.trim_end_matches("/.default").trim_end_matches('/').to_ascii_lowercase();
    bare(one) == bare(other)
}

async fn serve(Shared(identity): Shared<Identity>, request: Request) -> Response {
    let query = request.uri().query().unwrap_or_default();
    let mut asked = Asked::default();
    for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match name.as_ref() {
            "api-version" => asked.api_version = Some(value.into_owned()),
            "resource" => asked.resource = Some(value.into_owned()),
            "client_id" => asked.client_id = Some(value.into_owned()),
            _ => {}
        }
    }
    let (status, body) = identity.answer(request.headers(), &asked);
    super::passage::json_response(status, &[], Some(&body))
}
