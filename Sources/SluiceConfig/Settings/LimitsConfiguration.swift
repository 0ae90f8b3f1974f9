/// How much of everything is accepted. What is full pushes back, or is refused with a status that says so.
package struct LimitsConfiguration: Sendable, Equatable {
    /// Request line and fields together, decoded; also of a response. Bytes, 1024 to 1048576; more is 431.
    package var headByteCountMax = 64 << 10
    /// Fields of a head. 10 to 10000; more is 431.
    package var headerFieldsMax = 200
    /// The request target. Bytes, 256 to 1048576; more is 414.
    package var targetByteCountMax = 16 << 10
    /// A request body that is held in memory: JSON and forms. Bytes, 1024 to 1 GB; more is 413.
    package var bodyByteCountMax = 32 << 20
    /// A request body that is passed on as it comes: audio, images, files. Bytes, 1024 to 64 GB; more is 413.
    package var uploadByteCountMax = 512 << 20
    /// How much of a reply may be held before it is passed on. Bytes, 4096 to 256 MB.
    package var replyBufferedByteCountMax = 256 << 10
    /// Reserved by limits on tokens for the answer of a request that does not say how long it may be. 1 to 1000000.
    package var outputTokensReserved = 1024
    /// Downstream connections of the process. 1 to 1000000; more are answered 503 and closed. The admin port is exempt.
    package var connectionsMax = 10_000
    /// Exchanges of the process at one time. 1 to 1000000; more are 503.
    package var inFlightMax = 10_000
    /// HTTP/2: streams of a connection at one time. 1 to 1000.
    package var streamsMax = 100
    /// HTTP/2: flow-control window of a stream. Bytes, 65535 to 16 MB.
    package var streamWindowByteCount = 64 << 10
    /// HTTP/2: flow-control window of a connection. Bytes, 65535 to 64 MB.
    package var connectionWindowByteCount = 1 << 20
    /// HTTP/2: streams that a peer resets before they were answered, until its connection is cut. 10 to 100000.
    package var prematureResetsMax = 200
    /// HTTP/2: useless frames, until the connection is cut with ENHANCE_YOUR_CALM. 10 to 1000000.
    package var glitchesMax = 1000
    /// HTTP/2: CONTINUATION frames of one head. 1 to 64.
    package var continuationFramesMax = 8
    /// One event of a stream: images come as one. Bytes, 4096 to 64 MB; a longer one ends the stream with an error.
    package var eventByteCountMax = 8 << 20
    /// What a stream holds for a slow reader before the provider is read no further. Bytes, 4096 to 16 MB.
    package var streamBufferByteCountMax = 64 << 10
    package var memory = Memory()

    package init() {}

    /// What happens when memory runs short, as shares of `byteCountMax`.
    package struct Memory: Sendable, Equatable {
        /// Bytes, 0 to 1 PB; 0 is the limit of the control group, or without one the machine's memory.
        package var byteCountMax = 0
        /// From here on connections are closed when they are idle. 50 to 100.
        package var drainPercent = 92
        /// From here on requests are refused with 503 and Retry-After, and readiness is down. 50 to 100.
        package var refuseRequestsPercent = 95
        /// From here on connections are not accepted. 50 to 100.
        package var refuseConnectionsPercent = 98
        package init() {}
    }

    package static func read(_ section: ConfigSection) -> Self {
        var limits = Self()
        limits.readMessages(section)
        limits.readCounts(section)
        limits.readHTTP2(section)
        limits.readStreams(section)
        limits.memory = section.section(
            "memory", doc: "What happens when memory runs short. The steps must not come down.", readMemory)
        return limits
    }

    private mutating func readMessages(_ section: ConfigSection) {
        headByteCountMax = section.integer(
            "head_bytes_max", default: headByteCountMax, in: 1024...1 << 20,
            doc: "Bytes of a head: request line and fields, decoded. A longer request is 431.")
        headerFieldsMax = section.integer(
            "header_fields_max", default: headerFieldsMax, in: 10...10_000, doc: "Fields of a head. More is 431.")
        targetByteCountMax = section.integer(
            "target_bytes_max", default: targetByteCountMax, in: 256...1 << 20,
            doc: "Bytes of a request target. A longer one is 414.")
        bodyByteCountMax = section.integer(
            "body_bytes_max", default: bodyByteCountMax, in: 1024...1 << 30,
            doc: "Bytes of a request body that is held in memory: JSON and forms. A longer one is 413.")
        uploadByteCountMax = section.integer(
            "upload_bytes_max", default: uploadByteCountMax, in: 1024...64 << 30,
            doc: "Bytes of a request body that is passed on as it comes: audio, images, files. A longer one is 413.")
        replyBufferedByteCountMax = section.integer(
            "reply_bytes_buffered_max", default: replyBufferedByteCountMax, in: 4096...256 << 20,
            doc: "Bytes of a reply that may be held before it is passed on.")
    }

    private mutating func readCounts(_ section: ConfigSection) {
        outputTokensReserved = section.integer(
            "output_tokens_reserved", default: outputTokensReserved, in: 1...1_000_000,
            doc:
                "What limits and budgets reserve for the answer of a request that does not say how long it may be, in tokens."
        )
        connectionsMax = section.integer(
            "connections_max", default: connectionsMax, in: 1...1_000_000,
            doc: "Downstream connections of the process. More are answered 503 and closed; the admin port is exempt.")
        inFlightMax = section.integer(
            "in_flight_max", default: inFlightMax, in: 1...1_000_000,
            doc: "Exchanges of the process at one time. More are 503.")
    }

    private mutating func readHTTP2(_ section: ConfigSection) {
        streamsMax = section.integer(
            "streams_max", default: streamsMax, in: 1...1000, doc: "HTTP/2: streams of a connection at one time.")
        streamWindowByteCount = section.integer(
            "stream_window_bytes", default: streamWindowByteCount, in: 65535...16 << 20,
            doc: "HTTP/2: flow-control window of a stream, in bytes.")
        connectionWindowByteCount = section.integer(
            "connection_window_bytes", default: connectionWindowByteCount, in: 65535...64 << 20,
            doc: "HTTP/2: flow-control window of a connection, in bytes.")
        prematureResetsMax = section.integer(
            "premature_resets_max", default: prematureResetsMax, in: 10...100_000,
            doc: "HTTP/2: streams that a peer resets before they were answered, until its connection is cut.")
        glitchesMax = section.integer(
            "glitches_max", default: glitchesMax, in: 10...1_000_000,
            doc: "HTTP/2: useless frames, until the connection is cut with ENHANCE_YOUR_CALM.")
        continuationFramesMax = section.integer(
            "continuation_frames_max", default: continuationFramesMax, in: 1...64,
            doc: "HTTP/2: CONTINUATION frames of one head.")
    }

    private mutating func readStreams(_ section: ConfigSection) {
        eventByteCountMax = section.integer(
            "sse_event_bytes_max", default: eventByteCountMax, in: 4096...64 << 20,
            doc: "Bytes of one event of a stream (an image comes as one). A longer one ends the stream with an error.")
        streamBufferByteCountMax = section.integer(
            "stream_buffer_bytes_max", default: streamBufferByteCountMax, in: 4096...16 << 20,
            doc: "Bytes that a stream holds for a slow reader before the provider is read no further.")
    }

    private static func readMemory(_ section: ConfigSection) -> Memory {
        var memory = Memory()
        memory.byteCountMax = section.integer(
            "bytes_max", default: memory.byteCountMax, in: 0...1 << 50,
            doc: "Bytes of memory that the process may use. 0: the limit of the control group, or the machine's memory."
        )
        memory.drainPercent = section.integer(
            "drain_percent", default: memory.drainPercent, in: 50...100,
            doc: "From this share on, connections are closed when they are idle.")
        memory.refuseRequestsPercent = section.integer(
            "refuse_requests_percent", default: memory.refuseRequestsPercent, in: 50...100,
            doc: "From this share on, requests are refused with 503 and Retry-After, and readiness is down.")
        memory.refuseConnectionsPercent = section.integer(
            "refuse_connections_percent", default: memory.refuseConnectionsPercent, in: 50...100,
            doc: "From this share on, connections are not accepted.")
        let (drain, requests) = (memory.drainPercent, memory.refuseRequestsPercent)
        if requests < drain {
            section.mistake(
                "refuse_requests_percent",
                "at least drain_percent (\(drain)), found \(requests)")
        }
        let connections = memory.refuseConnectionsPercent
        if connections < requests {
            section.mistake(
                "refuse_connections_percent",
                "at least refuse_requests_percent (\(requests)), found \(connections)")
        }
        return memory
    }
}
