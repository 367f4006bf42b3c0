//! Asks an address as anybody on the internet could, and says with what status it answers.
//!
//! It never sends a token, follows a redirect or reads more of an answer than any other client of this crate; which addresses may be
//! asked was decided where the text was read.

use crate::{
    access::Access,
    arm::USER_AGENT,
    error::{Error, ErrorKind},
    transport::Guarded,
};
use azure_core::http::{Method, Request, Url, headers};
use std::time::Duration;

/// How long an answer may take: whoever serves people answers faster, and whoever asks comes again.
const ANSWER_SECS_MAX: u64 = 10;
/// What an error says it was about.
const OPERATION: &str = "a question from outside";

/// Asks from outside.
#[derive(Clone, Debug)]
pub struct Outside(Guarded);

impl Outside {
    /// Over the transport of everything else. Nothing is sent.
    pub fn new(access: &Access) -> Self {
        Self(Guarded::new(std::sync::Arc::clone(&access.transport)))
    }

    /// The status that a `GET` is answered with. A repeat is safe.
    pub async fn get(&self, url: &str) -> Result<u16, Error> {
        let url = Url::parse(url).map_err(|error| Error::because(ErrorKind::Refused, OPERATION, error))?;
        let mut request = Request::new(url, Method::Get);
        request.insert_header(headers::USER_AGENT, USER_AGENT);
        let sent = self.0.send(&request, None);
        match tokio::time::timeout(Duration::from_secs(ANSWER_SECS_MAX), sent).await {
            Ok(Ok(answer)) => Ok(answer.status),
            Ok(Err(failure)) => Err(Error::from_failure(OPERATION, failure)),
            Err(_) => Err(Error::because(ErrorKind::Connection, OPERATION, "no answer in time")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Outside;
    use crate::scripted::{Reply, Scripted};

    #[tokio::test(start_paused = true)]
    async fn the_status_is_told_whatever_it_is_and_no_token_is_asked_for() {
        let scripted = Scripted::new([Reply::text(200, "fine"), Reply::text(503, "not now")]);
        let outside = Outside::new(&scripted.access());
        assert_eq!(outside.get("https://shop.example/healthz").await.unwrap(), 200);
        assert_eq!(outside.get("https://shop.example/healthz").await.unwrap(), 503);
        assert!(outside.get("no address").await.is_err());
        let tokens = scripted.tokens.load(std::sync::atomic::Ordering::Relaxed);
        assert_eq!((scripted.count(), tokens), (2, 0));
    }
}
