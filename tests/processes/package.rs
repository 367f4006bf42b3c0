//! The executable that is deployed: static, small, at home in an empty root, with names resolved by its own resolver.
//! It never reaches beyond this machine: the name server and all that is named are this test's.
//!
//! It needs the build for deployment, which takes minutes: `cargo test -p lifeboat-tests --test processes -- --ignored package`.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::time::Duration;

use crate::{PATIENCE, executables};

/// The design's line.
const SIZE_MAX_BYTES: u64 = 15_000_000;
/// What is deployed.
pub const TARGET: &str = "x86_64-unknown-linux-gnu";
/// A name that only this test's name server knows.
const NAME: &str = "store.lifeboat.test";
/// A tick of a timer: whoever it wakes goes to the store, whatever else is set.
pub const TICK: &str = r#"{"Data":{"timer":{"IsPastDue":false}},"Metadata":{}}"#;
/// Where this machine keeps its certificates.
const CERTIFICATES: &str = "/etc/ssl/certs/ca-certificates.crt";

#[test]
#[ignore = "belongs to the other two"]
fn package_is_compiled_here_as_the_command_compiles_it() {
    let command = include_str!("../../handlers/cli/src/handler.rs");
    // The flags stand in a source, perhaps with escaped quotes.
    let flags = [executables::RUSTFLAGS_DEPLOYED.to_owned(), executables::RUSTFLAGS_DEPLOYED.replace('"', "\\\"")];
    assert!(flags.iter().any(|flags| command.contains(flags)), "`lifeboat package` compiles with other flags");
}

fn packaged() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| executables::build_deployed(&executables::manifest(), "lifeboat-handler", TARGET, None))
}

#[test]
#[ignore = "needs the build for deployment, which takes minutes"]
fn package_is_static_and_small() {
    let bytes = std::fs::read(packaged()).expect("it is readable");
    assert!(bytes.starts_with(b"\x7fELF\x02\x01"), "a little-endian 64-bit ELF file");
    let kinds = program_headers(&bytes);
    assert!(kinds.contains(&1), "it has something to load");
    assert!(!kinds.contains(&3), "it names a program interpreter, so it is not static");
    println!("package: {} bytes, at most {SIZE_MAX_BYTES}", bytes.len());
    assert!(bytes.len() as u64 <= SIZE_MAX_BYTES);
}

/// Tests are always compiled to unwind, whatever their profile says; so the executable itself must show that it does. The one panic
/// that can be had from outside, without a switch in the handler: its build id does not fit on a full device.
#[test]
#[ignore = "needs the build for deployment, which takes minutes"]
fn package_unwinds_when_it_panics() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("every Linux has a full device");
    let run =
        Command::new(packaged()).arg("--build-id").stdout(full).stderr(Stdio::null()).status().expect("it starts");
    assert_eq!(
        run.code(),
        Some(101),
        "a panic that unwinds to the end of main exits with 101, one that aborts with a signal: {run}"
    );
}

#[test]
#[ignore = "needs the build for deployment, which takes minutes"]
fn package_starts_in_an_empty_root_and_resolves_names() {
    let Some((names, identity, store)) = stand_ins() else { return };
    let root = std::env::temp_dir().join(format!("lifeboat-empty-root-{}", std::process::id()));
    furnish(&root);
    let port = free_port();
    let mut command = Command::new("chroot");
    command.arg(&root).arg("/lifeboat-handler").env_clear();
    command.env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
    command.env("LIFEBOAT_STORE_URL", format!("https://{NAME}:{}/lifeboat", port_of(&store)));
    command.env("IDENTITY_ENDPOINT", format!("http://127.0.0.1:{}/msi/token", port_of(&identity)));
    for (name, value) in [
        ("PATH", "/usr/sbin:/usr/bin:/sbin:/bin"),
        ("LIFEBOAT_DEPLOYMENT", "lb-empty"),
        ("LIFEBOAT_OWNED_REGIONS", "westeurope"),
        ("LIFEBOAT_SUBSCRIPTIONS", "00000000-0000-4000-8000-00000000000a"),
        ("ServiceBus__fullyQualifiedNamespace", "ns.servicebus.windows.net"),
        ("IDENTITY_HEADER", "secret"),
    ] {
        command.env(name, value);
    }
    let started = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut handler = Running(started.expect("chroot is part of every Linux"));
    if let Some(why) = handler.refusal(port) {
        std::fs::remove_dir_all(&root).ok();
        return eprintln!("ignored: package_starts_in_an_empty_root_and_resolves_names: {why}");
    }
    assert_eq!(ask(port, "GET /", "").as_deref(), Some("HTTP/1.1 200 OK"), "it answers in an empty root");
    let (connected, reached) = mpsc::channel();
    std::thread::spawn(move || connected.send(store.accept().is_ok()));
    std::thread::spawn(move || answer_tokens(&identity));
    std::thread::spawn(move || answer_names(&names));
    std::thread::spawn(move || ask(port, "POST /PolicySweep", TICK));
    let reached = reached.recv_timeout(PATIENCE);
    std::fs::remove_dir_all(&root).ok();
    assert_eq!(reached, Ok(true), "a connection to {NAME}, found by the name server of its resolv.conf");
}

