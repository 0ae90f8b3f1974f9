internal import CNghttp2
internal import SluiceCore

/// What the library tells while it reads. Each method returns 0, or `HTTP2Callbacks.fatal` with `failure` set.
extension HTTP2Session {
    private func fail(_ error: HTTP2Error) -> Int32 {
        if failure == nil { failure = error }
        return HTTP2Callbacks.fatal
    }

    private func glitch() -> Int32 { budget.glitch(at: now) ? fail(.tooManyGlitches) : 0 }

    // MARK: Frames received

    /// A frame's header has been read. Every type is seen here; DATA and HEADERS only if they are not to be skipped.
    func frameBegins(type: UInt8, flags: UInt8, number: Int32) -> Int32 {
        if failure != nil { return HTTP2Callbacks.fatal }
        // Only CONTINUATION may come within a header block (RFC 9113 §4.3).
        if UInt32(type) != NGHTTP2_CONTINUATION.rawValue { headBeganAt = nil }
        switch UInt32(type) {
        case NGHTTP2_DATA.rawValue: return 0
        case NGHTTP2_HEADERS.rawValue:
            continuationCount = 0
            return role == .server ? notePeerNumber(number) : 0
        case NGHTTP2_CONTINUATION.rawValue:
            continuationCount += 1
            return continuationCount > limits.continuationFrameCount ? fail(.tooManyContinuations) : 0
        case NGHTTP2_WINDOW_UPDATE.rawValue: return budget.windowUpdate(at: now) ? fail(.tooManyGlitches) : 0
        case NGHTTP2_RST_STREAM.rawValue: return 0
        case NGHTTP2_SETTINGS.rawValue:
            queuedBeforeSettings = library.queuedFrameCount
            let isAcknowledgement = UInt32(flags) & NGHTTP2_FLAG_ACK.rawValue != 0
            return isAcknowledgement ? 0 : glitch()
        case NGHTTP2_PING.rawValue:
            let isAcknowledgement = UInt32(flags) & NGHTTP2_FLAG_ACK.rawValue != 0
            return isAcknowledgement && (outstandingPings > 0 || isDraining) ? 0 : glitch()
        default: return glitch()
        }
    }

    /// Stream numbers only grow, and a number that was skipped is closed (RFC 9113 §5.1.1). The library skips a
    /// HEADERS frame with such a number; it is a connection error.
    private func notePeerNumber(_ number: Int32) -> Int32 {
        if number >= nextPeerNumber {
            if number > nextPeerNumber { skippedNumbers = nextPeerNumber..<number }
            nextPeerNumber = number > Int32.max - 2 ? Int32.max : number + 2
            return 0
        }
        return number & 1 == 1 && skippedNumbers.contains(number) ? fail(.protocolViolation(.protocolError)) : 0
    }

    func headBegins(number: Int32, isRequest: Bool) -> Int32 {
        headBeganAt = now
        if isRequest, role == .server {
            let slot = streams.open(number, at: now)
            if library.setSlot(slot, of: number) != 0 {
                streams.close(slot)
                return fail(.outOfMemory)
            }
            budget.streamOpened()
            inbound.begin(slot: slot, isTrailers: false)
        } else if let slot = library.slot(of: number) {
            inbound.begin(slot: slot, isTrailers: streams.slots[slot].marks.contains(.hasHead))
        } else {
            return fail(.library(NGHTTP2_ERR_INVALID_STATE.rawValue))
        }
        return 0
    }

    func received(name: Span<UInt8>, value: Span<UInt8>) -> Int32 {
        inbound.append(name: name, value: value, limits: limits) ? 0 : fail(.headersTooLarge)
    }

