//! Reads request bodies within two bounds: one for each body, one for all that are held at a time.
//! It never waits for room and never answers 4xx: over a bound the call fails with a 5xx, so that the message comes back.

use std::sync::Arc;

use axum::body::Body;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Largest body: a queue message of the standard tier has 256 KiB and an event 1 MiB, sent twice; 8 MiB leaves room for both encodings.
pub const BODY_MAX_BYTES: usize = 8 * 1024 * 1024;

/// All bodies together: eight of the largest, so that sixteen parallel calls of ordinary size never meet it and a small instance
/// (512 MiB) keeps most of its memory for the work.
pub const BODIES_MAX_BYTES: usize = 64 * 1024 * 1024;

/// What one permit stands for: small enough that a timer's 200 bytes cost little, large enough that counts fit the semaphore.
const PERMIT_BYTES: usize = 1024;

/// Why a body was not read. Repeating is safe: nothing was done yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// One body over its bound.
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge {
        /// The bound.
        max_bytes: usize,
    },
    /// All bodies together at their bound; later there is room again.
    #[error("the bodies in work together reach {max_bytes} bytes")]
    AllFull {
        /// The bound.
        max_bytes: usize,
    },
    /// The sender stopped in the middle, or broke the framing.
    #[error("the body ended before it was complete")]
    Cut,
}

/// The two bounds, shared by all calls.
#[derive(Debug, Clone)]
pub(super) struct Bodies {
    each_max_bytes: usize,
    all_max_bytes: usize,
    room: Arc<Semaphore>,
}

/// Room taken by one body; given back when dropped, which is after the answer is made, as the decoded values live that long.
#[derive(Debug, Default)]
pub(super) struct Held(Option<OwnedSemaphorePermit>);

impl Bodies {
    pub(super) fn new(each_max_bytes: usize, all_max_bytes: usize) -> Self {
        Self { each_max_bytes, all_max_bytes, room: Arc::new(Semaphore::new(all_max_bytes / PERMIT_BYTES)) }
    }

    /// Reads a body to its end. `announced` is the Content-Length, where there is one.
    pub(super) async fn read(&self, mut body: Body, announced: Option<u64>) -> Result<(Bytes, Held), BodyError> {
        let mut held = Held::default();
        if let Some(announced) = announced {
            // Refused before a byte is read: a large body costs nothing.
            self.grow(&mut held, usize::try_from(announced).unwrap_or(usize::MAX))?;
        }
        let mut whole = Bytes::new();
        let mut parts = BytesMut::new();
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| BodyError::Cut)?.into_data() else { continue };
            self.grow(&mut held, whole.len() + parts.len() + data.len())?;
            // A body that came in one piece is not copied.
            if whole.is_empty() && parts.is_empty() {
                whole = data;
            } else {
                parts.extend_from_slice(&std::mem::take(&mut whole));
                parts.extend_from_slice(&data);
            }
        }
        Ok((if parts.is_empty() { whole } else { parts.freeze() }, held))
    }

    fn grow(&self, held: &mut Held, total_bytes: usize) -> Result<(), BodyError> {
        if total_bytes > self.each_max_bytes {
            return Err(BodyError::TooLarge { max_bytes: self.each_max_bytes });
        }
        let full = BodyError::AllFull { max_bytes: self.all_max_bytes };
        let wanted = total_bytes.div_ceil(PERMIT_BYTES);
        let missing = wanted.saturating_sub(held.0.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if missing == 0 {
            return Ok(());
        }
        let count = u32::try_from(missing).map_err(|_| full)?;
        let permit = Arc::clone(&self.room).try_acquire_many_owned(count).map_err(|_| full)?;
        match &mut held.0 {
            Some(own) => own.merge(permit),
            None => held.0 = Some(permit),
        }
        Ok(())
    }
}
