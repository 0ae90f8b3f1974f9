internal import CLinux
internal import Glibc

/// Passes listening sockets from one process to its successor over a unix socket (SCM_RIGHTS, unix(7)).
package enum HandoverSocket {
    /// The most descriptors in one message: the kernel's SCM_MAX_FD is 253.
    package static let descriptorsMax = 250

    /// Sends descriptors with a line of text that says what they are.
    package static func send(_ fds: [Int32], text: String, over socket: Int32) throws(SystemError) {
        precondition(fds.count <= descriptorsMax)
        let bytes = Array(text.utf8)
        let result = unsafe fds.withUnsafeBufferPointer { list in
            unsafe bytes.withUnsafeBufferPointer { text in
                unsafe sluice_send_fds(socket, list.baseAddress, list.count, text.baseAddress, text.count)
            }
        }
        if result < 0 { throw SystemError("sendmsg") }
    }

    /// Receives what `send` sent. The descriptors are closed when another program is run.
    package static func receive(over socket: Int32) throws(SystemError) -> (fds: [Int32], text: String) {
        var fds = [Int32](repeating: -1, count: descriptorsMax)
        var count = fds.count
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let length = unsafe fds.withUnsafeMutableBufferPointer { list in
            unsafe bytes.withUnsafeMutableBufferPointer { text in
                unsafe sluice_receive_fds(socket, list.baseAddress, &count, text.baseAddress, text.count)
            }
        }
        if length < 0 { throw SystemError("recvmsg") }
        return (Array(fds.prefix(count)), String(decoding: bytes.prefix(length), as: UTF8.self))
    }
}
