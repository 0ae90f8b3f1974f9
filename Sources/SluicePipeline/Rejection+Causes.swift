internal import SluiceDownstream
internal import SluiceHTTP
internal import SluiceJSON
internal import SluiceProviders
internal import SluiceUpstream

extension Rejection {
    /// - Parameter limitName: the setting that says how long a body may be.
    init(_ failure: DownstreamFailure, limitName: StaticString = "limits.body_bytes_max") {
        switch failure {
        case .gone, .stalled: self = .gone
        case .bodyTooLarge(let limit):
            self.init(
                .caller, 413, code: "request_too_large",
                "The request body is longer than \(limit) bytes (\(limitName)).")
        case .bodyMalformed(let reason): self.init(.caller, 400, code: "invalid_body", reason)
        case .bodyTimeout: self.init(.caller, 408, code: "request_timeout", "The request body did not arrive in time.")
        }
    }

    init(_ error: JSONError) {
        self.init(.caller, 400, code: "invalid_json", "The request body is not valid JSON: \(error).")
    }

    init(_ error: UpstreamError, provider: String) {
        let detail = "Provider \(provider): \(error.detail)."
        switch error.reason {
        case .cancelled: self = .gone
        case .headTimeout, .idleTimeout, .totalTimeout, .connectTimeout:
            self.init(.provider, 504, type: "api_error", code: Self.code(error.reason), detail, isRetryable: true)
        case .shutdown: self = .shuttingDown
        case .poolExhausted:
            self.init(.gateway, 503, type: "api_error", code: Self.code(error.reason), detail, isRetryable: true)
        case .tokenRefused:
            self.init(.gateway, 401, type: "authentication_error", code: Self.code(error.reason), detail)
        case .name, .connect, .proxy, .tls, .closedBeforeHead, .closedInBody, .malformed, .tooLarge, .reported, .token:
            self.init(.provider, 502, type: "api_error", code: Self.code(error.reason), detail, isRetryable: true)
        }
    }

    /// A provider's own error, in OpenAI's words.
    init(_ fault: ProviderFault) {
        self.init(
            ProviderError.owner(of: fault.status), fault.status, type: fault.type, code: fault.code ?? "upstream_error",
            fault.message,
            param: fault.param, isRetryable: fault.isRetryable, retryAfter: fault.retryAfter)
    }

    private static func code(_ reason: UpstreamError.Reason) -> String {
        switch reason {
        case .name: "upstream_name"
        case .connect: "upstream_connect"
        case .connectTimeout: "upstream_connect_timeout"
        case .proxy: "upstream_proxy"
        case .tls: "upstream_tls"
        case .poolExhausted: "upstream_busy"
        case .closedBeforeHead: "upstream_closed"
        case .closedInBody: "upstream_truncated"
        case .malformed: "upstream_malformed"
        case .headTimeout: "upstream_timeout"
        case .idleTimeout: "upstream_idle_timeout"
        case .totalTimeout: "total_timeout"
        case .tooLarge: "upstream_too_large"
        case .reported: "upstream_error"
        case .token: "upstream_token"
        case .tokenRefused: "invalid_api_key"
        case .shutdown: "shutting_down"
        case .cancelled: "client_closed_request"
        }
    }
}
