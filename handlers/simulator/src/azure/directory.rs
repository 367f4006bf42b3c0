//! The directory of persons and its issuer: access tokens of version 2, signed with real RS256 keys that it publishes.
//! It never checks who asks for a token: whoever plays a person orders one, right or wrong as they say. Its keys are fixed and worth
//! nothing outside.

mod signing;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::extract::{Request, State as Shared};
use axum::response::Response;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::ids::{Names, guid_of};
use super::passage::json_response;
use crate::clock::Clock;

use self::signing::Key;

/// What the directory is called in the process.
pub const DIRECTORY_URL: &str = "https://login.microsoftonline.com";
/// How long a person's token lives, in minutes: what Microsoft documents lies between 60 and 90.
const TOKEN_MINUTES: i64 = 75;

/// The directory. Clones are the same one.
#[derive(Clone)]
pub struct Directory {
    clock: Clock,
    book: Arc<Mutex<Book>>,
}

struct Book {
    seed: u64,
    names: Names,
    base: String,
    tenant: String,
    audience: String,
    persons: BTreeMap<String, PersonSeed>,
    /// Which key signs, and which are published.
    signing: usize,
    published: Vec<usize>,
    down: bool,
    slow: SignedDuration,
    asked: u64,
}

/// A person, or a system with an identity of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PersonSeed {
    /// What it is called; the object id is made of it.
    pub name: String,
    /// App roles.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// What a token is to be like; what is not said is right.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct TokenOrder {
    /// Another audience.
    pub audience: Option<String>,
    /// Another issuer.
    pub issuer: Option<String>,
    /// Another tenant.
    pub tenant: Option<String>,
    /// Other roles.
    pub roles: Option<Vec<String>>,
    /// `none`, or `HS256` with the public key as its secret.
    pub algorithm: Option<String>,
    /// Named as another key than the one that signed.
    pub kid: Option<String>,
    /// Valid for so many seconds from now, also none or fewer.
    pub seconds: Option<i64>,
    /// Valid only so many seconds from now on.
    pub from_seconds: Option<i64>,
    /// Signed by a key that is not the directory's.
    pub forged: bool,
}

impl Directory {
    /// A directory without persons.
    pub fn new(clock: Clock, seed: u64) -> Self {
        let book = Book {
            seed,
            names: Names::new(seed ^ 0xd1),
            base: DIRECTORY_URL.to_owned(),
            tenant: guid_of(seed, "tenant of persons", ""),
            audience: guid_of(seed, "application", ""),
            persons: BTreeMap::new(),
            signing: 0,
            published: vec![0],
            down: false,
            slow: SignedDuration::ZERO,
            asked: 0,
        };
        Self { clock, book: Arc::new(Mutex::new(book)) }
    }

    /// Adds a person, or gives it other roles. Answers its object id.
    pub fn add(&self, seed: PersonSeed) -> String {
        let mut book = self.book();
        let object = guid_of(book.seed, "person", &seed.name);
        book.persons.insert(object.clone(), seed);
        object
    }

    /// All persons, by object id.
    pub fn persons(&self) -> BTreeMap<String, PersonSeed> {
        self.book().persons.clone()
    }

    /// The tenant's id.
    pub fn tenant(&self) -> String {
        self.book().tenant.clone()
    }

    /// The client id of the application that its tokens are for.
    pub fn audience(&self) -> String {
        self.book().audience.clone()
    }

    /// Where it is, without a slash at the end.
    pub fn base(&self) -> String {
        self.book().base.clone()
    }

    /// Where it is from now on: its issuer and its links follow.
    pub fn set_base(&self, base: impl Into<String>) {
        self.book().base = base.into();
    }

    /// While down it answers 503.
    pub fn set_down(&self, down: bool) {
        self.book().down = down;
    }

    /// Each answer takes so long.
    pub fn set_slow(&self, by: SignedDuration) {
        self.book().slow = by;
    }

    /// Signs with the other key from now on, and publishes both.
    pub fn rotate(&self) {
        let mut book = self.book();
        book.signing = 1 - book.signing;
        book.published = vec![0, 1];
    }

