package import SluiceCore
internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceNet

/// Replies that need no provider: health.
enum LocalReplies {
    /// Answers `/health`, `/livez` and `/readyz`; rejects every other path.
    static func health(
        _ target: borrowing RequestTarget, _ context: RequestContext, _ status: GatewayStatus
    ) throws(Rejection) {
        let isHealth = target.segment(0, is: "health") || target.segment(0, is: "healthz")
        let isLive = target.segment(0, is: "livez")
        let isReady = target.segment(0, is: "readyz")
        guard target.segmentCount == 1, isHealth || isLive || isReady else { throw Reception.unknownURL(context) }
        context.route = isHealth ? "/health" : isLive ? "/livez" : "/readyz"
        let method = context.exchange.head.method
        if method != .get && method != .head { throw Reception.methodNotAllowed("GET, HEAD", context) }
        send(HealthReport.body(status), context, status: isReady && !status.isReady ? 503 : 200)
    }

    /// Sends a JSON body.
    static func send(_ body: ByteBuffer, _ context: RequestContext, status: Status = 200) {
        var fields = HeaderFields(reservingBytes: 128, fields: 3)
        fields.append(.contentType, "application/json")
        context.appendRequestID(to: &fields)
        context.status = status
        context.firstByteAt = context.exchange.loop.now
        context.exchange.sendHead(ResponseHead(status, fields: fields), body: .known(body.count))
        context.exchange.send(sharing: body)
        context.exchange.finish()
    }
}

/// What health endpoints say, on every port.
package enum HealthReport {
    /// What the process has on its hands: the operator's business, and nobody else's.
    package struct Load {
        /// Exchanges under way.
        var inFlight: Int
        /// Downstream connections that are open.
        var connections: Int
        /// How Redis is, in a word: for information, nothing is unready for want of it.
        var redis: String
        /// Why nothing is recorded at the moment.
        package var recordsStopped: String?

        /// Whether the audit log is written; `nil` if there is none.
        package var audit: String?

        package init(inFlight: Int, connections: Int, redis: String) {
            self.inFlight = inFlight
            self.connections = connections
            self.redis = redis
        }
    }

    package static func body(_ status: GatewayStatus, load: Load? = nil) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 192)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.member("status", status.isReady ? "ok" : "not_ready")
            json.member("version", status.version)
            json.member("config_revision", status.configRevision)
            if let revision = status.controlRevision { json.member("control_revision", revision) }
            if let load {
                json.member("in_flight", load.inFlight)
                json.member("connections", load.connections)
                json.member("redis", load.redis)
                if let reason = load.recordsStopped { json.member("records_error", reason) }
                if let audit = load.audit { json.member("audit", audit) }
            }
            if let error = status.lastReloadError { json.member("config_error", error) }
        }
        return buffer
    }
}
