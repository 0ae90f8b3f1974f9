internal import SluiceHTTP
internal import SluicePolicy

/// One method of one path of the management API: what it takes, what it gives, and who may ask. The router goes by it,
/// and the OpenAPI document is made of it. Give a method as its answer: a closure would leave the loop.
struct ManagementOperation: Sendable {
    typealias Answer = @Sendable (ManagementRequest) async throws(ManagementError) -> ManagementReply

    struct Parameter: Sendable {
        enum Place: String, Sendable { case path, query, header }
        let name: StaticString
        let place: Place
        let doc: StaticString
        /// JSON Schema.
        let schema: StaticString
        var isRequired = false

        static func query(
            _ name: StaticString, _ doc: StaticString, schema: StaticString = #"{"type":"string"}"#
        ) -> Parameter {
            Parameter(name: name, place: .query, doc: doc, schema: schema)
        }

        static func path(
            _ name: StaticString, _ doc: StaticString, schema: StaticString = #"{"type":"string","minLength":1}"#
        ) -> Parameter {
            Parameter(name: name, place: .path, doc: doc, schema: schema, isRequired: true)
        }
    }

    /// What a request brings.
    struct Body: Sendable {
        var mediaTypes: [StaticString] = ["application/json"]
        /// JSON Schema.
        let schema: StaticString
        var isRequired = true
    }

    /// What comes back when all is well.
    struct Success: Sendable {
        var status: Status = 200
        let doc: StaticString
        var mediaTypes: [StaticString] = ["application/json"]
        /// JSON Schema of the first media type; `nil`: there is no body.
        var schema: StaticString?
    }

    let method: Method
    /// A template: `/api/v1/models/{id}`. A segment in braces takes any one segment.
    let path: StaticString
    /// What the caller must be allowed to do; `nil`: the operation decides itself.
    let action: AdminAction?
    let summary: StaticString
    var parameters: [Parameter] = []
    var body: Body?
    let success: Success
    /// Further codes that it answers with, beside those that every operation may.
    var errors: [ManagementError.Code] = []
    let answer: Answer

    init(
        _ method: Method, _ path: StaticString, action: AdminAction?, _ summary: StaticString,
        parameters: [Parameter] = [], body: Body? = nil, success: Success, errors: [ManagementError.Code] = [],
        answer: @escaping Answer
    ) {
        self.method = method
        self.path = path
        self.action = action
        self.summary = summary
        self.parameters = parameters
        self.body = body
        self.success = success
        self.errors = errors
        self.answer = answer
    }

    var changesSomething: Bool { method != .get && method != .head }
}

/// Some operations that belong together. Used from every loop at once.
protocol ManagementRoute: AnyObject, Sendable {
    var operations: [ManagementOperation] { get }
    /// JSON Schemas that the operations refer to, by name.
    var schemas: [(name: StaticString, schema: StaticString)] { get }
}

extension ManagementRoute {
    var schemas: [(name: StaticString, schema: StaticString)] { [] }
}
