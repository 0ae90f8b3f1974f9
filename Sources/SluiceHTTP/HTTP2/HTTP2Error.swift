/// Why a connection cannot go on. Its GOAWAY is pending: flush, write, close.
package enum HTTP2Error: Error, Equatable, Sendable {
    /// The first bytes are not the client's preface (RFC 9113 §3.4).
    case notHTTP2
    /// A connection error that the peer made (RFC 9113 §5.4.1).
    case protocolViolation(HTTP2ErrorCode)
    /// Streams opened only to be reset (CVE-2023-44487), or made to be reset by us (CVE-2025-8671).
    case tooManyResets
    /// More SETTINGS, PING, PRIORITY, WINDOW_UPDATE, empty or unknown frames than the work done allows.
    case tooManyGlitches
    /// One header block in more CONTINUATION frames than allowed (CVE-2024-27316).
    case tooManyContinuations
    /// A header list so far over the limit that even reading it to its end is too dear.
    case headersTooLarge
    /// The peer makes us answer, and does not read the answers.
    case tooManyQueuedFrames
    /// The owner said that the transport is gone.
    case connectionLost
    case outOfMemory
    /// The library refused for a reason that is ours: its error code.
    case library(Int32)

    /// What GOAWAY says.
    package var code: HTTP2ErrorCode {
        switch self {
        case .notHTTP2: .protocolError
        case .connectionLost: .noError
        case .protocolViolation(let code): code
        case .tooManyResets, .tooManyGlitches, .tooManyContinuations, .headersTooLarge, .tooManyQueuedFrames:
            .enhanceYourCalm
        case .outOfMemory, .library: .internalError
        }
    }

    /// A word for logs and metrics.
    package var label: StaticString {
        switch self {
        case .notHTTP2: "not_http2"
        case .protocolViolation: "protocol_violation"
        case .tooManyResets: "too_many_resets"
        case .tooManyGlitches: "too_many_glitches"
        case .tooManyContinuations: "too_many_continuations"
        case .headersTooLarge: "headers_too_large"
        case .tooManyQueuedFrames: "too_many_queued_frames"
        case .connectionLost: "connection_lost"
        case .outOfMemory: "out_of_memory"
        case .library: "library"
        }
    }
}

/// Why a request was not submitted. Nothing of it was sent: another connection may take it.
package enum HTTP2SubmitError: Error, Equatable, Sendable {
    /// The connection failed, drains, or was told to go away.
    case closing
    /// As many streams are open as the peer allows.
    case noFreeStream
    /// All 2^30 stream numbers of the connection are used.
    case noFreeNumber
    /// The method has no name that could be sent.
    case unknownMethod
    case outOfMemory
}
