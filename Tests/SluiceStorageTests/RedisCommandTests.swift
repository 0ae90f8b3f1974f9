import SluiceCore
import Testing

@testable import SluiceStorage

@Suite struct `Redis commands` {
    @Test func `a command is an array of bulk strings`() {
        var command = RedisCommand("SET", key: "clé")
        command.append("värde")
        command.append("PX" as StaticString)
        command.append(1500)
        #expect(sent(command) == "*5\r\n$3\r\nSET\r\n$4\r\nclé\r\n$6\r\nvärde\r\n$2\r\nPX\r\n$4\r\n1500\r\n")
        #expect(sent(RedisCommand("PING")) == "*1\r\n$4\r\nPING\r\n")
    }

    @Test(arguments: [0, 7, -1, 10, -99, 1_000_000, .max, .min])
    func `a number is sent in decimal`(number: Int) {
        var command = RedisCommand("INCRBY")
        command.append(number)
        #expect(sent(command) == "*2\r\n$6\r\nINCRBY\r\n$\("\(number)".utf8.count)\r\n\(number)\r\n")
    }

    @Test func `bytes are sent as they are`() {
        var command = RedisCommand("SET", key: "k")
        let bytes: [UInt8] = [0, 13, 10, 255]
        command.append(bytes.span)
        let buffer = ByteBuffer()
        command.write(to: buffer)
        #expect(Array(copying: buffer.span).suffix(6) == [0, 13, 10, 255, 13, 10])
    }

    @Test func `a script goes by its hash, and whole when asked to`() throws {
        let script = RedisScript("return redis.call('GET', KEYS[1])")
        #expect(script.hash == "d3c21d0c2b9ca22f82737626a27bcaf5d288f99f")
        var command = RedisCommand(script, keyCount: 1)
        command.append(key: "{a}")
        command.append("x")
        #expect(
            sent(command) == "*5\r\n$7\r\nEVALSHA\r\n$40\r\n\(script.hash)\r\n$1\r\n1\r\n$3\r\n{a}\r\n$1\r\nx\r\n")
        let whole = try #require(command.whole)
        #expect(
            sent(whole) == "*5\r\n$4\r\nEVAL\r\n$33\r\n\(script.source)\r\n$1\r\n1\r\n$3\r\n{a}\r\n$1\r\nx\r\n")
        #expect(whole.whole == nil)
        var other = RedisCommand(script, keyCount: 1)
        other.append(key: "foo")
        #expect(other.slot == 12_182)
        #expect(try #require(other.whole).slot == 12_182)
        #expect(RedisCommand("PING").whole == nil)
    }

    private func sent(_ command: RedisCommand) -> String {
        let buffer = ByteBuffer()
        command.write(to: buffer)
        return buffer.text
    }
}

extension Array where Element == UInt8 {
    init(copying span: Span<UInt8>) {
        self = []
        for index in span.indices { append(span[index]) }
    }
}

@Suite struct `Cluster slots` {
    @Test func `the checksum is the specification's`() {
        #expect(RedisSlot.crc16("123456789".utf8Span.span) == 0x31C3)
        #expect(RedisSlot.crc16("".utf8Span.span) == 0)
    }

    @Test(arguments: [("foo", 12_182), ("bar", 5061), ("hello", 866), ("", 0)])
    func `a key has its slot`(key: String, slot: Int) { #expect(RedisSlot.of(key.utf8Span.span) == slot) }

    /// The examples of the specification, "Hash tags".
    @Test(arguments: [
        ("{user1000}.following", "user1000"), ("{user1000}.followers", "user1000"), ("foo{}{bar}", "foo{}{bar}"),
        ("foo{{bar}}zap", "{bar"), ("foo{bar}{zap}", "bar"), ("foo{bar", "foo{bar"), ("foo}bar{", "foo}bar{"),
    ])
    func `what is between the first braces decides, if it is anything`(key: String, hashed: String) {
        #expect(RedisSlot.of(key.utf8Span.span) == Int(RedisSlot.crc16(hashed.utf8Span.span)) % 16_384)
    }

    @Test func `a redirection is read, and anything else is none`() {
        let sender = RedisAddress.host("10.0.0.9", 6379)
        #expect(
            RedisRedirection(.error("MOVED 3999 127.0.0.1:6381"), from: sender)?.address == .host("127.0.0.1", 6381))
        #expect(RedisRedirection(.error("ASK 3999 127.0.0.1:6381"), from: sender)?.isAsk == true)
        #expect(RedisRedirection(.error("MOVED 3999 :6381"), from: sender)?.address == .host("10.0.0.9", 6381))
        #expect(RedisRedirection(.error("MOVED 3999 ::1:6381"), from: sender)?.address == .host("::1", 6381))
        for wrong in [
            "MOVED", "MOVED 3999", "MOVED 16384 a:1", "MOVED -1 a:1", "MOVED 1 a:0", "MOVED 1 a:65536", "MOVED 1 a",
            "ERR 1 a:1",
            "MOVED 1 ?:1",
        ] {
            #expect(RedisRedirection(.error(wrong), from: sender) == nil, "\(wrong)")
        }
    }

    @Test func `a map is read, and what makes no sense in it is passed over`() throws {
        let sender = RedisAddress.host("10.0.0.9", 6379)
        func range(_ first: Int, _ last: Int, _ host: String, _ port: Int) -> RedisReply {
            .array([.integer(first), .integer(last), .array([.bytes(Array(host.utf8)), .integer(port)])])
        }
        let map = try #require(
            RedisClusterMap(
                .array([
                    range(0, 100, "a", 1), range(101, 16_383, "", 2), range(5, 4, "b", 1), range(0, 16_384, "b", 1),
                    range(-1, 4, "b", 1), range(3, 3, "b", 65_536), .null, .array([.integer(1)]),
                ]), from: sender))
        #expect(map.nodes == [.host("a", 1), .host("10.0.0.9", 2)])
        #expect(map.owner(of: 100) == .host("a", 1))
        #expect(map.owner(of: 101) == .host("10.0.0.9", 2))
        #expect(RedisClusterMap(.array([]), from: sender) == nil)
        #expect(RedisClusterMap(.null, from: sender) == nil)
    }
}
