import SluiceCore
import SluiceHTTP
import Testing

/// What a server must do with each frame, right or wrong.
struct ConformanceCase: Sendable, CustomTestStringConvertible {
    enum Expected: Sendable, Equatable {
        /// The stream is reset with the code; the connection, and another stream on it, live on.
        case stream(UInt32)
        case connection(UInt32)
        /// Nothing is wrong.
        case accepted
        /// The request gets this status and goes nowhere.
        case refused(HTTP2Refusal)
    }
    let name: String
    let expected: Expected
    /// The stream that the expectation is about.
    var stream: UInt32 = 1
    /// Whether the server answers each request as soon as it has ended.
    var isAnswered = false
    let act: @Sendable (RawPeer) -> Void

    var testDescription: String { name }

    init(
        _ name: String, _ expected: Expected, stream: UInt32 = 1, isAnswered: Bool = false,
        _ act: @escaping @Sendable (RawPeer) -> Void
    ) {
        self.name = name
        self.expected = expected
        self.stream = stream
        self.isAnswered = isAnswered
        self.act = act
    }

    /// A request whose fields are the case.
    static func fields(_ name: String, _ expected: Expected, _ fields: [(String, String)]) -> ConformanceCase {
        let block = FrameWriter.block(fields)
        return ConformanceCase(name, expected) { peer in
            peer.send { $0.frame(1, flags: FrameWriter.endStream | FrameWriter.endHeaders, stream: 1, block) }
        }
    }
}

private let protocolError: UInt32 = 1
private let flowControlError: UInt32 = 3
private let streamClosed: UInt32 = 5
private let frameSizeError: UInt32 = 6
private let refusedStream: UInt32 = 7
private let compressionError: UInt32 = 9
private let open = FrameWriter.endHeaders
private let whole = FrameWriter.endHeaders | FrameWriter.endStream

