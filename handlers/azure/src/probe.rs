//! Asks an address of somebody's as anybody would: one GET without a token, for the status alone, or of `tcp://` one connection.
//!
//! It never follows a redirect, never reads a body, never waits longer than [`PROBE_TIMEOUT`], and never connects to an address that
//! whoever made it does not allow, whatever a name resolves to. What it could not send is told apart from what was not answered.

use async_trait::async_trait;
use azure_core::{
    Error,
    error::ErrorKind,
    http::{AsyncRawResponse, HttpClient, Method, Request, StatusCode, Url, headers::Headers},
};
use bytes::Bytes;
use hickory_resolver::TokioResolver;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    sync::{Arc, OnceLock},
    time::Duration,
};
use tokio::net::TcpStream;

/// How long one probe may take: what does not answer a health check within this serves nobody.
pub const PROBE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long making a connection may take: two lost SYN packets (1 s, then 2 s) and the handshake.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The scheme of a connection alone.
const TCP: &str = "tcp";
/// What a connection that was made is answered with: whoever asks knows statuses alone.
const CONNECTED: StatusCode = StatusCode::NoContent;
/// Who is asking, for whoever reads the logs of what is asked.
const USER_AGENT: &str = concat!("lifeboat-probe/", env!("CARGO_PKG_VERSION"));
/// Statuses from here up to [`BAD_FROM`] say that somebody serves; a redirect is an answer.
const GOOD_FROM: u16 = 200;
/// Statuses from here on say that nobody does as hoped.
const BAD_FROM: u16 = 400;

/// Whether an address may be connected to, for a host as the URL has it.
pub type Allowed = Arc<dyn Fn(&str, IpAddr) -> bool + Send + Sync>;

/// What came of a probe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probed {
    /// It was answered as hoped, with this status.
    Good(u16),
    /// It was answered, with a status that says that nobody serves.
    Bad(u16),
    /// Nobody answered: no connection, a broken one, or silence.
    NoAnswer,
    /// It was not sent: the name could not be resolved, or leads to where nothing is asked. That says nothing of the other side.
    NotSent(&'static str),
}

/// Why nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Unsent {
    #[error("the name leads to an address that is not asked")]
    NotAllowed,
    #[error("the name could not be resolved")]
    NotResolved,
}

/// Asks once.
pub async fn ask(transport: &dyn HttpClient, url: &Url) -> Probed {
    let mut request = Request::new(url.clone(), Method::Get);
    request.insert_header("user-agent", USER_AGENT);
    let answer = tokio::time::timeout(PROBE_TIMEOUT, transport.execute_request(&request)).await;
    match answer {
        Err(_) => Probed::NoAnswer,
        Ok(Ok(answer)) => match u16::from(answer.status()) {
            status @ GOOD_FROM..BAD_FROM => Probed::Good(status),
            status => Probed::Bad(status),
        },
        Ok(Err(error)) => match unsent(&error) {
            Some(Unsent::NotAllowed) => Probed::NotSent("the name leads to an address that is not asked"),
            Some(Unsent::NotResolved) => Probed::NotSent("the name could not be resolved"),
            None => Probed::NoAnswer,
        },
    }
}

fn unsent(error: &Error) -> Option<Unsent> {
    let first: &(dyn std::error::Error + 'static) = error;
    std::iter::successors(Some(first), |error| error.source()).find_map(|error| error.downcast_ref().copied())
}

/// The real transport for probes. It costs nothing until the first request.
pub fn over_http(allowed: Allowed) -> Arc<dyn HttpClient> {
    Arc::new(Prober { allowed, client: OnceLock::new() })
}

struct Prober {
    allowed: Allowed,
    client: OnceLock<reqwest::Client>,
}

impl fmt::Debug for Prober {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Prober").finish_non_exhaustive()
    }
}

impl Prober {
    fn client(&self) -> azure_core::Result<&reqwest::Client> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        // Another part of the process may have chosen a provider already; then that one serves.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(PROBE_TIMEOUT)
            // A kept connection would go on answering from where the name led before.
            .pool_max_idle_per_host(0)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .dns_resolver(Bounded { allowed: Arc::clone(&self.allowed) })
            .build()
            .map_err(|error| Error::new(ErrorKind::Connection, error.without_url()))?;
        Ok(self.client.get_or_init(|| client))
    }
}

impl Prober {
    /// Connects, and leaves at once.
    async fn connect(&self, url: &Url) -> azure_core::Result<AsyncRawResponse> {
        let unsent = |why| Error::new(ErrorKind::Connection, why);
        let (host, port) = url.host_str().zip(url.port()).ok_or_else(|| unsent(Unsent::NotResolved))?;
        // Of this scheme an address in the URL is no more than a text.
        let addresses = match host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
            Ok(address) if (self.allowed)(host, address) => vec![address],
            Ok(_) => return Err(unsent(Unsent::NotAllowed)),
            Err(_) => resolved(&self.allowed, host).await.map_err(unsent)?,
        };
        let addresses: Vec<SocketAddr> = addresses.into_iter().map(|address| SocketAddr::new(address, port)).collect();
        let connected = tokio::time::timeout(CONNECT_TIMEOUT, TcpStream::connect(addresses.as_slice())).await;
        match connected {
            Ok(Ok(_stream)) => Ok(AsyncRawResponse::from_bytes(CONNECTED, Headers::new(), Bytes::new())),
            Ok(Err(error)) => Err(Error::new(ErrorKind::Io, error)),
            Err(elapsed) => Err(Error::new(ErrorKind::Io, elapsed)),
        }
    }
}

