//! The service's plain words, request by request: statuses, codes and headers of what the store's code never provokes, or never shows.
//! The list of Azurite's own ways is the only place that tells the two apart.

use crate::target::{Answer, Target};

const ONE: &str = "11111111-1111-4111-8111-111111111111";
const TWO: &str = "22222222-2222-4222-8222-222222222222";

/// One request and what the service says to it.
struct Ask {
    what: &'static str,
    method: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    body: &'static str,
    status: u16,
    code: &'static str,
    shows: &'static [(&'static str, &'static str)],
}

/// Where Azurite leaves the documented way of the service: the request, what it answers there, and why that is its own.
const AZURITES_OWN: &[(&str, u16, &str, &str)] = &[
    (
        "no type",
        400,
        "",
        "It finds the operation by the blob's type, and answers a request of none in its own words, without the service's code.",
    ),
    (
        "past the end",
        206,
        "",
        "It compares the first byte with the length by `>` where the service's `InvalidRange` needs `>=`; one byte further it refuses.",
    ),
];

const fn ask(
    what: &'static str,
    method: &'static str,
    path: &'static str,
    headers: &'static [(&'static str, &'static str)],
    status: u16,
    code: &'static str,
) -> Ask {
    Ask { what, method, path, headers, body: "", status, code, shows: &[] }
}

impl Ask {
    const fn with_body(self, body: &'static str) -> Self {
        Self { body, ..self }
    }

    const fn showing(self, shows: &'static [(&'static str, &'static str)]) -> Self {
        Self { shows, ..self }
    }
}

const BLOCK: (&str, &str) = ("x-ms-blob-type", "BlockBlob");
const APPEND: (&str, &str) = ("x-ms-blob-type", "AppendBlob");
const ACQUIRE: (&str, &str) = ("x-ms-lease-action", "acquire");
const RENEW: (&str, &str) = ("x-ms-lease-action", "renew");
const CHANGE: (&str, &str) = ("x-ms-lease-action", "change");
const RELEASE: (&str, &str) = ("x-ms-lease-action", "release");
const BREAK: (&str, &str) = ("x-ms-lease-action", "break");
const SECONDS: (&str, &str) = ("x-ms-lease-duration", "60");
const PROPOSED_ONE: (&str, &str) = ("x-ms-proposed-lease-id", ONE);
const PROPOSED_TWO: (&str, &str) = ("x-ms-proposed-lease-id", TWO);
const OF_ONE: (&str, &str) = ("x-ms-lease-id", ONE);
const OF_TWO: (&str, &str) = ("x-ms-lease-id", TWO);
const LEASE: &str = "/b?comp=lease";

