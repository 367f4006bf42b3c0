//! Writes lines to the host through stdout and stderr.
//! It never waits long for a reader, never panics when the reader is gone, and never writes half a line between two others.

use super::log::{Sink, Stream};

/// Longest line with its end: a pipe takes this much in one piece (PIPE_BUF), so lines of several processes never mix, and a pipe
/// that says it is writable has that much room.
const LINE_MAX_BYTES: usize = 4096;

/// How long a line waits for a reader that is slow: the host reads all the time; a reader that stands longer is gone or broken.
#[cfg(unix)]
const WAIT_FOR_READER_MS: i64 = 50;

/// The process's own stdout and stderr.
#[derive(Debug, Default)]
pub struct Stdio {
    #[cfg(unix)]
    stalled: [std::sync::atomic::AtomicBool; 2],
}

impl Sink for Stdio {
    fn line(&self, stream: Stream, line: &str) {
        let mut line = super::answer::shortened(line.to_owned(), LINE_MAX_BYTES - '…'.len_utf8() - 1);
        line.push('\n');
        self.write(stream, line.as_bytes());
    }
}

#[cfg(unix)]
impl Stdio {
    fn write(&self, stream: Stream, line: &[u8]) {
        use std::sync::atomic::Ordering;
        let fd = match stream {
            Stream::Out => rustix::stdio::stdout(),
            Stream::Err => rustix::stdio::stderr(),
        };
        let stalled = &self.stalled[usize::from(stream == Stream::Err)];
        // After one line was given up, later ones do not wait again until the reader is back.
        let wait_ms = if stalled.load(Ordering::Relaxed) { 0 } else { WAIT_FOR_READER_MS };
        let wait = rustix::event::Timespec { tv_sec: 0, tv_nsec: wait_ms * 1_000_000 };
        let mut polled = [rustix::event::PollFd::new(&fd, rustix::event::PollFlags::OUT)];
        match rustix::event::poll(&mut polled, Some(&wait)) {
            Ok(ready) if ready > 0 => {
                stalled.store(false, Ordering::Relaxed);
                // A closed pipe answers EPIPE; there is nobody left to tell.
                let _ = rustix::io::write(fd, line);
            }
            Ok(_) => stalled.store(true, Ordering::Relaxed),
            Err(_) => {}
        }
    }
}

#[cfg(not(unix))]
impl Stdio {
    fn write(&self, stream: Stream, line: &[u8]) {
        use std::io::Write as _;
        // A closed pipe is an error here too; there is nobody left to tell.
        let _ = match stream {
            Stream::Out => std::io::stdout().write_all(line),
            Stream::Err => std::io::stderr().write_all(line),
        };
    }
}
