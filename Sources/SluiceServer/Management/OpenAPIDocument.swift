internal import SluiceCore
internal import SluiceHTTP
internal import SluiceJSON
internal import SluicePolicy

/// The OpenAPI 3.1 document of everything that is served: made of what the management API's operations say of
/// themselves, and of `OpenAPIDocument.dataPlane` for what applications ask.
enum OpenAPIDocument {
    static func make(_ routes: [any ManagementRoute], operations: [ManagementOperation]) -> ByteBuffer {
        let buffer = ByteBuffer(capacity: 1 << 16)
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("openapi")
            json.string("3.1.0")
            json.key("info")
            json.object { json in
                json.key("title")
                json.string("Sluice")
                json.key("version")
                json.string(Server.version)
                json.key("description")
                json.string("The APIs of a Sluice: OpenAI's, Anthropic's and the platform's, and its own management.")
            }
            json.key("paths")
            json.object { json in
                writePaths(operations, &json)
            }
            json.key("components")
            json.object { json in writeComponents(routes, &json) }
            json.key("security")
            json.raw((#"[{"key":[]},{"bearer":[]},{}]"# as StaticString).jsonBytes)
        }
        return buffer
    }

    private static func writePaths(_ operations: [ManagementOperation], _ json: inout JSONWriter) {
        var byPath: [(path: String, operations: [ManagementOperation])] = []
        for operation in operations {
            let path = "\(operation.path)"
            if let index = byPath.firstIndex(where: { $0.path == path }) {
                byPath[index].operations.append(operation)
            } else {
                byPath.append((path, [operation]))
            }
        }
        for (path, described) in DataPlane.paths {
            let own = byPath.first { $0.path == "\(path)" }?.operations ?? []
            byPath.removeAll { $0.path == "\(path)" }
            json.key(path)
            json.object { json in
                for (method, text) in described {
                    json.key(method)
                    json.raw(text.jsonBytes)
                }
                for operation in own { write(operation, &json) }
            }
        }
        for (path, operations) in byPath {
            json.key(path.utf8Span.span)
            json.object { json in for operation in operations { write(operation, &json) } }
        }
    }

    private static func write(_ operation: ManagementOperation, _ json: inout JSONWriter) {
        json.key("\(operation.method.name)".lowercased().utf8Span.span)
        json.object { json in
            json.key("operationId")
            json.string(operation.id)
            json.key("summary")
            json.string(operation.summary)
            json.key("tags")
            json.array { $0.string("management") }
            if let action = operation.action {
                json.key("x-permission")
                json.string(action.rawValue)
            }
            json.key("parameters")
            json.array { json in for parameter in operation.parameters { write(parameter, &json) } }
            if let body = operation.body { write(body, &json) }
            json.key("responses")
            json.object { json in writeReplies(operation, &json) }
        }
    }

    private static func write(_ parameter: ManagementOperation.Parameter, _ json: inout JSONWriter) {
        json.object { json in
            json.key("name")
            json.string(parameter.name)
            json.key("in")
            json.string(parameter.place.rawValue)
            json.key("description")
            json.string(parameter.doc)
            json.key("required")
            json.bool(parameter.isRequired)
            json.key("schema")
            json.raw(parameter.schema.jsonBytes)
        }
    }

    private static func write(_ body: ManagementOperation.Body, _ json: inout JSONWriter) {
        json.key("requestBody")
        json.object { json in
            json.key("required")
            json.bool(body.isRequired)
            json.key("content")
            json.object { json in
                for type in body.mediaTypes {
                    json.key(type)
                    json.object { json in
                        json.key("schema")
                        json.raw(body.schema.jsonBytes)
                    }
                }
            }
        }
    }

    private static func writeReplies(_ operation: ManagementOperation, _ json: inout JSONWriter) {
        let success = operation.success
        json.key("\(success.status.code)".utf8Span.span)
        json.object { json in
            json.key("description")
            json.string(success.doc)
            guard let schema = success.schema else { return }
            json.key("content")
            json.object { json in
                for (index, type) in success.mediaTypes.enumerated() {
                    json.key(type)
                    json.object { json in
                        json.key("schema")
                        json.raw((index == 0 ? schema : #"{"type":"string"}"#).jsonBytes)
                    }
                }
            }
        }
        if success.status != 200, operation.parameters.contains(where: { "\($0.name)" == "dry_run" }) {
            json.key("200")
            json.raw(
                (##"{"description":"What would change.","content":{"application/json":{"schema":{"$ref":"#/components/schemas/Change"}}}}"##
                    as StaticString).jsonBytes)
        }
        for (status, codes) in operation.failures {
            json.key("\(status.code)".utf8Span.span)
            json.object { json in
                json.key("description")
                json.string(
                    codes.isEmpty ? "\(status.reason)" : codes.map { "`\($0.rawValue)`" }.joined(separator: ", "))
                if status.code == 304 { return }
                json.key("content")
                json.raw(
                    (##"{"application/json":{"schema":{"$ref":"#/components/schemas/Error"}}}"## as StaticString)
                        .jsonBytes)
            }
        }
    }

    private static func writeComponents(_ routes: [any ManagementRoute], _ json: inout JSONWriter) {
        json.key("securitySchemes")
        json.raw(
            (#"{"bearer":{"type":"http","scheme":"bearer"},"key":{"type":"apiKey","in":"header","name":"x-api-key"}}"#
                as StaticString).jsonBytes)
        json.key("responses")
        json.raw(
            (#"{"Error":{"description":"What is wrong, in the words of the API that was asked.","content":{"application/json":{"schema":{"type":"object"}}}}}"#
                as StaticString).jsonBytes)
        json.key("schemas")
        json.object { json in
            var seen: Set<String> = []
            for (name, schema) in DataPlane.schemas + routes.flatMap(\.schemas) where seen.insert("\(name)").inserted {
                json.key(name)
                json.raw(schema.jsonBytes)
            }
        }
    }
}

extension ManagementOperation {
    /// `get_api_v1_models_name`.
    var id: String {
        let words = "\(path)".split { "/{}.".contains($0) }
        return ([("\(method.name)").lowercased()] + words.map(String.init)).joined(separator: "_")
    }

    /// The statuses that it may answer with when not all is well, with the codes of each.
    var failures: [(status: Status, codes: [ManagementError.Code])] {
        var codes = errors + [.invalidPath, .permissionDenied, .managementBusy]
        if success.schema != nil { codes.append(.notAcceptable) }
        if changesSomething { codes.append(.crossOrigin) }
        if body != nil { codes += [.unsupportedMediaType, .requestTooLarge, .invalidBody, .requestTimeout] }
        var byStatus: [UInt16: [ManagementError.Code]] = [401: [], 429: []]
        for code in ManagementError.Code.allCases where codes.contains(code) {
            byStatus[code.status.code, default: []].append(code)
        }
        if method == .get { byStatus[304] = [] }
        return byStatus.keys.sorted().map { (Status($0), byStatus[$0] ?? []) }
    }
}

extension StaticString {
    /// Its bytes, which are there for as long as the program runs.
    fileprivate var jsonBytes: Span<UInt8> {
        @_lifetime(immortal) get {
            let span = unsafe Span(_unsafeStart: utf8Start, count: utf8CodeUnitCount)
            return unsafe _overrideLifetime(span, copying: ())
        }
    }
}
