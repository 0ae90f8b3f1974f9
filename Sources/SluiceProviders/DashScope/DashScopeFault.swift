package import SluiceHTTP
package import SluiceJSON

/// DashScope's errors, of both of its surfaces (alibaba sheet, section 4).
package enum DashScopeFault {
    /// - Parameter status: what HTTP says; `nil` within a reply with status 200.
    /// - Returns: `nil` if the document is no error.
    package static func read(_ document: JSONValue, status: Status?) -> ProviderFault? {
        if let error = document["error"], error.isObject { return read(error, hasOutput: false, status) }
        return read(document, hasOutput: document["output"]?.isObject == true, status)
    }

    private static func read(_ error: JSONValue, hasOutput: Bool, _ status: Status?) -> ProviderFault? {
        guard let code = error["code"]?.string, !code.isEmpty else { return nil }
        if status == nil, hasOutput { return nil }
        let message = error["message"]?.string ?? ""
        let meaning = meaning(of: code, message) ?? (status.map(FaultClass.of) ?? .failed)
        return meaning.fault(message, param: meaning.code == FaultClass.tooManyTokens.code ? "messages" : nil)
    }

    private static func meaning(of code: String, _ message: String) -> FaultClass? {
        switch code {
        case "InvalidParameter", "InternalError.Algo.InvalidParameter", "invalid_parameter_error",
            "invalid_request_error",
            "InputDownloadFailed", "UnsupportedFileFormat":
            return message.contains("Range of input length") ? .tooManyTokens : .invalid
        case "DataInspectionFailed", "data_inspection_failed": return .filtered
        case "Arrearage", "AccessDenied.Unpurchased", "AllocationQuota.FreeTierOnly", "CommodityNotPurchased",
            "PrepaidBillOverdue", "PostpaidBillOverdue", "BudgetLimitExceeded":
            return .spent
        case "InvalidApiKey", "invalid_api_key": return .unauthorized
        case "AccessDenied", "Model.AccessDenied", "Workspace.AccessDenied", "access_denied": return .forbidden
        case "ModelNotFound", "model_not_found", "WorkSpaceNotFound": return .unknownModel
        case "RequestTimeOut": return .timedOut
        case "BadRequest.TooLarge": return .tooLarge
        // Tokens a minute in practice, not money, unless the message says so.
        case "Throttling.AllocationQuota", "insufficient_quota":
            return message.lowercased().contains("free allocated quota exceeded") ? .spent : .limited
        case "Throttling.ServiceOverloaded", "ModelUnavailable", "ModelServingError": return .overloaded
        case "limit_requests", "limit_burst_rate": return .limited
        case "InternalError.Timeout": return .failed
        case "SystemError", "ModelServiceFailed": return .failed
        default: break
        }
        if code.hasPrefix("Throttling") { return .limited }
        if code.hasPrefix("InternalError") { return .failed }
        if code.hasPrefix("InvalidParameter") { return .invalid }
        return nil
    }
}
