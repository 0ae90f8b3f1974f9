internal import CLinux
package import SluiceCore
internal import SluiceTLS

extension Transport {
    /// How many full reads one turn gives to one connection, so that a fast one does not starve the others.
    private static let readsAtMost = 4

    /// Lets the next bytes go straight into `buffer`, until so many have come.
    package func receive(into buffer: ByteBuffer, exactly byteCount: Int) {
        target = buffer
        targetRemaining = byteCount
        buffer.reserve(byteCount)
    }

    /// Forgets the buffer given to `receive(into:exactly:)`.
    package func stopReceivingInPlace() {
        target = nil
        targetRemaining = 0
    }

    /// Whether bytes have arrived that nobody was given yet.
    package var hasUnread: Bool { isOpen && Socket.hasUnread(fd) }

    /// Stops reading: back-pressure on the peer. That the peer went away is still told if `dropsUnreadAtEnd`.
    package func pauseReading() { isPaused = true }

    package func resumeReading() {
        if !isPaused { return }
        isPaused = false
        if isReadable || hasPeerEnded { readAgainLater() }
    }

    func readAgainLater() {
        if isResumeAsked { return }
        isResumeAsked = true
        loop.resumeLater(self)
    }

    package func ready(_ readiness: Readiness) {
        // It may have been closed since it asked to be called again, and its owner may be gone.
        if !isOpen { return }
        if readiness.bits == 0 { isResumeAsked = false }
        if readiness.isReadable { isReadable = true }
        if readiness.hasEnded { hasPeerEnded = true }
        if delegate == nil {
            // Nobody to give it to yet.
        } else if isPaused {
            if dropsUnreadAtEnd, readiness.isBroken { return fail(.system(SystemError("recv", code: ECONNRESET))) }
            if dropsUnreadAtEnd, readiness.hasEnded { delegate?.transportEnded() }
        } else if isReadable || hasPeerEnded, !isResumeAsked {
            read()
        }
        if isOpen, readiness.isWritable, isBlocked, sendError == nil {
            isBlocked = false
            flush()
        }
    }

    private func read() {
        for _ in 0..<Self.readsAtMost {
            if !isOpen || isPaused || !(isReadable || hasPeerEnded) { return }
            let isDrained = target == nil || tls != nil ? readIntoScratch() : readIntoTarget()
            if isDrained { return }
        }
        if isOpen, !isPaused { readAgainLater() }
    }

    private func readIntoScratch() -> Bool {
        let space = unsafe loop.scratch
        switch unsafe Socket.read(fd, space) {
        case .bytes(let count):
            let isDrained = note(read: count, of: space.count)
            let bytes = unsafe UnsafeBufferPointer(rebasing: space.assumingMemoryBound(to: UInt8.self)[..<count])
            if let tls {
                unsafe decrypt(bytes.span, with: tls)
            } else {
                unsafe delegate?.transportReceived(bytes.span)
            }
            return isDrained
        case let other:
            return stopped(other)
        }
    }

    private func readIntoTarget() -> Bool {
        guard let buffer = target else { return true }
        var result = Socket.ReadResult.wouldBlock
        let wanted = targetRemaining
        unsafe buffer.appendUnsafe(minimum: wanted) { space in
            unsafe result = Socket.read(fd, UnsafeMutableRawBufferPointer(rebasing: space[..<wanted]))
            if case .bytes(let count) = result { return count }
            return 0
        }
        guard case .bytes(let count) = result else { return stopped(result) }
        let isDrained = note(read: count, of: wanted)
        targetRemaining -= count
        if targetRemaining == 0 {
            target = nil
            delegate?.transportFilled()
        }
        return isDrained
    }

    /// Notes progress; a short read means that the system has no more, unless the peer has ended.
    private func note(read count: Int, of space: Int) -> Bool {
        receivedByteCount += count
        lastProgress = loop.now
        if count < space { isReadable = false }
        return !isReadable && !hasPeerEnded
    }

    private func stopped(_ result: Socket.ReadResult) -> Bool {
        isReadable = false
        switch result {
        case .bytes, .wouldBlock: if let sendError { fail(.system(sendError)) }
        case .end:
            hasPeerEnded = false
            do throws(TLSError) {
                try tls?.receiveEnd()
                if tls?.hasEnded == true { return true }
                // The error that told of the reset went to the one who was sending: what looks like an end is none.
                if let sendError { fail(.system(sendError)) } else { delegate?.transportEnded() }
            } catch {
                fail(error.kind == .truncated ? .truncated : .tls(error.message))
            }
        case .failed(let error): fail(.system(error))
        }
        return true
    }
}
