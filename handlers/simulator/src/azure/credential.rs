//! A principal's credential for the product's own clients, where these run beside the simulator.
//! It never gives a token for another audience than the one that is asked for.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, Secret, TokenCredential, TokenRequestOptions};
use azure_core::error::{Error, ErrorKind};
use azure_core::time::OffsetDateTime;

use super::identity::Identity;

struct Credential {
    identity: Identity,
    object_id: String,
}

impl Identity {
    /// The credential of a principal.
    pub fn credential(&self, object_id: &str) -> Arc<dyn TokenCredential> {
        Arc::new(Credential { identity: self.clone(), object_id: object_id.to_owned() })
    }
}

#[async_trait]
impl TokenCredential for Credential {
    async fn get_token(&self, scopes: &[&str], _: Option<TokenRequestOptions<'_>>) -> azure_core::Result<AccessToken> {
        let audience = scopes.first().copied().unwrap_or_default();
        let audience = audience.trim_end_matches("/.default").trim_end_matches('/');
        let (token, until) = self.identity.issued(&self.object_id, audience);
        let until = OffsetDateTime::from_unix_timestamp(until.as_second())
            .map_err(|error| Error::with_error(ErrorKind::Credential, error, "the token's end is no time"))?;
        Ok(AccessToken::new(Secret::new(token), until))
    }
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential").finish_non_exhaustive()
    }
}