@Suite struct `HTTP/2 conformance` {
    static let frames: [ConformanceCase] = [
        .init("4.1: a frame of an unknown type is ignored", .accepted) {
            $0.send { $0.frame(0x77, stream: 1, [1, 2, 3]) }
        },
        .init("4.1: undefined flags are ignored", .accepted) { $0.send { $0.ping(flags: 0xfe) } },
        .init("4.1: the reserved bit of a stream number is ignored", .accepted) {
            $0.send { $0.ping(stream: 1 << 31) }
        },
        .init("4.2: a DATA frame over SETTINGS_MAX_FRAME_SIZE", .connection(frameSizeError)) {
            $0.send {
                $0.headers(1, FrameWriter.post(), flags: open)
                $0.data(1, [UInt8](repeating: 0, count: 16_385))
            }
        },
        .init("4.2: a HEADERS frame over SETTINGS_MAX_FRAME_SIZE", .connection(frameSizeError)) {
            $0.send { $0.headers(1, FrameWriter.get() + [("a", String(repeating: "x", count: 16_385))]) }
        },
        .init("4.3: an index that no table has", .connection(compressionError)) {
            $0.send { $0.frame(1, flags: whole, stream: 1, [0xff, 0x80, 0x01]) }
        },
        .init("4.3: index 0", .connection(compressionError)) {
            $0.send { $0.frame(1, flags: whole, stream: 1, [0x80]) }
        },
        .init("4.3: a block that ends inside a field", .connection(compressionError)) {
            $0.send { $0.frame(1, flags: whole, stream: 1, [0x00, 0x05, 0x61]) }
        },
        .init("RFC 7541 4.2: a table size over the limit", .connection(compressionError)) {
            $0.send { $0.frame(1, flags: whole, stream: 1, [0x3f, 0xe2, 0x1f] + FrameWriter.block(FrameWriter.get())) }
        },
        .init("RFC 7541 4.2: a table size after a field", .connection(compressionError)) {
            $0.send { $0.frame(1, flags: whole, stream: 1, FrameWriter.block(FrameWriter.get()) + [0x20]) }
        },
        .init("RFC 7541 5.2: Huffman padding of more than 7 bits", .connection(compressionError)) {
            $0.send {
                $0.frame(
                    1, flags: whole, stream: 1,
                    FrameWriter.block(FrameWriter.get()) + [0x00, 0x01, 0x61, 0x82, 0xff, 0xff])
            }
        },
        .init("RFC 7541 5.2: a Huffman string with the end symbol", .connection(compressionError)) {
            $0.send {
                $0.frame(
                    1, flags: whole, stream: 1,
                    FrameWriter.block(FrameWriter.get()) + [0x00, 0x01, 0x61, 0x84, 0xff, 0xff, 0xff, 0xff])
            }
        },
        .init("RFC 7541 5.1: an integer without an end", .connection(compressionError)) {
            $0.send { $0.frame(1, flags: whole, stream: 1, [0xff] + [UInt8](repeating: 0x80, count: 20)) }
        },
        .init("5.1: DATA on an idle stream", .connection(protocolError)) { $0.send { $0.data(1, [1]) } },
        .init("5.1: RST_STREAM on an idle stream", .connection(protocolError)) { $0.send { $0.reset(1) } },
        .init("5.1: WINDOW_UPDATE on an idle stream", .connection(protocolError)) { $0.send { $0.windowUpdate(1, 1) } },
        .init("5.1: CONTINUATION on an idle stream", .connection(protocolError)) {
            $0.send { $0.frame(9, flags: open, stream: 1, FrameWriter.block(FrameWriter.get())) }
        },
        .init("5.1: PRIORITY on an idle stream", .accepted) { $0.send { $0.frame(2, stream: 7, [0, 0, 0, 0, 15]) } },
        .init("5.1: DATA after END_STREAM", .connection(streamClosed)) {
            $0.send {
                $0.headers(1, FrameWriter.post())
                $0.data(1, [1])
            }
        },
        .init("5.1: HEADERS after END_STREAM", .connection(streamClosed)) {
            $0.send {
                $0.headers(1, FrameWriter.post())
                $0.headers(1, FrameWriter.post())
            }
        },
        .init("5.1: CONTINUATION after END_STREAM", .connection(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.post())
                $0.frame(9, flags: open, stream: 1, [])
            }
        },
        .init("5.1: DATA on a stream that both ended", .connection(streamClosed), isAnswered: true) {
            $0.send { $0.headers(1, FrameWriter.post()) }
            $0.send { $0.data(1, [1]) }
        },
        .init("5.1: HEADERS on a stream that both ended", .connection(streamClosed), isAnswered: true) {
            $0.send { $0.headers(1, FrameWriter.post()) }
            $0.send { $0.headers(1, FrameWriter.post()) }
        },
        .init("5.1: DATA on a stream that the peer reset", .connection(streamClosed)) {
            $0.send {
                $0.headers(1, FrameWriter.post(), flags: open)
                $0.reset(1)
                $0.data(1, [1])
            }
        },
        .init("5.1: HEADERS on a stream that the peer reset", .connection(streamClosed)) {
            $0.send {
                $0.headers(1, FrameWriter.post(), flags: open)
                $0.reset(1)
                $0.headers(1, FrameWriter.post())
            }
        },
        .init("5.1: WINDOW_UPDATE on a closed stream", .accepted, isAnswered: true) {
            $0.send { $0.headers(1, FrameWriter.post()) }
            $0.send { $0.windowUpdate(1, 100) }
        },
        .init("5.1: RST_STREAM on a closed stream", .accepted, isAnswered: true) {
            $0.send { $0.headers(1, FrameWriter.post()) }
            $0.send { $0.reset(1) }
        },
        .init("5.1: PRIORITY on a closed stream", .accepted, isAnswered: true) {
            $0.send { $0.headers(1, FrameWriter.post()) }
            $0.send { $0.frame(2, stream: 1, [0, 0, 0, 0, 15]) }
        },
        .init("5.1.1: an even stream number", .connection(protocolError)) {
            $0.send { $0.headers(2, FrameWriter.get()) }
        },
        .init("5.1.1: a number lower than one that was used", .connection(protocolError)) {
            $0.send {
                $0.headers(5, FrameWriter.get())
                $0.headers(3, FrameWriter.get())
            }
        },
        .init("5.1.2: more streams than allowed", .connection(protocolError)) { peer in
            peer.send { for stream in 0...100 { $0.headers(UInt32(2 * stream + 1), FrameWriter.post(), flags: open) } }
        },
        .init("5.3.1: a stream that depends on itself", .connection(protocolError)) {
            $0.send { $0.headers(1, FrameWriter.get(), flags: whole | FrameWriter.priority, before: [0, 0, 0, 1, 15]) }
        },
        .init("5.3.1: PRIORITY that makes a stream depend on itself", .connection(protocolError)) {
            $0.send { $0.frame(2, stream: 3, [0, 0, 0, 3, 15]) }
        },
        .init("6.1: DATA on stream 0", .connection(protocolError)) { $0.send { $0.data(0, [1]) } },
        .init("6.1: padding as long as the frame", .connection(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.post(), flags: open)
                $0.data(1, [5, 0, 0, 0, 0], flags: FrameWriter.padded)
            }
        },
        .init("6.1: padding is not body", .accepted) {
            $0.send {
                $0.headers(1, FrameWriter.post([("content-length", "2")]), flags: open)
                $0.data(1, [3, 104, 105, 0, 0, 0], flags: FrameWriter.padded | FrameWriter.endStream)
            }
        },
        .init("6.2: HEADERS on stream 0", .connection(protocolError)) { $0.send { $0.headers(0, FrameWriter.get()) } },
        .init("6.2: HEADERS with too much padding", .connection(protocolError)) {
            $0.send {
                $0.frame(1, flags: whole | FrameWriter.padded, stream: 1, [200] + FrameWriter.block(FrameWriter.get()))
            }
        },
        .init("6.2: a PRIORITY frame inside a header block", .connection(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: FrameWriter.endStream)
                $0.frame(2, stream: 1, [0, 0, 0, 0, 15])
            }
        },
        .init("6.2: another stream's HEADERS inside a header block", .connection(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: FrameWriter.endStream)
                $0.headers(3, FrameWriter.get())
            }
        },
        .init("6.2: an unknown frame inside a header block", .connection(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: FrameWriter.endStream)
                $0.frame(0x77, stream: 1, [])
            }
        },
        .init("6.3: PRIORITY on stream 0", .connection(protocolError)) { $0.send { $0.frame(2, [0, 0, 0, 1, 15]) } },
        .init("6.3: PRIORITY of 4 bytes", .connection(frameSizeError)) {
            $0.send { $0.frame(2, stream: 1, [0, 0, 0, 1]) }
        },
        .init("6.4: RST_STREAM on stream 0", .connection(protocolError)) { $0.send { $0.reset(0) } },
        .init("6.4: RST_STREAM of 3 bytes", .connection(frameSizeError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: open)
                $0.frame(3, stream: 1, [0, 0, 0])
            }
        },
        .init("6.5: SETTINGS acknowledged with a payload", .connection(frameSizeError)) {
            $0.send { $0.frame(4, flags: FrameWriter.acknowledge, [0]) }
        },
        .init("6.5: SETTINGS on a stream", .connection(protocolError)) {
            $0.send { $0.settings([(3, 100)], stream: 1) }
        },
        .init("6.5: SETTINGS of 5 bytes", .connection(frameSizeError)) { $0.send { $0.frame(4, [0, 3, 0, 0, 0]) } },
        .init("6.5.2: ENABLE_PUSH of 2", .connection(protocolError)) { $0.send { $0.settings([(2, 2)]) } },
        .init("6.5.2: INITIAL_WINDOW_SIZE over 2^31 - 1", .connection(flowControlError)) {
            $0.send { $0.settings([(4, 1 << 31)]) }
        },
        .init("6.5.2: MAX_FRAME_SIZE under 16384", .connection(protocolError)) {
            $0.send { $0.settings([(5, 16_383)]) }
        },
        .init("6.5.2: MAX_FRAME_SIZE over 2^24 - 1", .connection(protocolError)) {
            $0.send { $0.settings([(5, 1 << 24)]) }
        },
        .init("6.5.2: an unknown setting", .accepted) { $0.send { $0.settings([(0xff, 7)]) } },
        .init("6.5.2: a header table of 0 and then of 4096 bytes", .accepted) {
            $0.send { $0.settings([(1, 0), (1, 4096)]) }
        },
        .init("6.6: PUSH_PROMISE from a client", .connection(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: open)
                $0.frame(5, flags: open, stream: 1, FrameWriter.big(2) + FrameWriter.block(FrameWriter.get()))
            }
        },
        .init("6.7: PING on a stream", .connection(protocolError)) { $0.send { $0.ping(stream: 1) } },
        .init("6.7: PING of 6 bytes", .connection(frameSizeError)) { $0.send { $0.ping([1, 2, 3, 4, 5, 6]) } },
        .init("6.8: GOAWAY on a stream", .connection(protocolError)) {
            $0.send { $0.frame(7, stream: 1, FrameWriter.big(0) + FrameWriter.big(0)) }
        },
        .init("6.9: WINDOW_UPDATE of 0 for the connection", .connection(protocolError)) {
            $0.send { $0.windowUpdate(0, 0) }
        },
        // The library ends the connection where a stream error would do.
        .init("6.9: WINDOW_UPDATE of 0 for a stream", .connection(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: open)
                $0.windowUpdate(1, 0)
            }
        },
        .init("6.9: WINDOW_UPDATE of 3 bytes", .connection(frameSizeError)) { $0.send { $0.frame(8, [0, 0, 1]) } },
        .init("6.9.1: a connection window over 2^31 - 1", .connection(flowControlError)) {
            $0.send { $0.windowUpdate(0, 1 << 31 - 1) }
        },
        .init("6.9.1: a stream window over 2^31 - 1", .stream(flowControlError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: open)
                $0.windowUpdate(1, 1 << 31 - 1)
            }
        },
        .init("6.9.2: SETTINGS that make a stream window overflow", .connection(flowControlError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: open)
                $0.windowUpdate(1, 1 << 30)
                $0.settings([(4, 1 << 31 - 1)])
            }
        },
        .init("6.10: CONTINUATION after END_HEADERS", .connection(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: open)
                $0.frame(9, flags: open, stream: 1, FrameWriter.block([("a", "b")]))
            }
        },
        .init("6.10: CONTINUATION on stream 0", .connection(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: FrameWriter.endStream)
                $0.frame(9, flags: open, [])
            }
        },
        .init("6.10: a block in three frames", .accepted) {
            $0.send {
                $0.headers(1, FrameWriter.get(), flags: FrameWriter.endStream)
                $0.frame(9, stream: 1, FrameWriter.block([("a", "b")]))
                $0.frame(9, flags: open, stream: 1, FrameWriter.block([("c", "d")]))
            }
        },
        .init("8.1: trailers that do not end the stream", .stream(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.post(), flags: open)
                $0.headers(1, [("a", "b")], flags: open)
            }
        },
        .init("8.1: pseudo-header fields in trailers", .stream(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.post(), flags: open)
                $0.headers(1, [(":method", "GET")])
            }
        },
        .init("8.1: a body shorter than Content-Length", .stream(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.post([("content-length", "3")]), flags: open)
                $0.data(1, [1, 2], flags: FrameWriter.endStream)
            }
        },
        .init("8.1: a body longer than Content-Length", .stream(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.post([("content-length", "1")]), flags: open)
                $0.data(1, [1, 2])
            }
        },
        .init("8.1: a Content-Length and no body", .stream(protocolError)) {
            $0.send { $0.headers(1, FrameWriter.post([("content-length", "1")])) }
        },
        .init("8.1: a body shorter than Content-Length, and trailers", .stream(protocolError)) {
            $0.send {
                $0.headers(1, FrameWriter.post([("content-length", "3")]), flags: open)
                $0.data(1, [1, 2])
                $0.headers(1, [("a", "b")])
            }
        },
    ]

    static let fields: [ConformanceCase] = [
        .fields("8.2.1: an upper-case name", .stream(protocolError), FrameWriter.get() + [("Accept", "a")]),
        .fields("8.2.1: an empty name", .stream(protocolError), FrameWriter.get() + [("", "a")]),
        .fields("8.2.1: a space in a name", .stream(protocolError), FrameWriter.get() + [("a b", "a")]),
        .fields("8.2.1: a colon in a name", .stream(protocolError), FrameWriter.get() + [("a:b", "a")]),
        .fields("8.2.1: CRLF in a name", .stream(protocolError), FrameWriter.get() + [("a\r\nb", "a")]),
        .fields("8.2.1: NUL in a name", .stream(protocolError), FrameWriter.get() + [("a\0b", "a")]),
        .fields("8.2.1: CRLF in a value", .stream(protocolError), FrameWriter.get() + [("a", "b\r\nc: d")]),
        .fields("8.2.1: LF in a value", .stream(protocolError), FrameWriter.get() + [("a", "b\nc")]),
        .fields("8.2.1: NUL in a value", .stream(protocolError), FrameWriter.get() + [("a", "b\0c")]),
        .fields("8.2.1: a space before a value", .stream(protocolError), FrameWriter.get() + [("a", " b")]),
        .fields("8.2.1: a tab after a value", .stream(protocolError), FrameWriter.get() + [("a", "b\t")]),
        .fields("8.2.1: bytes over 127 in a value", .accepted, FrameWriter.get() + [("a", "é")]),
        .fields("8.2.2: Connection", .stream(protocolError), FrameWriter.get() + [("connection", "keep-alive")]),
        .fields("8.2.2: Keep-Alive", .stream(protocolError), FrameWriter.get() + [("keep-alive", "timeout=5")]),
        .fields("8.2.2: Proxy-Connection", .stream(protocolError), FrameWriter.get() + [("proxy-connection", "close")]),
        .fields("8.2.2: Upgrade", .stream(protocolError), FrameWriter.get() + [("upgrade", "h2c")]),
        .fields(
            "8.2.2: Transfer-Encoding (H2.TE)", .stream(protocolError),
            FrameWriter.post([("transfer-encoding", "chunked")])),
        .fields("8.2.2: TE: gzip", .stream(protocolError), FrameWriter.get() + [("te", "gzip")]),
        .fields("8.2.2: TE: trailers", .accepted, FrameWriter.get() + [("te", "trailers")]),
        .fields("8.3: an unknown pseudo-header field", .stream(protocolError), FrameWriter.get() + [(":test", "a")]),
        .fields(
            "8.3: a response's pseudo-header field", .stream(protocolError), FrameWriter.get() + [(":status", "200")]),
        .fields(
            "8.3: a pseudo-header field after another", .stream(protocolError),
            [(":method", "GET"), (":scheme", "https"), (":authority", "a"), ("b", "c"), (":path", "/")]),
        .fields(
            "8.3.1: no :method", .stream(protocolError), [(":scheme", "https"), (":path", "/"), (":authority", "a")]),
        .fields(
            "8.3.1: no :scheme", .stream(protocolError), [(":method", "GET"), (":path", "/"), (":authority", "a")]),
        .fields(
            "8.3.1: no :path", .stream(protocolError), [(":method", "GET"), (":scheme", "https"), (":authority", "a")]),
        .fields("8.3.1: an empty :path", .stream(protocolError), FrameWriter.get("")),
        .fields("8.3.1: :method twice", .stream(protocolError), [(":method", "GET")] + FrameWriter.get()),
        .fields("8.3.1: :scheme twice", .stream(protocolError), [(":scheme", "https")] + FrameWriter.get()),
        .fields("8.3.1: :path twice", .stream(protocolError), [(":path", "/")] + FrameWriter.get()),
        .fields("8.3.1: :authority twice", .stream(protocolError), [(":authority", "a")] + FrameWriter.get()),
        .fields(
            "8.3.1: neither :authority nor Host", .stream(protocolError),
            [(":method", "GET"), (":scheme", "https"), (":path", "/")]),
        .fields(
            "8.3.1: Host twice", .stream(protocolError),
            [(":method", "GET"), (":scheme", "https"), (":path", "/"), ("host", "a"), ("host", "b")]),
        .fields(
            "8.3.1: Host alone", .accepted, [(":method", "GET"), (":scheme", "https"), (":path", "/"), ("host", "a")]),
        .fields("8.3.1: Host that says the same", .accepted, FrameWriter.get() + [("host", "SLUICE.test")]),
        .fields(
            "8.3.1: Host that says another", .refused(.authorityInvalid), FrameWriter.get() + [("host", "evil.test")]),
        .fields(
            "8.3.1: user information in :authority", .refused(.authorityInvalid),
            [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a@b")]),
        .fields(
            "8.3.1: Host that names the scheme's port", .accepted, FrameWriter.get() + [("host", "sluice.test:443")]),
        .fields(
            "8.3.1: Host that names another port", .refused(.authorityInvalid),
            FrameWriter.get() + [("host", "sluice.test:80")]),
        .fields("8.3.1: a malformed percent sign in :path", .refused(.targetInvalid), FrameWriter.get("/%zz")),
        .fields("8.3.1: brackets in a query", .accepted, FrameWriter.get("/a?include[]=b")),
        .fields(
            "8.3.1: a port that is no number", .refused(.authorityInvalid),
            [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "a:b")]),
        .fields(
            "8.3.1: a slash in :authority", .stream(protocolError),
            [(":method", "GET"), (":scheme", "https"), (":path", "/"), (":authority", "x/#@y")]),
        .fields(
            "8.3.1: a space in :method", .stream(protocolError),
            [(":method", "GET /x HTTP/1.1\r\n"), (":scheme", "https"), (":path", "/"), (":authority", "a")]),
        .fields("8.3.1: CRLF in :path", .stream(protocolError), FrameWriter.get("/ HTTP/1.1\r\nHost: b")),
        .fields("8.3.1: a space in :path", .stream(protocolError), FrameWriter.get("/a b")),
        .fields("8.3.1: NUL in :path", .stream(protocolError), FrameWriter.get("/a\0b")),
        .fields("8.3.1: a fragment in :path", .refused(.targetInvalid), FrameWriter.get("/a#b")),
        .fields("8.3.1: a backslash in :path", .refused(.targetInvalid), FrameWriter.get("/a\\b")),
        .fields("8.3.1: bytes over 127 in :path", .refused(.targetInvalid), FrameWriter.get("/é")),
        .fields("8.3.1: :path without a slash", .stream(protocolError), FrameWriter.get("v1/models")),
        .fields("8.3.1: :path with a host", .stream(protocolError), FrameWriter.get("http://evil.test/")),
        .fields("8.3.1: an asterisk with GET", .stream(protocolError), FrameWriter.get("*")),
        .fields(
            "8.3.1: an asterisk with OPTIONS", .accepted,
            [(":method", "OPTIONS"), (":scheme", "https"), (":path", "*"), (":authority", "a")]),
        .fields("8.5: CONNECT", .refused(.connectMethod), [(":method", "CONNECT"), (":authority", "a:443")]),
        .fields(
            "8.5: CONNECT with a path", .stream(protocolError),
            [(":method", "CONNECT"), (":authority", "a:443"), (":path", "/"), (":scheme", "https")]),
        .fields(
            "RFC 8441: extended CONNECT", .stream(protocolError),
            [
                (":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "https"), (":path", "/"),
                (":authority", "a"),
            ]),
        .fields(
            "H2.CL: a Content-Length that is no number", .stream(protocolError),
            FrameWriter.post([("content-length", "0x1")])),
        .fields("H2.CL: a signed Content-Length", .stream(protocolError), FrameWriter.post([("content-length", "+0")])),
        .fields(
            "H2.CL: Content-Length twice", .stream(protocolError),
            FrameWriter.post([("content-length", "0"), ("content-length", "0")])),
        .fields(
            "H2.CL: a Content-Length that overflows", .stream(protocolError),
            FrameWriter.post([("content-length", "99999999999999999999")])),
    ]

    @Test(arguments: frames)
    func `frames are judged as RFC 9113 says`(_ one: ConformanceCase) throws { try judge(one) }

    @Test(arguments: fields)
    func `fields are judged as RFC 9113 says`(_ one: ConformanceCase) throws { try judge(one) }

    private func judge(_ one: ConformanceCase) throws {
        let peer = try RawPeer()
        if one.isAnswered {
            peer.recorder.onEnd = { [unowned peer] in peer.session.respond($0, ResponseHead(204), body: .none) }
        }
        one.act(peer)
        switch one.expected {
        case .connection(let code):
            #expect(peer.goAwayCode == code, "\(peer.frames)")
            #expect(peer.session.isFinished)
            #expect(peer.session.failure == .protocolViolation(HTTP2ErrorCode(rawValue: code)))
        case .stream(let code):
            #expect(peer.resetCode(one.stream) == code, "\(peer.frames)")
            expectAlive(peer)
        case .accepted:
            #expect(peer.resetCode(one.stream) == nil)
            expectAlive(peer)
        case .refused(let refusal):
            #expect(peer.recorder.log.first == "refused 1 \(refusal)")
            #expect(peer.recorder.requests.isEmpty)
            #expect(peer.frames.contains { $0.type == 1 && $0.stream == one.stream })
            expectAlive(peer)
        }
    }

    /// The connection answers a PING, and another stream's request arrives.
    private func expectAlive(_ peer: RawPeer) {
        peer.send {
            $0.ping([8, 8, 8, 8, 8, 8, 8, 8])
            $0.headers(99, FrameWriter.get("/alive"))
        }
        #expect(peer.goAwayCode == nil, "\(peer.frames)")
        #expect(peer.frames.contains { $0.type == 6 && $0.flags == 1 && $0.payload == [8, 8, 8, 8, 8, 8, 8, 8] })
        #expect(peer.recorder.log.contains { $0.hasPrefix("request 99 GET /alive") })
    }

    @Test func `a connection that does not begin with the preface is cut`() throws {
        let peer = try RawPeer(greets: false)
        peer.send(bytes: Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8))
        #expect(peer.error == .notHTTP2)
        #expect(peer.goAwayCode == protocolError)
        #expect(peer.session.isFinished)
    }

    @Test(arguments: [UInt8(0), 1])
    func `the first frame has to be SETTINGS`(flags: UInt8) throws {
        let peer = try RawPeer(greets: false)
        peer.send {
            $0.raw(FrameWriter.preface)
            if flags == 0 { $0.ping() } else { $0.settings(flags: flags) }
        }
        #expect(peer.goAwayCode == protocolError)
        #expect(peer.session.isFinished)
    }

    @Test func `a PING is answered with its payload, an answer is not`() throws {
        let peer = try RawPeer()
        peer.send {
            $0.ping([9, 8, 7, 6, 5, 4, 3, 2])
            $0.ping(flags: FrameWriter.acknowledge)
        }
        #expect(peer.frames == [Frame(type: 6, flags: 1, stream: 0, payload: [9, 8, 7, 6, 5, 4, 3, 2])])
    }

    @Test func `SETTINGS are acknowledged`() throws {
        let peer = try RawPeer()
        peer.send { $0.settings([(3, 10)]) }
        #expect(peer.frames == [Frame(type: 4, flags: 1, stream: 0, payload: [])])
    }

    // MARK: A client's view

    static let responses: [ConformanceCase] = [
        .init("no :status", .stream(protocolError)) { $0.send { $0.headers(1, [("a", "b")]) } },
        .init(":status of two digits", .stream(protocolError)) { $0.send { $0.headers(1, [(":status", "20")]) } },
        .init(":status twice", .stream(protocolError)) {
            $0.send { $0.headers(1, [(":status", "200"), (":status", "200")]) }
        },
        .init("101 does not exist", .stream(protocolError)) {
            $0.send { $0.headers(1, [(":status", "101")], flags: open) }
        },
        .init("a request's pseudo-header field", .stream(protocolError)) {
            $0.send { $0.headers(1, [(":status", "200"), (":path", "/")]) }
        },
        .init("1xx that ends the stream", .stream(protocolError)) { $0.send { $0.headers(1, [(":status", "103")]) } },
        .init("DATA after 1xx", .stream(protocolError)) {
            $0.send {
                $0.headers(1, [(":status", "103")], flags: open)
                $0.data(1, [1])
            }
        },
        .init("a body shorter than Content-Length", .stream(protocolError)) {
            $0.send {
                $0.headers(1, [(":status", "200"), ("content-length", "2")], flags: open)
                $0.data(1, [1], flags: 1)
            }
        },
        .init("a body for 204", .stream(protocolError)) {
            $0.send {
                $0.headers(1, [(":status", "204")], flags: open)
                $0.data(1, [1], flags: 1)
            }
        },
        .init("Transfer-Encoding", .stream(protocolError)) {
            $0.send { $0.headers(1, [(":status", "200"), ("transfer-encoding", "chunked")]) }
        },
        .init("CRLF in a value", .stream(protocolError)) {
            $0.send { $0.headers(1, [(":status", "200"), ("a", "b\r\nc")]) }
        },
        .init("DATA before HEADERS", .connection(protocolError)) { $0.send { $0.data(1, [1]) } },
        .init("a stream that the server opens", .connection(protocolError)) {
            $0.send { $0.headers(2, [(":status", "200")]) }
        },
        .init("a push that was forbidden", .connection(protocolError)) {
            $0.send { $0.frame(5, flags: open, stream: 1, FrameWriter.big(2) + FrameWriter.block(FrameWriter.get())) }
        },
        .init("ENABLE_PUSH from a server", .connection(protocolError)) { $0.send { $0.settings([(2, 1)]) } },
        .init("a GOAWAY whose last stream grows", .connection(protocolError)) {
            $0.send {
                $0.goAway(last: 1)
                $0.goAway(last: 3)
            }
        },
        .init("a whole response", .accepted) { $0.send { $0.headers(1, [(":status", "200")]) } },
    ]

    @Test(arguments: responses)
    func `responses are judged as RFC 9113 says`(_ one: ConformanceCase) throws {
        let peer = try RawPeer(role: .client)
        let stream = try peer.session.submitRequest(.get("/"), scheme: "https", body: .none)
        peer.read()
        one.act(peer)
        switch one.expected {
        case .connection(let code): #expect(peer.goAwayCode == code, "\(peer.frames)")
        case .stream(let code):
            #expect(peer.resetCode(1) == code, "\(peer.frames)")
            #expect(peer.recorder.closings[stream.number]?.rawValue == code)
            #expect(!peer.recorder.log.contains { $0.hasPrefix("ended") || $0.hasSuffix(" end") })
            #expect(peer.goAwayCode == nil)
        case .accepted, .refused: #expect(peer.recorder.log == ["response 1 200 end", "closed 1 0"])
        }
    }
}
