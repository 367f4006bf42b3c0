//! Starts real handler processes: this test program starts itself again, and the copy serves.
//! It never waits by the clock, only for ends of pipes and processes.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, ExitCode, Stdio};
use std::time::Duration;

use lifeboat_functions::host::log::Stdio as Lines;
use lifeboat_functions::host::{App, Done, RuntimeOptions, run};
use lifeboat_functions::telemetry::{Settings, Telemetry};

/// Says what a copy of this program is to do.
const ROLE: &str = "HOST_TEST_ROLE";
const PORT: &str = "FUNCTIONS_CUSTOMHANDLER_PORT";
/// An event that does not come within this is a failure, not a slow machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// What the copies run; as a test of its own it does nothing.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "the copy is told its role by the environment, and ends with the code of `run`"
)]
fn a_copy_does_what_its_role_says() {
    match std::env::var(ROLE).as_deref() {
        Ok("handler") => {
            let port = std::env::var(PORT).ok();
            let code = run(port.as_deref(), || {
                let telemetry = std::sync::Arc::new(Telemetry::start(&Settings::default(), Lines::default()));
                let options = RuntimeOptions::below(Duration::from_secs(600)).observed_by(telemetry);
                Ok(App::new(options)
                    .on("Works", |_| async { Ok(Done::quietly()) })
                    .on("Chatters", |_| async {
                        (0..2000).for_each(|n| tracing::info!(n, "{}", "x".repeat(100)));
                        Ok(Done::quietly())
                    })
                    .on("Panics", |_| async { panic!("out of luck") }))
            });
            std::process::exit(if code == ExitCode::SUCCESS { 0 } else { 1 });
        }
        Ok("broken") => {
            let port = std::env::var(PORT).ok();
            let code = run(port.as_deref(), || Err("a setting is missing".into()));
            std::process::exit(if code == ExitCode::SUCCESS { 0 } else { 1 });
        }
        Ok("panics") => {
            let port = std::env::var(PORT).ok();
            let _ = run(port.as_deref(), || panic!("before anything listens to lines"));
        }
        Ok("middle") => {
            // Its child, the handler, shares its stdout and stderr, and outlives it if nothing ends it.
            let port = std::env::var(PORT).unwrap();
            let mut handler = copy("handler", Some(&port)).spawn().unwrap();
            let _ = handler.wait();
        }
        _ => {}
    }
}

fn copy(role: &str, port: Option<&str>) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "a_copy_does_what_its_role_says", "--nocapture"]).env(ROLE, role).stdin(Stdio::null());
    match port {
        Some(port) => command.env(PORT, port),
        None => command.env_remove(PORT),
    };
    command
}

/// A port that was free a moment ago, found as the host does it.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Asks until the port is bound, then for the answer, as the host does.
fn ask(port: u16, request: &str) -> String {
    let mut stream = loop {
        match TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
            Ok(stream) => break stream,
            Err(_) => std::thread::yield_now(),
        }
    };
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    BufReader::new(stream).read_line(&mut answer).unwrap();
    answer.trim().to_owned()
}

fn get() -> &'static str {
    "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
}

fn post(function: &str) -> String {
    let body = r#"{"Data":{"timer":{}},"Metadata":{}}"#;
    format!(
        "POST /{function} HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    )
}

fn signal(child: &Child, name: &str) {
    assert!(Command::new("kill").args(["-s", name, &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn a_handler_without_a_usable_port_ends_with_a_clear_line() {
    let cases = [
        (None, "is not set"),
        (Some("http"), "is not a port number"),
        (Some("0"), "is not a port number"),
        (Some("70000"), "is not a port number"),
    ];
    for (port, text) in cases {
        let output = copy("handler", port).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{port:?}: {said}");
        assert!(said.starts_with("error FUNCTIONS_CUSTOMHANDLER_PORT") && said.contains(text), "{port:?}: {said}");
    }
}

#[test]
fn a_port_in_use_ends_the_handler_with_a_clear_line() {
    let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = held.local_addr().unwrap().port().to_string();
    let output = copy("handler", Some(&port)).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("error cannot listen on 127.0.0.1:{port}: ")), "{said}");
}

#[test]
fn an_application_that_does_not_come_up_ends_with_its_reason_and_never_with_0() {
    let cases = [("broken", "error cannot start the application: a setting is missing"), ("panics", "error panic: ")];
    for (role, text) in cases {
        let output = copy(role, Some(&free_port().to_string())).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(text), "{role}: {said}");
    }
}

#[test]
fn a_panic_is_one_line_and_a_500_and_the_process_lives_until_ctrl_c_ends_it_with_0() {
    let port = free_port();
    let mut command = copy("handler", Some(&port.to_string()));
    let mut handler = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(ask(port, get()), "HTTP/1.1 200 OK");
    assert_eq!(ask(port, &post("Panics")), "HTTP/1.1 500 Internal Server Error");
    assert_eq!(ask(port, &post("Works")), "HTTP/1.1 200 OK");
    signal(&handler, "INT");
    assert_eq!(handler.wait().unwrap().code(), Some(0));
    let mut said = String::new();
    handler.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    let lines: Vec<_> = said.lines().collect();
    assert_eq!(lines.len(), 2, "{said}");
    assert!(
        lines[0].starts_with("error Panics - panic: ") && lines[1] == "error Panics - panicked: out of luck",
        "{said}"
    );
}

#[test]
fn a_host_that_does_not_read_or_has_closed_its_pipe_does_not_stop_the_handler() {
    let port = free_port();
    let mut command = copy("handler", Some(&port.to_string()));
    let mut handler = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(ask(port, &post("Chatters")), "HTTP/1.1 200 OK", "nobody reads 200 kB of lines");
    drop((handler.stdout.take(), handler.stderr.take()));
    assert_eq!(ask(port, &post("Chatters")), "HTTP/1.1 200 OK", "the pipes are closed");
    assert_eq!(ask(port, &post("Panics")), "HTTP/1.1 500 Internal Server Error");
    signal(&handler, "TERM");
    assert_eq!(std::os::unix::process::ExitStatusExt::signal(&handler.wait().unwrap()), Some(15));
}

#[test]
fn a_handler_ends_when_its_host_is_killed() {
    let port = free_port();
    let mut command = copy("middle", Some(&port.to_string()));
    let mut middle = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    assert_eq!(ask(port, get()), "HTTP/1.1 200 OK");
    middle.kill().unwrap();
    middle.wait().unwrap();
    // The handler holds the other end of this pipe: it closes when the handler is gone.
    let mut said = String::new();
    middle.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("error the host is gone"), "{said}");
}
