//! The recorded handler, played again: it starts, listens, answers and ends as the transcript says.
//! It never answers a request that the transcript does not have.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use async_trait::async_trait;
use lifeboat_simulator::host::{
    Connect, Connections, Handler, HandlerStream, Launcher, OutputLine, RawRequest, RawResponse, Start, WireError,
    read_request,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, BufReader, DuplexStream, ReadBuf};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::tape::{Behaviour, Line, What};

/// Bytes in flight between host and handler.
const PIPE_BYTES: usize = 64 * 1024;

/// One process of the recording.
#[derive(Clone, Debug)]
pub struct Process {
    pub pid: u32,
    /// Seconds after its start at which it listens; `None` if it never did.
    pub listens_after: Option<f64>,
    /// Seconds after its start at which it ends by itself, and the code.
    pub ends: Option<(f64, i32)>,
    /// What it printed right after its start.
    pub prints: Vec<OutputLine>,
    /// Why it could not be started at all.
    pub broken: Option<i32>,
}

/// A request that the host sent, with the line that it was taken for.
#[derive(Clone, Debug)]
pub struct Sent {
    pub request: RawRequest,
    pub at: Instant,
    pub line: Option<usize>,
}

/// The whole handler of a run.
pub struct Script {
    lines: Vec<Line>,
    exit_codes: Vec<(String, i32)>,
    processes: Mutex<VecDeque<Process>>,
    used: Mutex<Vec<bool>>,
    pub sent: Mutex<Vec<Sent>>,
    pub starts: Mutex<Vec<Start>>,
}

struct Running {
    script: Arc<Script>,
    process: Process,
    began: Instant,
    output: tokio::sync::mpsc::UnboundedSender<OutputLine>,
    exit: watch::Sender<Option<i32>>,
    tasks: Mutex<JoinSet<()>>,
}

struct Doors(Arc<Running>);

/// The process with the connections to it.
struct Reached {
    running: Arc<Running>,
    connections: Connections,
}

/// A pipe whose end may be a reset.
struct Pipe {
    inner: DuplexStream,
    reset: Arc<AtomicBool>,
}

impl Script {
    pub fn new(lines: Vec<Line>, processes: Vec<Process>, exit_codes: Vec<(String, i32)>) -> Arc<Self> {
        let used = vec![false; lines.len()];
        Arc::new(Self {
            lines,
            exit_codes,
            processes: Mutex::new(processes.into()),
            used: Mutex::new(used),
            sent: Mutex::default(),
            starts: Mutex::default(),
        })
    }

    /// The recorded exchanges that the host never made.
    pub fn unused(&self) -> Vec<&Line> {
        let used = self.used.lock().expect("lock");
        let is_exchange = |line: &&Line| matches!(line.what, What::Handler(..));
        self.lines.iter().enumerate().filter(|(at, _)| !used[*at]).map(|(_, line)| line).filter(is_exchange).collect()
    }

    /// The line behind a request that was sent.
    pub fn line(&self, at: usize) -> &Line {
        &self.lines[at]
    }

    /// The first recorded exchange of this method and place that was not used; of several equal in place the one
    /// with the same body, because parallel requests arrive in any order.
    fn take(&self, request: &RawRequest) -> Option<usize> {
        let mut used = self.used.lock().expect("lock");
        let fits = |at: &usize| match &self.lines[*at].what {
            What::Handler(recorded, _) => recorded.method == request.method && recorded.target == request.target,
            _ => false,
        };
        let free: Vec<usize> = (0..self.lines.len()).filter(|at| !used[*at]).filter(fits).collect();
        let same = |at: &&usize| match &self.lines[**at].what {
            What::Handler(recorded, _) => crate::compare::body(&recorded.body) == crate::compare::body(&request.body),
            _ => false,
        };
        let several = free.len() > 1;
        let chosen = free.iter().find(|at| several && same(at)).or(free.first()).copied();
        if let Some(at) = chosen {
            used[at] = true;
        }
        chosen
    }
}

/// Starts what a script says.
pub struct Scripted(pub Arc<Script>);

#[async_trait]
impl Launcher for Scripted {
    async fn launch(&self, start: Start) -> io::Result<Arc<dyn Handler>> {
        let process = self.0.processes.lock().expect("lock").pop_front();
        let process =
            process.unwrap_or(Process { pid: 1, listens_after: None, ends: None, prints: Vec::new(), broken: None });
        self.0.starts.lock().expect("lock").push(start.clone());
        if let Some(errno) = process.broken {
            return Err(io::Error::from_raw_os_error(errno));
        }
        for line in &process.prints {
            start.output.send(line.clone()).ok();
        }
        let ends = process.ends;
        let running = Arc::new(Running {
            script: self.0.clone(),
            process,
            began: Instant::now(),
            output: start.output,
            exit: watch::channel(None).0,
            tasks: Mutex::default(),
        });
        if let Some((after, code)) = ends {
            let process = running.clone();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs_f64(after)).await;
                process.end(code);
            });
        }
        Ok(Arc::new(Reached { connections: Connections::new(Doors(running.clone())), running }))
    }
}

