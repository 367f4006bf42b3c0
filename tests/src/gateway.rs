//! What stands at the Functions app's address: the host that runs, or nobody.
//! It never remembers a host that was switched off.

use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use lifeboat_simulator::host::Host;
use tower::ServiceExt;

/// The app's address. Clones are the same one.
#[derive(Clone, Default)]
pub struct Gateway(Arc<Mutex<Option<Arc<Host>>>>);

impl Gateway {
    /// The host that runs.
    pub fn host(&self) -> Option<Arc<Host>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts a host there, or nobody; what was there before is handed back.
    pub fn put(&self, host: Option<Arc<Host>>) -> Option<Arc<Host>> {
        std::mem::replace(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner), host)
    }

    /// For callers in this process. Where nobody is, the platform answers 503.
    pub fn router(&self) -> Router {
        Router::new().fallback(forward).with_state(self.clone())
    }
}

async fn forward(State(gateway): State<Gateway>, request: Request) -> Response {
    let nobody = || {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = http::StatusCode::SERVICE_UNAVAILABLE;
        response
    };
    match gateway.host() {
        Some(host) => host.router().oneshot(request).await.unwrap_or_else(|error| match error {}),
        None => nobody(),
    }
}
