//! Whatever comes as a refusal is read or left, and nothing secret gets through.
//!
//! It never asks Azure.

use super::{Said, clean, missing_right};
use proptest::prelude::*;

#[test]
fn both_shapes_and_whatever_else_are_read() {
    for (body, code, message) in [
        (r#"{"error":{"code":"A","message":"m"}}"#, Some("A"), Some("m")),
        (r#"{"code":"A","message":"m"}"#, Some("A"), Some("m")),
        (r#"{"error":{"code":"A"}}"#, Some("A"), None),
        (r#"{"error":"invalid_grant","error_description":"m"}"#, Some("invalid_grant"), Some("m")),
        (r#"{"error":{"code":7,"message":["x"]}}"#, None, None),
        (r#"{"error":null}"#, None, None),
        ("[]", None, None),
        ("", None, None),
        ("{\"error\":{\"code\":\"A\"", None, None),
        ("\u{feff}{\"code\":\"A\"}", Some("A"), None),
        ("<html><body>Bad Gateway</body></html>", None, None),
        (
            "<?xml version=\"1.0\"?><Error><Code>BlobNotFound</Code><Message>m</Message></Error>",
            Some("BlobNotFound"),
            Some("m"),
        ),
        ("<Error><Code>401</Code><Detail>m</Detail></Error>", Some("401"), Some("m")),
    ] {
        let said = Said::read_body(body.as_bytes());
        assert_eq!((said.code.as_deref(), said.message.as_deref()), (code, message), "{body}");
    }
    let details = br#"{"error":{"code":"OperationNotAllowed","details":[{"code":"TooManyRequests","target":"HighCostGet30Min"},7]}}"#;
    let said = Said::read_body(details);
    assert_eq!(said.codes().collect::<Vec<_>>(), ["OperationNotAllowed", "TooManyRequests"]);
    assert_eq!(said.details[0].1.as_deref(), Some("HighCostGet30Min"));
    let nested = br#"{"code":"OperationNotAllowed","message":"m","details":[{"code":"TooManyRequests","message":"{\"operationGroup\":\"HighCostGet30Min\",\"allowedRequestCount\":3}"}]}"#;
    assert_eq!(Said::read_body(nested).details[0].1.as_deref(), Some("HighCostGet30Min"), "JSON inside a text");
}

#[test]
fn no_token_and_no_signed_query_gets_into_a_message() {
    for (text, expected) in [
        ("see https://h/p?sig=abc&se=1 for more", "see https://h/p… for more"),
        ("(https://h/p?t=1) and 'https://h/q'", "(https://h/p…) and 'https://h/q'"),
        ("token eyJhbGciOi.x.y is bad", "token … is bad"),
        ("?sv=1&sig=abc", "?sv=1&…"),
        ("what? nothing", "what? nothing"),
    ] {
        assert_eq!(clean(text), expected);
    }
    assert!(clean(&"x".repeat(100_000)).chars().count() <= super::MAX_MESSAGE_CHARS);
}

#[test]
fn a_permission_message_names_the_right_and_the_scope() {
    let message = "The client 'c' with object id 'o' does not have authorization to perform action 'Microsoft.Compute/restorePointCollections/write' over scope '/subscriptions/s/resourceGroups/g' or the scope is invalid.";
    assert_eq!(
        missing_right(message),
        Some(("Microsoft.Compute/restorePointCollections/write", "/subscriptions/s/resourceGroups/g"))
    );
    assert_eq!(missing_right("no"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(body in proptest::collection::vec(any::<u8>(), 0..512)) {
        let said = Said::read_body(&body);
        prop_assert!(said.to_string().len() < 8 * 1024);
    }

    #[test]
    fn any_text_in_any_shape_is_read_without_a_panic(code in ".{0,200}", message in ".{0,2000}", xml in any::<bool>()) {
        let body = if xml {
            format!("<Code>{code}</Code><Message>{message}</Message>")
        } else {
            serde_json::json!({ "error": { "code": code, "message": message, "details": [{ "code": code }] } }).to_string()
        };
        let said = Said::read_body(body.as_bytes());
        prop_assert!(said.message.is_none_or(|text| text.chars().count() <= super::MAX_MESSAGE_CHARS));
        missing_right(&message);
    }

    #[test]
    fn a_query_after_a_host_never_survives(secret in "[a-zA-Z0-9]{8,40}", before in "[a-z ]{0,20}") {
        let cleaned = clean(&format!("{before} https://host/path?sig={secret}&x=1 after"));
        prop_assert!(!cleaned.contains(&secret));
    }
}
