//! A person with all rights, who speaks to ARM as `az` does: reads what is there, and changes what the product did not make.
//! It never goes through the product's client.

use axum::body::Body;
use lifeboat_simulator::azure::{ARM_AUDIENCE, Grant, Principal};
use serde_json::Value;
use tower::ServiceExt;

use crate::azure::Azure;

/// The largest answer that is read.
const ANSWER_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The person.
pub struct Person<'a> {
    azure: &'a Azure,
    principal: Principal,
}

impl<'a> Person<'a> {
    /// Signed in.
    pub fn of(azure: &'a Azure) -> Self {
        let principal = azure.identity.add_named("auditor", vec![Grant::owner()]);
        Self { azure, principal }
    }

    /// Reads; panics where ARM refuses.
    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, Body::empty()).await;
        assert!(status < 300, "GET {path}: {status} {body}");
        body
    }

    /// Merges a tag into those of a resource; ARM's words where it refuses.
    pub async fn tag(&self, resource: &str, name: &str, value: &str) -> Result<(), String> {
        let path = format!("{resource}/providers/Microsoft.Resources/tags/default?api-version=2025-04-01");
        let body = serde_json::json!({ "operation": "Merge", "properties": { "tags": { name: value } } });
        let (status, body) = self.ask("PATCH", &path, Body::from(body.to_string())).await;
        if status < 300 { Ok(()) } else { Err(format!("{status} {body}")) }
    }

    async fn ask(&self, method: &str, path: &str, body: Body) -> (u16, Value) {
        let token = self.azure.identity.token(&self.principal.object_id, ARM_AUDIENCE);
        let request = http::Request::builder()
            .method(method)
            .uri(format!("https://management.azure.com{path}"))
            .header("authorization", format!("Bearer {token}"))
            .header("content-type", "application/json")
            .body(body)
            .expect("a request");
        let answer = self.azure.arm.router().oneshot(request).await.unwrap_or_else(|error| match error {});
        let status = answer.status().as_u16();
        let bytes = axum::body::to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await.expect("an answer");
        (status, serde_json::from_slice(&bytes).unwrap_or_default())
    }
}