/// The addresses of a name, where all of them may be connected to.
async fn resolved(allowed: &Allowed, name: &str) -> Result<Vec<IpAddr>, Unsent> {
    // Asked anew each time: a failover is just when names change.
    let resolver =
        TokioResolver::builder_tokio().and_then(|builder| builder.build()).map_err(|_| Unsent::NotResolved)?;
    let found = resolver.lookup_ip(name).await.map_err(|_| Unsent::NotResolved)?;
    let all: Vec<IpAddr> = found.iter().collect();
    // One that is not allowed among others is somebody's trick: then none is asked.
    if all.is_empty() || !all.iter().all(|address| allowed(name, *address)) {
        return Err(Unsent::NotAllowed);
    }
    Ok(all)
}

#[async_trait]
impl HttpClient for Prober {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        if url.scheme() == TCP {
            return self.connect(url).await;
        }
        // An address in the URL is not resolved, so that nobody else would look at it.
        let literal = match url.host() {
            Some(url::Host::Ipv4(address)) => Some(IpAddr::V4(address)),
            Some(url::Host::Ipv6(address)) => Some(IpAddr::V6(address)),
            Some(url::Host::Domain(_)) | None => None,
        };
        if literal.is_some_and(|address| !(self.allowed)(url.host_str().unwrap_or_default(), address)) {
            return Err(Error::new(ErrorKind::Connection, Unsent::NotAllowed));
        }
        let outgoing = self.client()?.get(url.clone()).header("user-agent", USER_AGENT);
        let answer = outgoing.send().await.map_err(|error| Error::new(ErrorKind::Io, error.without_url()))?;
        Ok(AsyncRawResponse::from_bytes(answer.status().as_u16().into(), Headers::new(), Bytes::new()))
    }
}

/// Resolves names, and gives only addresses that may be connected to: what was checked is what is connected to.
struct Bounded {
    allowed: Allowed,
}

impl Resolve for Bounded {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = Arc::clone(&self.allowed);
        Box::pin(async move {
            let all = resolved(&allowed, name.as_str()).await?;
            let addresses: Addrs = Box::new(all.into_iter().map(|address| SocketAddr::new(address, 0)));
            Ok(addresses)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scripted::{Reply, Scripted};
    use serde_json::json;

    #[tokio::test(start_paused = true)]
    async fn a_probe_goes_by_the_status_and_carries_no_token() {
        let replies = [200, 302, 404, 500].map(|status| Reply::json(status, &json!({})));
        let scripted = Scripted::new(replies);
        let transport = scripted.access().transport;
        let url: Url = "https://shop.example/healthz".parse().unwrap();
        for expected in [Probed::Good(200), Probed::Good(302), Probed::Bad(404), Probed::Bad(500)] {
            assert_eq!(ask(transport.as_ref(), &url).await, expected);
        }
        assert!(scripted.asked().iter().all(|asked| asked.url == url));
    }

    #[tokio::test]
    async fn an_address_that_is_not_allowed_is_not_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let transport = over_http(Arc::new(|_: &str, address: IpAddr| !address.is_loopback()));
        let port = listener.local_addr().unwrap().port();
        for text in [format!("http://127.0.0.1:{port}/"), format!("http://[::1]:{port}/")] {
            let probed = ask(transport.as_ref(), &text.parse().unwrap()).await;
            assert_eq!(probed, Probed::NotSent("the name leads to an address that is not asked"), "{text}");
        }
        assert!(listener.accept().is_err(), "nobody came");
    }

    #[tokio::test]
    async fn a_connection_is_good_where_somebody_listens_and_is_bounded_as_a_request_is() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let url: Url = format!("tcp://127.0.0.1:{port}").parse().unwrap();
        let everywhere = over_http(Arc::new(|_: &str, _| true));
        assert!(matches!(ask(everywhere.as_ref(), &url).await, Probed::Good(_)));
        let outside = over_http(Arc::new(|_: &str, address: IpAddr| !address.is_loopback()));
        for text in [format!("tcp://127.0.0.1:{port}"), format!("tcp://[::1]:{port}")] {
            let probed = ask(outside.as_ref(), &text.parse().unwrap()).await;
            assert_eq!(probed, Probed::NotSent("the name leads to an address that is not asked"), "{text}");
        }
        drop(listener);
        assert_eq!(ask(everywhere.as_ref(), &url).await, Probed::NoAnswer);
        let no_port: Url = "tcp://127.0.0.1".parse().unwrap();
        assert!(matches!(ask(everywhere.as_ref(), &no_port).await, Probed::NotSent(_)));
    }

    #[tokio::test]
    async fn what_nobody_listens_to_does_not_answer() {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let transport = over_http(Arc::new(|_: &str, _| true));
        let url = format!("http://127.0.0.1:{port}/").parse().unwrap();
        assert_eq!(ask(transport.as_ref(), &url).await, Probed::NoAnswer);
    }
}
