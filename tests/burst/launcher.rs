//! Starts a handler's process as the host does, and writes down how long it took over what: the figures that a burst is judged by.
//! It never changes a request or an answer.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lifeboat_simulator::host::{
    Connect, Connections, Handler, HandlerStream, Launcher, OutputLine, RawRequest, RawResponse, Start, WireError,
};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;

/// What a process that left no code is taken to have exited with: SIGKILL.
const KILLED: i32 = 137;

/// What invocations took, by machine. Clones write to the same book.
#[derive(Clone, Default)]
pub struct Book(Arc<Mutex<Pages>>);

/// What is in the book.
#[derive(Clone, Debug, Default)]
pub struct Pages {
    /// Time of a machine's invocations, and how many there were, by its id in lower case.
    pub machines: BTreeMap<String, (Duration, u32)>,
    /// The processes that were started.
    pub pids: Vec<u32>,
    /// Lines that handlers wrote to stderr.
    pub complaints: Vec<String>,
}

/// Starts the executable of the app's folder, or this one.
pub struct Processes {
    /// The handler.
    pub executable: std::path::PathBuf,
    /// Where its figures go.
    pub book: Book,
}

struct Process {
    pid: u32,
    connections: Connections,
    exit: watch::Receiver<Option<i32>>,
    kill: Arc<Notify>,
    book: Book,
}

struct Loopback(u16);

impl Book {
    /// What is in it now.
    pub fn pages(&self) -> Pages {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn write(&self, write: impl FnOnce(&mut Pages)) {
        write(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[async_trait]
impl Launcher for Processes {
    async fn launch(&self, start: Start) -> io::Result<Arc<dyn Handler>> {
        // The host knows no free port for a launcher that is not its own.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?.port();
        let mut child = Command::new(&self.executable)
            .args(&start.arguments)
            .current_dir(&start.working_directory)
            .envs(&start.environment)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let pid = child.id().unwrap_or_default();
        self.book.write(|pages| pages.pids.push(pid));
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(read_lines(stdout, start.output.clone(), OutputLine::Stdout, None));
        }
        if let Some(stderr) = child.stderr.take() {
            tokio::spawn(read_lines(stderr, start.output.clone(), OutputLine::Stderr, Some(self.book.clone())));
        }
        let (exited, exit) = watch::channel(None);
        let kill = Arc::new(Notify::new());
        tokio::spawn(watch_child(child, kill.clone(), exited));
        let connections = Connections::new(Loopback(port));
        Ok(Arc::new(Process { pid, connections, exit, kill, book: self.book.clone() }))
    }
}

#[async_trait]
impl Handler for Process {
    fn pid(&self) -> u32 {
        self.pid
    }

    async fn send(&self, request: &RawRequest) -> Result<RawResponse, WireError> {
        let began = Instant::now();
        let answer = self.connections.send(request).await;
        let took = began.elapsed();
        if let Some(machine) = machine(request) {
            self.book.write(|pages| {
                let (time, count) = pages.machines.entry(machine).or_default();
                *time += took;
                *count += 1;
            });
        }
        answer
    }

    async fn exited(&self) -> i32 {
        let mut exit = self.exit.clone();
        exit.wait_for(Option::is_some).await.ok().and_then(|code| *code).unwrap_or(KILLED)
    }

    fn kill(&self) {
        self.kill.notify_one();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill.notify_one();
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

/// The machine that an invocation is about.
fn machine(request: &RawRequest) -> Option<String> {
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    let machine = match request.target.as_str() {
        "/VmWritten" | "/VmDeleted" => body["Data"]["event"]["subject"].as_str()?.to_owned(),
        "/Reconcile" => {
            let message = STANDARD.decode(body["Data"]["msg"].as_str()?).ok()?;
            serde_json::from_slice::<Value>(&message).ok()?["machine"].as_str()?.to_owned()
        }
        _ => return None,
    };
    Some(machine.to_lowercase())
}

async fn watch_child(mut child: Child, kill: Arc<Notify>, exited: watch::Sender<Option<i32>>) {
    let status = tokio::select! {
        status = child.wait() => status,
        () = kill.notified() => {
            // Fails only for a process that has ended already, which the wait then reports.
            child.start_kill().ok();
            child.wait().await
        }
    };
    exited.send_replace(Some(status.ok().and_then(|status| status.code()).unwrap_or(KILLED)));
}

async fn read_lines(
    stream: impl AsyncRead + Unpin,
    output: UnboundedSender<OutputLine>,
    kind: fn(String) -> OutputLine,
    book: Option<Book>,
) {
    let mut lines = BufReader::new(stream).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        if let Some(book) = &book {
            book.write(|pages| pages.complaints.push(line.clone()));
        }
        if output.send(kind(line)).is_err() {
            return;
        }
    }
}
