//! What goes wrong, in few kinds, each saying whether the same call may be made again.
//!
//! It never carries a token, a signed URL or an unbounded text.

use crate::{
    assumptions::RestsOn,
    rights::Missing,
    said::{self, Said},
    transport::{Answer, Failure},
};
use std::{fmt, time::Duration};

/// What kind of thing went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// 404. A repeat is safe and, for now, says the same. Whether it proves that something is gone: [`Error::gone`].
    NotFound,
    /// 401 even with a fresh token, or the identity is refused one. Nothing was done; a repeat is safe.
    Unauthorized,
    /// 403. Nothing was done; a repeat is safe but useless until a right is granted. Which one: [`Error::missing_right`].
    Forbidden,
    /// 409: it exists already. Nothing was done; read what is there before anything else.
    AlreadyExists,
    /// 409 or 412: a condition did not hold, or the state forbids it. Nothing was done; read again before repeating.
    Conflict,
    /// 409: another operation is at work there, or another holds the lease. Nothing was done; a later repeat is safe.
    Busy,
    /// 429. Nothing was done; a repeat is safe, but not before [`Error::retry_after`].
    Throttled,
    /// 408, 500, 502, 503 or 504. It may have been done: repeat a read; before repeating a change, read.
    Transient,
    /// Another 4xx. Nothing was done; the same request will be refused again.
    Refused,
    /// No answer, or none from where tokens come from. Whether it may have been done: [`Error::maybe_done`].
    Connection,
    /// The latest moment was over. It was not sent, so a repeat is safe, once what it rests on is checked again.
    TooLate,
    /// The answer cannot be understood. It may have been done: read before repeating a change.
    Malformed,
    /// What it could do to what is there rests on a belief that nothing shows: [`Error::assumption`]. It was not sent.
    Assumed,
    /// One of our own bounds (pages, sizes) was reached. A repeat is safe and meets the same bound.
    Limit,
}

/// How far a 404 goes as evidence that something is gone. The subscription must answer `Enabled` besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Gone {
    /// `ResourceNotFound`: ARM knows the group and no such resource in it.
    Resource,
    /// `ResourceGroupNotFound`: the whole group is not there.
    ResourceGroup,
    /// Any other 404: proves nothing.
    Unproven,
}

/// What went wrong with one call. Its `source` is Azure's own word, or the transport's.
#[derive(Debug)]
pub struct Error {
    /// What kind of thing went wrong.
    pub kind: ErrorKind,
    /// Which operation: the RBAC action for Resource Manager, a few words for the rest.
    pub operation: &'static str,
    detail: Box<Detail>,
}

#[derive(Debug, Default)]
struct Detail {
    status: Option<u16>,
    said: Option<Said>,
    retry_after: Option<Duration>,
    maybe_done: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error without an answer behind it.
    pub(crate) fn new(kind: ErrorKind, operation: &'static str) -> Self {
        Self { kind, operation, detail: Box::default() }
    }

    /// What was to be done names no Azure resource. Repeating is pointless.
    pub fn no_resource(operation: &'static str, source: crate::id::IdError) -> Self {
        Self::because(ErrorKind::Refused, operation, source)
    }

    pub(crate) fn because(
        kind: ErrorKind,
        operation: &'static str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        let detail = Detail { source: Some(source.into()), ..Detail::default() };
        Self { kind, operation, detail: Box::new(detail) }
    }

    /// What an answer that is no success says.
    pub(crate) fn from_answer(operation: &'static str, answer: &Answer, retry_after: Option<Duration>) -> Self {
        let said = Said::read(&answer.headers, &answer.body);
        let kind = kind_of(answer.status, said.code.as_deref());
        let maybe_done = matches!(kind, ErrorKind::Transient | ErrorKind::Malformed);
        let detail = Detail { status: Some(answer.status), said: Some(said), retry_after, maybe_done, source: None };
        Self { kind, operation, detail: Box::new(detail) }
    }