    @unsafe func received(_ frame: UnsafePointer<nghttp2_frame>) -> Int32 {
        let header = unsafe frame.pointee.hd
        let isEnd = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        switch UInt32(header.type) {
        case NGHTTP2_DATA.rawValue:
            if isEnd {
                if let slot = library.slot(of: header.stream_id) { end(slot, trailers: nil) }
                return 0
            }
            return unsafe header.length > frame.pointee.data.padlen ? 0 : glitch()
        case NGHTTP2_HEADERS.rawValue: headComplete(isEnd: isEnd)
        case NGHTTP2_RST_STREAM.rawValue: return peerReset(header.stream_id)
        case NGHTTP2_SETTINGS.rawValue:
            hasPeerSettings = true
            // The library queues an acknowledgement, and resets for the streams whose windows overflowed; that is to
            // be a connection error (RFC 9113 §6.9.2).
            if library.queuedFrameCount > queuedBeforeSettings + 1 {
                return fail(.protocolViolation(.flowControlError))
            }
        case NGHTTP2_PING.rawValue:
            if UInt32(header.flags) & NGHTTP2_FLAG_ACK.rawValue != 0 {
                let payload = unsafe frame.pointee.ping.opaque_data
                pingAcknowledged(unsafe unsafeBitCast(payload, to: UInt64.self).bigEndian)
            }
        case NGHTTP2_GOAWAY.rawValue:
            isPeerGoingAway = true
            let (last, code) = unsafe (frame.pointee.goaway.last_stream_id, frame.pointee.goaway.error_code)
            delegate?.goAway(after: last, HTTP2ErrorCode(rawValue: code))
        default: break
        }
        return 0
    }

    private func pingAcknowledged(_ payload: UInt64) {
        if payload == Self.drainPing {
            if isDraining, role == .server { finishDraining() }
        } else if outstandingPings > 0 {
            outstandingPings -= 1
            delegate?.acknowledged(ping: payload)
        }
    }

    private func peerReset(_ number: Int32) -> Int32 {
        guard let slot = library.slot(of: number) else { return glitch() }
        guard role == .server, !streams.slots[slot].marks.contains(.weEnded) else { return 0 }
        let isPremature = now < streams.slots[slot].openedAt + limits.prematureAge
        return isPremature && budget.prematureReset(at: now) ? fail(.tooManyResets) : 0
    }

    // MARK: Messages received

    private func headComplete(isEnd: Bool) {
        headBeganAt = nil
        let slot = inbound.slot
        if streams.slots[slot].marks.contains(.isDiscarding) {
            if isEnd { streams.slots[slot].marks.insert(.peerEnded) }
            return
        }
        if inbound.isTrailers { return trailersComplete(slot) }
        switch role {
        case .server: requestComplete(slot, isEnd: isEnd)
        case .client: responseComplete(slot, isEnd: isEnd)
        }
    }

    private func requestComplete(_ slot: Int, isEnd: Bool) {
        let stream = streams.id(slot)
        streams.slots[slot].marks.formUnion(isEnd ? [.isAnnounced, .hasHead, .peerEnded] : [.isAnnounced, .hasHead])
        switch inbound.takeRequest() {
        case .success(let head):
            if head.method == .head { streams.slots[slot].marks.insert(.isHeadRequest) }
            delegate?.received(request: head, on: stream, isEnd: isEnd)
        case .failure(let refused):
            streams.slots[slot].marks.insert(.isDiscarding)
            delegate?.refused(stream, refused.refusal)
        }
    }

    private func responseComplete(_ slot: Int, isEnd: Bool) {
        let stream = streams.id(slot)
        if let refusal = inbound.refusal {
            delegate?.refused(stream, refusal)
            return reset(stream, .cancel)
        }
        let head = ResponseHead(Status(inbound.statusCode), fields: inbound.takeFields())
        if head.status.isInformational {
            delegate?.received(informational: head, on: stream)
            return
        }
        streams.slots[slot].marks.formUnion(isEnd ? [.hasHead, .peerEnded] : .hasHead)
        delegate?.received(response: head, on: stream, isEnd: isEnd)
    }

    private func trailersComplete(_ slot: Int) {
        if inbound.refusal != nil { return reset(streams.id(slot), .enhanceYourCalm) }
        end(slot, trailers: inbound.takeFields())
    }

    func received(body bytes: Span<UInt8>, number: Int32) -> Int32 {
        guard let slot = library.slot(of: number) else {
            library.consumeOnConnection(bytes.count)
            return 0
        }
        if streams.slots[slot].marks.contains(.isDiscarding) {
            library.consume(bytes.count, on: number)
            return 0
        }
        streams.slots[slot].unconsumedByteCount += bytes.count
        budget.received(dataByteCount: bytes.count)
        delegate?.received(body: bytes, on: streams.id(slot))
        return 0
    }

    private func end(_ slot: Int, trailers: consuming HeaderFields?) {
        streams.slots[slot].marks.insert(.peerEnded)
        if streams.slots[slot].marks.contains(.isDiscarding) { return }
        delegate?.ended(streams.id(slot), trailers: trailers)
    }
}
