internal import SluiceJSON

/// What of a container decides how its pod is injected.
struct ContainerFacts {
    struct Variable {
        let name: String
        /// `nil`: it comes from somewhere else.
        let value: String?
    }

    let name: String
    /// Where it stands in its list.
    let index: Int
    let isInit: Bool
    /// It goes on running while those after it do: a sidecar.
    let isRestartable: Bool
    let ports: [Int]
    let portNames: [String]
    /// `nil`: there is no such list to add to.
    let variables: [Variable]?
    /// Variables come from whole ConfigMaps or Secrets, too: which, only the node knows.
    let takesVariables: Bool

    private static let elementsMax = 10_000

    init(reading value: JSONValue, index: Int, isInit: Bool, _ path: String) throws(PodFacts.Malformed) {
        guard value.isObject, let name = value["name"]?.string else {
            throw PodFacts.Malformed(message: "\(path)[\(index)] is no container")
        }
        self.name = name
        self.index = index
        self.isInit = isInit
        isRestartable = value["restartPolicy"]?.equals("Always") ?? false
        takesVariables = (value["envFrom"]?.count ?? 0) > 0
        var ports: [Int] = []
        var names: [String] = []
        var elements = value.elements(of: "ports")
        while let port = elements.next(), ports.count < Self.elementsMax {
            if let number = port["containerPort"]?.int { ports.append(number) }
            if let name = port["name"]?.string { names.append(name) }
        }
        self.ports = ports
        portNames = names
        variables = try Self.variables(value["env"], "\(path)[\(index)].env")
    }

    private static func variables(
        _ value: JSONValue?, _ path: String
    ) throws(PodFacts.Malformed) -> [Variable]? {
        guard let value, !value.isNull else { return nil }
        guard value.isArray else { throw PodFacts.Malformed(message: "\(path) is no list") }
        var variables: [Variable] = []
        var elements = value.elements
        while let element = elements.next() {
            variables.append(Variable(name: element["name"]?.string ?? "", value: element["value"]?.string))
            if variables.count > elementsMax { throw PodFacts.Malformed(message: "\(path) has too many elements") }
        }
        return variables
    }

    /// Where it gets to the list of its pod.
    var path: JSONPointer {
        JSONPointer.root.appending("spec").appending(isInit ? "initContainers" : "containers").appending(index)
    }

    func variable(_ name: String) -> Variable? { variables?.last { $0.name == name } }
}
