//! Benches of the handler binary as the host runs it: start, memory, size, one invocation's own overhead, throughput.
//! Prints figure, budget and floor of each line; a figure over its budget ends it non-zero. It tests no behaviour.
//!
//! `cargo run --release -p lifeboat-tests --bin bench-handler -- PATH` where PATH is the packaged `lifeboat-handler`.
#![expect(clippy::disallowed_methods, reason = "a bench measures real time")]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use lifeboat_tests::lines::{self, Line};

/// Starts measured; the median is quoted.
const STARTS: usize = 21;
/// Invocations measured at one connection.
const CALLS: usize = 2_000;
/// Time measured at sixteen connections.
const THROUGHPUT_FOR: Duration = Duration::from_secs(2);
/// Connections of the throughput line.
const CONNECTIONS: usize = 16;

fn main() -> ExitCode {
    let Some(handler) = std::env::args().nth(1).map(PathBuf::from).filter(|path| path.is_file()) else {
        eprintln!("usage: bench-handler PATH-OF-lifeboat-handler (see `lifeboat package`)");
        return ExitCode::from(2);
    };
    lines::print(lines(&handler))
}

fn lines(handler: &Path) -> Vec<Line> {
    let size = std::fs::metadata(handler).map(|meta| meta.len()).unwrap_or(u64::MAX) as f64 / 1e6;
    let (start, resident) = start(handler);
    let floor_start = median((0..STARTS).map(|_| {
        let from = Instant::now();
        let _ = Command::new("/bin/true").status();
        from.elapsed().as_secs_f64() * 1e3
    }));
    let mut process = Process::start(handler);
    let overhead = overhead(process.port);
    let throughput = throughput(process.port);
    process.end();
    let bare = bare_server();
    let (floor_overhead, floor_throughput) = (self::overhead(bare), self::throughput(bare));
    let bare = "a bare socket that answers {}";
    vec![
        Line::at_most("start to first answered request, p50", start, "ms", 10.0)
            .floor(floor_start, "start and end of /bin/true"),
        Line::at_most("resident after the first request", resident, "MB", 15.0),
        Line::at_most("size of the binary", size, "MB", 15.0),
        Line::at_most("one invocation at one connection, p50", overhead, "us", 150.0).floor(floor_overhead, bare),
        Line::at_least("invocations a second at 16 connections", throughput, "/s", 10_000.0)
            .floor(floor_throughput, bare),
    ]
}

/// A handler process, ended with this value.
struct Process {
    child: Child,
    port: u16,
}

impl Process {
    fn start(handler: &Path) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port");
        let port = free.port();
        let child = Command::new(handler)
            .env_clear()
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("LIFEBOAT_DEPLOYMENT", "bench")
            .env("LIFEBOAT_STORE_URL", "http://127.0.0.1:9/lifeboat")
            .env("LIFEBOAT_OWNED_REGIONS", "westeurope")
            .env("LIFEBOAT_SUBSCRIPTIONS", "00000000-0000-0000-0000-000000000001")
            .env("ServiceBus__fullyQualifiedNamespace", "bench.servicebus.windows.net")
            .env("IDENTITY_ENDPOINT", "http://127.0.0.1:9/identity")
            .env("IDENTITY_HEADER", "bench")
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the handler starts");
        let process = Self { child, port };
        while call(process.port, b"GET / HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n").is_none() {}
        process
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Start to first answer in ms (median), and resident memory in MB after an invocation.
fn start(handler: &Path) -> (f64, f64) {
    let mut resident = 0.0_f64;
    let times = (0..STARTS).map(|_| {
        let from = Instant::now();
        let mut process = Process::start(handler);
        let took = from.elapsed().as_secs_f64() * 1e3;
        let _ = call(process.port, &invocation());
        resident = resident.max(resident_mb(process.child.id()));
        process.end();
        took
    });
    let start = median(times.collect::<Vec<_>>().into_iter());
    (start, resident)
}

fn resident_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().trim_end_matches(" kB").trim().parse::<f64>().unwrap_or(f64::MAX) / 1e3
}

/// An Event Grid invocation that is ignored: decoding, logging and answering, and nothing else.
fn invocation() -> Vec<u8> {
    let event = r#"{"id":"1","eventType":"Microsoft.Resources.ResourceWriteSuccess","subject":"s","eventTime":"2026-11-22T10:00:00Z","data":{"operationName":"Microsoft.Storage/storageAccounts/write","status":"Succeeded"},"dataVersion":"2","metadataVersion":"1","topic":"t"}"#;
    let body = format!(r#"{{"Data":{{"event":{event}}},"Metadata":{{"sys":{{"MethodName":"VmWritten"}}}}}}"#);
    format!(
        "POST /VmWritten HTTP/1.1\r\nhost: 127.0.0.1\r\nX-Azure-Functions-InvocationId: 00000000-0000-0000-0000-000000000001\r\ncontent-type: application/json; charset=utf-8\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

fn connect(port: u16) -> Option<TcpStream> {
    let stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_nodelay(true).ok()?;
    Some(stream)
}

/// One request on one connection; `None` when nothing listens or no 200 comes.
fn call(port: u16, request: &[u8]) -> Option<()> {
    exchange(&mut connect(port)?, request)
}

fn exchange(stream: &mut TcpStream, request: &[u8]) -> Option<()> {
    stream.write_all(request).ok()?;
    let mut got = Vec::with_capacity(512);
    let mut part = [0_u8; 4096];
    loop {
        let n = stream.read(&mut part).ok().filter(|n| *n > 0)?;
        got.extend_from_slice(&part[..n]);
        let text = String::from_utf8_lossy(&got);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .lines()
            .find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse::<usize>().ok());
        if body.len() >= length.unwrap_or(0) {
            return head.starts_with("HTTP/1.1 200").then_some(());
        }
    }
}

/// Median time of one invocation in µs at one connection.
fn overhead(port: u16) -> f64 {
    let (mut stream, request) = (connect(port).expect("connects"), invocation());
    (0..CALLS / 10).for_each(|_| exchange(&mut stream, &request).expect("answers"));
    median((0..CALLS).map(|_| {
        let from = Instant::now();
        exchange(&mut stream, &request).expect("answers");
        from.elapsed().as_secs_f64() * 1e6
    }))
}

/// Invocations a second at sixteen connections.
fn throughput(port: u16) -> f64 {
    let request = invocation();
    let until = Instant::now() + THROUGHPUT_FOR;
    let done: usize = std::thread::scope(|scope| {
        let one = || {
            let mut stream = connect(port).expect("connects");
            let mut done = 0;
            while Instant::now() < until {
                exchange(&mut stream, &request).expect("answers");
                done += 1;
            }
            done
        };
        let threads: Vec<_> = (0..CONNECTIONS).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().expect("ends")).sum()
    });
    done as f64 / THROUGHPUT_FOR.as_secs_f64()
}

/// A server that reads a request and answers `{}`, thinking of nothing: what the sockets alone cost.
fn bare_server() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
    let port = listener.local_addr().expect("bound").port();
    let expected = invocation().len();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || answer_bare(stream, expected));
        }
    });
    port
}

fn answer_bare(mut stream: TcpStream, expected: usize) {
    let _ = stream.set_nodelay(true);
    let (mut part, mut got) = ([0_u8; 4096], 0);
    while let Ok(n) = stream.read(&mut part) {
        got += n;
        if n == 0 {
            return;
        }
        if got >= expected {
            got -= expected;
            let answer = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}";
            if stream.write_all(answer).is_err() {
                return;
            }
        }
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::MAX)
}
