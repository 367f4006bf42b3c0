//! Notices that the host is gone: a host that stops or is killed leaves its handler running, and nobody else would end it.
//! It never ends the process itself; it only resolves.
//!
//! The kernel's "signal me when my parent dies" (PR_SET_PDEATHSIG) is not used: it fires when the *thread* that started the handler
//! ends, and the host starts it from a thread pool that retires threads. A descriptor of the parent process has no such trap.

/// How often the parent is asked for where the kernel gives no descriptor of it; an orphan does nothing, so a second too long harms nobody.
#[cfg(unix)]
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(1);

/// The watching thread makes one system call and needs next to no stack.
#[cfg(target_os = "linux")]
const WATCH_STACK_BYTES: usize = 64 * 1024;

/// The process that started this one.
#[cfg(unix)]
pub(super) type Parent = Option<rustix::process::Pid>;

/// Who the parent is now; asked first of all, since a parent that died before cannot be told from one that never was.
#[cfg(unix)]
pub(super) fn now() -> Parent {
    rustix::process::getppid()
}

/// Resolves when the process that started this one has ended.
#[cfg(unix)]
pub(super) async fn gone(first: Parent) {
    #[cfg(target_os = "linux")]
    if let Some(pid) = first
        && let Ok(parent) = rustix::process::pidfd_open(pid, rustix::process::PidfdFlags::empty())
    {
        // Before this the parent can have died and its number gone to another process: then it is no longer the parent.
        if rustix::process::getppid() != first || watch(parent).await {
            return;
        }
    }
    let mut look = tokio::time::interval(LOOK_EVERY);
    while rustix::process::getppid() == first {
        look.tick().await;
    }
}

/// Waits for the end of the process behind a descriptor, in a thread of its own that sleeps in the kernel: the event loop's way to wait
/// for a foreign descriptor is unsafe code. False when that cannot be waited for.
#[cfg(target_os = "linux")]
async fn watch(parent: std::os::fd::OwnedFd) -> bool {
    let (said, heard) = tokio::sync::oneshot::channel();
    let wait = move || {
        let mut polled = [rustix::event::PollFd::new(&parent, rustix::event::PollFlags::IN)];
        let ended = loop {
            match rustix::event::poll(&mut polled, None) {
                Ok(ready) if ready > 0 => break true,
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(_) => break false,
            }
        };
        // The receiver is gone only when the process ends anyway.
        let _ = said.send(ended);
    };
    let thread = std::thread::Builder::new().name("parent".to_owned()).stack_size(WATCH_STACK_BYTES);
    thread.spawn(wait).is_ok() && heard.await.unwrap_or(false)
}

/// Nothing to know of the parent.
#[cfg(not(unix))]
pub(super) type Parent = ();

/// Nothing to ask.
#[cfg(not(unix))]
pub(super) fn now() -> Parent {}

/// Never resolves: the host's job object ends its children there. *assumed*: nothing recorded shows it.
#[cfg(not(unix))]
pub(super) async fn gone((): Parent) {
    std::future::pending::<()>().await;
}