    /// Publishes the key that signs, and no other.
    pub fn retire(&self) {
        let mut book = self.book();
        book.published = vec![book.signing];
    }

    /// How often it was asked for anything.
    pub fn times_asked(&self) -> u64 {
        self.book().asked
    }

    /// A token of a person. One that the directory does not know has no roles.
    pub fn token(&self, object_id: &str, order: &TokenOrder) -> String {
        let now = self.clock.now();
        let mut book = self.book();
        let claims = book.claims(object_id, order, now);
        let key = Key::of(book.signing);
        let kid = order.kid.clone().unwrap_or_else(|| key.kid().to_owned());
        let algorithm = order.algorithm.as_deref().unwrap_or("RS256");
        let header = json!({ "typ": "JWT", "alg": algorithm, "kid": kid });
        let signs = if order.forged { Key::of(1 - book.signing) } else { key };
        signs.token(algorithm, &header, &claims)
    }

    /// The directory, for a listener or for calls inside the process.
    pub fn router(&self) -> Router {
        Router::new().fallback(serve).with_state(self.clone())
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, path: &str) -> (u16, Value) {
        let mut book = self.book();
        book.asked += 1;
        if book.down {
            return (503, json!({ "error": "temporarily_unavailable", "error_description": "simulated" }));
        }
        let own = format!("/{}", book.tenant);
        match path.strip_prefix(own.as_str()) {
            Some("/v2.0/.well-known/openid-configuration") => (200, book.description()),
            Some("/discovery/v2.0/keys") => {
                let keys: Vec<Value> = book.published.iter().map(|key| Key::of(*key).published()).collect();
                (200, json!({ "keys": keys }))
            }
            _ => (404, json!({ "error": "not_found" })),
        }
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").finish_non_exhaustive()
    }
}

impl Book {
    fn issuer(&self) -> String {
        format!("{}/{}/v2.0", self.base, self.tenant)
    }

    fn description(&self) -> Value {
        let own = format!("{}/{}", self.base, self.tenant);
        json!({
            "issuer": self.issuer(),
            "jwks_uri": format!("{own}/discovery/v2.0/keys"),
            "token_endpoint": format!("{own}/oauth2/v2.0/token"),
            "authorization_endpoint": format!("{own}/oauth2/v2.0/authorize"),
            "id_token_signing_alg_values_supported": ["RS256"],
        })
    }

    fn claims(&mut self, object_id: &str, order: &TokenOrder, now: Timestamp) -> Value {
        let roles = self.persons.get(object_id).map(|person| person.roles.clone()).unwrap_or_default();
        let roles = order.roles.clone().unwrap_or(roles);
        let at = |seconds: i64| now.as_second().saturating_add(seconds);
        let mut claims = json!({
            "aud": order.audience.clone().unwrap_or_else(|| self.audience.clone()),
            "iss": order.issuer.clone().unwrap_or_else(|| self.issuer()),
            "tid": order.tenant.clone().unwrap_or_else(|| self.tenant.clone()),
            "oid": object_id,
            "sub": guid_of(self.seed, "subject", object_id),
            "iat": now.as_second(),
            "nbf": at(order.from_seconds.unwrap_or_default()),
            "exp": at(order.seconds.unwrap_or(TOKEN_MINUTES * 60)),
            "uti": self.names.guid(),
            "ver": "2.0",
        });
        // As the directory does: a claim without a value is left out.
        if !roles.is_empty() {
            claims["roles"] = json!(roles);
        }
        claims
    }
}

async fn serve(Shared(directory): Shared<Directory>, request: Request) -> Response {
    let slow = directory.book().slow;
    if slow.is_positive() {
        directory.clock.sleep_until(directory.clock.now().checked_add(slow).unwrap_or(Timestamp::MAX)).await;
    }
    let (status, body) = directory.answer(request.uri().path());
    json_response(status, &[], Some(&body))
}

#[cfg(test)]
mod tests;