#[tokio::test]
async fn a_lease_is_broken_changed_and_refused_as_the_service_does() {
    let leased = &[("x-ms-lease-state", "leased"), ("x-ms-lease-status", "locked"), ("x-ms-lease-duration", "fixed")];
    let broken = &[("x-ms-lease-state", "broken"), ("x-ms-lease-status", "unlocked")];
    let asks = [
        ask("no blob, no lease", "PUT", LEASE, &[ACQUIRE, SECONDS], 404, "BlobNotFound"),
        ask("put", "PUT", "/b", &[BLOCK], 201, "").with_body("x"),
        ask("nothing to break", "PUT", LEASE, &[BREAK], 409, "LeaseNotPresentWithLeaseOperation"),
        ask("too short", "PUT", LEASE, &[ACQUIRE, ("x-ms-lease-duration", "5")], 400, "InvalidHeaderValue"),
        ask("acquire", "PUT", LEASE, &[ACQUIRE, SECONDS, PROPOSED_ONE], 201, "").showing(&[("x-ms-lease-id", ONE)]),
        ask("acquire again", "PUT", LEASE, &[ACQUIRE, SECONDS, PROPOSED_ONE], 201, ""),
        ask("by another", "PUT", LEASE, &[ACQUIRE, SECONDS, PROPOSED_TWO], 409, "LeaseAlreadyPresent"),
        ask("shown", "HEAD", "/b", &[], 200, "").showing(leased),
        ask("put without", "PUT", "/b", &[BLOCK], 412, "LeaseIdMissing").with_body("y"),
        ask("put with another's", "PUT", "/b", &[BLOCK, OF_TWO], 412, "LeaseIdMismatchWithBlobOperation")
            .with_body("y"),
        ask("put with it", "PUT", "/b", &[BLOCK, OF_ONE], 201, "").with_body("y"),
        ask("read with another's", "GET", "/b", &[OF_TWO], 412, "LeaseIdMismatchWithBlobOperation"),
        ask("delete without", "DELETE", "/b", &[], 412, "LeaseIdMissing"),
        ask("renew another's", "PUT", LEASE, &[RENEW, OF_TWO], 409, "LeaseIdMismatchWithLeaseOperation"),
        ask("change", "PUT", LEASE, &[CHANGE, OF_ONE, PROPOSED_TWO], 200, "").showing(&[("x-ms-lease-id", TWO)]),
        ask("break slowly", "PUT", LEASE, &[BREAK, ("x-ms-lease-break-period", "30")], 202, ""),
        ask("breaking", "HEAD", "/b", &[], 200, "").showing(&[("x-ms-lease-state", "breaking")]),
        ask("while breaking", "PUT", LEASE, &[ACQUIRE, SECONDS, PROPOSED_ONE], 409, "LeaseAlreadyPresent"),
        ask("renew while breaking", "PUT", LEASE, &[RENEW, OF_TWO], 409, "LeaseIsBrokenAndCannotBeRenewed"),
        ask("break now", "PUT", LEASE, &[BREAK, ("x-ms-lease-break-period", "0")], 202, "")
            .showing(&[("x-ms-lease-time", "0")]),
        ask("broken", "HEAD", "/b", &[], 200, "").showing(broken),
        ask("renew broken", "PUT", LEASE, &[RENEW, OF_TWO], 409, "LeaseIsBrokenAndCannotBeRenewed"),
        ask("acquire broken", "PUT", LEASE, &[ACQUIRE, SECONDS, PROPOSED_ONE], 201, ""),
        ask("release", "PUT", LEASE, &[RELEASE, OF_ONE], 200, ""),
        ask("free", "HEAD", "/b", &[], 200, "").showing(&[("x-ms-lease-state", "available")]),
        ask("write with no lease", "PUT", "/b", &[BLOCK, OF_ONE], 412, "LeaseNotPresentWithBlobOperation")
            .with_body("z"),
        ask("for ever", "PUT", LEASE, &[ACQUIRE, ("x-ms-lease-duration", "-1"), PROPOSED_ONE], 201, ""),
        ask("infinite", "HEAD", "/b", &[], 200, "").showing(&[("x-ms-lease-duration", "infinite")]),
        ask("delete with it", "DELETE", "/b", &[OF_ONE], 202, ""),
        ask("it is gone", "GET", "/b", &[], 404, "BlobNotFound"),
    ];
    hold(&Target::new("wire-leases").await, &asks).await;
}

