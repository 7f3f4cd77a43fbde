//! Every way in which input can be refused: the code and the text that become `err.code` and
//! `err.reason` of Node's `Parse Error`.

macro_rules! errors {
    ($($(#[$doc:meta])* $name:ident = $code:literal, $reason:literal;)*) => {
        /// Why the parser stopped for good. Becomes an `Error` whose `code` and `reason` are these.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Error {
            $($(#[$doc])* $name,)*
        }

        impl Error {
            /// All of them, in the order of their declaration.
            #[cfg(test)]
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Node's `err.code` and `err.reason`, with a colon between.
            pub fn text(self) -> &'static str {
                match self {
                    $(Self::$name => concat!($code, ":", $reason),)*
                }
            }
        }
    };
}

errors! {
    InvalidMethod = "HPE_INVALID_METHOD", "Invalid method encountered";
    SpaceAfterMethod = "HPE_INVALID_METHOD", "Expected space after method";
    UrlStart = "HPE_INVALID_URL", "Unexpected start char in url";
    UrlCharacters = "HPE_INVALID_URL", "Invalid characters in url";
    UrlSchema = "HPE_INVALID_URL", "Unexpected char in url schema";
    UrlServer = "HPE_INVALID_URL", "Unexpected char in url server";
    UrlPath = "HPE_INVALID_URL", "Invalid char in url path";
    UrlQuery = "HPE_INVALID_URL", "Invalid char in url query";
    UrlFragment = "HPE_INVALID_URL", "Invalid char in url fragment start";
    UrlDoubleAt = "HPE_INVALID_URL", "Double @ in url";
    UrlLineEnd = "HPE_INVALID_URL", "Expected CRLF";
    Protocol = "HPE_INVALID_CONSTANT", "Expected HTTP/, RTSP/ or ICE/";
    MethodForHttp = "HPE_INVALID_CONSTANT", "Invalid method for HTTP/x.x request";
    MethodForRtsp = "HPE_INVALID_CONSTANT", "Invalid method for RTSP/x.x request";
    MethodForIce = "HPE_INVALID_CONSTANT", "Expected SOURCE method for ICE/x.x request";
    MajorVersion = "HPE_INVALID_VERSION", "Invalid major version";
    VersionDot = "HPE_INVALID_VERSION", "Expected dot";
    MinorVersion = "HPE_INVALID_VERSION", "Invalid minor version";
    Version = "HPE_INVALID_VERSION", "Invalid HTTP version";
    VersionLineEnd = "HPE_INVALID_VERSION", "Expected CRLF after version";
    VersionLf = "HPE_STRICT", "Expected CRLF after version";
    VersionSpace = "HPE_INVALID_VERSION", "Expected space after version";
    Preface = "HPE_INVALID_VERSION", "Expected HTTP/2 Connection Preface";
    Http2 = "HPE_PAUSED_H2_UPGRADE", "Pause on PRI/Upgrade";
    StatusCode = "HPE_INVALID_STATUS", "Invalid status code";
    StatusEnd = "HPE_INVALID_STATUS", "Invalid response status";
    ReasonCr = "HPE_CR_EXPECTED", "Missing expected CR after response line";
    LfAfterCr = "HPE_STRICT", "Expected LF after CR";
    SpaceAfterStartLine = "HPE_UNEXPECTED_SPACE", "Unexpected space after start line";
    HeaderToken = "HPE_INVALID_HEADER_TOKEN", "Invalid header token";
    FieldChar = "HPE_INVALID_HEADER_TOKEN", "Invalid header field char";
    ValueChar = "HPE_INVALID_HEADER_TOKEN", "Invalid header value char";
    Fold = "HPE_INVALID_HEADER_TOKEN", "Unexpected whitespace after header value";
    ValueCr = "HPE_CR_EXPECTED", "Missing expected CR after header value";
    ValueLf = "HPE_LF_EXPECTED", "Missing expected LF after header value";
    HeadersLf = "HPE_STRICT", "Expected LF after headers";
    LengthChar = "HPE_INVALID_CONTENT_LENGTH", "Invalid character in Content-Length";
    LengthEmpty = "HPE_INVALID_CONTENT_LENGTH", "Empty Content-Length";
    LengthOverflow = "HPE_INVALID_CONTENT_LENGTH", "Content-Length overflow";
    LengthTwice = "HPE_UNEXPECTED_CONTENT_LENGTH", "Duplicate Content-Length";
    LengthAfterEncoding = "HPE_INVALID_CONTENT_LENGTH", "Content-Length can't be present with Transfer-Encoding";
    EncodingAfterLength = "HPE_INVALID_TRANSFER_ENCODING", "Transfer-Encoding can't be present with Content-Length";
    /// As Node 24 has it; Node 20 takes an empty field for none.
    EncodingEmpty = "HPE_INVALID_TRANSFER_ENCODING", "Empty Transfer-Encoding";
    EncodingValue = "HPE_INVALID_TRANSFER_ENCODING", "Invalid `Transfer-Encoding` header value";
    EncodingOfRequest = "HPE_INVALID_TRANSFER_ENCODING", "Request has invalid `Transfer-Encoding`";
    ChunkSize = "HPE_INVALID_CHUNK_SIZE", "Invalid character in chunk size";
    ChunkSizeOverflow = "HPE_INVALID_CHUNK_SIZE", "Chunk size overflow";
    ChunkSizeCr = "HPE_CR_EXPECTED", "Missing expected CR after chunk size";
    ChunkSizeLf = "HPE_STRICT", "Expected LF after chunk size";
    ChunkDataCr = "HPE_CR_EXPECTED", "Missing expected CR after chunk data";
    ChunkDataLf = "HPE_STRICT", "Expected LF after chunk data";
    Extensions = "HPE_STRICT", "Invalid character in chunk extensions";
    ExtensionName = "HPE_STRICT", "Invalid character in chunk extensions name";
    ExtensionNameCr = "HPE_CR_EXPECTED", "Missing expected CR after chunk extension name";
    ExtensionValue = "HPE_STRICT", "Invalid character in chunk extensions value";
    ExtensionValueCr = "HPE_CR_EXPECTED", "Missing expected CR after chunk extension value";
    ExtensionQuoted = "HPE_STRICT", "Invalid character in chunk extensions quoted value";
    ExtensionQuotedPair = "HPE_STRICT", "Invalid quoted-pair in chunk extensions quoted value";
    ExtensionQuotedEnd = "HPE_STRICT", "Invalid character in chunk extensions quote value";
    ExtensionsOverflow = "HPE_CHUNK_EXTENSIONS_OVERFLOW", "Chunk extensions overflow";
    HeaderOverflow = "HPE_HEADER_OVERFLOW", "Header overflow";
    Closed = "HPE_CLOSED_CONNECTION", "Data after `Connection: close`";
    EndOfInput = "HPE_INVALID_EOF_STATE", "Invalid EOF state";
}
