//! The order in which the host's web server hands out headers: known ones in its own order and spelling, others as they came.
//! It never adds or removes one.

/// Request headers that the server knows, in its order; after them the length of the body, then all others.
const REQUEST: [&str; 45] = [
    "Accept",
    "Connection",
    "Host",
    "User-Agent",
    "Accept-Charset",
    "Accept-Encoding",
    "Accept-Language",
    "Access-Control-Request-Headers",
    "Access-Control-Request-Method",
    "Alt-Used",
    "Authorization",
    "baggage",
    "Cache-Control",
    "Content-Type",
    "Cookie",
    "Correlation-Context",
    "Date",
    "Expect",
    "From",
    "Grpc-Accept-Encoding",
    "Grpc-Encoding",
    "Grpc-Timeout",
    "If-Match",
    "If-Modified-Since",
    "If-None-Match",
    "If-Range",
    "If-Unmodified-Since",
    "Keep-Alive",
    "Max-Forwards",
    "Origin",
    "Pragma",
    "Proxy-Authorization",
    "Range",
    "Referer",
    "Request-Id",
    "TE",
    "Trailer",
    "traceparent",
    "tracestate",
    "Transfer-Encoding",
    "Translate",
    "Upgrade",
    "Upgrade-Insecure-Requests",
    "Via",
    "Content-Length",
];

/// Answer headers that the server knows, in its order.
const RESPONSE: [&str; 36] = [
    "Content-Length",
    "Connection",
    "Content-Type",
    "Date",
    "Server",
    "Accept-Ranges",
    "Access-Control-Allow-Credentials",
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Allow-Origin",
    "Access-Control-Expose-Headers",
    "Access-Control-Max-Age",
    "Age",
    "Allow",
    "Alt-Svc",
    "Cache-Control",
    "Content-Encoding",
    "Content-Language",
    "Content-Location",
    "Content-MD5",
    "Content-Range",
    "ETag",
    "Expires",
    "Keep-Alive",
    "Last-Modified",
    "Location",
    "Pragma",
    "Proxy-Authenticate",
    "Retry-After",
    "Set-Cookie",
    "Trailer",
    "Transfer-Encoding",
    "Upgrade",
    "Vary",
    "Via",
    "WWW-Authenticate",
];

/// Puts the headers of a request in order.
pub(super) fn order_request(headers: &mut [(String, String)]) {
    order(headers, &REQUEST);
}

/// Puts the headers of an answer in order.
pub(super) fn order_response(headers: &mut [(String, String)]) {
    order(headers, &RESPONSE);
}

fn order(headers: &mut [(String, String)], known: &[&str]) {
    let place = |name: &str| known.iter().position(|known| known.eq_ignore_ascii_case(name)).unwrap_or(known.len());
    headers.sort_by_key(|(name, _)| place(name));
    for (name, _) in headers {
        if let Some(spelling) = known.get(place(name)) {
            (*spelling).clone_into(name);
        }
    }
}
