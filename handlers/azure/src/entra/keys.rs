//! The directory's public keys: kept for a day, asked for again each hour and when a token names one that is not known.
//!
//! It never asks more often than every few minutes, whatever tokens come, and never waits long: a slow directory is answered from
//! what is kept.

use super::{OPERATION, Unverified};
use crate::access::Access;
use crate::error::{Error, ErrorKind};
use crate::transport::{Answer, Guarded, may_carry_token};
use azure_core::http::{Method, Request, Url};
use jsonwebtoken::DecodingKey;
use serde::{Deserialize, de::DeserializeOwned};
use std::{collections::BTreeMap, time::Duration};
use tokio::{sync::Mutex, time::Instant};

/// How long keys are good without a new answer: as often as Microsoft asks everybody to look for new ones.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(24 * 60 * 60);
/// How old keys are when they are asked for again while the old ones serve: so the day seldom begins at its end.
pub(super) const FRESH_FOR: Duration = Duration::from_secs(60 * 60);
/// Between two questions at least, however many tokens name keys that nobody knows.
pub(super) const PAUSE: Duration = Duration::from_secs(5 * 60);
/// How long both answers, description and keys, are waited for: an invocation has better things to do, and the keys are a few kilobytes.
pub(super) const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);
/// Keys read at most: a directory has some ten.
const KEYS_MAX: usize = 100;

/// The keys of one tenant.
pub(super) struct Keys {
    /// The directory's own description, which says where its keys are.
    description: Url,
    tenant: String,
    transport: Guarded,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    issuer: String,
    keys: BTreeMap<String, DecodingKey>,
    read_at: Option<Instant>,
    asked_at: Option<Instant>,
    /// The last question was not answered.
    silent: bool,
}

#[derive(Deserialize)]
struct Description {
    issuer: String,
    jwks_uri: String,
}

#[derive(Deserialize)]
struct Document {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    usage: Option<String>,
    kid: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Keys {
    pub fn new(description: Url, tenant: String, access: &Access) -> Self {
        let transport = Guarded::new(access.transport.clone());
        Self { description, tenant, transport, kept: Mutex::new(Kept::default()) }
    }

    /// The key of this id, and what the directory calls itself.
    pub async fn key(&self, kid: &str) -> Result<(DecodingKey, String), Unverified> {
        let mut kept = self.kept.lock().await;
        let age = kept.read_at.map(|at| at.elapsed());
        if age.is_some_and(|age| age >= KEPT_FOR) {
            kept.keys.clear();
        }
        let stale = age.is_none_or(|age| age >= FRESH_FOR) || !kept.keys.contains_key(kid);
        let mut error = None;
        let asked = stale && kept.asked_at.is_none_or(|at| at.elapsed() >= PAUSE);
        if asked {
            error = self.read(&mut kept).await.err();
        }
        if let Some(key) = kept.keys.get(kid) {
            return Ok((key.clone(), kept.issuer.clone()));
        }
        // Where the directory fell silent an unknown key may be a new one: nothing is known of the token.
        match (error, kept.silent) {
            (Some(error), _) => Err(Unverified::Directory(error)),
            (None, true) => Err(Unverified::Directory(Error::new(ErrorKind::Connection, OPERATION))),
            (None, false) if !asked && age.is_some() => Err(Unverified::PerhapsNewKey),
            (None, false) => Err(Unverified::UnknownKey),
        }
    }

    async fn read(&self, kept: &mut Kept) -> Result<(), Error> {
        kept.asked_at = Some(Instant::now());
        // Whoever is dropped while it asks has not heard that a key is unknown.
        kept.silent = true;
        let read = match tokio::time::timeout(ANSWER_TIMEOUT, self.ask()).await {
            Ok(read) => read,
            Err(late) => Err(Error::because(ErrorKind::Connection, OPERATION, late)),
        };
        kept.silent = read.is_err();
        match read {
            Ok((issuer, keys)) => {
                (kept.issuer, kept.keys) = (issuer, keys);
                kept.read_at = Some(Instant::now());
                Ok(())
            }
            Err(error) => {
                tracing::warn!(%error, "the directory did not give its keys; those that are kept serve until they are a day old");
                Err(error)
            }
        }
    }

    /// The directory's name of itself, and its keys.
    async fn ask(&self) -> Result<(String, BTreeMap<String, DecodingKey>), Error> {
        let described: Description = decoded(&self.get(self.description.clone()).await?)?;
        let malformed = || Error::new(ErrorKind::Malformed, OPERATION);
        let url = Url::parse(&described.jwks_uri).map_err(|_| malformed())?;
        // Keys that anybody on the way can change prove nothing, and a description of other tenants is not ours.
        if !may_carry_token(&url) || !described.issuer.contains(&self.tenant) {
            return Err(malformed());
        }
        Ok((described.issuer, keys_of(&self.get(url).await?)?))
    }

    async fn get(&self, url: Url) -> Result<Answer, Error> {
        let mut request = Request::new(url, Method::Get);
        request.insert_header("accept", "application/json");
        let answer =
            self.transport.send(&request, None).await.map_err(|failure| Error::from_failure(OPERATION, failure))?;
        if answer.is_success() { Ok(answer) } else { Err(Error::from_answer(OPERATION, &answer, None)) }
    }
}

fn decoded<T: DeserializeOwned>(answer: &Answer) -> Result<T, Error> {
    serde_json::from_slice(&answer.body).map_err(|error| Error::because(ErrorKind::Malformed, OPERATION, error))
}

/// The RSA keys for signatures; what else stands there is passed over, as any reader of key sets must.
fn keys_of(answer: &Answer) -> Result<BTreeMap<String, DecodingKey>, Error> {
    let document: Document = decoded(answer)?;
    let mut keys = BTreeMap::new();
    for jwk in document.keys.into_iter().take(KEYS_MAX) {
        let signs = jwk.kty == "RSA" && jwk.usage.as_deref().is_none_or(|usage| usage == "sig");
        if let (true, Some(kid), Some(n), Some(e)) = (signs, jwk.kid, jwk.n, jwk.e)
            && let Ok(key) = DecodingKey::from_rsa_components(&n, &e)
        {
            keys.insert(kid, key);
        }
    }
    if keys.is_empty() {
        return Err(Error::new(ErrorKind::Malformed, OPERATION));
    }
    Ok(keys)
}
