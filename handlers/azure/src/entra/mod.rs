//! Verifies access tokens of Microsoft Entra: who gives an order, and by which app role.
//!
//! It never keeps, logs or shows a token, takes no algorithm but RS256, and believes nothing of a token before its signature holds.
//! It decides nothing: what a person with a role may order, others say.
//!
//! ```text
//! token ─► header: RS256, kid ─► key of that kid ─► signature ─► issuer, tenant, audience, times ─► person
//!                                 └ kept for a day; asked for again hourly, and on an unknown kid
//! ```

mod fault;
mod keys;
mod rs256;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::{collections::BTreeSet, fmt};

use crate::access::{Access, WallClock};
use crate::error::{Error, ErrorKind};
use crate::transport::may_carry_token;
use azure_core::http::Url;
use keys::Keys;

pub use fault::Unverified;

/// The longest token that is looked at, in characters: what hosts take as headers.
pub const TOKEN_CHARS_MAX: usize = 16 * 1024;
/// Two clocks may differ by so much: what Microsoft's own libraries allow.
pub const LEEWAY: SignedDuration = SignedDuration::from_mins(5);
/// The one algorithm that is taken.
const ALGORITHM: &str = "RS256";
/// The operation's name in errors.
const OPERATION: &str = "the directory's keys";

/// Where tokens come from and whom they must be for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// The directory's address: `https://login.microsoftonline.com`.
    pub url: String,
    /// The tenant's id.
    pub tenant: String,
    /// The application's client id: what stands in `aud` of tokens of version 2.
    pub audience: String,
}

/// Verifies the tokens of one tenant for one application. Its keys are shared by all who ask it.
pub struct Directory {
    authority: Authority,
    keys: Keys,
    now: WallClock,
}

/// Who a token is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// The object id: two are two persons, or two identities of systems.
    pub object_id: String,
    /// The application's roles that were given to them.
    pub roles: BTreeSet<String>,
    /// A digest of what was signed, in hexadecimal: the same for the same token and no other. Nothing of the token is in it.
    pub mark: String,
    /// When the token ends for us, the leeway included: from then on it is refused.
    pub ends: Timestamp,
}

/// The header, as far as it is asked.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    crit: Option<serde_json::Value>,
}

/// The claims, as far as they are asked.
#[derive(Clone, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    tid: Option<String>,
    exp: i64,
    nbf: i64,
    oid: Option<String>,
    #[serde(default)]
    roles: Roles,
}

/// A list; Microsoft's page also speaks of a text with blanks.
#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Roles {
    List(BTreeSet<String>),
    Text(String),
}

impl Default for Roles {
    fn default() -> Self {
        Self::List(BTreeSet::new())
    }
}

impl From<Roles> for BTreeSet<String> {
    fn from(roles: Roles) -> Self {
        match roles {
            Roles::List(roles) => roles,
            Roles::Text(text) => text.split_whitespace().map(str::to_owned).collect(),
        }
    }
}

impl Directory {
    /// A directory. Nothing is sent.
    pub fn new(authority: Authority, access: &Access) -> Result<Self, Error> {
        let refused = || Error::new(ErrorKind::Refused, OPERATION);
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-');
        let base = authority.url.trim_end_matches('/');
        let (tenant, audience) = (&authority.tenant, &authority.audience);
        if !plain(tenant) || audience.is_empty() {
            return Err(refused());
        }
        let url =
            Url::parse(&format!("{base}/{tenant}/v2.0/.well-known/openid-configuration")).map_err(|_| refused())?;
        // What anybody on the way can change proves nothing.
        if !may_carry_token(&url) {
            return Err(refused());
        }
        rs256::install();
        Ok(Self { keys: Keys::new(url, tenant.clone(), access), now: access.now.clone(), authority })
    }

    /// Who gave this token. The text is without the word `Bearer` before it.
    pub async fn verify(&self, token: &str) -> Result<Person, Unverified> {
        if token.len() > TOKEN_CHARS_MAX {
            return Err(Unverified::NotAToken);
        }
        let (signed, _) = token.rsplit_once('.').ok_or(Unverified::NotAToken)?;
        let header = header(signed)?;
        if header.alg != ALGORITHM {
            return Err(Unverified::Algorithm);
        }
        // What is critical must be understood, and nothing of it is.
        if header.crit.is_some() {
            return Err(Unverified::NotAToken);
        }
        let (key, issuer) = self.keys.key(&header.kid.ok_or(Unverified::NotAToken)?).await?;
        let claims: Claims = rs256::claims(token, &key)?;
        let ends = self.timely(&claims)?;
        self.meant(&claims, &issuer)?;
        let object_id = claims.oid.filter(|id| is_object_id(id)).ok_or(Unverified::Nobody)?;
        let mark = rs256::digest(signed.as_bytes());
        Ok(Person { object_id: object_id.to_ascii_lowercase(), roles: claims.roles.into(), mark, ends })
    }

    /// Not too early and not too late; until when, the leeway included.
    fn timely(&self, claims: &Claims) -> Result<Timestamp, Unverified> {
        let now = (self.now)();
        let moment = |second| Timestamp::from_second(second).map_err(|_| Unverified::NotAToken);
        let (from, exp) = (moment(claims.nbf)?, moment(claims.exp)?);
        let ends = exp.checked_add(LEEWAY).unwrap_or(Timestamp::MAX);
        if now >= ends {
            return Err(Unverified::Expired { at: exp });
        }
        if from.duration_since(now) > LEEWAY {
            return Err(Unverified::NotYet { from });
        }
        Ok(ends)
    }

    /// From this directory, of this tenant, for this application.
    fn meant(&self, claims: &Claims, issuer: &str) -> Result<(), Unverified> {
        if claims.iss != issuer {
            return Err(Unverified::Issuer);
        }
        if claims.tid.as_deref() != Some(self.authority.tenant.as_str()) {
            return Err(Unverified::Tenant);
        }
        if claims.aud != self.authority.audience {
            return Err(Unverified::Audience);
        }
        Ok(())
    }
}

impl fmt::Debug for Directory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Directory").field("authority", &self.authority).finish_non_exhaustive()
    }
}

fn header(signed: &str) -> Result<Header, Unverified> {
    let (header, _) = signed.split_once('.').ok_or(Unverified::NotAToken)?;
    let bytes = URL_SAFE_NO_PAD.decode(header).map_err(|_| Unverified::NotAToken)?;
    serde_json::from_slice(&bytes).map_err(|_| Unverified::NotAToken)
}

/// A GUID as the directory writes them; it stands in records and names of blobs.
fn is_object_id(text: &str) -> bool {
    text.len() == 36 && uuid::Uuid::try_parse(text).is_ok()
}

#[cfg(test)]
mod tests;
