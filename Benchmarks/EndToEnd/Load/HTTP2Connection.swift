internal import CNghttp2

/// One HTTP/2 connection of the load, over nghttp2's memory interface.
@safe final class HTTP2Connection {
    private static let windowByteCount: Int32 = 1 << 30

    let channel: Channel
    private(set) var isStarted = false
    let request: ChatRequest
    /// Streams that the bytes being received have ended.
    var endedStreams: [HTTP2Stream] = []
    private let streams: [HTTP2Stream]
    private let headers: HTTP2Headers
    private var session: OpaquePointer?

    init(channel: Channel, port: UInt16, isSecure: Bool, streams count: Int, _ request: ChatRequest) throws(Failure) {
        self.channel = channel
        self.request = request
        streams = (0..<count).map { _ in HTTP2Stream() }
        headers = HTTP2Headers(
            [
                (":method", "POST"), (":scheme", isSecure ? "https" : "http"), (":authority", "127.0.0.1:\(port)"),
                (":path", ChatRequest.path),
            ] + ChatRequest.clientHeaders + [("content-length", String(request.body.count))])
        unsafe session = try HTTP2Callbacks.makeSession(
            owner: UnsafeMutableRawPointer(Unmanaged.passUnretained(self).toOpaque()))
    }

    deinit { unsafe nghttp2_session_del(session) }

    /// Whether the connection is to be watched for room to write. Under TLS reading drives the writes.
    var waitsForRoom: Bool { channel.hasPendingOutput && !channel.mayHoldMore }

    /// Sends the preface and the first request of every stream.
    func start() throws(Failure) {
        isStarted = true
        var settings = [
            nghttp2_settings_entry(
                settings_id: Int32(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE.rawValue), value: UInt32(Self.windowByteCount)),
            nghttp2_settings_entry(settings_id: Int32(NGHTTP2_SETTINGS_ENABLE_PUSH.rawValue), value: 0),
        ]
        unsafe _ = nghttp2_submit_settings(session, 0, &settings, settings.count)
        unsafe _ = nghttp2_session_set_local_window_size(session, 0, 0, Self.windowByteCount)
        for stream in streams { try submit(stream) }
        try flush()
    }

    /// Takes received bytes, counts what they complete, and sends as many new requests in one write.
    func receive(_ bytes: Span<UInt8>, _ totals: inout Totals) throws(Failure) {
        let result = unsafe bytes.withUnsafeBufferPointer {
            unsafe nghttp2_session_mem_recv(session, $0.baseAddress, $0.count)
        }
        try check(result)
        for stream in endedStreams {
            stream.count(into: &totals, request)
            try submit(stream)
        }
        endedStreams.removeAll(keepingCapacity: true)
        try flush()
    }

    private func submit(_ stream: HTTP2Stream) throws(Failure) {
        stream.restart()
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.read_callback = HTTP2Callbacks.readBody
        let user = unsafe UnsafeMutableRawPointer(Unmanaged.passUnretained(stream).toOpaque())
        let id = unsafe nghttp2_submit_request(session, nil, headers.fields, headers.count, &provider, user)
        try check(Int(id))
    }

    private func flush() throws(Failure) {
        var output: [UInt8] = []
        while true {
            var bytes: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(session, &bytes)
            try check(count)
            if count == 0 { break }
            unsafe output += UnsafeBufferPointer(start: bytes, count: count)
        }
        if !output.isEmpty { _ = channel.send(output) }
    }

    private func check(_ result: Int) throws(Failure) {
        guard result < 0 else { return }
        throw Failure("HTTP/2: \(unsafe String(cString: nghttp2_strerror(Int32(result))))")
    }
}
