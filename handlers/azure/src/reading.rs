//! A transport for whoever only looks: it carries questions, and nothing that could change anything.
//! It never asks who uses it: a change that gets here by mistake is not sent, whatever the caller's rights are.

use async_trait::async_trait;
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{AsyncRawResponse, HttpClient, Method, Request};
use std::sync::Arc;

use crate::operations::Operation;
use crate::{graph, protection_status};

/// The questions that Azure has put as a POST; all else that is not a GET or a HEAD could change something.
const ASKED_BY_POST: [&Operation; 3] = [&graph::QUERY, &protection_status::STATUS, &protection_status::PRE_CHECK];

/// Carries questions alone.
#[derive(Debug)]
pub struct Reading {
    inner: Arc<dyn HttpClient>,
}

impl Reading {
    /// Over a transport that carries anything.
    pub fn over(inner: Arc<dyn HttpClient>) -> Arc<Self> {
        Arc::new(Self { inner })
    }
}

/// True when a request only asks.
fn asks(method: Method, path: &str) -> bool {
    // What stands after the last parameter of a document's path tells its operation; case is Azure's own business.
    let own = |operation: &&Operation| operation.path.rsplit('}').next().unwrap_or_default().to_ascii_lowercase();
    match method {
        Method::Get | Method::Head => true,
        Method::Post => ASKED_BY_POST.iter().any(|operation| path.to_ascii_lowercase().ends_with(&own(operation))),
        _ => false,
    }
}

#[async_trait]
impl HttpClient for Reading {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        if asks(request.method(), request.url().path()) {
            return self.inner.execute_request(request).await;
        }
        let what = format!("{} was not sent: this transport carries questions alone", request.method());
        Err(Error::with_message(ErrorKind::Other, what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_pass_and_nothing_else_does() {
        let of = |what: &str| format!("/subscriptions/s/providers/Microsoft.RecoveryServices/locations/weu/{what}");
        for path in [
            "/providers/Microsoft.ResourceGraph/resources",
            "/PROVIDERS/microsoft.resourcegraph/resources",
            &of("backupStatus"),
            &of("backupPreValidateProtection"),
        ] {
            assert!(asks(Method::Post, path), "{path}");
            assert!(!asks(Method::Put, path) && !asks(Method::Delete, path) && !asks(Method::Patch, path), "{path}");
        }
        let machine = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm";
        assert!(asks(Method::Get, machine) && asks(Method::Head, machine));
        for path in [machine, "/lifeboat/estate.json", &format!("{machine}/deallocate"), &format!("{machine}/backup")] {
            for method in [Method::Post, Method::Put, Method::Patch, Method::Delete] {
                assert!(!asks(method, path), "{method} {path}");
            }
        }
    }
}
