//! The process of a custom handler: binds, serves, and ends with the code that the host should see.
//! It never exits with 0 while the host lives but on Ctrl-C, where any other code would have it started again.
//!
//! ```text
//! port read ─▶ bound ─▶ application built ─▶ serving ─┬▶ SIGINT (Ctrl-C to the group) ─▶ 0
//!     │          │              │                     ├▶ the host is gone ─────────────▶ 1
//!     └──────────┴──────────────┴── cannot ───────────┴▶ listener failed ──────────────▶ 1
//! ```
//!
//! SIGTERM keeps its default meaning: the host never sends it to its handler, and whoever does wants this process gone (143, which the
//! host counts as a crash and answers with a new process).

use std::error::Error;
use std::io;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::process::ExitCode;

use super::answer::with_causes;
use super::app::App;
use super::log::{Sink as _, Stdio, Stream};
use super::parent;

/// Every end that is not asked for: the host counts it and starts the handler again. 0 would stop the app for good, 200 would restart
/// it without end.
const EXIT_FATAL: u8 = 1;

/// Why the handler cannot serve. A repeat helps only where the cause went away: the host tries three times.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The host names the port in the environment.
    #[error("FUNCTIONS_CUSTOMHANDLER_PORT is not set: this program is started by the Azure Functions host")]
    PortMissing,
    /// It is not a port number.
    #[error("FUNCTIONS_CUSTOMHANDLER_PORT is {0:?}, which is not a port number from 1 to 65535")]
    PortInvalid(String),
    /// Another process has the port, or the system refuses.
    #[error("cannot listen on 127.0.0.1:{port}")]
    Bind {
        /// The port.
        port: u16,
        /// The system's reason.
        source: io::Error,
    },
    /// No event loop, or no signals.
    #[error("cannot start the event loop")]
    Loop(#[source] io::Error),
    /// The application did not come up.
    #[error("cannot start the application")]
    Application(#[source] Box<dyn Error + Send + Sync>),
    /// The listener ended.
    #[error("cannot listen any longer")]
    Serve(#[source] io::Error),
}

/// How a serving handler ended.
enum End {
    Interrupted,
    HostGone,
}

/// Runs a handler to its end; `main` returns the code. `port` is the value of FUNCTIONS_CUSTOMHANDLER_PORT. The port is bound before
/// `build` is called, which runs on the event loop and should be quick: requests wait for it.
pub fn run<B>(port: Option<&str>, build: B) -> ExitCode
where
    B: FnOnce() -> Result<App, Box<dyn Error + Send + Sync>>,
{
    let host = parent::now();
    let out = Stdio::default();
    std::panic::set_hook(Box::new(|panic| {
        // One line, with the invocation of the span it happened in. The receiver's call becomes a 500.
        if tracing::dispatcher::has_been_set() {
            tracing::error!("panic: {panic}");
        } else {
            let line = format!("error panic: {panic}").replace('\n', " ");
            Stdio::default().line(Stream::Err, &line);
        }
    }));
    match bind(port).and_then(|listener| serve(listener, host, build)) {
        Ok(End::Interrupted) => ExitCode::SUCCESS,
        Ok(End::HostGone) => {
            out.line(Stream::Err, "error the host is gone, so the handler ends");
            ExitCode::from(EXIT_FATAL)
        }
        Err(error) => {
            out.line(Stream::Err, &format!("error {}", with_causes(&error)));
            ExitCode::from(EXIT_FATAL)
        }
    }
}

fn bind(port: Option<&str>) -> Result<std::net::TcpListener, StartError> {
    let text = port.ok_or(StartError::PortMissing)?;
    let port: u16 =
        text.trim().parse().ok().filter(|port| *port != 0).ok_or(StartError::PortInvalid(text.to_owned()))?;
    let address = SocketAddrV4::new(Ipv4Addr::LOCALHOST, port);
    let listener = std::net::TcpListener::bind(address).map_err(|source| StartError::Bind { port, source })?;
    listener.set_nonblocking(true).map_err(|source| StartError::Bind { port, source })?;
    Ok(listener)
}

fn serve<B>(listener: std::net::TcpListener, host: parent::Parent, build: B) -> Result<End, StartError>
where
    B: FnOnce() -> Result<App, Box<dyn Error + Send + Sync>>,
{
    // One thread: an invocation waits for Azure, not for a core, and a start of few milliseconds is worth more.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::Loop)?;
    let end = runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener).map_err(StartError::Loop)?;
        let app = build().map_err(StartError::Application)?;
        tokio::select! {
            served = app.serve(listener) => match served {
                Ok(()) => Err(StartError::Serve(io::Error::from(io::ErrorKind::ConnectionAborted))),
                Err(error) => Err(StartError::Serve(error)),
            },
            interrupted = tokio::signal::ctrl_c() => interrupted.map(|()| End::Interrupted).map_err(StartError::Loop),
            () = parent::gone(host) => Ok(End::HostGone),
        }
    });
    // What is still running may be stopped at any instruction, as by a kill; nothing here waits for it.
    runtime.shutdown_background();
    end
}
