import Foundation
import SluiceCore
import SluiceTLS
import TestSupport
import Testing

@Suite struct `Private keys` {
    private func key(_ pem: String) throws -> PrivateKey { try PrivateKey(pem: Secret(pem), name: "the key") }

    @Test func `an RSA key signs as another library does`() throws {
        let key = try key(SigningKeys.rsa)
        #expect(key.kind == .rsa)
        // By pyca/cryptography: PKCS #1 v1.5 is the same every time.
        let expected = """
            3394aac33286ac9529abc31f08ca72f50137ad6bc2f851e9efaf0ef1f8633ae3ba16929afee9ce979fb455d9c120f796a2bd\
            e619df817bb75acf3bef13197c4e94a7e3dbcc6d971f2ed0e0f3bd884a7a04ccd088a7b55489de7a6cbb0eca3e22b6f183b4\
            61a1325bd051732ba4ef78edc775452e4514a3b20bb5185f5a184b28456c96fa7d42ae6eefae39cabd2d5cb1067f2fab050a\
            558952a36f65d71381b6ac8b5bc31da8d74026cab1c138f616bbbd3f04ee37552f511d098e4ff3465610e8c7609644079a28\
            0ae010c2168f9be58c4dbf0202f324159f7353e2bddc1d8066fad996b7bb509ec141537561b4acc5562babe69e3232a836e9\
            58abc7ac8a60
            """
        let signature = try key.sign("abc".utf8Span.span)
        #expect(signature.map { String(format: "%02x", $0) }.joined() == expected)
    }

    @Test func `a P-256 key's signatures are two numbers that OpenSSL's tool verifies`() throws {
        let key = try key(SigningKeys.p256)
        #expect(key.kind == .p256)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
        try Data("what is signed".utf8).write(to: URL(fileURLWithPath: path("message")))
        try Data(SigningKeys.p256.utf8).write(to: URL(fileURLWithPath: path("key")))
        var seen: Set<[UInt8]> = []
        for _ in 0..<20 {  // a number with zeros in front, or one that DER puts a zero before, comes up among so many
            let pair = try key.sign("what is signed".utf8Span.span)
            #expect(pair.count == 64 && seen.insert(pair).inserted)
            try Data(der(pair)).write(to: URL(fileURLWithPath: path("signature")))
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
            process.arguments = [
                "dgst", "-sha256", "-prverify", path("key"), "-signature", path("signature"), path("message"),
            ]
            process.standardOutput = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            #expect(process.terminationStatus == 0)
        }
    }

    private func der(_ pair: [UInt8]) -> [UInt8] {
        let numbers = [pair[..<32], pair[32...]].flatMap { number -> [UInt8] in
            var digits = Array(number.drop { $0 == 0 })
            if digits.first.map({ $0 >= 0x80 }) ?? true { digits.insert(0, at: 0) }
            return [0x02, UInt8(digits.count)] + digits
        }
        return [0x30, UInt8(numbers.count)] + numbers
    }

    @Test(arguments: [
        ("", "the key holds no private key: it is not PEM (no -----BEGIN line)"),
        ("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "the key: the private key cannot be read: "),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            "the key holds no private key: it holds PEM blocks"
        ),
    ])
    func `what is no key is refused by name, without its text`(pem: String, message: String) throws {
        let error = #expect(throws: TLSError.self) { try key(pem) }
        let text = try #require(error).message
        #expect(text.hasPrefix(message) && !text.contains("AAAA"))
    }

    @Test(arguments: [
        ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
        ["genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"], ["genpkey", "-algorithm", "ed25519"],
    ])
    func `keys of other kinds and short ones are refused`(arguments: [String]) throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        let pem = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        #expect(pem.contains("PRIVATE KEY"))
        #expect(throws: TLSError.self) { try key(pem) }
    }
}
