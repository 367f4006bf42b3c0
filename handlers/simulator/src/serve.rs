//! Serves a simulated Azure over TCP, each service on a port of its own, for real processes.
//! It never listens beyond this machine, and says nothing to anybody: the caller gets the addresses.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::control;
use crate::world::World;

/// A world that is being served; it stops when this is dropped.
#[derive(Debug)]
pub struct Served {
    /// Azure Resource Manager.
    pub arm: SocketAddr,
    /// The identity endpoint.
    pub identity: SocketAddr,
    /// The blob service.
    pub blobs: SocketAddr,
    /// Service Bus.
    pub bus: SocketAddr,
    /// The control API.
    pub control: SocketAddr,
    tasks: Vec<JoinHandle<()>>,
}

impl Served {
    /// What `IDENTITY_ENDPOINT` is for processes.
    pub fn identity_endpoint(&self) -> String {
        format!("http://{}/msi/token", self.identity)
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
    let mut tasks = Vec::new();
    let arm = listen(world.arm().router(), &mut tasks).await?;
    let identity = listen(world.identity().router(), &mut tasks).await?;
    let blobs = listen(world.blobs().router(), &mut tasks).await?;
    let bus = listen(world.bus().router(), &mut tasks).await?;
    let control = listen(control::router(world.clone()), &mut tasks).await?;
    Ok(Served { arm, identity, blobs, bus, control, tasks })
}

async fn listen(router: Router, tasks: &mut Vec<JoinHandle<()>>) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tasks.push(tokio::spawn(async move {
        if let Err(error) = axum::serve(listener, router).await {
            tracing::error!(%address, %error, "a simulated service ended");
        }
    }));
    Ok(address)
}

#[cfg(test)]
mod tests;
