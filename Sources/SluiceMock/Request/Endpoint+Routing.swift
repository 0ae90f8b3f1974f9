internal import SluiceCore
internal import SluiceHTTP

extension Endpoint {
    /// - Throws: 404 for a path that nothing stands at, 405 for another method.
    init(_ method: Method, _ target: borrowing RequestTarget, path: Span<UInt8>) throws(APIError) {
        let found: (Endpoint?, isKnown: Bool)
        switch target.segmentCount {
        case 1: found = Self.single(method, target)
        case 2 where target.segment(0, is: "mock"): found = Self.own(method, target)
        case 2 where target.segment(0, is: "v1"): found = Self.collection(method, target)
        case 3 where target.segment(0, is: "v1"): found = Self.member(method, target)
        case 4... where target.segment(0, is: "v1"): found = Self.deep(method, target)
        default: found = (nil, false)
        }
        if let endpoint = found.0 {
            self = endpoint
        } else if found.isKnown {
            throw .methodNotAllowed(method, String(decoding: path))
        } else {
            throw .unknownURL(method, String(decoding: path))
        }
    }

    private typealias Found = (Endpoint?, isKnown: Bool)

    private static func single(_ method: Method, _ target: borrowing RequestTarget) -> Found {
        guard target.segment(0, is: "health") else { return (nil, false) }
        return (method == .get || method == .head ? .health : nil, true)
    }

    private static func own(_ method: Method, _ target: borrowing RequestTarget) -> Found {
        if target.segment(1, is: "requests") { return (method == .get ? .ledgerRequests : nil, true) }
        if target.segment(1, is: "counts") { return (method == .get ? .ledgerCounts : nil, true) }
        if target.segment(1, is: "reset") { return (method == .post ? .reset : nil, true) }
        if target.segment(1, is: "redirected") { return (.redirected, true) }
        return (nil, false)
    }

    private static func collection(_ method: Method, _ target: borrowing RequestTarget) -> Found {
        let isPost = method == .post
        let isGet = method == .get
        if target.segment(1, is: "completions") { return (isPost ? .completions : nil, true) }
        if target.segment(1, is: "embeddings") { return (isPost ? .embeddings : nil, true) }
        if target.segment(1, is: "responses") { return (isPost ? .responses : nil, true) }
        if target.segment(1, is: "moderations") { return (isPost ? .moderations : nil, true) }
        if target.segment(1, is: "models") { return (isGet ? .models : nil, true) }
        if target.segment(1, is: "files") { return (isGet ? .files : isPost ? .fileCreation : nil, true) }
        if target.segment(1, is: "uploads") { return (isPost ? .uploadCreation : nil, true) }
        if target.segment(1, is: "batches") { return (isGet ? .batches : isPost ? .batchCreation : nil, true) }
        return (nil, false)
    }

    private static func member(_ method: Method, _ target: borrowing RequestTarget) -> Found {
        let isPost = method == .post
        if target.segment(1, is: "chat") {
            return target.segment(2, is: "completions") ? (isPost ? .chatCompletions : nil, true) : (nil, false)
        }
        if target.segment(1, is: "images") {
            if target.segment(2, is: "generations") { return (isPost ? .imageGenerations : nil, true) }
            return target.segment(2, is: "edits") ? (isPost ? .imageEdits : nil, true) : (nil, false)
        }
        if target.segment(1, is: "audio") {
            if target.segment(2, is: "speech") { return (isPost ? .speech : nil, true) }
            if target.segment(2, is: "transcriptions") { return (isPost ? .transcriptions : nil, true) }
            return target.segment(2, is: "translations") ? (isPost ? .translations : nil, true) : (nil, false)
        }
        let id = String(decoding: target.segment(2))
        let isGet = method == .get
        let isDelete = method == .delete
        if target.segment(1, is: "models") { return (isGet ? .model(id) : isDelete ? .modelDeletion(id) : nil, true) }
        if target.segment(1, is: "files") { return (isGet ? .file(id) : isDelete ? .fileDeletion(id) : nil, true) }
        if target.segment(1, is: "responses") {
            return (isGet ? .response(id) : isDelete ? .responseDeletion(id) : nil, true)
        }
        if target.segment(1, is: "batches") { return (isGet ? .batch(id) : nil, true) }
        return (nil, false)
    }

    private static func deep(_ method: Method, _ target: borrowing RequestTarget) -> Found {
        if target.segment(1, is: "models") { return slashedModel(method, target) }
        if target.segmentCount != 4 { return (nil, false) }
        let id = String(decoding: target.segment(2))
        let isPost = method == .post
        if target.segment(1, is: "files"), target.segment(3, is: "content") {
            return (method == .get ? .fileContent(id) : nil, true)
        }
        if target.segment(1, is: "uploads") {
            if target.segment(3, is: "parts") { return (isPost ? .uploadPart(id) : nil, true) }
            if target.segment(3, is: "complete") { return (isPost ? .uploadCompletion(id) : nil, true) }
            return target.segment(3, is: "cancel") ? (isPost ? .uploadCancellation(id) : nil, true) : (nil, false)
        }
        if target.segment(1, is: "batches"), target.segment(3, is: "cancel") {
            return (isPost ? .batchCancellation(id) : nil, true)
        }
        return (nil, false)
    }

    /// A model's name may have slashes that were not encoded.
    private static func slashedModel(_ method: Method, _ target: borrowing RequestTarget) -> Found {
        var id = ""
        for index in 2..<target.segmentCount { id += (index > 2 ? "/" : "") + String(decoding: target.segment(index)) }
        return (method == .get ? .model(id) : method == .delete ? .modelDeletion(id) : nil, true)
    }
}
