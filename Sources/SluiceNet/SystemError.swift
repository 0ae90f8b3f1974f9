internal import CLinux

/// A system call that failed, and what it was for.
package struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    package let code: Int32
    package let call: StaticString

    package init(_ call: StaticString, code: Int32 = sluice_errno()) {
        self.call = call
        self.code = code
    }

    package static func == (a: SystemError, b: SystemError) -> Bool { a.code == b.code }

    /// The reason in words, for example `Connection refused`.
    package var reason: String { unsafe String(cString: strerror(code)) }
    package var description: String { "\(call): \(reason)" }
}
