internal import CNghttp2
internal import SluiceCore

/// What the library asks and tells while it serialises frames, and when a stream closes.
extension HTTP2Session {
    /// How much of a stream's queue goes into its next DATA frame.
    func nextData(slot: Int, number: Int32, atMost limit: Int, flags: inout UInt32) -> Int {
        guard streams.slots[slot].number == number else { return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue) }
        let available = streams.slots[slot].outbound?.count ?? 0
        let byteCount = min(available, limit)
        let isFinishing = streams.slots[slot].marks.contains(.isFinishing)
        if byteCount == 0, !isFinishing {
            streams.slots[slot].marks.insert(.isDeferred)
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        if byteCount > 0 { flags |= NGHTTP2_DATA_FLAG_NO_COPY.rawValue }
        if isFinishing, byteCount == available {
            flags |= NGHTTP2_DATA_FLAG_EOF.rawValue
            if let trailers = streams.slots[slot].trailers {
                streams.slots[slot].trailers = nil
                if submitTrailers(trailers, number: number) { flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM.rawValue }
            }
        }
        return byteCount
    }

    /// Puts a DATA frame's header and its bytes into the connection's queue.
    @unsafe func sendData(_ header: UnsafeRawBufferPointer, byteCount: Int, slot: Int, number: Int32) -> Int32 {
        guard let outgoing, streams.slots[slot].number == number, let body = streams.slots[slot].outbound else {
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue
        }
        unsafe outgoing.append(header)
        body.move(byteCount, to: outgoing)
        budget.sent(dataByteCount: byteCount)
        if streams.slots[slot].marks.contains(.isAboveLow), body.count <= limits.outboundLowByteCount {
            streams.slots[slot].marks.remove(.isAboveLow)
            if !streams.slots[slot].marks.contains(.isFinishing) { delegate?.canSendMore(on: streams.id(slot)) }
        }
        return outgoing.count >= outgoingLimit ? NGHTTP2_ERR_PAUSE.rawValue : 0
    }

    @unsafe func sent(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
        let header = unsafe frame.pointee.hd
        switch UInt32(header.type) {
        case NGHTTP2_HEADERS.rawValue, NGHTTP2_DATA.rawValue:
            let isEnd = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
            if isEnd || UInt32(header.type) == NGHTTP2_HEADERS.rawValue { noteSent(header.stream_id, isEnd: isEnd) }
        case NGHTTP2_RST_STREAM.rawValue:
            weReset(header.stream_id, HTTP2ErrorCode(rawValue: unsafe frame.pointee.rst_stream.error_code))
        case NGHTTP2_GOAWAY.rawValue:
            let code = HTTP2ErrorCode(rawValue: unsafe frame.pointee.goaway.error_code)
            if failure == nil, code != .noError { failure = .protocolViolation(code) }
        default: break
        }
        return 0
    }

    private func noteSent(_ number: Int32, isEnd: Bool) {
        guard let slot = library.slot(of: number) else { return }
        streams.slots[slot].marks.insert(.headSent)
        if !isEnd { return }
        streams.slots[slot].marks.insert(.weEnded)
        // Answered before the request was complete: the rest of it is not wanted (RFC 9113 §8.1).
        if role == .server, !streams.slots[slot].marks.contains(.peerEnded) {
            streams.slots[slot].marks.formUnion([.wasResetByOwner, .isDiscarding])
            library.reset(number, .noError)
        }
    }

    /// A reset that the peer provoked costs as much as one that it sends.
    private func weReset(_ number: Int32, _ code: HTTP2ErrorCode) {
        guard role == .server, failure == nil, code != .noError else { return }
        if let slot = library.slot(of: number), streams.slots[slot].marks.contains(.wasResetByOwner) { return }
        if code == .refusedStream {
            if budget.glitch(at: now) { failure = .tooManyGlitches }
        } else if budget.prematureReset(at: now) {
            failure = .tooManyResets
        }
        if let failure { library.terminate(failure.code) }
    }

    /// A head that could not be sent leaves its stream without an answer: reset it. The library closes a stream itself
    /// whose first frame did not leave.
    func couldNotSend(type: UInt8, number: Int32) -> Int32 {
        guard UInt32(type) == NGHTTP2_HEADERS.rawValue, let slot = library.slot(of: number) else { return 0 }
        if role == .server || streams.slots[slot].marks.contains(.headSent) { reset(streams.id(slot), .internalError) }
        return 0
    }

    func streamCloses(number: Int32, _ code: HTTP2ErrorCode) -> Int32 {
        guard let slot = library.slot(of: number), streams.slots[slot].number == number else { return 0 }
        let (stream, marks) = (streams.id(slot), streams.slots[slot].marks)
        if streams.slots[slot].unconsumedByteCount > 0 {
            library.consumeOnConnection(streams.slots[slot].unconsumedByteCount)
        }
        streams.close(slot)
        if marks.contains(.weEnded) { budget.streamCompleted() }
        if marks.contains(.isAnnounced) { delegate?.closed(stream, code) }
        return 0
    }
}
