internal import CNghttp2

/// nghttp2's callbacks: each finds the connection or the stream again and tells it what came.
enum HTTP2Callbacks {
    /// A client session whose callbacks find `owner`, an `HTTP2Connection` that outlives it.
    @unsafe static func makeSession(owner: UnsafeMutableRawPointer) throws(Failure) -> OpaquePointer {
        var callbacks: OpaquePointer?
        var session: OpaquePointer?
        unsafe _ = nghttp2_session_callbacks_new(&callbacks)
        defer { unsafe nghttp2_session_callbacks_del(callbacks) }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, receivedHeader)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, receivedData)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
        guard unsafe nghttp2_session_client_new(&session, callbacks, owner) == 0, let session = unsafe session else {
            throw Failure("nghttp2_session_client_new failed")
        }
        return unsafe session
    }

    /// Copies the next part of the request's body.
    static let readBody: nghttp2_data_source_read_callback = { session, id, buffer, capacity, flags, _, owner in
        guard let stream = unsafe stream(id, of: session), let owner = unsafe owner, let buffer = unsafe buffer else {
            return Int(NGHTTP2_ERR_CALLBACK_FAILURE.rawValue)
        }
        let body = unsafe connection(owner).request.body
        let count = min(capacity, body.count - stream.sentByteCount)
        unsafe body.withUnsafeBufferPointer { bytes in
            if let start = bytes.baseAddress {
                unsafe buffer.update(from: start + stream.sentByteCount, count: count)
            }
        }
        stream.sentByteCount += count
        if stream.sentByteCount == body.count { unsafe flags?.pointee |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        return count
    }

    private static let receivedHeader: nghttp2_on_header_callback = {
        session, frame, name, nameByteCount, value, valueByteCount, _, _ in
        // Of all pseudo-headers only `:status` comes in a reply.
        guard nameByteCount == 7, unsafe name?.pointee == UInt8(ascii: ":"), let frame = unsafe frame,
            let stream = unsafe stream(frame.pointee.hd.stream_id, of: session)
        else { return 0 }
        let digits = unsafe UnsafeBufferPointer(start: value, count: valueByteCount)
        stream.status = unsafe digits.reduce(0) { $0 * 10 + Int($1 & 0x0F) }
        return 0
    }

    private static let receivedData: nghttp2_on_data_chunk_recv_callback = { session, _, id, data, byteCount, _ in
        guard let stream = unsafe stream(id, of: session) else { return 0 }
        stream.bodyByteCount += byteCount
        let bytes = unsafe UnsafeBufferPointer(start: data, count: byteCount)
        unsafe stream.events.count(Span(_unsafeElements: bytes))
        return 0
    }

    private static let streamClosed: nghttp2_on_stream_close_callback = { session, id, errorCode, owner in
        guard let stream = unsafe stream(id, of: session), let owner = unsafe owner else { return 0 }
        stream.errorCode = errorCode
        unsafe connection(owner).endedStreams.append(stream)
        return 0
    }

    private static func stream(_ id: Int32, of session: OpaquePointer?) -> HTTP2Stream? {
        guard let user = unsafe nghttp2_session_get_stream_user_data(session, id) else { return nil }
        return unsafe Unmanaged<HTTP2Stream>.fromOpaque(user).takeUnretainedValue()
    }

    private static func connection(_ owner: UnsafeMutableRawPointer) -> HTTP2Connection {
        unsafe Unmanaged<HTTP2Connection>.fromOpaque(owner).takeUnretainedValue()
    }
}
