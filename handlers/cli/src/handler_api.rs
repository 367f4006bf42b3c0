//! Asks the deployed handler's `Api`, through its Functions host and with the host's key.
//! It never sends the key over plain HTTP to another machine, and never prints it.

use anyhow::{Context, Result, ensure};
use clap::Args;
use http::{Method, header};
use serde_json::Value;

use crate::client::{self, Answer};
use crate::settings::Settings;

/// Where a Functions host listens on a developer's machine.
pub const DEFAULT_URL: &str = "http://127.0.0.1:7071";

/// Which handler, and by which key.
#[derive(Clone, Debug, Args)]
pub struct HandlerArgs {
    /// The Functions app, for example `https://my-app.azurewebsites.net`.
    #[arg(long, default_value = DEFAULT_URL)]
    url: String,
    /// A function key of the app. Better given in the variable LIFEBOAT_KEY, where other users do not see it.
    #[arg(long)]
    key: Option<String>,
}

impl HandlerArgs {
    /// This one, by this key.
    pub fn of(url: &str, key: &str) -> Self {
        Self { url: url.to_owned(), key: Some(key.to_owned()) }
    }

    /// Sends one request; with a body it is a POST.
    pub async fn ask(&self, settings: &Settings, path: &str, body: Option<&Value>) -> Result<Answer> {
        self.ask_as(settings, path, body, settings.token.as_deref()).await
    }

    /// The same as somebody, by an access token.
    pub async fn ask_as(
        &self,
        settings: &Settings,
        path: &str,
        body: Option<&Value>,
        token: Option<&str>,
    ) -> Result<Answer> {
        self.send(settings, path, body, token, "application/json").await
    }

    /// Asks for a page, as a browser does, as somebody.
    pub async fn page(&self, settings: &Settings, path: &str, token: Option<&str>) -> Result<Answer> {
        self.send(settings, path, None, token, "text/html").await
    }

    async fn send(
        &self,
        settings: &Settings,
        path: &str,
        body: Option<&Value>,
        token: Option<&str>,
        accept: &'static str,
    ) -> Result<Answer> {
        let url = format!("{}{path}", self.url.trim_end_matches('/'));
        let url = reqwest::Url::parse(&url).with_context(|| format!("{} is not a URL", self.url))?;
        let loopback = client::is_loopback(&self.url);
        let key = self.key.as_ref().or(settings.key.as_ref());
        let safe = loopback || url.scheme() == "https";
        ensure!(safe || key.is_none(), "{} is plain http to another machine: the key is not sent there", self.url);
        ensure!(safe || token.is_none(), "{} is plain http to another machine: no token is sent there", self.url);
        let client = client::client(loopback)?;
        let method = if body.is_some() { Method::POST } else { Method::GET };
        let mut request = client.request(method, url).header(header::ACCEPT, accept);
        if let Some(key) = key {
            request = request.header("x-functions-key", key);
        }
        if let Some(token) = token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(body) = body {
            request = request.header(header::CONTENT_TYPE, "application/json").body(body.to_string());
        }
        let answer = client::ask(request).await;
        answer.map_err(client::without_url).with_context(|| format!("{} did not answer", self.url))
    }

    /// The handler at this URL, by whatever key the environment gives.
    #[cfg(test)]
    pub fn at(url: &str) -> Self {
        Self { url: url.to_owned(), key: None }
    }
}

/// What an answer that is no success says, in its own words where it has some.
pub fn refusal(answer: &Answer) -> String {
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (body.pointer("/error/message").and_then(Value::as_str), answer.status) {
        (Some(message), status) => format!("the handler answered {status}: {message}"),
        (None, status @ (401 | 403)) => {
            format!("the host answered {status}: it wants another key, in --key or LIFEBOAT_KEY")
        }
        (None, status @ 404) => format!("the host answered {status}: is this the URL of the Functions app?"),
        (None, status) => format!("the host answered {status}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, headers: http::HeaderMap::new(), body: body.as_bytes().to_vec() }
    }

    #[test]
    fn what_the_handler_refuses_is_told_in_its_own_words_and_what_the_host_refuses_with_advice() {
        let named = r#"{"error":{"message":"this needs a person with a name"}}"#;
        assert_eq!(refusal(&answer(403, named)), "the handler answered 403: this needs a person with a name");
        assert!(refusal(&answer(401, "")).contains("LIFEBOAT_KEY"));
        assert_eq!(refusal(&answer(503, "<html>")), "the host answered 503");
    }

    #[tokio::test]
    async fn a_key_does_not_go_over_plain_http_to_another_machine() {
        let args = HandlerArgs { url: "http://app.example".to_owned(), key: Some("k".to_owned()) };
        let error = args.ask(&Settings::default(), "/api/status", None).await.expect_err("it is not sent");
        assert!(error.to_string().contains("the key is not sent"), "{error}");
        let args = HandlerArgs { url: "nonsense".to_owned(), key: None };
        let error = args.ask(&Settings::default(), "/api/status", None).await.expect_err("no URL");
        assert_eq!(error.to_string(), "nonsense is not a URL");
    }
}
