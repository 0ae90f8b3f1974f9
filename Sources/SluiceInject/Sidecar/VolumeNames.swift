internal import SluiceJSON

/// The volumes that a sidecar needs, under names that no other volume of the pod has.
struct VolumeNames {
    private(set) var config: String?
    private(set) var secretFiles: String?
    private(set) var storage: String?

    /// Of what is kept on the disk: the node's is not the sidecar's.
    private static let storageSize = "256Mi"
    /// Everybody in the container may read it, who is one user; the node gives the files to root.
    private static let secretMode = 0o444

    init(_ plan: SidecarPlan, beside taken: [String]) {
        func free(_ name: String) -> String {
            var free = name
            var number = 1
            while taken.contains(free) {
                number += 1
                free = "\(name)-\(number)"
            }
            return free
        }
        if plan.config != nil { config = free("sluice-config") }
        if plan.secretFiles != nil { secretFiles = free("sluice-secrets") }
        if plan.hasStorage { storage = free("sluice-storage") }
    }

    /// Calls `body` with a writer of each volume.
    func forEach(_ plan: SidecarPlan, _ body: ((inout JSONWriter) -> Void) -> Void) {
        if let config, let source = plan.config {
            body { json in
                Self.write(&json, config, "configMap") { json in
                    json.key("name")
                    json.string(source.name)
                }
            }
        }
        if let secretFiles, let source = plan.secretFiles {
            body { json in
                Self.write(&json, secretFiles, "secret") { json in
                    json.key("secretName")
                    json.string(source)
                    json.key("defaultMode")
                    json.int(Self.secretMode)
                }
            }
        }
        if let storage {
            body { json in
                Self.write(&json, storage, "emptyDir") { json in
                    json.key("sizeLimit")
                    json.string(Self.storageSize)
                }
            }
        }
    }

    private static func write(
        _ json: inout JSONWriter, _ name: String, _ kind: StaticString, _ source: (inout JSONWriter) -> Void
    ) {
        json.object { json in
            json.key("name")
            json.string(name)
            json.key(kind)
            json.object { json in source(&json) }
        }
    }
}
