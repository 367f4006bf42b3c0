//! Pages of a listing, and the link to the next one.
//! It never changes what the caller asked for: a link holds the whole query of the call it answers.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::call::{Answer, Call};
use super::machines::page;

/// One page of `value`, in the order of the keys, which must ascend. *Assumed* (`arm-page-size`): the size of a page.
pub(crate) fn listing(call: &Call, all: impl Iterator<Item = (String, Value)>, size: usize) -> Answer {
    let (rows, next) = page(all, start(call).as_deref(), size.max(1));
    let value: Vec<Value> = rows.into_iter().map(|(_, row)| row).collect();
    let mut body = json!({ "value": value });
    if let Some(next) = next {
        body["nextLink"] = json!(link(call, &URL_SAFE_NO_PAD.encode(next)));
    }
    Answer::new(200, body)
}

/// The call's address with another place to start from.
pub(crate) fn link(call: &Call, token: &str) -> String {
    let skips = |part: &&str| {
        let name = part.split('=').next().unwrap_or_default();
        !name.eq_ignore_ascii_case("$skiptoken") && !name.eq_ignore_ascii_case("%24skiptoken") && !part.is_empty()
    };
    let kept: Vec<&str> = call.raw_query.split('&').filter(skips).collect();
    format!("{}{}?{}&$skiptoken={token}", call.base, call.path, kept.join("&"))
}

fn start(call: &Call) -> Option<String> {
    String::from_utf8(URL_SAFE_NO_PAD.decode(call.query("$skiptoken")?).ok()?).ok()
}
