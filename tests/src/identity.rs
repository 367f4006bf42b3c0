//! The handler's credential in the rig: a token from the simulated App Service endpoint, asked over the tapped transport.
//! It never keeps a token; whoever asks keeps it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use azure_core::http::{HttpClient, Method, Request, Url};
use azure_core::time::OffsetDateTime;

/// Where the endpoint is; the simulated Azure listens for this name.
pub const ENDPOINT: &str = "http://127.0.0.1:41741/msi/token";

/// Gets tokens as the platform's managed identity.
pub struct Identity {
    transport: Arc<dyn HttpClient>,
    header: String,
}

impl Identity {
    /// Asks over this transport, with the header that the platform gives to the process.
    pub fn new(transport: Arc<dyn HttpClient>, header: String) -> Arc<Self> {
        Arc::new(Self { transport, header })
    }
}

#[async_trait]
impl TokenCredential for Identity {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let failed = |what: String| Error::with_message(ErrorKind::Credential, what);
        let resource = scopes.first().copied().unwrap_or_default().trim_end_matches("/.default");
        let mut url = Url::parse(ENDPOINT)?;
        url.query_pairs_mut().append_pair("api-version", "2019-08-01").append_pair("resource", resource);
        let mut request = Request::new(url, Method::Get);
        request.insert_header("x-identity-header", self.header.clone());
        let (status, _, body) = self.transport.execute_request(&request).await?.deconstruct();
        let body = body.collect().await?;
        if u16::from(status) != 200 {
            return Err(failed(format!("the endpoint answered {}", u16::from(status))));
        }
        let said: serde_json::Value = serde_json::from_slice(&body)?;
        let text = |name: &str| said.get(name).and_then(serde_json::Value::as_str);
        let token = text("access_token").ok_or_else(|| failed("no access_token".to_owned()))?;
        let expires = text("expires_on").and_then(|text| text.parse().ok()).unwrap_or(0);
        let expires_on = OffsetDateTime::from_unix_timestamp(expires).map_err(|error| failed(error.to_string()))?;
        Ok(AccessToken::new(Secret::new(token.to_owned()), expires_on))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}
