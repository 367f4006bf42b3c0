//! Every token that is not what it must be is refused for its own reason, and the directory is asked seldom.
//! The keys here sign nothing but what these tests make.

use super::keys::{ANSWER_TIMEOUT, FRESH_FOR, KEPT_FOR, PAUSE};
use super::*;
use crate::scripted::{NOW, Reply, Scripted};
use base64::engine::general_purpose::STANDARD;
use ring::rsa::PublicKeyComponents;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair};
use serde_json::{Value, json};
use std::sync::Arc;

const TENANT: &str = "11111111-2222-3333-4444-555555555555";
const AUDIENCE: &str = "aaaaaaaa-0000-0000-0000-00000000000a";
const OID: &str = "0a0b0c0d-0000-0000-0000-000000000001";

fn key(base64: &str) -> RsaKeyPair {
    let der = STANDARD.decode(base64.replace('\n', "")).expect("base64");
    RsaKeyPair::from_der(&der).expect("a key")
}

fn first() -> RsaKeyPair {
    key(include_str!("tests/first-key.b64"))
}

fn second() -> RsaKeyPair {
    key(include_str!("tests/second-key.b64"))
}

fn encoded(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

/// A key set with these keys.
fn published(keys: &[(&str, &RsaKeyPair)]) -> Value {
    let jwk = |(kid, key): &(&str, &RsaKeyPair)| {
        let parts = PublicKeyComponents::<Vec<u8>>::from(key.public());
        json!({ "kty": "RSA", "use": "sig", "kid": kid, "n": URL_SAFE_NO_PAD.encode(&parts.n), "e": URL_SAFE_NO_PAD.encode(&parts.e) })
    };
    let keys: Vec<Value> =
        keys.iter().map(jwk).chain([json!({ "kty": "EC", "kid": "other", "crv": "P-256" })]).collect();
    json!({ "keys": keys })
}

fn at(seconds: i64) -> i64 {
    NOW.parse::<Timestamp>().expect("a moment").as_second() + seconds
}

fn claims() -> Value {
    json!({
        "iss": format!("https://login.microsoftonline.com/{TENANT}/v2.0"), "aud": AUDIENCE, "tid": TENANT, "ver": "2.0",
        "nbf": at(-60), "iat": at(-60), "exp": at(3_600), "oid": OID, "roles": ["Lifeboat.Operate"], "uti": "u-1",
    })
}

fn signed_by(key: &RsaKeyPair, header: &Value, claims: &Value) -> String {
    let message = format!("{}.{}", encoded(header), encoded(claims));
    let mut signature = vec![0; key.public().modulus_len()];
    let random = ring::rand::SystemRandom::new();
    key.sign(&RSA_PKCS1_SHA256, &random, message.as_bytes(), &mut signature).expect("signs");
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn header(kid: &str) -> Value {
    json!({ "typ": "JWT", "alg": "RS256", "kid": kid })
}

fn token(claims: &Value) -> String {
    signed_by(&first(), &header("k1"), claims)
}

fn described() -> Reply {
    let base = format!("https://login.microsoftonline.com/{TENANT}");
    let keys = format!("{base}/discovery/v2.0/keys");
    Reply::json(200, &json!({ "issuer": format!("{base}/v2.0"), "jwks_uri": keys, "token_endpoint": "…" }))
}

/// Description and keys, which each question gets.
fn answer() -> [Reply; 2] {
    [described(), Reply::json(200, &published(&[("k1", &first())]))]
}

fn directory(transport: &Arc<Scripted>) -> Directory {
    let authority = Authority {
        url: "https://login.microsoftonline.com".to_owned(),
        tenant: TENANT.to_owned(),
        audience: AUDIENCE.to_owned(),
    };
    Directory::new(authority, &transport.access()).expect("an address")
}

/// Why a token is not taken by a directory that answers.
async fn refused(token: &str) -> Unverified {
    directory(&Scripted::new(answer())).verify(token).await.expect_err("it is refused")
}

#[tokio::test]
async fn a_token_as_the_directory_gives_it_says_who_and_by_which_role() {
    let transport = Scripted::new(answer());
    let directory = directory(&transport);
    let person = directory.verify(&token(&claims())).await.expect("it holds");
    assert_eq!((person.object_id.as_str(), person.roles.len()), (OID, 1));
    assert_eq!(person.ends.as_second(), at(3_600) + LEEWAY.as_secs());
    let asked = transport.asked();
    let base = format!("https://login.microsoftonline.com/{TENANT}");
    assert_eq!(asked[0].url.as_str(), format!("{base}/v2.0/.well-known/openid-configuration"));
    assert_eq!(asked[1].url.as_str(), format!("{base}/discovery/v2.0/keys"));
    assert_eq!(asked[0].header("authorization"), "", "who asks for public keys says nothing of themselves");
    let again = directory.verify(&token(&claims())).await.expect("it holds");
    assert_eq!(again.mark, person.mark, "the same token has the same mark");
    let mut other = claims();
    other["uti"] = "u-2".into();
    assert_ne!(directory.verify(&token(&other)).await.expect("it holds").mark, person.mark);
    assert_eq!(transport.count(), 2, "keys are kept");
    assert!(!format!("{directory:?} {person:?}").contains("eyJ"), "no token is shown");
}

#[tokio::test]
async fn each_claim_that_is_not_as_it_must_be_is_refused_for_its_own_reason() {
    let cases: &[(&str, Value, &str)] = &[
        ("aud", json!("aaaaaaaa-0000-0000-0000-00000000000b"), "another audience"),
        ("aud", json!(""), "another audience"),
        ("aud", json!([AUDIENCE]), "signed token that can be read"),
        ("iss", json!(format!("https://login.microsoftonline.com/{AUDIENCE}/v2.0")), "another directory"),
        ("iss", json!(format!("https://sts.windows.net/{TENANT}/")), "another directory"),
        ("iss", json!(format!("https://login.microsoftonline.com/{TENANT}/v2.0/")), "another directory"),
        ("tid", json!(AUDIENCE), "another tenant"),
        ("tid", json!(null), "another tenant"),
        ("exp", json!(at(-LEEWAY.as_secs())), "it expired at"),
        ("exp", json!("2026"), "signed token that can be read"),
        ("exp", json!(null), "signed token that can be read"),
        ("nbf", json!(at(LEEWAY.as_secs() + 1)), "not valid before"),
        ("nbf", json!("0"), "signed token that can be read"),
        ("oid", json!("Someone"), "names no object id"),
        ("oid", json!("../../estate.json"), "names no object id"),
        ("oid", json!(null), "names no object id"),
    ];
    for (name, value, expected) in cases {
        let mut claims = claims();
        claims[*name] = value.clone();
        let told = refused(&token(&claims)).await.to_string();
        assert!(told.contains(expected), "{name} = {value}: {told}");
    }
    for name in ["aud", "iss", "exp", "nbf", "oid", "tid"] {
        let mut claims = claims();
        claims.as_object_mut().expect("a mapping").remove(name);
        refused(&token(&claims)).await;
    }
}

#[tokio::test]
async fn the_edges_of_the_times_are_those_of_the_leeway() {
    for (name, seconds) in [("exp", 1 - LEEWAY.as_secs()), ("nbf", LEEWAY.as_secs())] {
        let mut claims = claims();
        claims[name] = at(seconds).into();
        directory(&Scripted::new(answer())).verify(&token(&claims)).await.expect(name);
    }
}

#[tokio::test]
async fn no_algorithm_but_rs256_is_taken_whoever_signed() {
    let none =
        |alg: &str| format!("{}.{}.", encoded(&json!({ "typ": "JWT", "alg": alg, "kid": "k1" })), encoded(&claims()));
    for alg in ["none", "None", "NONE", "nOnE"] {
        assert!(matches!(refused(&none(alg)).await, Unverified::Algorithm), "{alg}");
    }
    // HS256 whose secret is the public key, which everybody has.
    let public = PublicKeyComponents::<Vec<u8>>::from(first().public());
    for secret in [URL_SAFE_NO_PAD.encode(&public.n).into_bytes(), public.n.clone()] {
        let header = json!({ "typ": "JWT", "alg": "HS256", "kid": "k1" });
        let message = format!("{}.{}", encoded(&header), encoded(&claims()));
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &secret);
        let signature = ring::hmac::sign(&secret, message.as_bytes());
        let token = format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
        assert!(matches!(refused(&token).await, Unverified::Algorithm));
    }
    // Whatever the header says: the right signature by RS256 does not make another algorithm right.
    for alg in ["RS384", "RS512", "PS256", "ES256", "", "rs256"] {
        let token = signed_by(&first(), &json!({ "typ": "JWT", "alg": alg, "kid": "k1" }), &claims());
        assert!(matches!(refused(&token).await, Unverified::Algorithm), "{alg}");
    }
}

#[tokio::test]
async fn a_signature_by_another_key_or_over_other_claims_does_not_hold() {
    let by_another = signed_by(&second(), &header("k1"), &claims());
    assert!(matches!(refused(&by_another).await, Unverified::Signature));
    let right = token(&claims());
    let mut parts: Vec<&str> = right.split('.').collect();
    let mut more = claims();
    more["roles"] = json!(["Everything"]);
    let forged = encoded(&more);
    parts[1] = &forged;
    assert!(matches!(refused(&parts.join(".")).await, Unverified::Signature));
    let unsigned = right.rsplit_once('.').expect("three parts").0;
    assert!(matches!(refused(&format!("{unsigned}.")).await, Unverified::Signature | Unverified::NotAToken));
}

#[tokio::test]
async fn what_is_no_token_is_refused_before_the_directory_is_asked() {
    let transport = Scripted::new([]);
    let directory = directory(&transport);
    let without_kid = signed_by(&first(), &json!({ "alg": "RS256" }), &claims());
    let critical = signed_by(&first(), &json!({ "alg": "RS256", "kid": "k1", "crit": ["x"] }), &claims());
    let long = format!("{}.a.b", "x".repeat(TOKEN_CHARS_MAX));
    for text in ["", ".", "..", "a.b.c", "eyJ", "Bearer x", "ä.ö.ü", &long, &without_kid, &critical] {
        let why = directory.verify(text).await.expect_err("it is refused");
        assert!(matches!(why, Unverified::NotAToken), "{why}");
        assert!(!why.is_unknown());
    }
    assert_eq!(transport.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_fetched_when_a_token_names_it_and_unknown_ones_do_not_make_us_ask_more_often() {
    let both = published(&[("k1", &first()), ("k2", &second())]);
    let transport = Scripted::new(answer().into_iter().chain([described(), Reply::json(200, &both)]));
    let directory = directory(&transport);
    directory.verify(&token(&claims())).await.expect("it holds");
    let rotated = signed_by(&second(), &header("k2"), &claims());
    for _ in 0..50 {
        let why = directory.verify(&rotated).await.expect_err("not yet");
        assert!(matches!(why, Unverified::PerhapsNewKey) && why.is_unknown(), "it may be new: {why}");
    }
    assert_eq!(transport.count(), 2, "a storm of unknown keys asks nobody");
    tokio::time::advance(PAUSE).await;
    directory.verify(&rotated).await.expect("it holds");
    directory.verify(&token(&claims())).await.expect("the old key is published too");
    assert_eq!(transport.count(), 4);
}

#[tokio::test(start_paused = true)]
async fn a_silent_directory_is_answered_from_what_is_kept_until_that_is_a_day_old() {
    let silent = [Reply::Hang, Reply::Unreachable, described(), Reply::json(503, &json!({}))];
    let transport = Scripted::new(answer().into_iter().chain(silent).chain(answer()));
    let directory = directory(&transport);
    let verify = async || directory.verify(&token(&claims())).await;
    verify().await.expect("it holds");
    tokio::time::advance(FRESH_FOR).await;
    let before = tokio::time::Instant::now();
    verify().await.expect("the old keys serve");
    assert_eq!(before.elapsed(), ANSWER_TIMEOUT, "and nobody waits longer");
    verify().await.expect("without another question");
    assert_eq!(transport.count(), 3);
    let unknown = directory.verify(&signed_by(&second(), &header("k2"), &claims())).await.expect_err("not known");
    assert!(unknown.is_unknown(), "it may be a new key: {unknown}");
    tokio::time::advance(PAUSE).await;
    verify().await.expect("the old keys serve");
    tokio::time::advance(KEPT_FOR - FRESH_FOR - PAUSE).await;
    assert!(verify().await.expect_err("the day is over").is_unknown());
    assert!(verify().await.expect_err("and it is not asked at once again").is_unknown());
    tokio::time::advance(PAUSE).await;
    verify().await.expect("it answers again");
    assert_eq!(transport.count(), 8);
}

#[tokio::test(start_paused = true)]
async fn who_is_dropped_while_it_asks_leaves_no_key_unknown() {
    let transport = Scripted::new([Reply::Hang]);
    let directory = directory(&transport);
    let token = token(&claims());
    let dropped = tokio::time::timeout(ANSWER_TIMEOUT / 2, directory.verify(&token)).await;
    assert!(dropped.is_err());
    assert!(directory.verify(&token).await.expect_err("no keys").is_unknown());
}

#[tokio::test]
async fn a_key_set_that_cannot_be_read_is_no_answer() {
    for body in
        [json!({}), json!({ "keys": [] }), json!({ "keys": [{ "kty": "RSA", "kid": "k1", "n": "?", "e": "AQAB" }] })]
    {
        let transport = Scripted::new([described(), Reply::json(200, &body)]);
        let why = directory(&transport).verify(&token(&claims())).await.expect_err("no keys");
        assert!(why.is_unknown(), "{why}");
    }
}

#[tokio::test]
async fn a_description_of_another_tenant_or_with_keys_in_plain_http_is_no_answer() {
    let issuer = format!("https://login.microsoftonline.com/{TENANT}/v2.0");
    for (issuer, keys) in [
        ("https://login.microsoftonline.com/{tenantid}/v2.0", "https://login.microsoftonline.com/keys"),
        (issuer.as_str(), "http://login.microsoftonline.com/keys"),
        (issuer.as_str(), "keys"),
    ] {
        let transport = Scripted::new([Reply::json(200, &json!({ "issuer": issuer, "jwks_uri": keys }))]);
        let why = directory(&transport).verify(&token(&claims())).await.expect_err("no keys");
        assert!(why.is_unknown() && transport.count() == 1, "{why}");
    }
}

#[tokio::test]
async fn roles_are_read_as_a_list_or_as_a_text_with_blanks() {
    for (roles, count) in [(json!(["a", "b"]), 2), (json!("a b c"), 3), (json!([]), 0)] {
        let mut claims = claims();
        claims["roles"] = roles;
        let person = directory(&Scripted::new(answer())).verify(&token(&claims)).await.expect("it holds");
        assert_eq!(person.roles.len(), count);
    }
}

#[tokio::test]
async fn keys_are_asked_for_over_tls_or_on_this_machine_alone() {
    let transport = Scripted::new([]);
    let of = |url: &str, tenant: &str| {
        let authority = Authority { url: url.to_owned(), tenant: tenant.to_owned(), audience: AUDIENCE.to_owned() };
        Directory::new(authority, &transport.access()).map(drop)
    };
    assert!(of("https://login.example", TENANT).is_ok() && of("http://127.0.0.1:9/", TENANT).is_ok());
    for (url, tenant) in [
        ("http://login.example", TENANT),
        ("nonsense", TENANT),
        ("https://login.example", "a/b"),
        ("https://login.example", ""),
    ] {
        assert!(of(url, tenant).is_err(), "{url} {tenant}");
    }
}

#[tokio::test]
async fn a_key_below_2048_bits_verifies_nothing() {
    let small =
        json!({ "keys": [{ "kty": "RSA", "kid": "k1", "n": URL_SAFE_NO_PAD.encode([0xff; 128]), "e": "AQAB" }] });
    let transport = Scripted::new([described(), Reply::json(200, &small)]);
    let why = directory(&transport).verify(&token(&claims())).await.expect_err("too small");
    assert!(matches!(why, Unverified::Signature | Unverified::NotAToken), "{why}");
}
