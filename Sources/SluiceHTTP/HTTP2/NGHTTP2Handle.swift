internal import CNghttp2
internal import SluiceCore

/// One `nghttp2_session`, fed and drained through memory. Each call's code is looked at here or named in the answer.
@safe struct NGHTTP2Handle: ~Copyable {
    let session: OpaquePointer

    init(role: HTTP2Session.Role, limits: HTTP2Limits) throws(HTTP2Error) {
        var callbacks: OpaquePointer?
        var options: OpaquePointer?
        defer {
            unsafe nghttp2_session_callbacks_del(callbacks)
            unsafe nghttp2_option_del(options)
        }
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0, let installed = unsafe callbacks,
            unsafe nghttp2_option_new(&options) == 0, let chosen = unsafe options
        else { throw .outOfMemory }
        unsafe HTTP2Callbacks.install(in: installed)
        unsafe Self.set(chosen, from: limits)
        var session: OpaquePointer?
        let result =
            role == .server
            ? unsafe nghttp2_session_server_new2(&session, callbacks, nil, options)
            : unsafe nghttp2_session_client_new2(&session, callbacks, nil, options)
        guard result == 0, let session = unsafe session else { throw .outOfMemory }
        unsafe self.session = session
    }

    deinit { unsafe nghttp2_session_del(session) }

    private static func set(_ options: OpaquePointer, from limits: HTTP2Limits) {
        unsafe nghttp2_option_set_no_auto_window_update(options, 1)
        unsafe nghttp2_option_set_max_outbound_ack(options, limits.queuedFrameCount)
        unsafe nghttp2_option_set_max_deflate_dynamic_table_size(options, limits.encoderTableByteCount)
        unsafe nghttp2_option_set_max_send_header_block_length(options, 4 * limits.headerListByteCount)
        unsafe nghttp2_option_set_max_reserved_remote_streams(options, 0)
        // The library counts a CONTINUATION frame again for each piece of its 9-byte header, so that its own limit
        // depends on how the bytes were cut. `frameBegins` counts frames; this is only the bound for blocks that are
        // skipped.
        unsafe nghttp2_option_set_max_continuations(options, 10 * (limits.continuationFrameCount + 1))
        // Resets are judged by `AbuseBudget`, which knows which of them are premature.
        unsafe nghttp2_option_set_stream_reset_rate_limit(options, 1 << 32, 1 << 32)
        // Unknown frames are ignored, but they are to be counted.
        for type in UInt8(0x0a)...UInt8.max { unsafe nghttp2_option_set_user_recv_extension_type(options, type) }
    }

    /// Makes the callbacks go to `owner`, which must live as long as the handle is used.
    func setOwner(_ owner: HTTP2Session) {
        unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(owner).toOpaque())
    }

    func submitSettings(role: HTTP2Session.Role, limits: HTTP2Limits) -> Int32 {
        var entries: [nghttp2_settings_entry] = []
        func add(_ id: nghttp2_settings_id, _ value: Int) {
            entries.append(
                nghttp2_settings_entry(settings_id: Int32(id.rawValue), value: UInt32(clamping: value)))
        }
        switch role {
        case .server: add(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.concurrentStreams)
        case .client: add(NGHTTP2_SETTINGS_ENABLE_PUSH, 0)
        }
        add(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, limits.streamWindowByteCount)
        add(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.headerListByteCount)
        if limits.decoderTableByteCount != 4_096 {
            add(NGHTTP2_SETTINGS_HEADER_TABLE_SIZE, limits.decoderTableByteCount)
        }
        let flags = UInt8(NGHTTP2_FLAG_NONE.rawValue)
        let result = unsafe entries.withUnsafeBufferPointer {
            unsafe nghttp2_submit_settings(session, flags, $0.baseAddress, $0.count)
        }
        if result != 0 { return result }
        return unsafe nghttp2_session_set_local_window_size(
            session, flags, 0, Int32(clamping: limits.connectionWindowByteCount))
    }

    // MARK: Bytes

    /// - Returns: a negative library error, or how many bytes were taken: all.
    func receive(_ bytes: Span<UInt8>) -> Int {
        unsafe bytes.withUnsafeBufferPointer { unsafe nghttp2_session_mem_recv(session, $0.baseAddress, $0.count) }
    }

    /// Serialises one more frame to the end of `queue`; DATA goes there by itself, through `sendData`.
    /// - Returns: how many bytes; 0 when there is nothing more; or a negative library error.
    func serialise(to queue: ByteQueue) -> Int {
        var bytes: UnsafePointer<UInt8>?
        let byteCount = unsafe nghttp2_session_mem_send(session, &bytes)
        if byteCount > 0 { unsafe queue.append(UnsafeRawBufferPointer(start: bytes, count: byteCount)) }
        return byteCount
    }

    var wantsToReceive: Bool { unsafe nghttp2_session_want_read(session) != 0 }
    var wantsToSend: Bool { unsafe nghttp2_session_want_write(session) != 0 }
    var queuedFrameCount: Int { unsafe nghttp2_session_get_outbound_queue_size(session) }

    // MARK: Streams

    /// The slot that was set for an open stream.
    func slot(of number: Int32) -> Int? {
        guard let data = unsafe nghttp2_session_get_stream_user_data(session, number) else { return nil }
        return Int(bitPattern: data) - 1
    }

    func setSlot(_ slot: Int, of number: Int32) -> Int32 {
        unsafe nghttp2_session_set_stream_user_data(session, number, Self.userData(slot))
    }

    /// A slot as a pointer that is never followed; 0 means none.
    @unsafe static func userData(_ slot: Int) -> UnsafeMutableRawPointer? {
        unsafe UnsafeMutableRawPointer(bitPattern: slot + 1)
    }

    var nextNumber: UInt32 { unsafe nghttp2_session_get_next_stream_id(session) }
    var mayOpenStream: Bool { unsafe nghttp2_session_check_request_allowed(session) != 0 }

    func resume(_ number: Int32) { _ = unsafe nghttp2_session_resume_data(session, number) }

    func reset(_ number: Int32, _ code: HTTP2ErrorCode) {
        _ = unsafe nghttp2_submit_rst_stream(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), number, code.rawValue)
    }

    func consume(_ byteCount: Int, on number: Int32) {
        _ = unsafe nghttp2_session_consume(session, number, byteCount)
    }

    func consumeOnConnection(_ byteCount: Int) {
        _ = unsafe nghttp2_session_consume_connection(session, byteCount)
    }

    // MARK: Connection

    func peerSetting(_ id: nghttp2_settings_id) -> UInt32 { unsafe nghttp2_session_get_remote_settings(session, id) }

    func submitPing(_ payload: UInt64) {
        unsafe withUnsafeBytes(of: payload.bigEndian) {
            let bytes = unsafe $0.assumingMemoryBound(to: UInt8.self).baseAddress
            _ = unsafe nghttp2_submit_ping(session, UInt8(NGHTTP2_FLAG_NONE.rawValue), bytes)
        }
    }

    func submitShutdownNotice() { _ = unsafe nghttp2_submit_shutdown_notice(session) }

    func submitGoAway() {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(session)
        _ = unsafe nghttp2_submit_goaway(
            session, UInt8(NGHTTP2_FLAG_NONE.rawValue), last, HTTP2ErrorCode.noError.rawValue, nil, 0)
    }

    /// Sends GOAWAY and nothing after it. Nothing received from now on is looked at.
    func terminate(_ code: HTTP2ErrorCode) { _ = unsafe nghttp2_session_terminate_session(session, code.rawValue) }
}
