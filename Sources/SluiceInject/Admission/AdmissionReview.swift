internal import SluiceCore
internal import SluiceJSON

/// What an API server asks of an admission webhook: an AdmissionReview of admission.k8s.io/v1 with a request in it.
struct AdmissionReview {
    /// Why a body is no such thing; the answer is 400.
    struct Malformed: Error, Equatable {
        let message: String
    }

    static let apiVersion: StaticString = "admission.k8s.io/v1"
    static let kind: StaticString = "AdmissionReview"
    private static let uidByteCountMax = 256

    /// To be given back.
    let uid: String
    /// `group/version/Kind` of the object, `v1/Pod`.
    let objectKind: String
    let subresource: String
    let operation: String
    let namespace: String
    /// `nil` for anything but a pod that is to be created.
    let pod: PodFacts?

    /// - Throws: what makes it no AdmissionReview, or its pod none; it quotes nothing of the body but names of fields.
    init(reading root: JSONValue) throws(Malformed) {
        guard root.isObject else { throw Malformed(message: "the body is no object") }
        guard root["apiVersion"]?.equals(Self.apiVersion) == true else {
            throw Malformed(message: "apiVersion is not \(Self.apiVersion)")
        }
        guard root["kind"]?.equals(Self.kind) == true else { throw Malformed(message: "kind is not \(Self.kind)") }
        guard let request = root["request"], request.isObject else { throw Malformed(message: "request is missing") }
        guard let uid = request["uid"]?.string, 1...Self.uidByteCountMax ~= uid.utf8.count else {
            throw Malformed(message: "request.uid is missing")
        }
        guard let kind = request["kind"], let name = kind["kind"]?.string, let version = kind["version"]?.string else {
            throw Malformed(message: "request.kind is missing")
        }
        self.uid = uid
        let group = kind["group"]?.string ?? ""
        objectKind = (group.isEmpty ? "" : group + "/") + version + "/" + name
        subresource = request["subResource"]?.string ?? ""
        operation = request["operation"]?.string ?? ""
        namespace = request["namespace"]?.string ?? ""
        guard objectKind == "v1/Pod", subresource.isEmpty, operation == "CREATE" else {
            pod = nil
            return
        }
        guard let object = request["object"], object.isObject else { throw Malformed(message: "request.object is missing") }
        pod = try PodFacts(reading: object)
    }
}