#[async_trait]
impl Handler for Reached {
    fn pid(&self) -> u32 {
        self.running.process.pid
    }

    async fn send(&self, request: &RawRequest) -> Result<RawResponse, WireError> {
        self.connections.send(request).await
    }

    async fn exited(&self) -> i32 {
        let mut exit = self.running.exit.subscribe();
        exit.wait_for(Option::is_some).await.ok().and_then(|code| *code).expect("a code")
    }

    fn kill(&self) {
        self.running.end(137);
    }
}

#[async_trait]
impl Connect for Doors {
    async fn connect(&self) -> io::Result<Box<dyn HandlerStream>> {
        let open = self.0.process.listens_after.is_some_and(|after| self.0.began.elapsed().as_secs_f64() >= after);
        if !open || self.0.exit.borrow().is_some() {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let reset = Arc::new(AtomicBool::new(false));
        self.0.tasks.lock().expect("lock").spawn(serve(self.0.clone(), ours, reset.clone()));
        Ok(Box::new(Pipe { inner: theirs, reset }))
    }
}

impl Running {
    fn end(&self, code: i32) {
        self.exit.send_if_modified(|exit| exit.is_none() && exit.replace(code).is_none());
        self.tasks.lock().expect("lock").abort_all();
    }
}

async fn serve(running: Arc<Running>, stream: DuplexStream, reset: Arc<AtomicBool>) {
    let mut stream = BufReader::new(stream);
    while let Ok(Some(request)) = read_request(&mut stream).await {
        let at = running.script.take(&request);
        running.script.sent.lock().expect("lock").push(Sent { request: request.clone(), at: Instant::now(), line: at });
        let line = at.map(|at| running.script.line(at).clone());
        let behaviour = match line.as_ref().map(|line| &line.what) {
            Some(What::Handler(_, behaviour)) => behaviour.clone(),
            _ => Behaviour::Answered(RawResponse::new(404), 0.0),
        };
        let name = request.target.trim_start_matches('/');
        for line in printed(name, &behaviour) {
            running.output.send(line).ok();
        }
        match behaviour {
            Behaviour::Answered(response, after) => {
                tokio::time::sleep(Duration::from_secs_f64(after)).await;
                if stream.get_mut().write_all(&as_node_sends(&request, response).to_bytes()).await.is_err() {
                    return;
                }
            }
            Behaviour::Reset => return reset.store(true, Ordering::SeqCst),
            Behaviour::BrokenBody(response) => {
                reset.store(true, Ordering::SeqCst);
                let part = response.with("Content-Length", "16").with_body("0123456789");
                stream.get_mut().write_all(&part.to_bytes()).await.ok();
                return;
            }
            Behaviour::Silent => std::future::pending().await,
            Behaviour::Exited(code) => {
                let known = running.script.exit_codes.iter().find(|(function, _)| function == name);
                return running.end(code.or(known.map(|(_, code)| *code)).expect("an exit code"));
            }
        }
    }
}

/// What the recorded handler printed when these functions ran.
fn printed(function: &str, behaviour: &Behaviour) -> Vec<OutputLine> {
    let err = |text: &str| OutputLine::Stderr(text.to_owned());
    match function {
        "die" if matches!(behaviour, Behaviour::Exited(Some(1))) => {
            ["fatal: line one", "fatal: line two", "fatal: three", "fatal: four"].map(err).into()
        }
        "stdout_line" => vec![OutputLine::Stdout("plain out line".to_owned())],
        "stderr_line" => vec![err("plain err line")],
        "stderr_warn" => vec![err("2026 WARN something")],
        _ => Vec::new(),
    }
}

/// The headers that the recorded handler's HTTP library added.
fn as_node_sends(request: &RawRequest, mut response: RawResponse) -> RawResponse {
    if response.header("date").is_none() {
        response = response.with("Date", "Sun, 22 Nov 2026 13:14:29 GMT");
    }
    response = response.with("Connection", "keep-alive").with("Keep-Alive", "timeout=120");
    let bare = request.method == "HEAD" || response.status == 204 || response.status == 304;
    if bare {
        response.body = bytes::Bytes::new();
        return response;
    }
    let length = response.body.len().to_string();
    response.with("Content-Length", length)
}

impl AsyncRead for Pipe {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(context, buffer);
        let ended = matches!(polled, Poll::Ready(Ok(()))) && buffer.filled().len() == before;
        if ended && self.reset.load(Ordering::SeqCst) {
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        polled
    }
}

impl AsyncWrite for Pipe {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}
