internal import SluiceUpstream

/// A reply that comes event by event, and is passed on by the loop alone: no task waits while it is silent.
protocol RelayedStream: BodySink {
    /// - Parameter onEnd: called once when nothing more comes; why, if the provider's message is not whole.
    func start(_ onEnd: @escaping (UpstreamError?) -> Void)
    /// The provider's message is complete as HTTP; whether the answer is, its events say.
    func end() throws(UpstreamError)
    /// Called once on every way out, after `end()`.
    func stop()
}
