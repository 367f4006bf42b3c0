//! Answers that come wrong: cut short, of another kind, with links that lead elsewhere or nowhere.
//! It never touches an answer without an order, and never changes what was done.

use axum::body::Body;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use serde_json::{Value, json};

use super::errors::ArmError;
use super::faults::ArmFaultEffect;

/// The refusal that an order asks for before anything is done. *Assumed* (`arm-5xx-words`): codes and wordings.
pub(crate) fn refusal(effect: &ArmFaultEffect) -> Option<ArmError> {
    match effect {
        ArmFaultEffect::BadGateway => Some(ArmError::gateway(
            502,
            "BadGateway",
            "The gateway did not receive a response from the resource provider.",
        )),
        ArmFaultEffect::GatewayTimeout => Some(ArmError::gateway(
            504,
            "GatewayTimeout",
            "The gateway did not receive a response from the resource provider within the specified time period.",
        )),
        ArmFaultEffect::HtmlErrorPage { status } => Some(ArmError::gateway(*status, "HtmlErrorPage", "")),
        _ => None,
    }
}

/// Changes the links of a listing.
pub(crate) fn relink(effect: &ArmFaultEffect, base: &str, path: &str, query: &str, body: &mut Value) {
    let kept: Vec<&str> = query
        .split('&')
        .filter(|part| {
            !part.to_ascii_lowercase().contains("skiptoken=") && !part.starts_with("again=") && !part.is_empty()
        })
        .collect();
    let (is_listing, is_graph) = (body["value"].is_array(), body["totalRecords"].is_number());
    match effect {
        ArmFaultEffect::NextLinkElsewhere { host } if is_listing => {
            body["nextLink"] = json!(format!("https://{host}{path}?{}", kept.join("&")));
        }
        ArmFaultEffect::EndlessPaging if is_listing => {
            let count =
                query.split('&').find_map(|part| part.strip_prefix("again=")).and_then(|count| count.parse().ok());
            let next = count.unwrap_or(0_u64).saturating_add(1);
            body["nextLink"] = json!(format!("{base}{path}?{}&again={next}", kept.join("&")));
        }
        ArmFaultEffect::EndlessPaging if is_graph => {
            let rows = body["count"].as_u64().unwrap_or(1).max(1);
            body["$skipToken"] = json!(STANDARD.encode(json!({ "MaxRows": rows, "RowsToSkip": 0 }).to_string()));
        }
        _ => {}
    }
}

/// Changes how the answer comes. `text` is the body that it has.
pub(crate) fn distort(effect: &ArmFaultEffect, mut response: Response, text: &str) -> Response {
    match effect {
        ArmFaultEffect::TruncatedBody => {
            let half = (0..=text.len() / 2).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            *response.body_mut() = Body::from(text[..half].to_owned());
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        ArmFaultEffect::HtmlErrorPage { status } => {
            let page = format!(
                "<html>\r\n<head><title>{status}</title></head>\r\n<body>\r\n<center><h1>{status}</h1></center>\r\n<hr>\
                 <center>proxy</center>\r\n</body>\r\n</html>\r\n"
            );
            *response.body_mut() = Body::from(page);
            response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/html"));
        }
        ArmFaultEffect::WrongContentType { content_type } => {
            if let Ok(value) = HeaderValue::from_str(content_type) {
                response.headers_mut().insert(CONTENT_TYPE, value);
            }
        }
        _ => {}
    }
    response
}
