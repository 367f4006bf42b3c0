//! A caller with a token, for all tests.

use axum::body::Body;
use http::{HeaderMap, Request};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::azure::blobs::ConnectionReset;
use crate::azure::{ARM_AUDIENCE, Grant, MachineSeed};
use crate::clock::Clock;
use crate::world::{World, WorldOptions};

/// The subscription of all tests.
pub(crate) const SUBSCRIPTION: &str = "aaaaaaaa-0000-4000-8000-000000000001";

/// An answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
    pub(crate) reset: bool,
}

/// An Azure with one caller.
pub(crate) struct Caller {
    pub(crate) world: World,
    pub(crate) token: String,
    pub(crate) object_id: String,
}

impl Told {
    pub(crate) fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or("")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl Caller {
    pub(crate) fn new() -> Self {
        let epoch = "2026-11-23T12:00:00Z".parse().unwrap();
        let world = World::new(WorldOptions::new(Clock::starting_at(epoch)));
        world.add_subscription(SUBSCRIPTION, "Production");
        world.arm().add_group(SUBSCRIPTION, "lifeboat-points-westeurope", "westeurope");
        let principal = world.add_principal("handler", vec![Grant::owner()]);
        let token = world.token(&principal.object_id, ARM_AUDIENCE);
        Self { world, token, object_id: principal.object_id }
    }

    /// With a machine that has been there for a day.
    pub(crate) fn with_machine(seed: impl FnOnce(MachineSeed) -> MachineSeed) -> (Self, String) {
        let own = Self::new();
        let mut machine = seed(MachineSeed::new(SUBSCRIPTION, "Shop", "web-1", "westeurope"));
        machine.created_at = machine.created_at.or_else(|| "2026-11-22T12:00:00Z".parse().ok());
        let id = own.world.add_machine(&machine);
        (own, id)
    }

    pub(crate) async fn send(&self, method: &str, path: &str, body: Option<Value>) -> Told {
        self.send_with(method, path, body, &[]).await
    }

    pub(crate) async fn send_with(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Told {
        let mut request = Request::builder().method(method).uri(path).header("host", "management.azure.com");
        if !headers.iter().any(|(name, _)| *name == "authorization") {
            request = request.header("authorization", format!("Bearer {}", self.token));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        let response = self.world.arm().router().oneshot(request.body(Body::from(body)).unwrap()).await.unwrap();
        let reset = response.extensions().get::<ConnectionReset>().is_some();
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.map(|body| body.to_bytes()).unwrap_or_default();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Told { status: parts.status.as_u16(), headers: parts.headers, body, reset }
    }

    pub(crate) async fn get(&self, id: &str) -> Told {
        let sign = if id.contains('?') { '&' } else { '?' };
        self.send("GET", &format!("{id}{sign}api-version=2025-04-01"), None).await
    }

    pub(crate) async fn put(&self, id: &str, body: Value) -> Told {
        self.send("PUT", &format!("{id}?api-version=2025-04-01"), Some(body)).await
    }

    /// Makes the collection of a machine.
    pub(crate) async fn collection(&self, name: &str, machine: &str) -> String {
        let id = collection_id(name);
        let body = json!({ "location": "westeurope", "properties": { "source": { "id": machine } } });
        let told = self.put(&id, body).await;
        assert!(matches!(told.status, 200 | 201), "{told:?}");
        id
    }

    /// Polls an operation as its URL was given.
    pub(crate) async fn poll(&self, told: &Told, header: &str) -> Told {
        let url = told.header(header).to_owned();
        let path = url.strip_prefix("https://management.azure.com").unwrap_or_else(|| panic!("no {header}: {told:?}"));
        self.send("GET", path, None).await
    }
}

pub(crate) fn collection_id(name: &str) -> String {
    format!(
        "/subscriptions/{SUBSCRIPTION}/resourceGroups/lifeboat-points-westeurope/providers/Microsoft.Compute/\
         restorePointCollections/{name}"
    )
}

pub(crate) fn crash() -> Value {
    json!({ "properties": { "consistencyMode": "CrashConsistent" } })
}

pub(crate) async fn seconds(count: u64) {
    tokio::time::sleep(std::time::Duration::from_secs(count)).await;
}
