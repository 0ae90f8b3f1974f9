package import SluiceCore
internal import SluiceTLS

/// A token that somebody else keeps fresh in a file, as Kubernetes does for a pod.
package enum TokenFile {
    private static let byteCountMax = JSONWebToken.byteCountMax

    /// `Bearer`, and the file's text without the white space around it. Blocks on the disk, which is memory where pods
    /// have it.
    package static func bearer(_ path: String) throws(IdentityClient.Failure) -> Secret {
        let file = try read(path)
        let bytes = file.span
        var end = bytes.count
        while end > 0, bytes[end - 1] <= ASCII.space { end -= 1 }
        guard 1...byteCountMax ~= end else { throw IdentityClient.Failure("the token file is empty or too long") }
        for index in 0..<end where bytes[index] <= 0x20 || bytes[index] >= 0x7F {
            throw IdentityClient.Failure("the token file holds something else")
        }
        let buffer = ByteBuffer("Bearer ")
        buffer.append(bytes.extracting(0..<end))
        return Secret(buffer.span)
    }

    private static func read(_ path: String) throws(IdentityClient.Failure) -> FileBytes {
        do throws(TLSError) {
            return try FileBytes(path: path)
        } catch {
            throw IdentityClient.Failure("the token file cannot be read: \(error.message)")
        }
    }
}
