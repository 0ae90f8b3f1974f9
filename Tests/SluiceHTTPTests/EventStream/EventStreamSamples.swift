import SluiceCore

/// Frames as AWS's own library makes and reads them.
enum EventStreamSamples {
    static let empty = bytes("000000100000000005c248eb7d98c8ff")
    static let bare = bytes("0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936")
    static let exception = bytes(
        "000000b2000000613590d5d30f3a657863657074696f6e2d747970650700137468726f74746c696e67457863657074696f6e0d3a636f6e"
            + "74656e742d747970650700106170706c69636174696f6e2f6a736f6e0d3a6d6573736167652d747970650700096578636570746"
            + "96f6e7b226d657373616765223a22546f6f206d616e792072657175657374732c20706c656173652077616974206265666f7265"
            + "20747279696e6720616761696e2e227de8ffb26a")

    /// Five events, 753 bytes: a whole answer of ConverseStream.
    static let answer = Base64.decode(answerText.utf8Span.span) ?? []

    private static let answerText = """
        AAAAgQAAAFJswXaTCzpldmVudC10eXBlBwAMbWVzc2FnZVN0YXJ0DTpjb250ZW50LXR5cGUHABBhcHBsaWNhdGlvbi9qc29uDTptZXNz\
        YWdlLXR5cGUHAAVldmVudHsicCI6ImFiY2QiLCJyb2xlIjoiYXNzaXN0YW50In31EqAFAAAAowAAAFenqv54CzpldmVudC10eXBlBwAR\
        Y29udGVudEJsb2NrRGVsdGENOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pzb24NOm1lc3NhZ2UtdHlwZQcABWV2ZW50eyJjb250\
        ZW50QmxvY2tJbmRleCI6MCwiZGVsdGEiOnsidGV4dCI6IkhpIn0sInAiOiJhYmNkZWZnaCJ9C8o3vgAAAIYAAABW2Yxumgs6ZXZlbnQt\
        dHlwZQcAEGNvbnRlbnRCbG9ja1N0b3ANOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pzb24NOm1lc3NhZ2UtdHlwZQcABWV2ZW50\
        eyJjb250ZW50QmxvY2tJbmRleCI6MCwicCI6ImFiIn3zOIogAAAAhAAAAFE9KKhZCzpldmVudC10eXBlBwALbWVzc2FnZVN0b3ANOmNv\
        bnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pzb24NOm1lc3NhZ2UtdHlwZQcABWV2ZW50eyJwIjoiYWJjIiwic3RvcFJlYXNvbiI6ImVu\
        ZF90dXJuIn2Ke73QAAAAwwAAAE5a8yH1CzpldmVudC10eXBlBwAIbWV0YWRhdGENOmNvbnRlbnQtdHlwZQcAEGFwcGxpY2F0aW9uL2pz\
        b24NOm1lc3NhZ2UtdHlwZQcABWV2ZW50eyJtZXRyaWNzIjp7ImxhdGVuY3lNcyI6MzIxfSwicCI6ImFiY2RlIiwidXNhZ2UiOnsiaW5w\
        dXRUb2tlbnMiOjgsIm91dHB1dFRva2VucyI6MiwidG90YWxUb2tlbnMiOjEwfX3zSAQ6
        """

    private static func bytes(_ hexadecimal: String) -> [UInt8] {
        let digits = hexadecimal.utf8.compactMap(\.hexDigitValue)
        return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
    }

    /// A frame with the CRCs it needs.
    static func frame(headers: [UInt8] = [], payload: [UInt8] = [], headersByteCount: Int? = nil) -> [UInt8] {
        var frame = number(16 + headers.count + payload.count) + number(headersByteCount ?? headers.count)
        frame += number(Int(slowCRC(frame))) + headers + payload
        return frame + number(Int(slowCRC(frame)))
    }

    static func number(_ value: Int) -> [UInt8] { [24, 16, 8, 0].map { UInt8(value >> $0 & 255) } }

    /// A bit at a time, as the polynomial defines it.
    static func slowCRC(_ bytes: [UInt8]) -> UInt32 {
        var crc = UInt32.max
        for byte in bytes {
            crc ^= UInt32(byte)
            for _ in 0..<8 { crc = crc >> 1 ^ (crc & 1 == 0 ? 0 : 0xEDB8_8320) }
        }
        return ~crc
    }
}
