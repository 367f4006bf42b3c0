//! Why the broker refused, and the REST answer that says so.
//! It never hides which of two reasons it was: each has its own variant.

use http::StatusCode;

/// A refusal. Only [`BusError::ServerBusy`] and [`BusError::TooManyRequests`] are worth a repeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BusError {
    /// No or no good bearer token. A repeat needs another token.
    #[error("no acceptable bearer token")]
    Unauthorized,
    /// There is no such queue. A repeat fails alike.
    #[error("no such queue")]
    NoSuchQueue,
    /// The lock ran out, was settled already or never was. A repeat fails alike.
    #[error("the lock is lost")]
    LockLost,
    /// The message is larger than the queue allows. A repeat fails alike.
    #[error("the message is too large")]
    MessageTooLarge,
    /// MessageId is empty or has more than 128 characters. A repeat fails alike.
    #[error("the message id is empty or longer than 128 characters")]
    BadMessageId,
    /// BrokerProperties cannot be read. A repeat fails alike.
    #[error("the broker properties cannot be read")]
    BadProperties,
    /// The path or the query is none of the data plane's. A repeat fails alike.
    #[error("no such operation")]
    BadRequest,
    /// The stand-in lacks the operation.
    #[error("the stand-in does not have this operation")]
    NotImplemented,
    /// The namespace is throttled. A repeat is safe after a wait.
    #[error("the namespace is busy")]
    ServerBusy,
    /// Too many requests. A repeat is safe after a wait.
    #[error("too many requests")]
    TooManyRequests,
}

impl BusError {
    /// The status of the REST answer.
    pub(super) fn status(self) -> StatusCode {
        match self {
            BusError::Unauthorized => StatusCode::UNAUTHORIZED,
            BusError::NoSuchQueue => StatusCode::GONE,
            // *assumed*: a lock that is lost answers 404, as a message buffer does for an unlocked message.
            BusError::LockLost => StatusCode::NOT_FOUND,
            // The reference of Send Message: quota exceeded or message too large.
            BusError::MessageTooLarge => StatusCode::FORBIDDEN,
            BusError::BadMessageId | BusError::BadProperties | BusError::BadRequest => StatusCode::BAD_REQUEST,
            BusError::NotImplemented => StatusCode::NOT_IMPLEMENTED,
            BusError::ServerBusy => StatusCode::SERVICE_UNAVAILABLE,
            BusError::TooManyRequests => StatusCode::TOO_MANY_REQUESTS,
        }
    }
}
