internal import SluiceCore
package import SluiceTLS

/// A configuration's text with its sealed values, which can be sealed anew where they stand: comments and layout stay.
package struct SealedDocument {
    package struct Value: Sendable, Equatable {
        /// What it was sealed for.
        package let purpose: String
        package let location: ConfigLocation
        package let text: String
    }

    /// Why nothing was changed.
    package struct Refusal: Error, CustomStringConvertible {
        package let description: String
    }

    package private(set) var bytes: [UInt8]
    package private(set) var values: [Value]

    package init(_ bytes: [UInt8]) throws(ConfigErrors) {
        let root = try ConfigReader.parse(bytes)
        self.bytes = bytes
        values = []
        collect(root, path: "")
    }

    /// Depth is bounded by the parser.
    private mutating func collect(_ value: ConfigValue, path: String) {
        switch value.kind {
        case .string(let text) where SecretVault.isSealed(text):
            values.append(Value(purpose: ConfigPath.purpose(of: path), location: value.location, text: text))
        case .list(let elements): for element in elements { collect(element, path: path) }
        case .object(let members):
            for member in members { collect(member.value, path: ConfigPath.child(of: path, member.key)) }
        default: break
        }
    }

    /// Seals every value with the vault's current key, all or none.
    ///
    /// - Returns: how many were sealed with another one.
    package mutating func rotate(_ vault: SecretVault) throws(Refusal) -> Int {
        var changed = bytes
        var moved = 0
        var texts: [String: String] = [:]
        for value in values {
            do throws(SecretError) {
                guard let fresh = try vault.resealed(value.text, purpose: value.purpose) else { continue }
                moved += 1
                // The same text stands in two places only as a copy of one.
                if texts.updateValue(value.purpose, forKey: value.text) != nil { continue }
                guard Self.replace(value.text, with: fresh, in: &changed) else { throw .malformed }
            } catch {
                throw Refusal(description: "\(value.purpose) (line \(value.location.line)): \(error)")
            }
        }
        bytes = changed
        return moved
    }

    /// Wherever it stands: a copy in a comment changes too.
    ///
    /// - Returns: whether it stands anywhere as it is, not written with escapes.
    private static func replace(_ old: String, with new: String, in bytes: inout [UInt8]) -> Bool {
        let old = Array(old.utf8)
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var at = 0
        var isFound = false
        while at < bytes.count {
            if bytes[at] == old[0], bytes.count - at >= old.count, bytes[at..<at + old.count].elementsEqual(old) {
                result += new.utf8
                at += old.count
                isFound = true
            } else {
                result.append(bytes[at])
                at += 1
            }
        }
        bytes = result
        return isFound
    }
}
