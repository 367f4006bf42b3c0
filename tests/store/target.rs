//! Where the cases run: a container of their own at the simulated blobs, served over TCP by this process, or at Azurite.
//! It never gives a case anything but the store, plain requests and a way to let time pass.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::http::headers::Headers;
use azure_core::http::{HttpClient, Method, Request, Url};
use azure_core::time::OffsetDateTime;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use jiff::SignedDuration;
use lifeboat_azure::access::Random;
use lifeboat_azure::blobs::Store;
use lifeboat_azure::{Access, transport};
use lifeboat_simulator::azure::STORAGE_AUDIENCE;
use lifeboat_simulator::clock::Clock;
use lifeboat_simulator::serve::{Served, serve};
use lifeboat_simulator::world::{World, WorldOptions};
use serde_json::json;

/// How long the tokens of a run last, in seconds: longer than any run.
const TOKEN_SECONDS: i64 = 3_600;
/// The version of the service that plain requests ask for.
const VERSION: &str = "2021-12-02";

/// Where one case runs.
pub struct Target {
    /// The store, in a container that is there.
    pub store: Store,
    /// The container's name.
    pub container: String,
    account: Url,
    access: Access,
    token: String,
    transport: Arc<dyn HttpClient>,
    simulated: Option<(World, Served)>,
}

/// What a plain request was answered.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Headers,
    pub body: Bytes,
}

impl Target {
    /// A target whose container has this name.
    pub async fn new(container: &str) -> Self {
        let target = Self::without_container(container).await;
        target.store.ensure_container().await.expect("the container can be made");
        target
    }

    /// A target whose container nobody made.
    pub async fn without_container(container: &str) -> Self {
        let clock = Clock::wall();
        let (account, token, simulated) = match azurite() {
            Some(account) => (account, token_for_azurite(&clock), None),
            None => {
                let world = World::new(WorldOptions::new(clock.clone()));
                let principal = world.add_principal("store", Vec::new());
                let served = serve(&world).await.expect("the simulator can be served");
                let account = Url::parse(&format!("http://{}", served.blobs)).expect("an address");
                (account, world.token(&principal.object_id, STORAGE_AUDIENCE), Some((world, served)))
            }
        };
        let transport = transport::https();
        let credential = Arc::new(Fixed { token: token.clone(), until: clock.now().as_second() + TOKEN_SECONDS });
        let access =
            Access::new(Arc::clone(&transport), credential, Arc::new(move || clock.now()), Random::from_system());
        let store = store_at(&account, container, &access);
        Self { store, container: container.to_owned(), account, access, token, transport, simulated }
    }

    /// The same container, by another holder: its leases have ids of their own.
    pub fn another(&self) -> Store {
        store_at(&self.account, &self.container, &self.access)
    }

    /// The same account with another token.
    pub fn with_token(&self, token: &str) -> Store {
        let credential = Arc::new(Fixed { token: token.to_owned(), until: i64::from(i32::MAX) });
        let access = Access { credential, ..self.access.clone() };
        store_at(&self.account, &self.container, &access)
    }

    /// Lets time pass: the simulator's clock jumps, another's must be waited for.
    pub async fn pass(&self, seconds: u32) {
        match &self.simulated {
            Some((world, _)) => world.jump(SignedDuration::from_secs(seconds.into())),
            None => tokio::time::sleep(Duration::from_secs(seconds.into())).await,
        }
    }

    /// Whether Azurite answers; only the list of its own ways may ask.
    pub fn is_azurite(&self) -> bool {
        self.simulated.is_none()
    }

    /// A plain request; `path` is under the container, with its query.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let url = format!("{}/{}{path}", self.account.as_str().trim_end_matches('/'), self.container);
        let method: Method = method.parse().expect("a method");
        let mut request = Request::new(Url::parse(&url).expect("a URL"), method);
        request.insert_header("authorization", format!("Bearer {}", self.token));
        request.insert_header("x-ms-version", VERSION);
        if method.as_str() == "PUT" {
            // The service wants it of a body that is empty too.
            request.insert_header("content-length", body.len().to_string());
        }
        for (name, value) in headers {
            request.insert_header((*name).to_owned(), (*value).to_owned());
        }
        request.set_body(Bytes::from(body.to_owned()));
        let answer = self.transport.execute_request(&request).await.expect("an answer");
        let (status, headers, body) = answer.deconstruct();
        Answer { status: status.into(), headers, body: body.collect().await.expect("a whole answer") }
    }
}

impl Answer {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(found, _)| found.as_str() == name).map_or("", |(_, value)| value.as_str())
    }

    /// The service's code.
    pub fn code(&self) -> &str {
        self.header("x-ms-error-code")
    }
}

fn store_at(account: &Url, container: &str, access: &Access) -> Store {
    let url = format!("{}/{container}", account.as_str().trim_end_matches('/'));
    Store::new(Url::parse(&url).expect("a URL"), access).expect("a store")
}

#[expect(
    clippy::disallowed_methods,
    reason = "the environment says whether Azurite is there; no setting of the product"
)]
fn azurite() -> Option<Url> {
    let named = std::env::var("LIFEBOAT_AZURITE").ok()?;
    Some(Url::parse(&named).expect("LIFEBOAT_AZURITE is the URL of a blob endpoint with its account"))
}

/// A token as Azurite's `--oauth basic` takes it: issuer, audience and times are looked at, the signature is not.
fn token_for_azurite(clock: &Clock) -> String {
    let now = clock.now().as_second();
    let claims = json!({
        "aud": STORAGE_AUDIENCE,
        "iss": "https://sts.windows.net/11111111-2222-4333-8444-555555555555/",
        "iat": now - 60,
        "nbf": now - 60,
        "exp": now + TOKEN_SECONDS,
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signature = URL_SAFE_NO_PAD.encode("not a signature");
    format!("{}.{}.{signature}", part(&json!({ "typ": "JWT", "alg": "RS256" })), part(&claims))
}

/// One token, for as long as a run takes.
struct Fixed {
    token: String,
    until: i64,
}

#[async_trait]
impl TokenCredential for Fixed {
    async fn get_token(&self, _: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let until = OffsetDateTime::from_unix_timestamp(self.until).expect("a time");
        Ok(AccessToken::new(Secret::new(self.token.clone()), until))
    }
}

impl fmt::Debug for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fixed").finish_non_exhaustive()
    }
}
