internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// Why the management API refuses a request, in words that are meant for whoever made it.
struct ManagementError: Error, Sendable, Equatable {
    /// The closed set of codes; each has one status. HTTPAPI.md lists them.
    enum Code: String, Sendable, CaseIterable {
        case invalidPath = "invalid_path"
        case invalidBody = "invalid_body"
        case invalidJSON = "invalid_json"
        case invalidParameter = "invalid_parameter"
        case permissionDenied = "permission_denied"
        case crossOrigin = "cross_origin"
        case unknownURL = "unknown_url"
        case notFound = "not_found"
        case methodNotAllowed = "method_not_allowed"
        case notAcceptable = "not_acceptable"
        case requestTimeout = "request_timeout"
        case alreadyExists = "already_exists"
        /// The setting stands in the configuration file, which the API does not change.
        case ownedByFile = "owned_by_file"
        /// Nothing can be changed through the API here.
        case readOnly = "read_only"
        /// A secret cannot be kept: there is no key to seal it with.
        case noSealingKey = "no_sealing_key"
        case preconditionFailed = "precondition_failed"
        case requestTooLarge = "request_too_large"
        case unsupportedMediaType = "unsupported_media_type"
        case invalidConfiguration = "invalid_configuration"
        case preconditionRequired = "precondition_required"
        case managementBusy = "management_busy"
        case storageUnavailable = "storage_unavailable"
        case managementTimeout = "management_timeout"

        var status: Status {
            switch self {
            case .invalidPath, .invalidBody, .invalidJSON, .invalidParameter: 400
            case .permissionDenied, .crossOrigin: 403
            case .unknownURL, .notFound: 404
            case .methodNotAllowed: 405
            case .notAcceptable: 406
            case .requestTimeout: 408
            case .alreadyExists, .ownedByFile, .readOnly, .noSealingKey: 409
            case .preconditionFailed: 412
            case .requestTooLarge: 413
            case .unsupportedMediaType: 415
            case .invalidConfiguration: 422
            case .preconditionRequired: 428
            case .managementBusy, .storageUnavailable: 503
            case .managementTimeout: 504
            }
        }

        var type: StaticString {
            switch self {
            case .permissionDenied, .crossOrigin: "permission_error"
            case .managementBusy, .storageUnavailable, .managementTimeout: "api_error"
            default: "invalid_request_error"
            }
        }
    }

    /// One of several things that are wrong.
    struct Detail: Sendable, Equatable {
        let path: String
        let message: String
    }

    let code: Code
    let message: String
    /// The parameter, field or setting in question.
    let param: String?
    /// Everything that is wrong, where that is more than one thing.
    var details: [Detail] = []
    /// Methods that the path has, for `Allow`.
    var allowed: String?

    init(_ code: Code, _ message: String, param: String? = nil, details: [Detail] = [], allowed: String? = nil) {
        self.code = code
        self.message = message
        self.param = param
        self.details = details
        self.allowed = allowed
    }

    /// `{"error":{"type","code","message","param"}}`, and `details` where there are any.
    var body: ByteBuffer {
        let buffer = ByteBuffer(capacity: 256)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("error")
            json.object { json in
                json.key("type")
                json.string(code.type)
                json.member("code", code.rawValue)
                json.member("message", message)
                json.key("param")
                if let param { json.string(param) } else { json.null() }
                if !details.isEmpty { Self.write(details, &json) }
            }
        }
        return buffer
    }

    private static func write(_ details: [Detail], _ json: inout JSONWriter) {
        json.key("details")
        json.array { json in
            for detail in details {
                json.object { json in
                    json.member("path", detail.path)
                    json.member("message", detail.message)
                }
            }
        }
    }
}
