internal import SluiceJSON

/// What of a pod decides how it is injected.
struct PodFacts {
    typealias Malformed = AdmissionReview.Malformed

    /// The pod's name, or what one is to be made of.
    let name: String
    let hasMetadata: Bool
    /// `nil`: there is no such object to add to.
    let annotations: [String: String]?
    let labels: [String: String]?
    let isHostNetwork: Bool
    let restartPolicy: String
    let system: String?
    /// How long the pod may take to end, in seconds.
    let graceSeconds: Int
    /// Names; `nil`: there is no such list to add to.
    let volumes: [String]?
    let containers: [ContainerFacts]
    let initContainers: [ContainerFacts]
    let hasInitContainers: Bool

    /// More than any node starts.
    private static let elementsMax = 1000
    private static let graceSecondsDefault = 30

    init(reading object: JSONValue) throws(Malformed) {
        let metadata = object["metadata"]
        hasMetadata = metadata?.isObject ?? false
        name = metadata?["name"]?.string ?? (metadata?["generateName"]?.string.map { $0 + "*" } ?? "")
        annotations = try Self.texts(metadata?["annotations"], "metadata.annotations")
        labels = try Self.texts(metadata?["labels"], "metadata.labels")
        guard let spec = object["spec"], spec.isObject else { throw Malformed(message: "the pod has no spec") }
        isHostNetwork = spec["hostNetwork"]?.bool ?? false
        restartPolicy = spec["restartPolicy"]?.string ?? "Always"
        system = spec["os"]?["name"]?.string
        graceSeconds = spec["terminationGracePeriodSeconds"]?.int ?? Self.graceSecondsDefault
        volumes = try Self.volumes(spec["volumes"])
        containers = try Self.containers(spec["containers"], "spec.containers", isInit: false) ?? []
        let initial = try Self.containers(spec["initContainers"], "spec.initContainers", isInit: true)
        initContainers = initial ?? []
        hasInitContainers = initial != nil
    }

    /// An object of texts; `nil` if there is none.
    private static func texts(_ value: JSONValue?, _ path: String) throws(Malformed) -> [String: String]? {
        guard let value, !value.isNull else { return nil }
        guard value.isObject else { throw Malformed(message: "\(path) is no object") }
        var texts: [String: String] = [:]
        var members = value.members
        while let member = members.next() {
            guard let key = member.key.string, let text = member.value.string else {
                throw Malformed(message: "\(path) holds what is no text")
            }
            texts[key] = text
            if texts.count > elementsMax * 10 { throw Malformed(message: "\(path) has too many members") }
        }
        return texts
    }

    private static func volumes(_ value: JSONValue?) throws(Malformed) -> [String]? {
        guard let value, !value.isNull else { return nil }
        guard value.isArray else { throw Malformed(message: "spec.volumes is no list") }
        var names: [String] = []
        var elements = value.elements
        while let element = elements.next() {
            names.append(element["name"]?.string ?? "")
            if names.count > elementsMax { throw Malformed(message: "spec.volumes has too many elements") }
        }
        return names
    }

    private static func containers(
        _ value: JSONValue?, _ path: String, isInit: Bool
    ) throws(Malformed) -> [ContainerFacts]? {
        guard let value, !value.isNull else { return nil }
        guard value.isArray else { throw Malformed(message: "\(path) is no list") }
        var containers: [ContainerFacts] = []
        var elements = value.elements
        while let element = elements.next() {
            containers.append(try ContainerFacts(reading: element, index: containers.count, isInit: isInit, path))
            if containers.count > elementsMax { throw Malformed(message: "\(path) has too many elements") }
        }
        return containers
    }
}