    pub(crate) fn from_failure(operation: &'static str, failure: Failure) -> Self {
        let (kind, maybe_done) = match &failure {
            Failure::TooLate => (ErrorKind::TooLate, false),
            Failure::PlainHttp => (ErrorKind::Refused, false),
            Failure::Unreachable(_) => (ErrorKind::Connection, false),
            Failure::TimedOut | Failure::Broken(_) => (ErrorKind::Connection, true),
            Failure::TooLarge => (ErrorKind::Limit, true),
        };
        let mut error = Self::because(kind, operation, failure);
        error.detail.maybe_done = maybe_done;
        error
    }

    /// An answer that says success and cannot be understood.
    pub(crate) fn malformed(operation: &'static str, why: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        let mut error = Self::because(ErrorKind::Malformed, operation, why);
        error.detail.maybe_done = true;
        error
    }

    pub(crate) fn with_retry_after(mut self, wait: Option<Duration>) -> Self {
        self.detail.retry_after = wait;
        self
    }

    pub(crate) fn with_kind(mut self, kind: ErrorKind) -> Self {
        self.kind = kind;
        self
    }

    pub(crate) fn mark_maybe_done(mut self, earlier: bool) -> Self {
        self.detail.maybe_done |= earlier;
        self
    }

    /// Azure's code, for example `ResourceNotFound`.
    pub fn code(&self) -> Option<&str> {
        self.detail.said.as_ref()?.code.as_deref()
    }

    /// Whether Azure's code is this one; case aside.
    pub fn code_is(&self, code: &str) -> bool {
        self.code().is_some_and(|own| own.eq_ignore_ascii_case(code))
    }

    /// Whether Azure's code, or that of one of its details, is this one; case aside.
    pub fn mentions(&self, code: &str) -> bool {
        self.detail.said.as_ref().is_some_and(|said| said.codes().any(|own| own.eq_ignore_ascii_case(code)))
    }

    /// Azure's message, bounded, without tokens and signed queries.
    pub fn message(&self) -> Option<&str> {
        self.detail.said.as_ref()?.message.as_deref()
    }

    /// The HTTP status, if there was an answer.
    pub fn status(&self) -> Option<u16> {
        self.detail.status
    }

    /// Azure's id of the request, for a support case.
    pub fn request_id(&self) -> Option<&str> {
        self.detail.said.as_ref()?.request_id.as_deref()
    }

    /// Azure's correlation id, which the activity log shows.
    pub fn correlation_id(&self) -> Option<&str> {
        self.detail.said.as_ref()?.correlation_id.as_deref()
    }

    /// Azure's word on when to come back: an earlier repeat is refused and prolongs the wait.
    pub fn retry_after(&self) -> Option<Duration> {
        self.detail.retry_after
    }

    /// Whether some attempt of this call may have been carried out all the same.
    pub fn maybe_done(&self) -> bool {
        self.detail.maybe_done
    }

    /// For a 404, what it proves; nothing for other kinds.
    pub fn gone(&self) -> Option<Gone> {
        (self.kind == ErrorKind::NotFound).then(|| match self.code().unwrap_or_default() {
            code if code.eq_ignore_ascii_case("ResourceNotFound") => Gone::Resource,
            code if code.eq_ignore_ascii_case("ResourceGroupNotFound") => Gone::ResourceGroup,
            _ => Gone::Unproven,
        })
    }

    /// The missing right and where, when Azure's message names them: `(action, scope)`.
    pub fn missing_right(&self) -> Option<(&str, &str)> {
        said::missing_right(self.message()?)
    }

    /// The right that is missing, where, and the role that grants it; nothing for other kinds.
    ///
    /// Where Azure's message does not name the right, it is the operation's own, and the place is not known.
    pub fn missing(&self) -> Option<Missing> {
        (self.kind == ErrorKind::Forbidden).then(|| match self.missing_right() {
            Some((action, scope)) => Missing::new(action, Some(scope)),
            None => Missing::new(self.operation, None),
        })
    }

