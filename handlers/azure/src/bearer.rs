//! Keeps one access token for one audience, and gets the next one early.
//!
//! It never writes a token anywhere, and asks for one at a time however many wait for it.

use crate::{
    access::{Access, WallClock},
    error::{Error, ErrorKind},
};
use azure_core::credentials::{Secret, TokenCredential};
use jiff::Timestamp;
use std::{fmt, sync::Arc, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// How long before its end a token is replaced: longer than any call takes, and azure_identity's own caches do the same.
const EARLY: Duration = Duration::from_secs(5 * 60);
/// How long getting a token may take. The platform's endpoint answers in milliseconds, a developer's tool in seconds.
const TOKEN_TIMEOUT: Duration = Duration::from_secs(20);
/// How long a refused refresh is not tried again while the old token still serves.
const REFRESH_PAUSE: Duration = Duration::from_secs(30);

/// A source of tokens for one scope.
pub(crate) struct Bearer {
    credential: Arc<dyn TokenCredential>,
    scope: String,
    now: WallClock,
    kept: Mutex<Option<Kept>>,
}

#[derive(Clone)]
struct Kept {
    token: Secret,
    refresh_at: Instant,
    ends_at: Instant,
}

/// A token in hand.
#[derive(Clone)]
pub(crate) struct Token(Secret);

impl Token {
    /// The value of the `Authorization` header.
    pub fn header(&self) -> String {
        format!("Bearer {}", self.0.secret())
    }
}

impl Bearer {
    pub fn new(access: &Access, scope: impl Into<String>) -> Self {
        let (credential, now) = (Arc::clone(&access.credential), Arc::clone(&access.now));
        Self { credential, scope: scope.into(), now, kept: Mutex::new(None) }
    }

    /// A token that is good for some minutes.
    pub async fn token(&self, operation: &'static str) -> Result<Token, Error> {
        let mut kept = self.kept.lock().await;
        let now = Instant::now();
        if let Some(held) = kept.as_ref().filter(|held| now < held.refresh_at) {
            return Ok(Token(held.token.clone()));
        }
        match self.fetch(operation).await {
            Ok(fresh) => Ok(Token(kept.insert(fresh).token.clone())),
            Err(error) => match kept.as_mut().filter(|held| now < held.ends_at) {
                Some(held) => {
                    tracing::warn!(operation, %error, "no new token; the old one still serves");
                    held.refresh_at = Instant::now() + REFRESH_PAUSE;
                    Ok(Token(held.token.clone()))
                }
                None => Err(error),
            },
        }
    }

    /// Drops a token that was refused; another one, got meanwhile, stays.
    pub async fn refused(&self, token: &Token) {
        let mut kept = self.kept.lock().await;
        kept.take_if(|held| held.token == token.0);
    }

    async fn fetch(&self, operation: &'static str) -> Result<Kept, Error> {
        let scopes = [self.scope.as_str()];
        let token = match tokio::time::timeout(TOKEN_TIMEOUT, self.credential.get_token(&scopes, None)).await {
            Ok(Ok(token)) => token,
            Ok(Err(error)) => {
                let kind = if passes(&error) { ErrorKind::Connection } else { ErrorKind::Unauthorized };
                return Err(Error::because(kind, operation, NoToken(crate::said::clean(&error.to_string()))));
            }
            Err(late) => return Err(Error::because(ErrorKind::Connection, operation, late)),
        };
        let now = Instant::now();
        let ends = Timestamp::from_second(token.expires_on.unix_timestamp()).unwrap_or(Timestamp::MAX);
        let lasts = Duration::try_from(ends.duration_since((self.now)())).unwrap_or(Duration::ZERO).min(LONGEST_TOKEN);
        // A token that is short from the start is used for half of its life, so that it is not asked for at each call.
        let use_for = lasts.saturating_sub(EARLY).max(lasts / 2);
        Ok(Kept { token: token.token, refresh_at: now + use_for, ends_at: now + lasts })
    }
}

/// The longest life of a token that is believed: managed identities' last 24 h.
const LONGEST_TOKEN: Duration = Duration::from_secs(28 * 60 * 60);

impl fmt::Debug for Bearer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bearer").field("scope", &self.scope).finish_non_exhaustive()
    }
}

/// Whether the source of tokens could not be asked or is in trouble, which passes; a refused identity does not.
fn passes(error: &azure_core::Error) -> bool {
    let chain = std::iter::successors(Some(error as &(dyn std::error::Error + 'static)), |error| error.source());
    chain.filter_map(|error| error.downcast_ref::<azure_core::Error>()).any(|error| {
        use azure_core::error::ErrorKind::{Connection, Io};
        let status = error.http_status().map(u16::from);
        matches!(error.kind(), Connection | Io) || status.is_some_and(|status| matches!(status, 408 | 429 | 500..))
    })
}

/// The credential's word, cleaned: it may quote an answer.
#[derive(Debug, thiserror::Error)]
#[error("no token: {0}")]
struct NoToken(String);
