extension Server {
    func beginTelemetry() {
        let instance = TelemetryBuilder.instance(environment, sockets.addresses.map(\.address))
        let telemetry = Telemetry(on: loop, shared: shared, instance: instance)
        self.telemetry = telemetry
        telemetry.adopt(shared.current.telemetry)
    }

    /// Sends what is left, for as long as receivers' timeouts allow. Nobody is served any more: what is counted is final.
    ///
    /// - Parameter done: called once, on the control loop.
    func endTelemetry(_ done: @escaping () -> Void) {
        guard let telemetry else { return done() }
        telemetry.finish(done)
    }
}
