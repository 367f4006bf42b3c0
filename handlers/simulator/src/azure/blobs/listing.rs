//! List Blobs: one page of names and properties as the service's XML.
//! It never lists more than a page and never forgets where the next one starts.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use jiff::Timestamp;

use super::answer::Answer;
use super::errors::ErrorCode;
use super::request::Call;
use super::store::{Blob, BlobKind, Container};
use super::wire::{escape_xml, http_date};

/// Most blobs on a page, from the reference of List Blobs.
const PAGE_BLOBS: usize = 5000;

/// The parameters that this stand-in obeys; any other one is refused, as to ignore it would change the answer.
const PARAMETERS: [&str; 7] = ["restype", "comp", "prefix", "marker", "maxresults", "include", "timeout"];

/// Answers one page.
pub(super) fn list(container: &Container, call: &Call, now: Timestamp) -> Result<Answer, ErrorCode> {
    if call.query.keys().any(|name| !PARAMETERS.contains(&name.as_str())) {
        return Err(ErrorCode::NotImplemented);
    }
    let parameter = |name: &str| call.query.get(name).map(String::as_str).filter(|value| !value.is_empty());
    let prefix = parameter("prefix").unwrap_or_default();
    let marker = parameter("marker");
    let start = marker.map(read_marker).transpose()?.unwrap_or_default();
    let wanted = match parameter("maxresults") {
        Some(text) => text.parse::<usize>().map_err(|_| ErrorCode::InvalidQueryParameterValue)?,
        None => PAGE_BLOBS,
    };
    if wanted == 0 {
        return Err(ErrorCode::OutOfRangeQueryParameterValue);
    }
    let with_metadata = parameter("include").is_some_and(|include| include.split(',').any(|part| part == "metadata"));
    let first = start.as_str().max(prefix).to_owned();
    let mut matching = container.blobs.range(first..).take_while(|(name, _)| name.starts_with(prefix)).peekable();
    let mut entries = String::new();
    for (name, blob) in matching.by_ref().take(wanted.min(PAGE_BLOBS)) {
        entries.push_str(&entry(name, blob, with_metadata, now));
    }
    let next = matching.peek().map(|(name, _)| URL_SAFE_NO_PAD.encode(name)).unwrap_or_default();
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults ServiceEndpoint=\"https://{}/\" ContainerName=\"{}\">",
        escape_xml(call.header("host").unwrap_or_default()),
        escape_xml(&call.container),
    );
    for (tag, value) in [("Prefix", parameter("prefix")), ("Marker", marker), ("MaxResults", parameter("maxresults"))] {
        if let Some(value) = value {
            xml.push_str(&format!("<{tag}>{}</{tag}>", escape_xml(value)));
        }
    }
    xml.push_str(&format!("<Blobs>{entries}</Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"));
    Ok(Answer::new(StatusCode::OK).header("content-type", "application/xml").body(xml))
}

/// A marker is the first name of the next page; clients must not look into it.
fn read_marker(marker: &str) -> Result<String, ErrorCode> {
    let bytes = URL_SAFE_NO_PAD.decode(marker).map_err(|_| ErrorCode::InvalidQueryParameterValue)?;
    String::from_utf8(bytes).map_err(|_| ErrorCode::InvalidQueryParameterValue)
}

fn entry(name: &str, blob: &Blob, with_metadata: bool, now: Timestamp) -> String {
    let state = blob.lease.state(now);
    let mut properties = format!(
        "<Creation-Time>{}</Creation-Time><Last-Modified>{}</Last-Modified><Etag>{}</Etag><Content-Length>{}</Content-Length><Content-Type>{}</Content-Type><BlobType>{}</BlobType><LeaseStatus>{}</LeaseStatus><LeaseState>{}</LeaseState>",
        http_date(blob.created),
        http_date(blob.modified),
        // Here, other than in headers, the service writes ETags without quotes.
        escape_xml(blob.etag.trim_matches('"')),
        blob.content.len(),
        escape_xml(&blob.content_type),
        blob.kind.name(),
        state.status(),
        state.name(),
    );
    if let Some(duration) = blob.lease.duration_name(now) {
        properties.push_str(&format!("<LeaseDuration>{duration}</LeaseDuration>"));
    }
    if blob.kind == BlobKind::Block {
        properties.push_str("<AccessTier>Hot</AccessTier><AccessTierInferred>true</AccessTierInferred>");
    }
    properties.push_str("<ServerEncrypted>true</ServerEncrypted>");
    let metadata = if with_metadata {
        let pairs = blob.metadata.iter().map(|(key, value)| format!("<{key}>{}</{key}>", escape_xml(value)));
        format!("<Metadata>{}</Metadata>", pairs.collect::<String>())
    } else {
        String::new()
    };
    format!("<Blob><Name>{}</Name><Properties>{properties}</Properties>{metadata}</Blob>", escape_xml(name))
}
