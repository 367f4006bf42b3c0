//! The issuer's two keys, and tokens signed with them, or as wrongly as was ordered.
//! They are fixed, so that the same seed gives the same tokens; RS256 draws no lots.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ring::rand::SystemRandom;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};

/// Both keys, as their RSA private key structures in base64.
static KEYS: LazyLock<[Option<RsaKeyPair>; 2]> =
    LazyLock::new(|| [include_str!("first-key.b64"), include_str!("second-key.b64")].map(read));
/// What they are called.
const KIDS: [&str; 2] = ["simulated-key-1", "simulated-key-2"];

/// One of the keys.
#[derive(Clone, Copy)]
pub(super) struct Key(usize);

fn read(base64: &str) -> Option<RsaKeyPair> {
    RsaKeyPair::from_der(&STANDARD.decode(base64.replace('\n', "")).ok()?).ok()
}

impl Key {
    pub(super) fn of(number: usize) -> Self {
        Self(number % KIDS.len())
    }

    pub(super) fn kid(self) -> &'static str {
        KIDS[self.0]
    }

    /// As it stands in the key set.
    pub(super) fn published(self) -> Value {
        let parts = self.parts();
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        json!({ "kty": "RSA", "use": "sig", "kid": self.kid(), "n": text(&parts.n), "e": text(&parts.e) })
    }

    /// A signed token; by `none` without a signature, by `HS256` with the public key as the secret.
    pub(super) fn token(self, algorithm: &str, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let message = format!("{}.{}", part(header), part(claims));
        let signature = match algorithm.to_ascii_lowercase().as_str() {
            "none" => Vec::new(),
            "hs256" => {
                let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &self.parts().n);
                ring::hmac::sign(&secret, message.as_bytes()).as_ref().to_vec()
            }
            _ => self.sign(message.as_bytes()),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn sign(self, message: &[u8]) -> Vec<u8> {
        let Some(key) = &KEYS[self.0] else { return Vec::new() };
        let mut signature = vec![0; key.public().modulus_len()];
        match key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature) {
            Ok(()) => signature,
            Err(_) => Vec::new(),
        }
    }

    fn parts(self) -> PublicKeyComponents<Vec<u8>> {
        match &KEYS[self.0] {
            Some(key) => PublicKeyComponents::from(key.public()),
            None => PublicKeyComponents { n: Vec::new(), e: Vec::new() },
        }
    }
}
