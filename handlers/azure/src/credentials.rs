//! Who we are to Azure: the platform's managed identity, or the sign-in of a developer's own tools.
//!
//! It never holds a secret, and does nothing before the first token is asked for. azure_identity itself reads
//! `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`, which the platform gives to the process.

use async_trait::async_trait;
use azure_core::{
    credentials::{AccessToken, TokenCredential, TokenRequestOptions},
    http::{ClientOptions, ExponentialRetryOptions, HttpClient, RetryOptions, Transport},
    time::Duration,
};
use azure_identity::{
    DeveloperToolsCredential, DeveloperToolsCredentialOptions, Executor, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId,
};
use std::{fmt, sync::Arc};

/// How often the identity's endpoint is asked again within one attempt. It is on the same host and seldom away for long.
const RETRIES: u32 = 2;
/// The longest that those repeats may take, in seconds.
const RETRIES_SECONDS: i64 = 5;

/// The managed identity of the Functions app; a user-assigned one by its client id.
pub fn managed_identity(transport: Arc<dyn HttpClient>, client_id: Option<String>) -> Arc<dyn TokenCredential> {
    let build: Build = Box::new(move || {
        let retry = RetryOptions::exponential(ExponentialRetryOptions {
            max_retries: RETRIES,
            max_total_elapsed: Duration::seconds(RETRIES_SECONDS),
            ..ExponentialRetryOptions::default()
        });
        let transport = Some(Transport::new(Arc::clone(&transport)));
        let credential = ManagedIdentityCredential::new(Some(ManagedIdentityCredentialOptions {
            user_assigned_id: client_id.clone().map(UserAssignedId::ClientId),
            client_options: ClientOptions { retry, transport, ..ClientOptions::default() },
        }))?;
        Ok(credential)
    });
    Arc::new(Fresh { name: "managed identity", build })
}

/// The developer's own sign-in: `az`, then `azd`.
pub fn developer() -> Arc<dyn TokenCredential> {
    developer_by(None)
}

/// The developer's own sign-in, its tools run by `executor`; by the library's own where there is none.
fn developer_by(executor: Option<Arc<dyn Executor>>) -> Arc<dyn TokenCredential> {
    let build: Build = Box::new(move || {
        let options = DeveloperToolsCredentialOptions { executor: executor.clone() };
        Ok(DeveloperToolsCredential::new(Some(options))?)
    });
    Arc::new(Fresh { name: "developer's sign-in", build })
}

type Build = Box<dyn Fn() -> azure_core::Result<Arc<dyn TokenCredential>> + Send + Sync>;

/// Builds the library's credential for each token. Building is cheap, and the library's own cache, which goes by the wall
/// clock and cannot be emptied, would give a refused token again. Whoever asks keeps the token, as the clients here do.
struct Fresh {
    name: &'static str,
    build: Build,
}

#[async_trait]
impl TokenCredential for Fresh {
    async fn get_token(
        &self,
        scopes: &[&str],
        options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        (self.build)()?.get_token(scopes, options).await
    }
}

impl fmt::Debug for Fresh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fresh({})", self.name)
    }
}

#[cfg(test)]
mod tests;
