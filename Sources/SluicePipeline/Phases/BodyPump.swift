internal import SluiceCore
internal import SluiceNet
internal import SluiceUpstream

/// Passes a request body on while it comes, at the pace of the slower side.
enum BodyPump {
    /// Runs beside the wait for the response: a provider may answer before it has read everything.
    static func start(
        _ next: @escaping () async throws(UpstreamError) -> ByteBuffer?, into upstream: UpstreamExchange
    ) {
        upstream.loop.spawn {
            do throws(UpstreamError) {
                while let bytes = try await next() { try await upstream.send(bytes) }
                upstream.finishSending()
            } catch {
                upstream.cancel(error)
            }
        }
    }
}
