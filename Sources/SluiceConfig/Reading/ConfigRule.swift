package import SluiceCore

/// How one kind of setting is read, checked and described.
package struct ConfigRule<Value> {
    /// What it is, for the reference: `string`, `integer`, `duration in ms`.
    package var type: String
    /// What is allowed, for the reference and for errors: `0 to 3600000`.
    package var allowed: String
    /// Stands for a value that was wrong: the reading goes on, to find other mistakes, and its result is thrown away.
    var placeholder: Value
    var isSecret = false
    var read: (ConfigValue, ConfigContext) throws(ConfigRefusal) -> Value
    /// How a default is shown.
    var show: (Value) -> ConfigValue.Kind
}

/// Why a value is not accepted.
package enum ConfigRefusal: Error {
    /// It is not what the rule allows.
    case notAllowed
    /// For a reason of its own.
    case because(String)
}

extension ConfigRule {
    /// Text that `parse` understands, or returns `nil` for.
    package static func text(
        _ type: String, allowed: String, placeholder: Value, show: @escaping (Value) -> String,
        _ parse: @escaping (String) -> Value?
    ) -> ConfigRule {
        ConfigRule(type: type, allowed: allowed, placeholder: placeholder) { value, context throws(ConfigRefusal) in
            guard let result = parse(try context.text(of: value)) else { throw .notAllowed }
            return result
        } show: {
            .string(show($0))
        }
    }
}

extension ConfigRule where Value == String {
    /// One line of text.
    package static func string(bytes: ClosedRange<Int> = 1...4096) -> ConfigRule {
        text("string", allowed: "a string of \(bytes.shown) bytes without control characters", placeholder: "") {
            $0
        } _: { text in
            bytes.contains(text.utf8.count)
                && !text.unicodeScalars.contains { $0.properties.generalCategory == .control }
                ? text : nil
        }
    }

    /// The path of a file, which is not looked at here.
    package static var filePath: ConfigRule {
        text("file", allowed: "the path of a file", placeholder: "") {
            $0
        } _: {
            $0.isEmpty || $0.utf8.contains(0) || $0.utf8.count > 4096 ? nil : $0
        }
    }

    /// The path of a file, which is looked at: it must be there, and it is watched for changes.
    package static func file(byteCountMax: Int) -> ConfigRule {
        ConfigRule(type: "file", allowed: "the path of a file", placeholder: "") {
            value, context throws(ConfigRefusal) in
            guard case .string(let written) = value.kind else { throw .notAllowed }
            let path = try context.text(of: value)
            if path.isEmpty || path.utf8.contains(0) { throw .notAllowed }
            _ = try context.content(ofFile: path, writtenAs: written, byteCountMax: byteCountMax)
            return path
        } show: {
            .string($0)
        }
    }
}

extension ConfigRule where Value == Int {
    package static func integer(in range: ClosedRange<Int>) -> ConfigRule {
        ConfigRule(type: "integer", allowed: range.shown, placeholder: range.lowerBound) {
            value, context throws(ConfigRefusal) in
            guard let number = try context.integer(of: value), range.contains(number) else { throw .notAllowed }
            return number
        } show: {
            .integer($0)
        }
    }
}

extension ConfigRule where Value == Int {
    /// One of a few numbers; there is at least one.
    package static func integer(among numbers: [Int]) -> ConfigRule {
        ConfigRule(type: "integer", allowed: alternatives(numbers.map(String.init)), placeholder: numbers[0]) {
            value, context throws(ConfigRefusal) in
            guard let number = try context.integer(of: value), numbers.contains(number) else { throw .notAllowed }
            return number
        } show: {
            .integer($0)
        }
    }
}

extension ConfigRule where Value == Double {
    package static func number(in range: ClosedRange<Double>) -> ConfigRule {
        ConfigRule(
            type: "number", allowed: "\(range.lowerBound) to \(range.upperBound)", placeholder: range.lowerBound
        ) { value, context throws(ConfigRefusal) in
            guard let number = try context.number(of: value), range.contains(number) else { throw .notAllowed }
            return number
        } show: {
            .number($0)
        }
    }
}

extension ConfigRule where Value == Duration {
    /// Whole milliseconds; a key read by this rule ends in `_ms`.
    package static func milliseconds(in range: ClosedRange<Int>) -> ConfigRule {
        ConfigRule(type: "duration in ms", allowed: range.shown, placeholder: .milliseconds(range.lowerBound)) {
            value, context throws(ConfigRefusal) in
            guard let number = try context.integer(of: value), range.contains(number) else { throw .notAllowed }
            return .milliseconds(number)
        } show: {
            .integer(Int($0.milliseconds))
        }
    }
}

extension ConfigRule where Value == Bool {
    package static var boolean: ConfigRule {
        ConfigRule(type: "boolean", allowed: "true or false", placeholder: false) {
            value, context throws(ConfigRefusal) in
            guard let result = try context.boolean(of: value) else { throw .notAllowed }
            return result
        } show: {
            .boolean($0)
        }
    }
}

extension ConfigRule where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    /// One of the names of an enumeration that has at least one case.
    package static func choice(of type: Value.Type = Value.self) -> ConfigRule {
        let all = Array(type.allCases)
        return text("choice", allowed: alternatives(all.map(\.rawValue)), placeholder: all[0], show: \.rawValue) {
            Value(rawValue: $0)
        }
    }
}

extension ConfigRule where Value == BaseURL {
    package static func url(_ schemes: [BaseURL.Scheme] = [.http, .https]) -> ConfigRule {
        let names = alternatives(schemes.map(\.rawValue))
        return ConfigRule(
            type: "URL", allowed: "an \(names) URL without user, query and fragment", placeholder: .placeholder
        ) { value, context throws(ConfigRefusal) in
            do {
                return try BaseURL(try context.text(of: value), schemes: schemes)
            } catch let error as BaseURL.Malformed {
                throw .because(error.message)
            } catch let error as ConfigRefusal {
                throw error
            } catch {
                throw .notAllowed
            }
        } show: {
            .string($0.description)
        }
    }
}

extension ConfigRule where Value == Secret {
    /// The secret itself, `file:` and a path, or `env:` and a name.
    ///
    /// - Parameter isAllowed: what the secret's bytes must be, beyond not being empty; told as `allowed`.
    package static func secret(
        allowed: String = "a string, \"file:/path\" or \"env:NAME\"",
        _ isAllowed: @escaping (Span<UInt8>) -> Bool = { _ in true }
    ) -> ConfigRule<Secret> {
        ConfigRule(type: "secret", allowed: allowed, placeholder: Secret(""), isSecret: true) {
            value, context throws(ConfigRefusal) in
            let secret = try context.secret(of: value)
            if secret.isEmpty { throw .because("the secret is empty") }
            if !secret.withExposed(isAllowed) { throw .notAllowed }
            return secret
        } show: { _ in
            .string(Secret.mask)
        }
    }
}

extension ClosedRange<Int> {
    /// As it stands in a message: `0 to 3600000`.
    var shown: String { "\(lowerBound) to \(upperBound)" }
}
