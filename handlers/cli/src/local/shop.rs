//! The shop as its customers reach it: one address, which leads to whatever machine Traffic Manager leads them to.
//! It never knows of Lifeboat, and never answers for a machine that does not run.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::State;
use http::StatusCode;
use lifeboat_simulator::world::World;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// The shop's front; it closes when this is dropped.
#[derive(Debug)]
pub struct Shop {
    address: SocketAddr,
    task: JoinHandle<()>,
}

#[derive(Clone)]
struct Behind {
    world: World,
    profile: String,
}

impl Shop {
    /// Opens it, behind this profile of Traffic Manager.
    pub async fn open(world: &World, profile: String) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.context("no port for the shop")?;
        let address = listener.local_addr()?;
        let router = Router::new().fallback(answer).with_state(Behind { world: world.clone(), profile });
        let task = tokio::spawn(async move {
            // Ends with the listener; axum itself retries what can be retried.
            let _ended = axum::serve(listener, router).await;
        });
        Ok(Self { address, task })
    }

    /// What is asked to see whether it answers.
    pub fn url(&self) -> String {
        format!("http://{}/healthz", self.address)
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(State(behind): State<Behind>) -> StatusCode {
    let arm = behind.world.arm();
    match arm.served(&behind.profile) {
        Some(served) if arm.answers(&served.target) => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    }
}
