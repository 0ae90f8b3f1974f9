internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON

/// A request's body after one look at it: what it is, and for which model.
struct RequestContent {
    private(set) var model = ""
    private(set) var isJSON = false
    private(set) var form: FormFields?
    /// Why the body cannot be used.
    private(set) var mistake: APIError?

    /// - Parameter tape: has the document afterwards, if it is JSON.
    init(_ endpoint: Endpoint, _ head: RequestHead, _ body: ByteBuffer, _ tape: JSONTape) {
        switch endpoint.body {
        case .none: takePath(endpoint)
        case .json: takeJSON(body, tape)
        case .form: takeForm(head, body)
        case .jsonOrForm: if Self.isForm(head) { takeForm(head, body) } else { takeJSON(body, tape) }
        }
    }

    private mutating func takePath(_ endpoint: Endpoint) {
        switch endpoint {
        case .model(let id), .modelDeletion(let id): model = id
        default: break
        }
    }

    private mutating func takeJSON(_ body: ByteBuffer, _ tape: JSONTape) {
        do throws(JSONError) {
            try tape.scan(body.span)
            isJSON = true
            model = tape.root(over: body.span)["model"]?.string ?? ""
        } catch {
            mistake = .notJSON
        }
    }

    private mutating func takeForm(_ head: RequestHead, _ body: ByteBuffer) {
        guard let index = head.fields.index(of: .contentType) else {
            mistake = APIError(400, "The request must have a Content-Type of multipart/form-data.")
            return
        }
        do throws(APIError) {
            form = try FormFields(body, contentType: head.fields.value(at: index))
            model = form?.text("model") ?? ""
        } catch {
            mistake = error
        }
    }

    private static func isForm(_ head: RequestHead) -> Bool {
        guard let index = head.fields.index(of: .contentType) else { return false }
        return head.fields.value(at: index).hasPrefixIgnoringCase("multipart/")
    }
}