    /// The entry of the evidence register that stands in the way, for [`ErrorKind::Assumed`].
    pub fn assumption(&self) -> Option<&'static str> {
        self.detail.source.as_deref()?.downcast_ref::<RestsOn>().map(|rests_on| rests_on.0)
    }

    /// What the details of a refusal point at, for example the name of a budget.
    pub(crate) fn targets(&self) -> impl Iterator<Item = &str> {
        let details = self.detail.said.as_ref().map_or(&[][..], |said| said.details.as_slice());
        details.iter().filter_map(|(_, target)| target.as_deref())
    }

    /// Whether rights are missing: unknown, and nothing that passes by itself soon.
    pub fn is_permission(&self) -> bool {
        matches!(self.kind, ErrorKind::Unauthorized | ErrorKind::Forbidden)
    }

    /// Whether it passes by itself: throttled, busy, a transient fault, no connection, too late.
    pub fn is_not_yet(&self) -> bool {
        use ErrorKind::{Busy, Connection, Throttled, TooLate, Transient};
        matches!(self.kind, Busy | Connection | Throttled | TooLate | Transient)
    }

    /// Whether another holds the lease.
    pub fn is_lease_taken(&self) -> bool {
        self.kind == ErrorKind::Busy && self.code_is("LeaseAlreadyPresent")
    }
}

impl ErrorKind {
    /// The kind in words.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not found",
            Self::Unauthorized => "not signed in",
            Self::Forbidden => "not permitted",
            Self::AlreadyExists => "exists already",
            Self::Conflict => "conflict",
            Self::Busy => "busy",
            Self::Throttled => "throttled",
            Self::Transient => "transient fault",
            Self::Refused => "refused",
            Self::Connection => "no answer",
            Self::TooLate => "too late to be sent",
            Self::Malformed => "answer not understood",
            Self::Assumed => "rests on an assumption",
            Self::Limit => "own limit reached",
        }
    }
}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.kind)?;
        if let Some(status) = self.detail.status {
            write!(f, " ({status})")?;
        }
        // What to do stands first: Azure's own words follow as the cause, and what is kept of all is bounded.
        match self.missing() {
            Some(missing) => write!(f, ", {missing}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.detail.said {
            Some(said) => Some(said),
            None => self.detail.source.as_deref().map(|source| source as _),
        }
    }
}

/// Codes of a 409 that pass by themselves. *Assumed* as a list: the codes are ARM's common ones, from general knowledge,
/// but for `LeaseAlreadyPresent`, which Blob Storage documents.
const PASSING_CODES: [&str; 6] = [
    "AnotherOperationInProgress",
    "OperationInProgress",
    "RetryableError",
    "RetryableErrorDueToAnotherOperation",
    "ConcurrentUpdateError",
    "LeaseAlreadyPresent",
];

fn kind_of(status: u16, code: Option<&str>) -> ErrorKind {
    let code = code.unwrap_or_default();
    match status {
        401 => ErrorKind::Unauthorized,
        403 => ErrorKind::Forbidden,
        404 => ErrorKind::NotFound,
        409 if PASSING_CODES.iter().any(|passing| passing.eq_ignore_ascii_case(code)) => ErrorKind::Busy,
        // `BlobAlreadyExists`, `ContainerAlreadyExists`, …
        409 if code.ends_with("AlreadyExists") => ErrorKind::AlreadyExists,
        409 | 412 => ErrorKind::Conflict,
        429 => ErrorKind::Throttled,
        408 | 500 | 502 | 503 | 504 => ErrorKind::Transient,
        400..=499 => ErrorKind::Refused,
        // A redirect, an informational or an unheard-of status: nobody knows what was done.
        _ => ErrorKind::Malformed,
    }
}
