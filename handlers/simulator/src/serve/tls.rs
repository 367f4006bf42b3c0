//! Accepts connections over TLS for the served simulator.
//! It never chooses a certificate or a protocol version: the caller's configuration does. A client whose handshake fails gets no
//! answer, as anywhere.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::serve::Listener;
use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// How long a handshake may take: a client on this machine needs milliseconds, and one that sends nothing is let go.
const HANDSHAKE: Duration = Duration::from_secs(10);

type Shaken = Option<(TlsStream<TcpStream>, SocketAddr)>;

/// A listener whose connections have shaken hands. Handshakes go on side by side, so that a silent client holds up nobody.
pub(super) struct TlsListener {
    tcp: TcpListener,
    acceptor: TlsAcceptor,
    shaking: JoinSet<Shaken>,
}

impl TlsListener {
    pub(super) fn new(tcp: TcpListener, config: Arc<ServerConfig>) -> Self {
        Self { tcp, acceptor: TlsAcceptor::from(config), shaking: JoinSet::new() }
    }
}

impl Listener for TlsListener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            tokio::select! {
                (stream, from) = Listener::accept(&mut self.tcp) => {
                    let acceptor = self.acceptor.clone();
                    self.shaking.spawn(shake(acceptor, stream, from));
                }
                Some(shaken) = self.shaking.join_next() => {
                    if let Ok(Some(accepted)) = shaken {
                        return accepted;
                    }
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

async fn shake(acceptor: TlsAcceptor, stream: TcpStream, from: SocketAddr) -> Shaken {
    match timeout(HANDSHAKE, acceptor.accept(stream)).await {
        Ok(Ok(stream)) => Some((stream, from)),
        Ok(Err(error)) => {
            tracing::debug!(%from, %error, "a TLS handshake failed");
            None
        }
        Err(_) => {
            tracing::debug!(%from, "a TLS handshake was not finished");
            None
        }
    }
}
