//! What is believed about identities and their tokens.
//!
//! It never decides anything.

use super::{
    Entry,
    Grade::{Assumed, Documented},
    entry,
};

/// The entries.
pub(super) const ENTRIES: &[Entry] = &[
    entry(
        "identity-endpoint",
        Documented,
        "the platform gives tokens at `IDENTITY_ENDPOINT` under `X-IDENTITY-HEADER`",
        "Learn, App Service managed identity; azure_identity 1.0",
    ),
    entry(
        "entra-token-claims",
        Documented,
        "an access token is a JWT whose header has `alg` and `kid` and whose claims have `iss`, `aud`, `tid`, `oid`, `nbf`, `exp`, and `roles` where app roles were given",
        "Learn, access tokens reference: header and payload claims",
    ),
    entry(
        "entra-token-version-2",
        Documented,
        "of a token of version 2 `iss` is `https://login.microsoftonline.com/<tenant>/v2.0` and `aud` the application's client id",
        "Learn, access tokens reference: `iss`, `aud` and its sample of version 2",
    ),
    entry(
        "entra-key-rollover",
        Documented,
        "the directory's description (`.well-known/openid-configuration`) names its issuer and where its public keys are (`jwks_uri`); they change at any time, and are looked for again every 24 hours",
        "Learn, access tokens reference: validating the signature",
    ),
    entry(
        "entra-one-token-one-text",
        Assumed,
        "two tokens never share header and claims: each has identifiers and times of its own",
        "No page promises it. Where it is wrong, a second command with a token that reads the same is refused, and its sender needs a new token",
    ),
];