#[tokio::test]
async fn content_ranges_metadata_and_conditions_are_answered_as_the_service_does() {
    let shown = &[
        ("content-length", "5"),
        ("content-type", "text/plain"),
        ("x-ms-blob-type", "BlockBlob"),
        ("x-ms-meta-estate", "e-1"),
        ("accept-ranges", "bytes"),
    ];
    let typed = &[BLOCK, ("x-ms-blob-content-type", "text/plain"), ("x-ms-meta-estate", "e-1")];
    let asks = [
        ask("none", "HEAD", "/b", &[], 404, "BlobNotFound"),
        ask("delete none", "DELETE", "/b", &[], 404, "BlobNotFound"),
        ask("no type", "PUT", "/b", &[], 400, "MissingRequiredHeader").with_body("hello"),
        ask("put", "PUT", "/b", typed, 201, "").with_body("hello"),
        ask("head", "HEAD", "/b", &[], 200, "").showing(shown),
        ask("a part", "GET", "/b", &[("x-ms-range", "bytes=1-2")], 206, "")
            .showing(&[("content-range", "bytes 1-2/5"), ("content-length", "2")]),
        ask("to the end", "GET", "/b", &[("range", "bytes=3-")], 206, "").showing(&[("content-range", "bytes 3-4/5")]),
        ask("over the end", "GET", "/b", &[("range", "bytes=2-99")], 206, "")
            .showing(&[("content-range", "bytes 2-4/5")]),
        ask("past the end", "GET", "/b", &[("range", "bytes=5-9")], 416, "InvalidRange"),
        ask("far past the end", "GET", "/b", &[("range", "bytes=6-9")], 416, "InvalidRange"),
        ask("new metadata", "PUT", "/b?comp=metadata", &[("x-ms-meta-other", "o")], 200, ""),
        ask("replaced", "HEAD", "/b", &[], 200, "").showing(&[("x-ms-meta-other", "o"), ("x-ms-meta-estate", "")]),
        ask("only if absent", "PUT", "/b", &[BLOCK, ("if-none-match", "*")], 409, "BlobAlreadyExists").with_body("x"),
        ask("only another", "PUT", "/b", &[BLOCK, ("if-match", "\"0x1\"")], 412, "ConditionNotMet").with_body("x"),
        ask("read another", "GET", "/b", &[("if-match", "\"0x1\"")], 412, "ConditionNotMet"),
        ask("delete another", "DELETE", "/b", &[("if-match", "\"0x1\"")], 412, "ConditionNotMet"),
        ask("other kind", "PUT", "/b?comp=appendblock", &[], 409, "InvalidBlobType").with_body("x"),
        ask("append none", "PUT", "/none?comp=appendblock", &[], 404, "BlobNotFound").with_body("x"),
        ask("append blob", "PUT", "/a", &[APPEND, ("if-none-match", "*")], 201, ""),
        ask("append", "PUT", "/a?comp=appendblock", &[("x-ms-blob-condition-appendpos", "0")], 201, "")
            .with_body("one")
            .showing(&[("x-ms-blob-append-offset", "0"), ("x-ms-blob-committed-block-count", "1")]),
        ask("append there again", "PUT", "/a?comp=appendblock", &[("x-ms-blob-condition-appendpos", "0")], 412, {
            "AppendPositionConditionNotMet"
        })
        .with_body("two"),
        ask("append over a size", "PUT", "/a?comp=appendblock", &[("x-ms-blob-condition-maxsize", "4")], 412, {
            "MaxBlobSizeConditionNotMet"
        })
        .with_body("two"),
        ask("appended", "HEAD", "/a", &[], 200, "")
            .showing(&[("x-ms-blob-type", "AppendBlob"), ("content-length", "3")]),
        ask("the container", "GET", "?restype=container", &[], 200, ""),
        ask("again", "PUT", "?restype=container", &[], 409, "ContainerAlreadyExists"),
        ask("without it", "DELETE", "?restype=container", &[], 202, ""),
    ];
    hold(&Target::new("wire-content").await, &asks).await;
}

#[tokio::test]
async fn a_version_is_a_quoted_tag_that_reads_can_be_bound_to() {
    let target = Target::new("wire-versions").await;
    let put = target.ask("PUT", "/b", &[BLOCK], "hello").await;
    let etag = put.header("etag").to_owned();
    assert!(put.status == 201 && etag.starts_with('"') && etag.ends_with('"'), "{etag}");
    let unchanged = target.ask("GET", "/b", &[("if-none-match", &etag)], "").await;
    assert_eq!((unchanged.status, &unchanged.body[..]), (304, &b""[..]));
    let read = target.ask("GET", "/b", &[("if-match", &etag)], "").await;
    assert_eq!((read.status, read.header("etag"), &read.body[..]), (200, &*etag, &b"hello"[..]));
    target.ask("PUT", "/b", &[BLOCK], "hello").await;
    let changed = target.ask("GET", "/b", &[("if-none-match", &etag)], "").await;
    assert_eq!(changed.status, 200, "the same bytes written again are another version");
}

/// Asks one after the other, and compares all before it tells.
async fn hold(target: &Target, asks: &[Ask]) {
    let mut different = Vec::new();
    for ask in asks {
        let answer = target.ask(ask.method, ask.path, ask.headers, ask.body).await;
        let own = AZURITES_OWN.iter().find(|(what, ..)| *what == ask.what).filter(|_| target.is_azurite());
        let (status, code) = own.map_or((ask.status, ask.code), |(_, status, code, _)| (*status, *code));
        different.extend(difference(ask, &answer, status, code));
    }
    assert!(different.is_empty(), "{}:\n{}", target.container, different.join("\n"));
}

fn difference(ask: &Ask, answer: &Answer, status: u16, code: &str) -> Option<String> {
    let shown: Vec<_> = ask
        .shows
        .iter()
        .filter(|(name, value)| answer.header(name) != *value)
        .map(|(name, value)| format!("{name}: {:?}, not {value:?}", answer.header(name)))
        .collect();
    let same = answer.status == status && answer.code() == code && (shown.is_empty() || status != ask.status);
    (!same).then(|| {
        format!("{}: {} {:?}, not {status} {code:?}; {}", ask.what, answer.status, answer.code(), shown.join(", "))
    })
}
