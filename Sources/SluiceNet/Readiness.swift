internal import CLinux

/// What happened on a file descriptor.
package struct Readiness: Sendable {
    let bits: UInt32
    package var isReadable: Bool {
        bits & (EPOLLIN.rawValue | EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0
    }
    package var isWritable: Bool { bits & (EPOLLOUT.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    /// The peer will send no more, or the connection is broken.
    package var hasEnded: Bool { bits & (EPOLLRDHUP.rawValue | EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
    package var isBroken: Bool { bits & (EPOLLHUP.rawValue | EPOLLERR.rawValue) != 0 }
}

/// What a file descriptor's events are given to.
package protocol EventHandler: AnyObject {
    func ready(_ readiness: Readiness)
}
