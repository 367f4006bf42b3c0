//! Why a token is not taken, in few kinds, each saying whether the same may be tried again.
//! It never says what stood in the token.

use crate::error::Error;
use jiff::Timestamp;

/// Why a token is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Unverified {
    /// It is not a token of this kind. A repeat says the same.
    #[error("it is not a signed token that can be read")]
    NotAToken,
    /// Signed by another algorithm than RS256, or not at all. A repeat says the same.
    #[error("it is not signed with RS256")]
    Algorithm,
    /// Its key is none of the directory's. A repeat some minutes later is safe: keys are asked for again.
    #[error("it is signed with a key that the directory does not know")]
    UnknownKey,
    /// Its key is none that was read, and the directory was asked a moment ago: it may be a new one. A repeat some minutes later is safe,
    /// and is told.
    #[error("it is signed with a key that is not known yet: the directory is asked for new ones every few minutes")]
    PerhapsNewKey,
    /// The signature is not of that key. A repeat says the same.
    #[error("its signature does not hold")]
    Signature,
    /// From another issuer. A repeat says the same.
    #[error("it was issued by another directory")]
    Issuer,
    /// Of another tenant. A repeat says the same.
    #[error("it is of another tenant")]
    Tenant,
    /// For somebody else. A repeat says the same.
    #[error("it is for another audience")]
    Audience,
    /// It ended. A new token is needed.
    #[error("it expired at {at}")]
    Expired {
        /// When.
        at: Timestamp,
    },
    /// It is not valid yet. A repeat is safe from then on.
    #[error("it is not valid before {from}")]
    NotYet {
        /// From when on.
        from: Timestamp,
    },
    /// It names nobody. A repeat says the same.
    #[error("it names no object id")]
    Nobody,
    /// The directory did not answer, and no keys are kept. Nothing is known of the token: a repeat is safe.
    #[error("the directory did not give its keys")]
    Directory(#[source] Error),
}

impl Unverified {
    /// Whether nothing is known of the token, so that the same may be tried again.
    pub fn is_unknown(&self) -> bool {
        matches!(self, Self::Directory(_) | Self::PerhapsNewKey)
    }
}
