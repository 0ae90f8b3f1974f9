internal import SluiceCore
internal import SluiceHTTP
internal import Synchronization

/// `/openapi.json`: what there is to be asked, for programs.
final class OpenAPIRoute: ManagementRoute {
    private unowned let router: ManagementRouter
    private let others: [any ManagementRoute]
    private let document = Mutex<[UInt8]>([])

    /// - Parameter others: those that it also tells of.
    init(_ router: ManagementRouter, _ others: [any ManagementRoute]) {
        self.router = router
        self.others = others
    }

    var operations: [ManagementOperation] {
        [
            ManagementOperation(
                .get, "/openapi.json", action: nil, "This document",
                success: .init(doc: "OpenAPI 3.1.", schema: #"{"type":"object"}"#), answer: show)
        ]
    }

    private func show(_ request: ManagementRequest) async throws(ManagementError) -> ManagementReply {
        let buffer = ByteBuffer(capacity: 1 << 16)
        let bytes = text
        buffer.append(bytes.span)
        return ManagementReply(200, .whole(buffer))
    }

    /// Made when it is first asked for.
    var text: [UInt8] {
        document.withLock { document in
            if document.isEmpty {
                document = Array(copying: OpenAPIDocument.make(others + [self], operations: router.operations).span)
            }
            return document
        }
    }
}
