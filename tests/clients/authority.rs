//! A stand-in for the directory's sign-in of an application: the discovery document, and a token for a client's secret.
//! It never signs anybody in but that one client, and its tokens are the simulator's own: opaque, and good for one audience.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, HOST};
use axum::response::{IntoResponse as _, Response};
use lifeboat_simulator::azure::Principal;
use lifeboat_simulator::world::World;
use serde_json::{Value, json};

/// The largest form that is read, in bytes: a client's id, secret and scope.
const FORM_BYTES: usize = 64 * 1024;
/// How long the tokens are said to last, in seconds; the simulator's own last longer.
const EXPIRES_IN: u32 = 3_600;

/// Who can sign in where.
pub struct Directory {
    /// Checks the tokens that are given here.
    pub world: World,
    /// The tenant.
    pub tenant: String,
    /// The application.
    pub principal: Principal,
    /// Its secret.
    pub secret: String,
}

/// The directory as an HTTP service.
pub fn router(directory: Directory) -> Router {
    Router::new().fallback(answer).with_state(Arc::new(directory))
}

async fn answer(State(directory): State<Arc<Directory>>, request: Request) -> Response {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    let path = request.uri().path().to_owned();
    let own = format!("/{}", directory.tenant);
    let (status, body) = match path.strip_prefix(&own) {
        Some("/v2.0/.well-known/openid-configuration") => (StatusCode::OK, discovery(&format!("https://{host}{own}"))),
        Some("/oauth2/v2.0/token") => {
            let form = axum::body::to_bytes(request.into_body(), FORM_BYTES).await.unwrap_or_default();
            directory.token(&form)
        }
        _ => (StatusCode::NOT_FOUND, json!({ "error": "not_found", "error_description": path })),
    };
    (status, [(CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn discovery(base: &str) -> Value {
    json!({
        "issuer": format!("{base}/v2.0"),
        "authorization_endpoint": format!("{base}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{base}/oauth2/v2.0/token"),
        "device_authorization_endpoint": format!("{base}/oauth2/v2.0/devicecode"),
        "jwks_uri": format!("{base}/discovery/v2.0/keys"),
    })
}

impl Directory {
    fn token(&self, form: &[u8]) -> (StatusCode, Value) {
        let given = |name: &str| {
            let mut pairs = url::form_urlencoded::parse(form);
            pairs.find(|(found, _)| found == name).map(|(_, value)| value.into_owned()).unwrap_or_default()
        };
        let is_known = given("grant_type") == "client_credentials"
            && given("client_id") == self.principal.client_id
            && given("client_secret") == self.secret;
        if !is_known {
            let refused = json!({ "error": "invalid_client", "error_description": "AADSTS7000215: no such client." });
            return (StatusCode::UNAUTHORIZED, refused);
        }
        let scope = given("scope");
        let audience = scope.split(' ').find_map(|one| one.strip_suffix("/.default")).unwrap_or_default();
        let token = self.world.token(&self.principal.object_id, audience);
        let answer = json!({
            "token_type": "Bearer",
            "expires_in": EXPIRES_IN,
            "ext_expires_in": EXPIRES_IN,
            "access_token": token,
        });
        (StatusCode::OK, answer)
    }
}
