/// Why a form cannot be read.
package enum FormError: Error, Equatable, Sendable {
    case tooManyFields
    case missingBoundary, invalidBoundary
    case tooManyParts, partHeadTooLarge, malformedPartHead, malformedDelimiter, missingName, truncated

    package var status: Status {
        switch self {
        case .tooManyFields, .tooManyParts, .partHeadTooLarge: 413
        default: 400
        }
    }

    /// What is wrong, for whoever wrote the sender.
    package var message: StaticString {
        switch self {
        case .tooManyFields: "The form has too many fields."
        case .missingBoundary: "The content type must be multipart/form-data with a boundary."
        case .invalidBoundary: "The multipart boundary must be 1 to 70 of the characters that RFC 2046 allows."
        case .tooManyParts: "The form has too many parts."
        case .partHeadTooLarge: "The header fields of a part of the form are too large."
        case .malformedPartHead: "The header fields of a part of the form are malformed."
        case .malformedDelimiter: "A multipart boundary must be followed by CR LF, or by -- if it is the last one."
        case .missingName: "Every part of the form must have a Content-Disposition: form-data with a name."
        case .truncated: "The form does not end with its boundary."
        }
    }
}
