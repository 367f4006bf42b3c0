//! Serves a simulated Azure over TCP, each service on a port of its own, for real processes; what Azure itself serves over TLS
//! alone can be served so too.
//! It never listens beyond this machine, and says nothing to anybody: the caller gets the addresses.

mod tls;

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::serve::{Listener, ListenerExt as _};
use axum::{Extension, Router};
use rustls::ServerConfig;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::azure::heard::OverTls;
use crate::control;
use crate::world::World;

use self::tls::TlsListener;

/// A world that is being served; it stops when this is dropped.
#[derive(Debug)]
pub struct Served {
    /// Azure Resource Manager.
    pub arm: SocketAddr,
    /// The identity endpoint.
    pub identity: SocketAddr,
    /// The directory of persons.
    pub directory: SocketAddr,
    /// The blob service.
    pub blobs: SocketAddr,
    /// Service Bus.
    pub bus: SocketAddr,
    /// The topic to which events are published.
    pub topic: SocketAddr,
    /// The control API.
    pub control: SocketAddr,
    over_tls: bool,
    tasks: Vec<JoinHandle<()>>,
}

impl Served {
    /// What `IDENTITY_ENDPOINT` is for processes.
    pub fn identity_endpoint(&self) -> String {
        let scheme = if self.over_tls { "https" } else { "http" };
        format!("{scheme}://{}/msi/token", self.identity)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

/// Begins to serve a world. When this returns, all ports answer.
pub async fn serve(world: &World) -> io::Result<Served> {
    begin(world, None).await
}

/// Begins to serve a world; ARM, identity endpoint and blobs over TLS alone. Bus, topic and control stay plain.
pub async fn serve_over_tls(world: &World, config: Arc<ServerConfig>) -> io::Result<Served> {
    begin(world, Some(&config)).await
}

/// Serves one router over TLS on a port of its own, until the task is aborted: for what a caller puts beside a world.
pub async fn serve_router_over_tls(
    router: Router,
    config: Arc<ServerConfig>,
) -> io::Result<(SocketAddr, JoinHandle<()>)> {
    let mut tasks = Vec::new();
    let address = listen(router, Some(&config), &mut tasks).await?;
    let task = tasks.pop().ok_or_else(|| io::Error::other("the router is not served"))?;
    Ok((address, task))
}

async fn begin(world: &World, tls: Option<&Arc<ServerConfig>>) -> io::Result<Served> {
    let mut tasks = Vec::new();
    let arm = listen(world.arm().router(), tls, &mut tasks).await?;
    let identity = listen(world.identity().router(), tls, &mut tasks).await?;
    let directory = listen(world.directory().router(), tls, &mut tasks).await?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    world.directory().set_base(format!("{scheme}://{directory}"));
    let blobs = listen(world.blobs().router(), tls, &mut tasks).await?;
    let bus = listen(world.bus().router(), None, &mut tasks).await?;
    let topic = listen(world.topic().router(), None, &mut tasks).await?;
    let control = listen(control::router(world.clone()), None, &mut tasks).await?;
    Ok(Served { arm, identity, directory, blobs, bus, topic, control, over_tls: tls.is_some(), tasks })
}

async fn listen(
    router: Router,
    tls: Option<&Arc<ServerConfig>>,
    tasks: &mut Vec<JoinHandle<()>>,
) -> io::Result<SocketAddr> {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = tcp.local_addr()?;
    tasks.push(match tls {
        // Answers are small, and a caller that waits for each would wait for its own acknowledgement too.
        None => answer(address, tcp.tap_io(|stream| drop(stream.set_nodelay(true))), router),
        Some(config) => answer(address, TlsListener::new(tcp, Arc::clone(config)), router.layer(Extension(OverTls))),
    });
    Ok(address)
}

fn answer<L>(address: SocketAddr, listener: L, router: Router) -> JoinHandle<()>
where
    L: Listener,
    L::Addr: std::fmt::Debug,
{
    tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%address, %error, "a simulated service ended");
        }
    })
}

#[cfg(test)]
mod tests;
