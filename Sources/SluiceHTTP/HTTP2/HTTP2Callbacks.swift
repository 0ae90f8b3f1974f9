internal import CNghttp2
internal import SluiceCore

/// nghttp2's callbacks: each finds the session in its user data, makes spans of pointers, calls one method, returns
/// its code.
enum HTTP2Callbacks {
    /// What a callback returns to end the connection; `receive` then says why.
    static let fatal = NGHTTP2_ERR_CALLBACK_FAILURE.rawValue

    static func install(in callbacks: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks) { _, header, owner in
            guard let header = unsafe header else { return HTTP2Callbacks.fatal }
            let (type, flags, number) = unsafe (header.pointee.type, header.pointee.flags, header.pointee.stream_id)
            return unsafe HTTP2Callbacks.session(owner) { $0.frameBegins(type: type, flags: flags, number: number) }
        }
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks) { _, frame, owner in
            guard let frame = unsafe frame else { return HTTP2Callbacks.fatal }
            let number = unsafe frame.pointee.hd.stream_id
            let isRequest = unsafe frame.pointee.headers.cat == NGHTTP2_HCAT_REQUEST
            return unsafe HTTP2Callbacks.session(owner) { $0.headBegins(number: number, isRequest: isRequest) }
        }
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks) {
            _, _, name, nameLength, value, valueLength, _, owner in
            unsafe HTTP2Callbacks.session(owner) {
                unsafe $0.received(
                    name: UnsafeBufferPointer(start: name, count: nameLength).span,
                    value: UnsafeBufferPointer(start: value, count: valueLength).span)
            }
        }
        unsafe nghttp2_session_callbacks_set_on_invalid_header_callback(callbacks) { _, _, _, _, _, _, _, _ in
            NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue  // resets the stream; to return 0 would drop the field
        }
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks) { _, frame, owner in
            guard let frame = unsafe frame else { return HTTP2Callbacks.fatal }
            return unsafe HTTP2Callbacks.session(owner) { unsafe $0.received(frame) }
        }
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks) {
            _, _, number, bytes, count, owner in
            unsafe HTTP2Callbacks.session(owner) {
                unsafe $0.received(body: UnsafeBufferPointer(start: bytes, count: count).span, number: number)
            }
        }
        unsafe installSending(in: callbacks)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks) { _, number, code, owner in
            unsafe HTTP2Callbacks.session(owner) { $0.streamCloses(number: number, HTTP2ErrorCode(rawValue: code)) }
        }
        unsafe nghttp2_session_callbacks_set_unpack_extension_callback(callbacks) { _, _, _, _ in
            NGHTTP2_ERR_CANCEL.rawValue  // an unknown frame: counted when it began, and ignored (RFC 9113 §5.5)
        }
    }

    private static func installSending(in callbacks: OpaquePointer) {
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks) { _, frame, owner in
            guard let frame = unsafe frame else { return HTTP2Callbacks.fatal }
            return unsafe HTTP2Callbacks.session(owner) { unsafe $0.sent(frame) }
        }
        unsafe nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks) { _, frame, _, owner in
            guard let frame = unsafe frame else { return HTTP2Callbacks.fatal }
            let (type, number) = unsafe (frame.pointee.hd.type, frame.pointee.hd.stream_id)
            return unsafe HTTP2Callbacks.session(owner) { $0.couldNotSend(type: type, number: number) }
        }
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks) { _, frame, header, length, source, owner in
            guard let frame = unsafe frame, let header = unsafe header, let source = unsafe source else {
                return HTTP2Callbacks.fatal
            }
            let number = unsafe frame.pointee.hd.stream_id
            let slot = unsafe Int(source.pointee.fd)
            let frameHeader = unsafe UnsafeRawBufferPointer(start: header, count: 9)
            return unsafe HTTP2Callbacks.session(owner) {
                unsafe $0.sendData(frameHeader, byteCount: length, slot: slot, number: number)
            }
        }
    }

    /// Where a stream's DATA comes from.
    @unsafe static func dataProvider(slot: Int) -> nghttp2_data_provider {
        var provider = unsafe nghttp2_data_provider()
        unsafe provider.source.fd = Int32(truncatingIfNeeded: slot)
        unsafe provider.read_callback = { _, number, _, limit, flags, source, owner in
            guard let flags = unsafe flags, let source = unsafe source, let owner = unsafe owner else {
                return Int(HTTP2Callbacks.fatal)
            }
            let slot = unsafe Int(source.pointee.fd)
            return unsafe Unmanaged<HTTP2Session>.fromOpaque(owner)._withUnsafeGuaranteedRef {
                unsafe $0.nextData(slot: slot, number: number, atMost: limit, flags: &flags.pointee)
            }
        }
        return unsafe provider
    }

    @unsafe @inline(__always)
    private static func session(_ owner: UnsafeMutableRawPointer?, _ body: (HTTP2Session) -> Int32) -> Int32 {
        guard let owner = unsafe owner else { return fatal }
        return unsafe Unmanaged<HTTP2Session>.fromOpaque(owner)._withUnsafeGuaranteedRef { body($0) }
    }
}
