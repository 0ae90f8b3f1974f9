internal import SluiceCore
internal import SluiceJSON

/// How reasoning that its provider wants back unchanged travels through the responses dialect: in the `encrypted_content` of reasoning
/// items, which applications keep and send back as it is.
///
/// OpenAI's own content is there as it came. Any other provider's seal stands behind `sluice-1:FORMAT:KIND:`, where FORMAT is one of
/// `ReasoningDetails` and KIND says what is sealed.
enum SealedReasoning {
    enum Kind: CaseIterable {
        /// The signature over the item's summary.
        case text
        /// A block that is encrypted as a whole.
        case data
        /// What belongs to the next function call (Gemini's thought signature).
        case call

        fileprivate var mark: StaticString {
            switch self {
            case .text: "text:"
            case .data: "data:"
            case .call: "call:"
            }
        }
    }

    /// A content that has been told apart.
    struct Opened: ~Escapable {
        let kind: Kind
        let format: StaticString
        let seal: ReplyText

        @_lifetime(copy seal)
        init(_ kind: Kind, _ format: StaticString, _ seal: ReplyText) {
            self.kind = kind
            self.format = format
            self.seal = seal
        }
    }

    private static let mark: StaticString = "sluice-1:"
    private static let formats = [
        ReasoningDetails.anthropic, ReasoningDetails.bedrock, ReasoningDetails.google, ReasoningDetails.openAI,
    ]

    /// Appends the inside of a JSON string.
    static func append(_ kind: Kind, _ format: StaticString, _ seal: ReplyText, to buffer: ByteBuffer) {
        if kind != .data || format.utf8CodeUnitCount != ReasoningDetails.openAI.utf8CodeUnitCount
            || "\(format)" != "\(ReasoningDetails.openAI)"
        {
            buffer.append(mark)
            buffer.append(format)
            buffer.append(UInt8(ascii: ":"))
            buffer.append(kind.mark)
        }
        seal.append(escapedTo: buffer)
    }

    /// - Returns: `nil` if there is nothing in it, or if it is of a kind that we do not know.
    @_lifetime(copy content)
    static func open(_ content: JSONValue) -> Opened? {
        guard let bytes = content.escapedBytes, !bytes.isEmpty else { return nil }
        if !bytes.hasPrefix(mark) { return Opened(.data, ReasoningDetails.openAI, .escaped(bytes)) }
        let rest = bytes.extracting(mark.utf8CodeUnitCount...)
        for format in formats where rest.hasPrefix(format) {
            let length = format.utf8CodeUnitCount
            guard rest.count > length, rest[length] == UInt8(ascii: ":") else { continue }
            let sealed = rest.extracting((length + 1)...)
            for kind in Kind.allCases where sealed.hasPrefix(kind.mark) {
                return Opened(kind, format, .escaped(sealed.extracting(kind.mark.utf8CodeUnitCount...)))
            }
        }
        return nil
    }
}
