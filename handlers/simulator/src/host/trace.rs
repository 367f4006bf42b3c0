//! Trace headers of requests to the handler, by the telemetry that the host has.
//! It never exports anything.

use super::ids::Ids;
use super::options::Telemetry;
use super::wire::RawRequest;

/// The trace that a caller brought.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Caller {
    parent: Option<(String, String)>,
    state: Option<String>,
    baggage: Option<String>,
}

impl Caller {
    /// What a request brings; a traceparent of another form counts as none.
    pub(super) fn of(request: &RawRequest) -> Self {
        let parent = request.header("traceparent").and_then(|text| {
            let mut parts = text.split('-');
            let (Some("00"), Some(trace), Some(_), Some(flags)) =
                (parts.next(), parts.next(), parts.next(), parts.next())
            else {
                return None;
            };
            (trace.len() == 32 && flags.len() == 2).then(|| (trace.to_owned(), flags.to_owned()))
        });
        let text = |name: &str| request.header(name).map(str::to_owned);
        Self { parent, state: text("tracestate"), baggage: text("baggage") }
    }

    /// Whether there is a trace to go on with.
    pub(super) fn has_trace(&self) -> bool {
        self.parent.is_some()
    }
}

/// The headers of one request: the caller's trace goes on under a new span, else a new trace begins.
pub(super) fn headers(telemetry: Telemetry, caller: Option<&Caller>, ids: &Ids) -> Vec<(String, String)> {
    // Application Insights leaves the decision to sample open; OpenTelemetry samples.
    let flags = match telemetry {
        Telemetry::None => return Vec::new(),
        Telemetry::AppInsights => "00",
        Telemetry::OpenTelemetry => "01",
    };
    let span = ids.hex(16);
    let known = caller.filter(|caller| caller.has_trace());
    let parent = match known.and_then(|caller| caller.parent.as_ref()) {
        Some((trace, flags)) => format!("00-{trace}-{span}-{flags}"),
        None => format!("00-{}-{span}-{flags}", ids.hex(32)),
    };
    let mut headers = vec![("traceparent".to_owned(), parent)];
    if let Some(state) = known.and_then(|caller| caller.state.clone()) {
        headers.push(("tracestate".to_owned(), state));
    }
    if let Some(baggage) = known.and_then(|caller| caller.baggage.clone()) {
        // The propagator of Application Insights writes blanks around the equals sign.
        let text = match telemetry {
            Telemetry::AppInsights => baggage.replace('=', " = "),
            _ => baggage,
        };
        headers.push(("baggage".to_owned(), text));
    }
    headers
}
