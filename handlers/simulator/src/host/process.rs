//! The handler as a process of its own, over TCP on 127.0.0.1.
//! It never restarts it, and kills it when it is dropped unless it was told to leave it running.

use std::io;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpStream;
use tokio::process::{Child, Command};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, watch};

use super::link::{Connect, Connections, Handler, HandlerStream, Launcher, OutputLine, Start};
use super::options::ProcessOptions;
use super::wire::{RawRequest, RawResponse, WireError};

/// What a process that left no code is taken to have exited with: SIGKILL.
const KILLED: i32 = 137;
/// Added to the signal that ended a process.
const SIGNAL_BASE: i32 = 128;

/// Starts processes.
pub(super) struct Processes(pub(super) ProcessOptions);

struct Process {
    pid: u32,
    connections: Connections,
    exit: watch::Receiver<Option<i32>>,
    orders: Arc<Orders>,
    ends: AtomicBool,
}

/// What the task that owns the child is told.
#[derive(Default)]
struct Orders {
    kill: Notify,
    leave: Notify,
}

struct Loopback(u16);

#[async_trait]
impl Launcher for Processes {
    async fn launch(&self, start: Start) -> io::Result<Arc<dyn Handler>> {
        let executable = self.0.executable.as_ref().unwrap_or(&start.executable);
        let mut child = Command::new(executable)
            .args(&start.arguments)
            .current_dir(&start.working_directory)
            .envs(&start.environment)
            .envs(&self.0.environment)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // A runtime that ends before an order is obeyed must not leave the child behind.
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().unwrap_or_default();
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(read_lines(stdout, start.output.clone(), OutputLine::Stdout));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(read_lines(stderr, start.output.clone(), OutputLine::Stderr));
        }
        let (exited, exit) = watch::channel(None);
        let orders = Arc::new(Orders::default());
        tokio::spawn(watch_child(child, orders.clone(), exited));
        let connections = Connections::new(Loopback(start.port));
        Ok(Arc::new(Process { pid, connections, exit, orders, ends: AtomicBool::default() }))
    }
}

#[async_trait]
impl Handler for Process {
    fn pid(&self) -> u32 {
        self.pid
    }

    async fn send(&self, request: &RawRequest) -> Result<RawResponse, WireError> {
        // Between the order to end it and the news that it has ended nothing is sent: a message would come again at once, and burn all
        // its deliveries on a process that is not there.
        if self.ends.load(Ordering::Acquire) {
            self.exited().await;
            return Err(WireError::Refused);
        }
        self.connections.send(request).await
    }

    async fn exited(&self) -> i32 {
        let mut exit = self.exit.clone();
        let code = exit.wait_for(Option::is_some).await.ok().and_then(|code| *code);
        code.unwrap_or(KILLED)
    }

    fn kill(&self) {
        self.ends.store(true, Ordering::Release);
        self.orders.kill.notify_one();
    }

    fn leave_running(&self) {
        self.orders.leave.notify_one();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A child that was left running has nobody to obey this any more.
        self.orders.kill.notify_one();
    }
}

#[async_trait]
impl Connect for Loopback {
    async fn connect(&self) -> io::Result<Box<dyn HandlerStream>> {
        let stream = TcpStream::connect(("127.0.0.1", self.0)).await?;
        stream.set_nodelay(true)?;
        Ok(Box::new(stream))
    }
}

/// A port that was free a moment ago; the real host takes the same small risk.
pub(super) async fn free_port() -> io::Result<u16> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    Ok(listener.local_addr()?.port())
}

async fn watch_child(mut child: Child, orders: Arc<Orders>, exited: watch::Sender<Option<i32>>) {
    let status = tokio::select! {
        biased;
        status = child.wait() => status,
        // Forgotten, because dropping it would kill it.
        () = orders.leave.notified() => return std::mem::forget(child),
        () = orders.kill.notified() => {
            // Fails only for a process that has ended already, which the wait then reports.
            child.start_kill().ok();
            child.wait().await
        }
    };
    exited.send_replace(Some(status.map_or(KILLED, exit_code)));
}

#[cfg(unix)]
fn exit_code(status: ExitStatus) -> i32 {
    use std::os::unix::process::ExitStatusExt;
    status.code().or_else(|| status.signal().map(|signal| SIGNAL_BASE + signal)).unwrap_or(KILLED)
}

#[cfg(not(unix))]
fn exit_code(status: ExitStatus) -> i32 {
    status.code().unwrap_or(SIGNAL_BASE)
}

async fn read_lines(
    stream: impl AsyncRead + Unpin,
    output: UnboundedSender<OutputLine>,
    kind: fn(String) -> OutputLine,
) {
    let mut lines = BufReader::new(stream);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).await.is_ok_and(|read| read > 0) {
        let text = String::from_utf8_lossy(&line);
        if output.send(kind(text.trim_end_matches(['\r', '\n']).to_owned())).is_err() {
            return;
        }
        line.clear();
    }
}
