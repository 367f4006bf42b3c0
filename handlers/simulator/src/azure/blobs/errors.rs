//! The error codes of Blob Storage that this stand-in answers, with their status and text.
//! It never invents a code: each is one of the service's list, save `NotImplemented`, which marks what the stand-in lacks.

use http::StatusCode;

use super::wire::escape_xml;

/// Why a request was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    AppendPositionConditionNotMet,
    BlobAlreadyExists,
    BlobNotFound,
    BlockCountExceedsLimit,
    ConditionNotMet,
    ContainerAlreadyExists,
    ContainerNotFound,
    Crc64Mismatch,
    InternalError,
    InvalidAuthenticationInfo,
    InvalidBlobType,
    InvalidHeaderValue,
    InvalidQueryParameterValue,
    InvalidRange,
    InvalidResourceName,
    InvalidUri,
    LeaseAlreadyPresent,
    LeaseIdMismatchWithBlobOperation,
    LeaseIdMismatchWithLeaseOperation,
    LeaseIdMissing,
    LeaseIsBreakingAndCannotBeAcquired,
    LeaseIsBreakingAndCannotBeChanged,
    LeaseIsBrokenAndCannotBeRenewed,
    LeaseLost,
    LeaseNotPresentWithBlobOperation,
    LeaseNotPresentWithLeaseOperation,
    MaxBlobSizeConditionNotMet,
    MissingRequiredHeader,
    MultipleConditionHeadersNotSupported,
    NoAuthenticationInformation,
    NotImplemented,
    NotModified,
    OutOfRangeQueryParameterValue,
    RequestBodyTooLarge,
    ServerBusy,
    UnsatisfiableCondition,
    UnsupportedHeader,
    UnsupportedHttpVerb,
}

impl ErrorCode {
    /// The status of the answer.
    pub(super) fn status(self) -> StatusCode {
        use ErrorCode::*;
        match self {
            BlobNotFound | ContainerNotFound => StatusCode::NOT_FOUND,
            AppendPositionConditionNotMet
            | ConditionNotMet
            | LeaseIdMismatchWithBlobOperation
            | LeaseIdMissing
            | LeaseLost
            | LeaseNotPresentWithBlobOperation
            | MaxBlobSizeConditionNotMet => StatusCode::PRECONDITION_FAILED,
            BlobAlreadyExists
            | BlockCountExceedsLimit
            | ContainerAlreadyExists
            | InvalidBlobType
            | LeaseAlreadyPresent
            | LeaseIdMismatchWithLeaseOperation
            | LeaseIsBreakingAndCannotBeAcquired
            | LeaseIsBreakingAndCannotBeChanged
            | LeaseIsBrokenAndCannotBeRenewed
            | LeaseNotPresentWithLeaseOperation => StatusCode::CONFLICT,
            Crc64Mismatch
            | InvalidHeaderValue
            | InvalidQueryParameterValue
            | InvalidResourceName
            | InvalidUri
            | MissingRequiredHeader
            | MultipleConditionHeadersNotSupported
            | OutOfRangeQueryParameterValue
            | UnsatisfiableCondition
            | UnsupportedHeader => StatusCode::BAD_REQUEST,
            NotModified => StatusCode::NOT_MODIFIED,
            InvalidRange => StatusCode::RANGE_NOT_SATISFIABLE,
            RequestBodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            InvalidAuthenticationInfo | NoAuthenticationInformation => StatusCode::UNAUTHORIZED,
            UnsupportedHttpVerb => StatusCode::METHOD_NOT_ALLOWED,
            InternalError => StatusCode::INTERNAL_SERVER_ERROR,
            NotImplemented => StatusCode::NOT_IMPLEMENTED,
            ServerBusy => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The code as it stands in `x-ms-error-code` and in the body.
    pub(super) fn name(self) -> String {
        match self {
            // Storage answers an unmodified read with the code of every other unmet condition.
            ErrorCode::NotModified => ErrorCode::ConditionNotMet.name(),
            other => format!("{other:?}"),
        }
    }

    /// The body: Storage's XML error document.
    pub(super) fn body(self, request_id: &str, at: &str) -> String {
        format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>{}</Code><Message>{}\nRequestId:{}\nTime:{}</Message></Error>",
            self.name(),
            escape_xml(self.message()),
            escape_xml(request_id),
            escape_xml(at),
        )
    }

    fn message(self) -> &'static str {
        use ErrorCode::*;
        match self {
            AppendPositionConditionNotMet => "The append position condition specified was not met.",
            BlobAlreadyExists => "The specified blob already exists.",
            BlobNotFound => "The specified blob does not exist.",
            BlockCountExceedsLimit => "The committed block count cannot exceed the maximum limit of 50,000 blocks.",
            ConditionNotMet | NotModified => "The condition specified using HTTP conditional header(s) is not met.",
            ContainerAlreadyExists => "The specified container already exists.",
            ContainerNotFound => "The specified container does not exist.",
            Crc64Mismatch => {
                "The CRC64 value specified in the request did not match with the value calculated by the server."
            }
            InternalError => "The server encountered an internal error. Please retry the request.",
            InvalidAuthenticationInfo => "The authentication information was not accepted.",
            InvalidBlobType => "The blob type is invalid for this operation.",
            InvalidHeaderValue => "The value for one of the HTTP headers is not in the correct format.",
            InvalidQueryParameterValue => {
                "Value for one of the query parameters specified in the request URI is invalid."
            }
            InvalidRange => "The range specified is invalid for the current size of the resource.",
            InvalidResourceName => "The specified resource name contains invalid characters.",
            InvalidUri => "The requested URI does not represent any resource on the server.",
            LeaseAlreadyPresent => "There is already a lease present.",
            LeaseIdMismatchWithBlobOperation => "The lease ID specified did not match the lease ID for the blob.",
            LeaseIdMismatchWithLeaseOperation => "The lease ID specified did not match the lease ID for the blob.",
            LeaseIdMissing => "There is currently a lease on the blob and no lease ID was specified in the request.",
            LeaseIsBreakingAndCannotBeAcquired => {
                "The lease is being broken and cannot be acquired until it is broken."
            }
            LeaseIsBreakingAndCannotBeChanged => "The lease is being broken and cannot be changed.",
            LeaseIsBrokenAndCannotBeRenewed => "The lease has been broken explicitly and cannot be renewed.",
            LeaseLost => "A lease ID was specified, but the lease for the blob has expired.",
            LeaseNotPresentWithBlobOperation | LeaseNotPresentWithLeaseOperation => {
                "There is currently no lease on the blob."
            }
            MaxBlobSizeConditionNotMet => "The max blob size condition specified was not met.",
            MissingRequiredHeader => "An HTTP header that's mandatory for this request is not specified.",
            MultipleConditionHeadersNotSupported => "Multiple condition headers are not supported.",
            NoAuthenticationInformation => "Server failed to authenticate the request: no bearer token was sent.",
            NotImplemented => "The stand-in does not have this operation.",
            OutOfRangeQueryParameterValue => {
                "A query parameter specified in the request URI is outside the permissible range."
            }
            RequestBodyTooLarge => "The request body is too large and exceeds the maximum permissible limit.",
            ServerBusy => "The server is busy.",
            UnsatisfiableCondition => "The request includes an unsatisfiable condition for this operation.",
            UnsupportedHeader => "One of the headers specified in the request is not supported.",
            UnsupportedHttpVerb => "The resource doesn't support specified HTTP verb.",
        }
    }
}
