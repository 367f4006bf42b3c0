//! Faults on order: which requests to the blob service go wrong, how, and how often.
//! It never breaks anything that was not ordered, and never draws lots.

use http::Method;

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlobFaultEffect {
    /// 500 InternalError; nothing is done.
    InternalError,
    /// 503 ServerBusy; nothing is done.
    ServerBusy,
    /// No answer ever comes; nothing is done.
    Hang,
    /// The connection breaks; nothing is done.
    ResetBefore,
    /// The request is carried out, then the connection breaks.
    ResetAfter,
    /// A write is answered as if it were done, and forgotten. Reads and lease actions are left alone.
    AcknowledgedButDropped,
}

/// An order: the next requests that match go wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobFault {
    method: Option<Method>,
    name_prefix: String,
    of_containers: bool,
    passed: u32,
    times: Option<u32>,
    effect: BlobFaultEffect,
}

/// What is known of a request when faults are looked up.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate<'a> {
    pub(super) method: &'a Method,
    pub(super) blob: &'a str,
    pub(super) writes_content: bool,
}

impl BlobFault {
    /// The next request of any method to any blob goes wrong, once.
    pub fn new(effect: BlobFaultEffect) -> Self {
        Self { method: None, name_prefix: String::new(), of_containers: false, passed: 0, times: Some(1), effect }
    }

    /// Only requests of this method.
    pub fn on_method(mut self, method: Method) -> Self {
        self.method = Some(method);
        self
    }

    /// Only blobs whose name, without the container, starts so. Requests to a container have the empty name.
    pub fn on_names(mut self, prefix: impl Into<String>) -> Self {
        self.name_prefix = prefix.into();
        self
    }

    /// Only requests to a container itself: what is listed.
    pub fn on_containers(mut self) -> Self {
        self.of_containers = true;
        self
    }

    /// Lets this many matching requests pass first.
    pub fn after(mut self, requests: u32) -> Self {
        self.passed = requests;
        self
    }

    /// How many matching requests go wrong.
    pub fn times(mut self, requests: u32) -> Self {
        self.times = Some(requests);
        self
    }

    /// Every matching request goes wrong until [`super::Blobs::clear_faults`].
    pub fn always(mut self) -> Self {
        self.times = None;
        self
    }

    /// Counts the request and says whether it goes wrong.
    pub(super) fn strikes(&mut self, request: Candidate<'_>) -> Option<BlobFaultEffect> {
        let method = self.method.as_ref().is_none_or(|method| method == request.method);
        let dropped_write = self.effect != BlobFaultEffect::AcknowledgedButDropped || request.writes_content;
        let named = request.blob.starts_with(&self.name_prefix) && (!self.of_containers || request.blob.is_empty());
        if !method || !dropped_write || !named || self.is_spent() {
            return None;
        }
        if self.passed > 0 {
            self.passed -= 1;
            return None;
        }
        self.times = self.times.map(|left| left.saturating_sub(1));
        Some(self.effect)
    }

    /// Whether it will never strike again.
    pub(super) fn is_spent(&self) -> bool {
        self.times == Some(0)
    }
}
