internal import Glibc

/// Text for people, on the standard descriptors.
package enum FileHandleOutput {
    package static func standardOutput(_ text: String) { write(text, to: STDOUT_FILENO) }
    package static func standardError(_ text: String) { write(text, to: STDERR_FILENO) }

    private static func write(_ text: String, to fd: Int32) {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { unsafe Glibc.write(fd, $0.baseAddress, $0.count) }
            if count <= 0 { return }
            rest = rest.dropFirst(count)
        }
    }
}
