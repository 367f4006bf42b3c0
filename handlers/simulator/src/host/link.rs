//! The handler as the host sees it: something that is started, spoken to in HTTP, killed, and that exits with a code.
//! It never decides what an exit means.

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use async_trait::async_trait;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, ReadBuf};
use tokio::sync::mpsc::UnboundedSender;

use super::wire::{self, RawRequest, RawResponse, WireError};

/// Idle connections kept for the next request; more are closed.
const IDLE_CONNECTIONS: usize = 64;

/// What a handler is started with.
#[derive(Clone, Debug)]
pub struct Start {
    /// The port that it shall listen to on 127.0.0.1.
    pub port: u16,
    /// Names this start.
    pub worker_id: String,
    /// The folder with host.json.
    pub app_root: PathBuf,
    /// The full path of the executable if it is a file, its name as host.json has it otherwise.
    pub executable: PathBuf,
    /// Arguments, split as a shell without quotes in quotes would.
    pub arguments: Vec<String>,
    /// Where it is started.
    pub working_directory: PathBuf,
    /// Set on top of the inherited environment.
    pub environment: BTreeMap<String, String>,
    /// Takes the lines that it prints.
    pub output: UnboundedSender<OutputLine>,
}

/// A line that the handler printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutputLine {
    /// On stdout.
    Stdout(String),
    /// On stderr.
    Stderr(String),
}

/// Starts handlers.
#[async_trait]
pub trait Launcher: Send + Sync {
    /// Starts one. An error means that there is no process: the file is missing or may not be run.
    async fn launch(&self, start: Start) -> io::Result<Arc<dyn Handler>>;
}

/// A handler that was started.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Its process id.
    fn pid(&self) -> u32;
    /// Sends a request and waits for the whole answer.
    async fn send(&self, request: &RawRequest) -> Result<RawResponse, WireError>;
    /// Waits for its end; the code is 128 + signal where a signal ended it.
    async fn exited(&self) -> i32;
    /// SIGKILL.
    fn kill(&self);
    /// From now on the end of the host does not end the handler.
    fn leave_running(&self) {}
}

/// A byte stream to the handler.
pub trait HandlerStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> HandlerStream for S {}

/// Opens streams to the handler.
#[async_trait]
pub trait Connect: Send + Sync {
    /// Opens one; any error counts as a refused connection.
    async fn connect(&self) -> io::Result<Box<dyn HandlerStream>>;
}

/// Speaks HTTP/1.1 over streams and keeps them open between requests.
pub struct Connections {
    connect: Box<dyn Connect>,
    idle: Mutex<Vec<BufReader<Box<dyn HandlerStream>>>>,
}

impl Connections {
    /// Connections opened in this way.
    pub fn new(connect: impl Connect + 'static) -> Self {
        Self { connect: Box::new(connect), idle: Mutex::default() }
    }

    /// Sends a request on an idle connection or a new one. A request is never sent twice.
    pub async fn send(&self, request: &RawRequest) -> Result<RawResponse, WireError> {
        let mut stream = match self.take_idle() {
            Some(stream) => stream,
            None => BufReader::new(self.connect.connect().await.map_err(|_| WireError::Refused)?),
        };
        let sent = async {
            stream.get_mut().write_all(&request.to_bytes()).await?;
            stream.get_mut().flush().await
        };
        // A server may answer and close before it has read everything: its answer counts.
        let sent = sent.await;
        let answer = match wire::read_response(&mut stream, &request.method).await {
            Err(WireError::Ended) if matches!(&sent, Err(e) if e.kind() == io::ErrorKind::ConnectionReset) => {
                return Err(WireError::Reset);
            }
            answer => answer?,
        };
        let closing = answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
        if sent.is_ok() && !closing {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_CONNECTIONS {
                idle.push(stream);
            }
        }
        Ok(answer)
    }

    /// An idle connection on which nothing has come: bytes or an end there mean that the server gave it up.
    fn take_idle(&self) -> Option<BufReader<Box<dyn HandlerStream>>> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some(mut stream) = idle.pop() {
            let mut byte = [0];
            let mut context = Context::from_waker(Waker::noop());
            let polled = Pin::new(&mut stream).poll_read(&mut context, &mut ReadBuf::new(&mut byte));
            if matches!(polled, Poll::Pending) {
                return Some(stream);
            }
        }
        None
    }
}
