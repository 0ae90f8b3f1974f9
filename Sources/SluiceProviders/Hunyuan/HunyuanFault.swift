internal import SluiceHTTP
package import SluiceJSON

/// Tencent's errors, which come with status 200 (tencent sheet, section 3.5).
package enum HunyuanFault {
    /// - Returns: `nil` if the document is no error.
    package static func inBand(_ document: JSONValue) -> ProviderFault? {
        if let error = document["Response"]?["Error"], error.isObject { return read(error) }
        if let error = document["Error"], error.isObject { return read(error) }
        guard let error = document["ErrorMsg"], error.isObject else { return nil }
        let code = error["Code"]?.int
        if code == 0 { return nil }
        return (code == 4001 ? FaultClass.timedOut : .failed).fault(error["Msg"]?.string ?? "")
    }

    private static func read(_ error: JSONValue) -> ProviderFault {
        let code = error["Code"]?.string ?? ""
        let message = error["Message"]?.string ?? ""
        if code == "AuthFailure.SignatureExpire" {
            return FaultClass.unauthorized.fault(message + " (Is this machine's clock right?)")
        }
        return meaning(of: code).fault(message)
    }

    /// The most particular comes first.
    private static func meaning(of code: String) -> FaultClass {
        switch code {
        case "UnauthorizedOperation", "FailedOperation.UserUnAuthError", "FailedOperation.ServiceNotActivated":
            return .lockedOut
        case "FailedOperation.PartnerAccountUnSupport", "FailedOperation.SetPayModeExceed": return .forbidden
        case "FailedOperation.EngineServerLimitExceeded": return .limited
        case "FailedOperation.EngineRequestTimeout": return .timedOut
        case "FailedOperation.FreeResourcePackExhausted", "FailedOperation.ResourcePackExhausted",
            "FailedOperation.ServiceStop",
            "FailedOperation.ServiceStopArrears", "ResourceInsufficient.ChargeResourceExhaust",
            "ResourceUnavailable.InArrears",
            "ResourceUnavailable.LowBalance", "ResourceUnavailable.StopUsing", "ResourceUnavailable.NotExist":
            return .spent
        case "InvalidParameterValue.Model", "ResourceNotFound": return .unknownModel
        case "FailedOperation.DownloadError", "FailedOperation.ImageDownloadError", "FailedOperation.ImageDecodeFailed",
            "InvalidParameter.ImageCountLimitExceededError", "InvalidParameter.ImageProcessingFailureError",
            "InvalidParameterValue.ImageRequestError":
            return FaultClass(400, "invalid_request_error", "invalid_image")
        case "OperationDenied.TextIllegalDetected", "OperationDenied.ImageIllegalDetected": return .filtered
        case "UnsupportedOperation", "InvalidAction", "NoSuchVersion":
            return FaultClass(501, "server_error", "not_supported")
        default: break
        }
        for (prefix, meaning) in prefixes where code.hasPrefix(prefix) { return meaning }
        return .failed
    }

    private static let prefixes: [(String, FaultClass)] = [
        ("AuthFailure", .unauthorized), ("UnauthorizedOperation", .lockedOut), ("RequestLimitExceeded", .limited),
        ("LimitExceeded", .limited), ("InvalidParameter", .invalid), ("MissingParameter", .invalid),
        ("UnknownParameter", .invalid),
    ]
}
