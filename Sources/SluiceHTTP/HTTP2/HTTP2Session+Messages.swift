internal import CNghttp2
package import SluiceCore

/// What the owner sends. A stream that has closed meanwhile is not an error: what is asked of it is ignored.
extension HTTP2Session {
    // MARK: Heads

    /// Client: opens a stream with a request.
    ///
    /// - Parameter scheme: `https` or `http`: how the connection was made.
    /// - Parameter body: `.none` and `.known(0)` end the request here; otherwise `send` and `finish` follow.
    package func submitRequest(
        _ head: borrowing RequestHead, scheme: StaticString, body: BodyLength
    ) throws(HTTP2SubmitError) -> StreamID {
        precondition(role == .client, "a server submitted a request")
        if isClosingDown || !library.mayOpenStream { throw .closing }
        if head.method == .other || head.method == .connect { throw .unknownMethod }
        if streams.openCount >= peerConcurrentStreams { throw .noFreeStream }
        guard let number = Int32(exactly: library.nextNumber) else { throw .noFreeNumber }
        let slot = streams.open(number, at: now)
        let isEnd = begin(slot, body: body)
        if head.method == .head { streams.slots[slot].marks.insert(.isHeadRequest) }
        let submitted = unsafe withHeaderArray(head.fields) { headers, digits in
            unsafe headers.append(":method", head.method.name)
            unsafe headers.append(":scheme", scheme)
            unsafe headers.append(":authority", head.authority.span.withUnsafeBufferPointer { unsafe $0 })
            unsafe headers.append(":path", head.target.span.withUnsafeBufferPointer { unsafe $0 })
            unsafe headers.append(head.fields, keepingContentLength: false)
            if case .known(let byteCount) = body { unsafe headers.append("content-length", digits.write(byteCount)) }
            return unsafe submitRequest(headers, slot: slot, isEnd: isEnd)
        }
        if submitted != number {
            streams.close(slot)
            throw submitted == NGHTTP2_ERR_NOMEM.rawValue ? .outOfMemory : .closing
        }
        streams.slots[slot].marks.insert(.isAnnounced)
        return streams.id(slot)
    }

    /// Server: answers a request.
    ///
    /// Fields that belong to one HTTP/1.1 connection are left out. The length that is sent is the one `body` says; the
    /// head's own `Content-Length` is sent only where there is no body that it could contradict: for HEAD and 304.
    /// - Parameter body: nothing follows if it is `.none` or `.known(0)`, or if the status or the request allows none;
    ///   otherwise `send` and `finish` follow.
    package func respond(_ stream: StreamID, _ head: borrowing ResponseHead, body: BodyLength) {
        guard let slot = slotToSend(on: stream) else { return }
        precondition(!streams.slots[slot].marks.contains(.headSubmitted), "answered \(stream) twice")
        let status = head.status
        let isBodiless = status.hasNoBody || streams.slots[slot].marks.contains(.isHeadRequest)
        let isEnd = begin(slot, body: isBodiless ? .none : body)
        let keepsLength = isBodiless && body == .none
        let result = unsafe withHeaderArray(head.fields) { headers, digits in
            unsafe headers.append(":status", digits.write(Int(status.code)))
            unsafe headers.append(head.fields, keepingContentLength: keepsLength)
            if case .known(let byteCount) = body, status.code != 204 {
                unsafe headers.append("content-length", digits.write(byteCount))
            }
            return unsafe submitResponse(headers, stream, isEnd: isEnd)
        }
        if result != 0 { reset(stream, .internalError) }
    }

    /// Server: a 1xx response before the final one. 101 does not exist in HTTP/2 and is left out.
    package func inform(_ stream: StreamID, _ head: borrowing ResponseHead) {
        guard head.status.isInformational, head.status.code != 101, let slot = slotToSend(on: stream),
            !streams.slots[slot].marks.contains(.headSubmitted)
        else { return }
        let code = Int(head.status.code)
        _ = unsafe withHeaderArray(head.fields) { headers, digits in
            unsafe headers.append(":status", digits.write(code))
            unsafe headers.append(head.fields, keepingContentLength: false)
            return unsafe nghttp2_submit_headers(
                library.session, 0, stream.number, nil, headers.base, headers.count, nil)
        }
    }

    /// Notes what will follow a head; returns whether nothing does.
    private func begin(_ slot: Int, body: BodyLength) -> Bool {
        streams.slots[slot].marks.insert(.headSubmitted)
        switch body {
        case .none, .known(0):
            streams.slots[slot].marks.insert(.isFinishing)
            return true
        case .known(let byteCount): streams.slots[slot].undeliveredByteCount = byteCount
        case .unknown: break
        }
        return false
    }

    @unsafe private func submitRequest(_ headers: HeaderArray, slot: Int, isEnd: Bool) -> Int32 {
        let data = unsafe NGHTTP2Handle.userData(slot)
        if isEnd {
            return unsafe nghttp2_submit_request(library.session, nil, headers.base, headers.count, nil, data)
        }
        var provider = unsafe HTTP2Callbacks.dataProvider(slot: slot)
        return unsafe nghttp2_submit_request(library.session, nil, headers.base, headers.count, &provider, data)
    }

