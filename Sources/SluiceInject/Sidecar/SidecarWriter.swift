internal import SluiceCore
internal import SluiceJSON

/// Writes the sidecar's container and volumes.
struct SidecarWriter {
    let plan: SidecarPlan
    /// Names of volumes, none of which the pod has.
    let volumes: VolumeNames

    static let program: StaticString = "/usr/bin/sluice"
    private static let configFolder = "/etc/sluice"
    private static let secretFolder = "/run/secrets/sluice"
    private static let storageFolder = "/var/lib/sluice"
    private static let userID = 65_532
    /// So long the application is held back, where the cluster cannot do that.
    private static let startSecondsMax = 60
    /// Left for the sidecar's own end, of the time that the pod may take.
    private static let endSeconds = 5

    func writeContainer(_ json: inout JSONWriter) {
        json.object { json in
            json.member("name", SidecarPlan.containerName)
            json.member("image", plan.image)
            if let policy = plan.pullPolicy { json.member("imagePullPolicy", policy) }
            if plan.kind == .native { json.member("restartPolicy", "Always") }
            json.key("args")
            json.array { json in for argument in arguments { json.string(argument) } }
            writeVariables(&json)
            writePorts(&json)
            writeProbes(&json)
            writeLifecycle(&json)
            writeResources(&json)
            writeSecurity(&json)
            writeMounts(&json)
        }
    }

    // MARK: The command line

    private var arguments: [String] {
        var arguments = [
            "run", "--quiet", "--listen", "127.0.0.1:\(plan.port)", "--admin", "[::]:\(plan.adminPort)",
            "--workers", "\(plan.workers)",
        ]
        if let config = plan.config { arguments += ["--config", "\(Self.configFolder)/\(config.key)"] }
        return arguments + ["--set", settings]
    }

    /// What holds whatever the ConfigMap says.
    private var settings: String {
        let buffer = ByteBuffer()
        var json = JSONWriter(into: buffer)
        json.object { json in
            json.key("log")
            json.object { json in
                json.key("level")
                json.string(plan.logLevel)
            }
            json.key("admin_metrics")
            json.string("everyone" as StaticString)
            json.key("drain")
            json.object { json in
                json.key("lame_duck_ms")  // nothing balances in front
                json.int(0)
            }
            json.key("access")
            json.object { json in writeAccess(&json) }
        }
        return buffer.text
    }

    private func writeAccess(_ json: inout JSONWriter) {
        func roles(_ json: inout JSONWriter) {
            json.key("roles")
            json.array { json in json.string(plan.models == nil ? "app" : "pod") }
        }
        if let models = plan.models {
            json.key("roles")
            json.object { json in
                json.key("pod")
                json.object { json in
                    json.key("based_on")
                    json.string("app" as StaticString)
                    json.key("allow")
                    json.object { json in
                        json.key("models")
                        json.array { json in for model in models { json.string(model) } }
                    }
                }
            }
        }
        json.key("keys")
        json.object { json in
            json.key("pod")
            json.object { json in
                json.key("secret")
                json.string("env:\(SidecarPlan.keyVariable)")
                roles(&json)
            }
        }
        if plan.trustsPod {
            json.key("local")
            json.object { json in roles(&json) }
        }
    }

    private func writeVariables(_ json: inout JSONWriter) {
        json.key("env")
        json.array { json in
            json.object { json in
                json.key("name")
                json.string(SidecarPlan.keyVariable)
                json.key("value")
                plan.podKey.withExposed { json.string($0) }
            }
        }
        guard let secret = plan.secret else { return }
        json.key("envFrom")
        json.array { json in
            json.object { json in
                json.key("secretRef")
                json.object { json in
                    json.key("name")
                    json.string(secret.name)
                    if secret.isOptional {
                        json.key("optional")
                        json.bool(true)
                    }
                }
            }
        }
    }

    // MARK: Ports, probes, hooks

