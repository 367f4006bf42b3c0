//! `RegionAlert`: an action group posts an alert of the common schema; the host has checked the function key before we are asked.
//! It decides nothing. 200 says that it is kept, or need not be; an action group sends again only after 408, 429, 503 and 504, so that
//! whatever could not be kept is a 503.

use http::{Method, StatusCode};
use lifeboat_execution::{Answer, Event, Lifeboat};
use serde_json::json;

use crate::host::{Failure, HttpInvocation, HttpReply};

/// Receives one alert.
pub async fn receive(lifeboat: &Lifeboat, request: HttpInvocation) -> Result<HttpReply, Failure> {
    if request.method != Method::POST {
        let what = json!({ "error": { "message": "an alert is posted" } });
        return Ok(HttpReply::json(StatusCode::METHOD_NOT_ALLOWED, &what));
    }
    Ok(match lifeboat.handle(Event::RegionAlert(request.body.to_vec())).await {
        Ok(Answer::Done(report)) => {
            for line in &report.lines {
                tracing::info!("{line}");
            }
            HttpReply::json(StatusCode::OK, &json!({ "lines": report.lines }))
        }
        Ok(_) => HttpReply::json(StatusCode::OK, &json!({ "lines": [] })),
        Err(error) => {
            let reason = Failure::from(error).reason().to_owned();
            tracing::error!(%reason, "an alert could not be kept");
            HttpReply::json(StatusCode::SERVICE_UNAVAILABLE, &json!({ "error": { "message": reason } }))
        }
    })
}