    @unsafe private func submitResponse(_ headers: HeaderArray, _ stream: StreamID, isEnd: Bool) -> Int32 {
        if isEnd {
            return unsafe nghttp2_submit_response(library.session, stream.number, headers.base, headers.count, nil)
        }
        var provider = unsafe HTTP2Callbacks.dataProvider(slot: Int(stream.slot))
        return unsafe nghttp2_submit_response(library.session, stream.number, headers.base, headers.count, &provider)
    }

    /// - Returns: whether there is anything to send.
    func submitTrailers(_ trailers: borrowing HeaderFields, number: Int32) -> Bool {
        unsafe withHeaderArray(trailers) { headers, _ in
            unsafe headers.append(trailers, keepingContentLength: false)
            if unsafe headers.count == 0 { return false }
            return unsafe nghttp2_submit_trailer(library.session, number, headers.base, headers.count) == 0
        }
    }

    @unsafe private func withHeaderArray<Result>(
        _ fields: borrowing HeaderFields, _ submit: (inout HeaderArray, inout Digits) -> Result
    ) -> Result {
        let capacity = fields.count + SentFields.addedCountMax
        return unsafe withUnsafeTemporaryAllocation(of: nghttp2_nv.self, capacity: capacity) { storage in
            unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Digits.capacityMax) { digitStorage in
                var headers = unsafe HeaderArray(in: storage)
                var digits = unsafe Digits(in: digitStorage)
                return unsafe submit(&headers, &digits)
            }
        }
    }

    // MARK: Bodies

    /// Queues a copy of body bytes. More than the declared length resets the stream.
    package func send(_ bytes: Span<UInt8>, on stream: StreamID) {
        guard let slot = slotToSendBody(bytes.count, on: stream) else { return }
        outboundQueue(of: slot).append(bytes)
        queued(slot)
    }

    /// Queues a part of a buffer that nobody changes until it has been sent; what is large is not copied.
    package func send(sharing buffer: ByteBuffer, _ range: Range<Int>, on stream: StreamID) {
        guard let slot = slotToSendBody(range.count, on: stream) else { return }
        outboundQueue(of: slot).append(sharing: buffer, range)
        queued(slot)
    }

    /// Ends our side of the stream once what is queued has been sent.
    ///
    /// Fewer bytes than were declared reset the stream: a truncated message never looks like a finished one.
    package func finish(_ stream: StreamID, trailers: consuming HeaderFields? = nil) {
        guard let slot = slotToSendBody(0, on: stream) else { return }
        if let undelivered = streams.slots[slot].undeliveredByteCount, undelivered > 0 {
            return reset(stream, .internalError)
        }
        streams.slots[slot].marks.insert(.isFinishing)
        streams.slots[slot].trailers = trailers
        resume(slot)
    }

    /// Body bytes that are queued here and not yet in a frame: the window, or whoever flushes, holds them back.
    package func outboundByteCount(of stream: StreamID) -> Int {
        streams.slot(of: stream).flatMap { streams.slots[$0].outbound?.count } ?? 0
    }

    private func slotToSend(on stream: StreamID) -> Int? {
        guard let slot = streams.slot(of: stream), !streams.slots[slot].marks.contains(.wasResetByOwner) else {
            return nil
        }
        return slot
    }

    private func slotToSendBody(_ byteCount: Int, on stream: StreamID) -> Int? {
        guard let slot = slotToSend(on: stream), !streams.slots[slot].marks.contains(.isFinishing) else { return nil }
        precondition(streams.slots[slot].marks.contains(.headSubmitted), "sent a body before the head of \(stream)")
        if let undelivered = streams.slots[slot].undeliveredByteCount {
            if undelivered < byteCount {
                reset(stream, .internalError)
                return nil
            }
            streams.slots[slot].undeliveredByteCount = undelivered - byteCount
        }
        return slot
    }

    private func outboundQueue(of slot: Int) -> ByteQueue {
        if let queue = streams.slots[slot].outbound { return queue }
        let queue = ByteQueue()
        streams.slots[slot].outbound = queue
        return queue
    }

    private func queued(_ slot: Int) {
        if outboundQueue(of: slot).count > limits.outboundLowByteCount { streams.slots[slot].marks.insert(.isAboveLow) }
        resume(slot)
    }

    private func resume(_ slot: Int) {
        if streams.slots[slot].marks.remove(.isDeferred) != nil { library.resume(streams.slots[slot].number) }
    }

    // MARK: Streams

    /// Ends a stream at once, both ways. The delegate hears nothing more of it but `closed`.
    package func reset(_ stream: StreamID, _ code: HTTP2ErrorCode) {
        guard let slot = slotToSend(on: stream) else { return }
        streams.slots[slot].marks.formUnion([.wasResetByOwner, .isDiscarding, .isFinishing])
        streams.slots[slot].outbound?.removeAll()
        library.reset(stream.number, code)
    }

    /// Gives the window back for body bytes that have gone on: the peer may send as many more.
    package func consumed(_ byteCount: Int, on stream: StreamID) {
        guard let slot = streams.slot(of: stream) else { return }
        let returned = min(byteCount, streams.slots[slot].unconsumedByteCount)
        if returned <= 0 { return }
        streams.slots[slot].unconsumedByteCount -= returned
        library.consume(returned, on: stream.number)
    }
}