/// A process that ends with its value.
pub struct Running(pub Child);

impl Running {
    /// Waits until it listens; why it never will, where this machine does not let us change the root.
    pub fn refusal(&mut self, port: u16) -> Option<String> {
        loop {
            if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
                return None;
            }
            if let Ok(Some(status)) = self.0.try_wait() {
                let mut said = String::new();
                self.0.stderr.take()?.read_to_string(&mut said).ok()?;
                assert!(said.contains("chroot"), "it ended with {status}: {said}");
                return Some(said);
            }
            std::thread::yield_now();
        }
    }

    /// Ends it; what it wrote to stderr.
    pub fn end(&mut self) -> String {
        self.0.kill().ok();
        self.0.wait().ok();
        let mut said = String::new();
        if let Some(mut stderr) = self.0.stderr.take() {
            stderr.read_to_string(&mut said).ok();
        }
        said
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A name server, an identity endpoint and a store, or nothing where this machine does not give port 53.
fn stand_ins() -> Option<(UdpSocket, TcpListener, TcpListener)> {
    let names = match UdpSocket::bind((Ipv4Addr::LOCALHOST, 53)) {
        Ok(names) => names,
        Err(error) => {
            eprintln!("ignored: package_starts_in_an_empty_root_and_resolves_names: no port 53 on 127.0.0.1: {error}");
            return None;
        }
    };
    let listen = || TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    Some((names, listen(), listen()))
}

/// The root holds the executable, certificates and the name server's address, and nothing else.
fn furnish(root: &Path) {
    let write = |path: &str, bytes: &[u8]| {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("the folder can be made");
        std::fs::write(path, bytes).expect("the file can be written");
    };
    write("etc/resolv.conf", b"nameserver 127.0.0.1\n");
    write("etc/ssl/certs/ca-certificates.crt", &std::fs::read(CERTIFICATES).unwrap_or_default());
    std::fs::copy(packaged(), root.join("lifeboat-handler")).expect("the executable can be copied");
}

fn free_port() -> u16 {
    port_of(&TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port"))
}

fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("a bound port").port()
}

/// The first line of the answer.
pub fn ask(port: u16, request: &str, body: &str) -> Option<String> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let invocation = "X-Azure-Functions-InvocationId: 00000000-0000-0000-0000-000000000001";
    let length = format!("Content-Length: {}", body.len());
    write!(stream, "{request} HTTP/1.1\r\nHost: 127.0.0.1\r\n{invocation}\r\n{length}\r\n\r\n{body}").ok()?;
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).ok()?;
    Some(line.trim().to_owned())
}

/// Gives a token to everybody who asks.
fn answer_tokens(identity: &TcpListener) {
    let body = r#"{"access_token":"t","expires_on":"4102444800","resource":"https://storage.azure.com","token_type":"Bearer"}"#;
    for mut stream in identity.incoming().flatten() {
        let mut asked = [0; 4096];
        stream.set_read_timeout(Some(Duration::from_secs(5))).ok();
        if stream.read(&mut asked).is_ok() {
            let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close";
            write!(stream, "{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).ok();
        }
    }
}

/// Answers that every name is this machine, which has no IPv6 address.
fn answer_names(names: &UdpSocket) {
    let mut asked = [0; 512];
    while let Ok((length, from)) = names.recv_from(&mut asked) {
        let Some(answer) = answer_to(&asked[..length]) else { continue };
        names.send_to(&answer, from).ok();
    }
}

/// An answer to one question: its address for type A, no record for others.
fn answer_to(asked: &[u8]) -> Option<Vec<u8>> {
    // Behind the header of 12 bytes: the name's labels, a zero, two bytes of type, two of class. What follows is an option, left out.
    let end = 12 + asked.get(12..)?.iter().position(|byte| *byte == 0)? + 5;
    let question = asked.get(12..end)?;
    let is_a = question[question.len() - 4..] == [0, 1, 0, 1];
    let mut answer = asked[..2].to_vec();
    // A response, recursion available; one question, one or no answer.
    answer.extend([0x81, 0x80, 0, 1, 0, u8::from(is_a), 0, 0, 0, 0]);
    answer.extend(question);
    if is_a {
        // The name is the question's, class and type as asked, a minute, four bytes.
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}

/// The kinds of an ELF file's program headers.
fn program_headers(elf: &[u8]) -> Vec<u32> {
    let number = |at: usize, bytes: usize| {
        elf[at..at + bytes].iter().rev().fold(0_usize, |sum, byte| sum << 8 | usize::from(*byte))
    };
    let (table, size, count) = (number(32, 8), number(54, 2), number(56, 2));
    (0..count).map(|place| number(table + place * size, 4) as u32).collect()
}
