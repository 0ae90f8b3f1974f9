import SluiceCore
import SluiceTLS
import TestSupport
import Testing

@Suite struct `AES-256-GCM` {
    /// Test cases 14 and 16 of McGrew and Viega, "The Galois/Counter Mode of Operation".
    @Test(arguments: [
        (
            String(repeating: "0", count: 64), "000000000000000000000000", "", String(repeating: "0", count: 32),
            "cea7403d4d606b6e074ec5d3baf39d18" + "d0d1c8a799996bf0265b98b5d48ab919"
        ),
        (
            "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308", "cafebabefacedbaddecaf888",
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
                + "1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39",
            "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
                + "8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662" + "76fc6ece0f4e1768cddf8853bb2d551b"
        ),
    ])
    func `gives the values of its authors`(key: String, nonce: String, context: String, text: String, sealed: String)
        throws
    {
        let cipher = try #require(AuthenticatedCipher(key: Secret(bytes(key).span)))
        let buffer = ByteBuffer()
        cipher.seal(bytes(text).span, nonce: bytes(nonce).span, context: bytes(context).span, into: buffer)
        #expect(copy(buffer) == bytes(sealed))
        let opened = ByteBuffer()
        let isOpen = cipher.open(buffer.span, nonce: bytes(nonce).span, context: bytes(context).span, into: opened)
        #expect(isOpen && copy(opened) == bytes(text))
    }

    @Test func `does not open what was changed, moved, or sealed under another key`() throws {
        let cipher = try #require(AuthenticatedCipher(key: Secret([UInt8](repeating: 1, count: 32).span)))
        let other = try #require(AuthenticatedCipher(key: Secret([UInt8](repeating: 2, count: 32).span)))
        let nonce = [UInt8](repeating: 3, count: 12)
        let context = Array("place".utf8)
        for text in ["", "a", "a longer text, of several blocks and a little more"] {
            let buffer = ByteBuffer()
            cipher.seal(text.utf8Span.span, nonce: nonce.span, context: context.span, into: buffer)
            let sealed = copy(buffer)
            for index in sealed.indices {
                var changed = sealed
                changed[index] ^= 0x40
                #expect(open(cipher, changed, nonce, context) == nil)
            }
            for count in 0..<sealed.count { #expect(open(cipher, Array(sealed[..<count]), nonce, context) == nil) }
            #expect(open(cipher, sealed, nonce, Array("another".utf8)) == nil)
            #expect(open(cipher, sealed, [UInt8](repeating: 4, count: 12), context) == nil)
            #expect(open(cipher, sealed, [1, 2], context) == nil)
            #expect(open(other, sealed, nonce, context) == nil)
            #expect(open(cipher, sealed, nonce, context) == Array(text.utf8))
        }
    }

    @Test func `takes keys of 32 bytes alone`() {
        #expect(AuthenticatedCipher(key: Secret([UInt8](repeating: 1, count: 31).span)) == nil)
        #expect(AuthenticatedCipher(key: Secret("")) == nil)
    }

    private func open(_ cipher: AuthenticatedCipher, _ sealed: [UInt8], _ nonce: [UInt8], _ context: [UInt8])
        -> [UInt8]?
    {
        let buffer = ByteBuffer()
        let isOpen = cipher.open(sealed.span, nonce: nonce.span, context: context.span, into: buffer)
        return isOpen ? copy(buffer) : buffer.isEmpty ? nil : [0xFF]
    }

    private func copy(_ buffer: ByteBuffer) -> [UInt8] { (0..<buffer.count).map { buffer[$0] } }

    private func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = Array(hexadecimal.utf8)
        return stride(from: 0, to: digits.count, by: 2).map {
            UInt8((digits[$0].hexDigitValue ?? 0) << 4 | (digits[$0 + 1].hexDigitValue ?? 0))
        }
    }
}
