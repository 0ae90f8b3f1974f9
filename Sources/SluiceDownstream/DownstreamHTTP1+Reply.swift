internal import SluiceCore
internal import SluiceHTTP
internal import SluiceNet

extension DownstreamHTTP1: ExchangeCarrier {
    func wantBody(_ exchange: DownstreamExchange) {
        if expectsContinue {
            expectsContinue = false
            if exchange.receivedByteCount == 0 {
                transport.write { queue in queue.write { MessageWriter.continue(into: $0) } }
            }
        }
        if isBodyPaused {
            isBodyPaused = false
            bodyResumedAt = registry.loop.now
        }
        transport.resumeReading()
    }

    func pauseBody(_ exchange: DownstreamExchange) {
        isBodyPaused = true
        transport.pauseReading()
    }

    func receiveBody(_ exchange: DownstreamExchange, into buffer: ByteBuffer) {
        guard case .known(let byteCount) = exchange.bodyLength, !isReceivingInPlace, pending == nil else { return }
        inPlaceByteCount = byteCount - exchange.receivedByteCount
        if inPlaceByteCount <= 0 { return }
        isReceivingInPlace = true
        transport.receive(into: buffer, exactly: inPlaceByteCount)
    }

    func sendInformational(_ exchange: DownstreamExchange, _ status: Status) {
        if version != .http11 { return }
        transport.write { queue in
            queue.write {
                MessageWriter.response(ResponseHead(status), framing: nil, to: .http11, keepsConnection: true, into: $0)
            }
        }
    }

    func sendHead(_ exchange: DownstreamExchange, _ head: ResponseHead, body: BodyLength) {
        framing = isHead || head.status.hasNoBody ? .none : BodyFraming.sending(body, to: version)
        if framing == .untilClose || !isBodyDone || registry.isDraining { keepsAlive = false }
        let written: BodyFraming? =
            isHead && body == .unknown ? nil : isHead ? BodyFraming.sending(body, to: version) : framing
        let date = registry.date()
        transport.write { queue in
            queue.write {
                MessageWriter.response(
                    head, framing: written, to: version, keepsConnection: keepsAlive, date: date, into: $0)
            }
        }
    }

    func send(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) {
        if bytes.isEmpty || isHead { return }
        switch framing {
        case .chunked:
            transport.write { queue in
                queue.write { buffer in
                    buffer.reserve(bytes.count + 16)
                    MessageWriter.chunkHead(bytes.count, into: buffer)
                    buffer.append(bytes)
                    MessageWriter.chunkTail(into: buffer)
                }
            }
        case .known, .untilClose: transport.write(bytes)
        case .none: return
        }
        watchForStall()
    }

    func send(_ exchange: DownstreamExchange, sharing buffer: ByteBuffer) {
        if buffer.isEmpty || isHead { return }
        switch framing {
        case .chunked:
            transport.write { queue in
                queue.write { MessageWriter.chunkHead(buffer.count, into: $0) }
                queue.append(sharing: buffer)
                queue.write { MessageWriter.chunkTail(into: $0) }
            }
        case .known, .untilClose: transport.write { $0.append(sharing: buffer) }
        case .none: return
        }
        watchForStall()
    }

    func sendVerbatim(_ exchange: DownstreamExchange, _ bytes: Span<UInt8>) { transport.write(bytes) }

    func upgrade(_ exchange: DownstreamExchange, _ head: ResponseHead, to newProtocol: StaticString) -> Bool {
        if version != .http11 || !isBodyDone || isHead { return false }
        transport.write { queue in
            queue.write { buffer in
                MessageWriter.response(head, framing: nil, to: .http11, keepsConnection: true, into: buffer)
                buffer.truncate(to: buffer.count - 2)
                buffer.append("upgrade: ")
                buffer.append(newProtocol)
                buffer.append("\r\nconnection: upgrade\r\n\r\n")
            }
        }
        state = .upgraded
        framing = .untilClose
        keepsAlive = false
        // What came with the request belongs to the new protocol.
        if pending != nil { processPending() }
        transport.resumeReading()
        return true
    }

    private func watchForStall() {
        if let timer, isBodyDone { registry.loop.arm(timer, at: registry.loop.now + registry.configuration.stall) }
    }

    func finish(_ exchange: DownstreamExchange, trailers: HeaderFields?) {
        if framing == .chunked, !isHead {
            transport.write { queue in
                queue.write { buffer in
                    if let trailers {
                        MessageWriter.lastChunk(trailers: trailers, into: buffer)
                    } else {
                        MessageWriter.lastChunk(into: buffer)
                    }
                }
            }
        }
        responseDone()
    }

    func abort(_ exchange: DownstreamExchange) {
        if isClosed { return }
        self.exchange = nil
        transport.abort()
        close()
    }

    /// That the last chunk, or the rest of the length, is missing tells that the message was cut.
    func abortAfterSending(_ exchange: DownstreamExchange) {
        if isClosed { return }
        self.exchange = nil
        keepsAlive = false
        isBodyDone = true
        pending = nil
        end()
    }

    func isCongested(_ exchange: DownstreamExchange) -> Bool { transport.isCongested }
}