    private func writePorts(_ json: inout JSONWriter) {
        json.key("ports")
        json.array { json in
            json.object { json in
                json.key("containerPort")
                json.int(plan.adminPort)
                if let name = plan.adminPortName {
                    json.key("name")
                    json.string(name)
                }
                json.key("protocol")
                json.string("TCP" as StaticString)
            }
        }
    }

    private func writeProbes(_ json: inout JSONWriter) {
        json.key("startupProbe")
        writeProbe(&json, "/readyz", periodSeconds: 1, failuresMax: Self.startSecondsMax)
        json.key("livenessProbe")
        writeProbe(&json, "/livez", periodSeconds: 10, failuresMax: 3)
    }

    private func writeProbe(_ json: inout JSONWriter, _ path: StaticString, periodSeconds: Int, failuresMax: Int) {
        json.object { json in
            json.key("httpGet")
            json.object { json in
                json.key("path")
                json.string(path)
                json.key("port")
                json.int(plan.adminPort)
            }
            json.key("periodSeconds")
            json.int(periodSeconds)
            json.key("timeoutSeconds")
            json.int(2)
            json.key("failureThreshold")
            json.int(failuresMax)
        }
    }

    private func writeLifecycle(_ json: inout JSONWriter) {
        let admin = "127.0.0.1:\(plan.adminPort)"
        json.key("lifecycle")
        json.object { json in
            if plan.kind == .container {
                // The kubelet starts the next container when this has come back.
                json.key("postStart")
                Self.write(&json, ["health", "--admin", admin, "--wait", "\(Self.startSecondsMax)"])
            }
            json.key("preStop")
            let seconds = max(1, plan.graceSeconds - Self.endSeconds)
            Self.write(&json, ["drain", "--admin", admin, "--seconds", "\(min(seconds, 3600))"])
        }
    }

    private static func write(_ json: inout JSONWriter, _ command: [String]) {
        json.object { json in
            json.key("exec")
            json.object { json in
                json.key("command")
                json.array { json in
                    json.string(program)
                    for word in command { json.string(word) }
                }
            }
        }
    }

    // MARK: Bounds

    private func writeResources(_ json: inout JSONWriter) {
        func write(_ json: inout JSONWriter, _ cpu: Quantity?, _ memory: Quantity?) {
            json.object { json in
                if let cpu {
                    json.key("cpu")
                    json.string(cpu.description)
                }
                if let memory {
                    json.key("memory")
                    json.string(memory.description)
                }
            }
        }
        json.key("resources")
        json.object { json in
            json.key("requests")
            write(&json, plan.resources.cpuRequest, plan.resources.memoryRequest)
            json.key("limits")
            write(&json, plan.resources.cpuLimit, plan.resources.memoryLimit)
        }
    }

    /// What the restricted standard of pod security asks for, and more.
    private func writeSecurity(_ json: inout JSONWriter) {
        json.key("securityContext")
        json.object { json in
            json.key("runAsNonRoot")
            json.bool(true)
            json.key("runAsUser")
            json.int(Self.userID)
            json.key("runAsGroup")
            json.int(Self.userID)
            json.key("readOnlyRootFilesystem")
            json.bool(true)
            json.key("allowPrivilegeEscalation")
            json.bool(false)
            json.key("capabilities")
            json.object { json in
                json.key("drop")
                json.array { json in json.string("ALL" as StaticString) }
            }
            json.key("seccompProfile")
            json.object { json in
                json.key("type")
                json.string("RuntimeDefault" as StaticString)
            }
        }
    }

    private func writeMounts(_ json: inout JSONWriter) {
        var mounts: [(name: String, path: String, isReadOnly: Bool)] = []
        if let name = volumes.config { mounts.append((name, Self.configFolder, true)) }
        if let name = volumes.secretFiles { mounts.append((name, Self.secretFolder, true)) }
        if let name = volumes.storage { mounts.append((name, Self.storageFolder, false)) }
        if mounts.isEmpty { return }
        json.key("volumeMounts")
        json.array { json in
            for mount in mounts {
                json.object { json in
                    json.member("name", mount.name)
                    json.member("mountPath", mount.path)
                    if mount.isReadOnly { json.member("readOnly", true) }
                }
            }
        }
    }
}
