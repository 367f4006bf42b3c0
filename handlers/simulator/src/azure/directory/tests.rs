//! The directory publishes the keys that its tokens are signed with, and is wrong only as ordered.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use super::*;

fn directory() -> Directory {
    Directory::new(Clock::starting_at("2026-11-23T12:00:00Z".parse().unwrap()), 7)
}

fn person(directory: &Directory) -> String {
    directory.add(PersonSeed { name: "operator".to_owned(), roles: vec!["Lifeboat.Operate".to_owned()] })
}

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn read(token: &str) -> (Value, Value) {
    let parts: Vec<&str> = token.split('.').collect();
    (serde_json::from_slice(&bytes(parts[0])).unwrap(), serde_json::from_slice(&bytes(parts[1])).unwrap())
}

/// Whether a token's signature is of a published key.
fn holds(directory: &Directory, token: &str) -> bool {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (_, set) = directory.answer(&format!("/{}/discovery/v2.0/keys", directory.tenant()));
    let text = |key: &Value, name: &str| bytes(key[name].as_str().unwrap());
    set["keys"].as_array().unwrap().iter().any(|key| {
        let key = RsaPublicKeyComponents { n: text(key, "n"), e: text(key, "e") };
        key.verify(&RSA_PKCS1_2048_8192_SHA256, message.as_bytes(), &bytes(signature)).is_ok()
    })
}

#[tokio::test(start_paused = true)]
async fn a_token_is_signed_with_a_published_key_and_says_who_for_whom_and_how_long() {
    let directory = directory();
    let object = person(&directory);
    let token = directory.token(&object, &TokenOrder::default());
    assert!(holds(&directory, &token));
    let (header, claims) = read(&token);
    assert_eq!((header["alg"].as_str(), header["kid"].as_str()), (Some("RS256"), Some("simulated-key-1")));
    assert_eq!(claims["iss"], format!("{DIRECTORY_URL}/{}/v2.0", directory.tenant()));
    assert_eq!(
        (claims["aud"].as_str(), claims["oid"].as_str()),
        (Some(directory.audience().as_str()), Some(object.as_str()))
    );
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["nbf"].as_i64().unwrap(), TOKEN_MINUTES * 60);
    assert_eq!(claims["roles"], json!(["Lifeboat.Operate"]));
    assert_ne!(token, directory.token(&object, &TokenOrder::default()), "no two tokens are one");
    let (_, nobody) = read(&directory.token("somebody", &TokenOrder::default()));
    assert_eq!(nobody.get("roles"), None);
}

#[tokio::test(start_paused = true)]
async fn after_a_rotation_both_keys_are_published_until_the_old_one_is_retired() {
    let directory = directory();
    let object = person(&directory);
    let before = directory.token(&object, &TokenOrder::default());
    directory.rotate();
    let after = directory.token(&object, &TokenOrder::default());
    assert_eq!(read(&after).0["kid"], "simulated-key-2");
    assert!(holds(&directory, &before) && holds(&directory, &after));
    directory.retire();
    assert!(!holds(&directory, &before) && holds(&directory, &after));
}

#[tokio::test(start_paused = true)]
async fn a_token_is_wrong_as_ordered_and_in_nothing_else() {
    let directory = directory();
    let object = person(&directory);
    let order = |order: Value| directory.token(&object, &serde_json::from_value(order).unwrap());
    assert!(!holds(&directory, &order(json!({ "forged": true }))));
    assert!(order(json!({ "algorithm": "none" })).ends_with('.'));
    let hashed = order(json!({ "algorithm": "HS256" }));
    assert!(!holds(&directory, &hashed) && read(&hashed).0["alg"] == "HS256");
    for (name, claim) in [("audience", "aud"), ("issuer", "iss"), ("tenant", "tid")] {
        let token = order(json!({ name: "other" }));
        assert!(holds(&directory, &token), "{name}");
        assert_eq!(read(&token).1[claim], "other");
    }
    let late = read(&order(json!({ "seconds": -1, "fromSeconds": -100 }))).1;
    assert_eq!(late["exp"].as_i64().unwrap() - late["nbf"].as_i64().unwrap(), 99);
    assert!(serde_json::from_value::<TokenOrder>(json!({ "audiense": "x" })).is_err());
}

#[tokio::test(start_paused = true)]
async fn it_describes_itself_where_it_is_and_is_down_on_order() {
    let directory = directory();
    let path = format!("/{}/v2.0/.well-known/openid-configuration", directory.tenant());
    directory.set_base("http://127.0.0.1:9");
    let (status, described) = directory.answer(&path);
    assert_eq!(status, 200);
    let keys = described["jwks_uri"].as_str().unwrap();
    assert_eq!(directory.answer(keys.strip_prefix("http://127.0.0.1:9").unwrap()).0, 200);
    assert_eq!(directory.answer("/common/discovery/v2.0/keys").0, 404);
    directory.set_down(true);
    assert_eq!(directory.answer(&path).0, 503);
    assert_eq!(directory.times_asked(), 4);
}
