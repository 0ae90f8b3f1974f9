internal import Glibc
internal import SluiceConfig
internal import SluiceCore
internal import SluiceInject
internal import SluiceNet
internal import SluiceTLS

/// `sluice inject`: the webhook that puts Sluice into pods.
enum InjectCommand {
    static let command = ArgumentParser.Command(
        "inject", summary: "Serves the Kubernetes webhook that puts Sluice into pods as a sidecar.",
        options: [
            .init("image", "IMAGE", doc: "The sidecar's image."),
            .init("listen", "ADDR", doc: "Where API servers connect, over TLS; default *:8443."),
            .init("admin", "ADDR", doc: "Where health and metrics are served; default *:8081."),
            .init("mode", "native|container", doc: "How Sluice stands in a pod; container before Kubernetes 1.29; default native."),
            .init("image-pull-policy", "POLICY", doc: "Of the sidecar: Always, IfNotPresent, Never."),
            .init("port", "N", doc: "Where applications connect in their pods; default 4010."),
            .init("admin-port", "N", doc: "Where the sidecar's health and metrics are; default 4011."),
            .init("workers", "N", doc: "The sidecar's event loops; default 2."),
            .init("config-map", "NAME[/KEY]", doc: "The sidecar's configuration, in the pod's namespace; default none."),
            .init(
                "secret", "NAME",
                doc: "Whose keys become the sidecar's variables, in the pod's namespace, if it is there; default sluice-providers."),
            .init("sidecar-log-level", "LEVEL", doc: "debug, info, warning or error; default info."),
            .init("cpu-request", "AMOUNT", doc: "Of the sidecar; default 20m."),
            .init("cpu-limit", "AMOUNT", doc: "Of the sidecar; default none."),
            .init("memory-request", "AMOUNT", doc: "Of the sidecar; default 32Mi."),
            .init("memory-limit", "AMOUNT", doc: "Of the sidecar; default 64Mi."),
            .init("cert", "FILE", doc: "The serving certificate, which somebody else renews; with --key."),
            .init("key", "FILE", doc: "Its private key. Without both the injector makes its own and tells the API server."),
            .init("service", "NAME", doc: "The Service that leads here; default sluice-injector."),
            .init("namespace", "NAME", doc: "Of the Service and the Secret; default that of this pod."),
            .init("cert-secret", "NAME", doc: "Where the injector keeps its certificates; default sluice-injector-certificates."),
            .init("webhook", "NAME", doc: "The MutatingWebhookConfiguration to keep up to date; default sluice-injector."),
            .init("certificate-seconds", "N", doc: "How long serving certificates are good; default 30 days."),
            .init("authority-seconds", "N", doc: "How long its authority is good; default 365 days."),
            .init("overlap-seconds", "N", doc: "How long a new authority is made known before it is used; default 600."),
            .init("every-seconds", "N", doc: "How often the certificates are looked at; default 30."),
            .init("lame-duck-seconds", "N", doc: "How long reviews are answered after the signal to end; default 5."),
            .init("log-level", "LEVEL", doc: "Of the injector itself; default info."),
            .init("api-server", "URL", doc: "In place of the one that a pod finds in its variables."),
            .init("api-ca", "FILE", doc: "Its authority; default as pods have it."),
            .init("token-file", "FILE", doc: "The token for it; default as pods have it."),
            .init("quiet", doc: "Prints no banner."),
        ])

    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
        let options = try options(arguments)
        var log = LogConfiguration()
        log.level = try arguments.value("log-level", allowed: levels, LogConfiguration.Level.init(rawValue:)) ?? .info
        ProcessLimits.forbidCoreDumps()
        ProcessLimits.raiseDescriptorLimit()
        Memory.configure(arenas: 2)
        Signals.block([SIGTERM, SIGINT])
        do {
            let writer = try LogWriter(log)
            let server = try InjectServer(options, log: writer.start(level: log.level.logLevel))
            let isQuiet = arguments.has("quiet")
            let status = server.run {
                if !isQuiet {
                    FileHandleOutput.standardOutput(
                        "sluice inject\n  listening  https://\(server.address)\n  admin      http://\(server.adminAddress)\n")
                }
            }
            writer.finish()
            return status
        } catch {
            FileHandleOutput.standardError("sluice inject: \(error)\n")
            return 1
        }
    }

    private static let levels = "debug, info, warning or error"

    private static func options(_ arguments: Arguments) throws(UsageError) -> InjectServer.Options {
        var options = InjectServer.Options(
            listen: try address(arguments, "listen", "*:8443"), admin: try address(arguments, "admin", "*:8081"),
            certificates: try certificates(arguments), defaults: try defaults(arguments))
        options.lameDuck = .seconds(try arguments.integer("lame-duck-seconds", in: 0...600) ?? 5)
        options.version = Server.version
        return options
    }

    private static func address(
        _ arguments: Arguments, _ name: String, _ fallback: String
    ) throws(UsageError) -> SocketAddress {
        let listen = try CommandLineTool.address(arguments.text(name) ?? fallback, option: name)
        guard let address = SocketAddress("\(listen)") else { throw UsageError("--\(name): \(ListenAddress.allowed)") }
        return address
    }

    // MARK: The sidecar

    private static func defaults(_ arguments: Arguments) throws(UsageError) -> SidecarDefaults {
        var defaults = SidecarDefaults()
        guard let image = arguments.text("image"), ObjectName.isImage(image) else {
            throw UsageError("--image IMAGE is missing, or no image's name: what the sidecar is to be made of")
        }
        defaults.image = image
        if let kind = try arguments.value("mode", allowed: "native or container", SidecarKind.init(rawValue:)) {
            defaults.kind = kind
        }
        defaults.pullPolicy = try arguments.value("image-pull-policy", allowed: "Always, IfNotPresent or Never") {
            ["Always", "IfNotPresent", "Never"].contains($0) ? $0 : nil
        }
        defaults.port = try arguments.integer("port", in: 1024...65_535) ?? defaults.port
        defaults.adminPort = try arguments.integer("admin-port", in: 1024...65_535) ?? defaults.adminPort
        if defaults.port == defaults.adminPort { throw UsageError("--admin-port: another port than --port") }
        defaults.workers = try arguments.integer("workers", in: 1...64) ?? defaults.workers
        defaults.configMap = try arguments.value("config-map", allowed: "NAME or NAME/KEY") {
            SidecarDefaults.isConfigMap($0) ? $0 : nil
        }
        if let secret = arguments.text("secret") {
            if !secret.isEmpty, !ObjectName.isSubdomain(secret) { throw UsageError("--secret: the name of a Secret, or nothing") }
            defaults.secret = secret.isEmpty ? nil : secret
        }
        let level = try arguments.value("sidecar-log-level", allowed: levels, LogConfiguration.Level.init(rawValue:))
        defaults.logLevel = level?.rawValue ?? defaults.logLevel
        func amount(_ name: String) throws(UsageError) -> Quantity? {
            try arguments.value(name, allowed: "an amount, as 100m or 64Mi", Quantity.init)
        }
        defaults.resources.cpuRequest = try amount("cpu-request") ?? defaults.resources.cpuRequest
        defaults.resources.cpuLimit = try amount("cpu-limit")
        defaults.resources.memoryRequest = try amount("memory-request") ?? defaults.resources.memoryRequest
        defaults.resources.memoryLimit = try amount("memory-limit") ?? defaults.resources.memoryLimit
        if let mistake = defaults.resources.mistakes.first { throw UsageError("--\(mistake)") }
        return defaults
    }

    // MARK: Certificates

    private static func certificates(_ arguments: Arguments) throws(UsageError) -> InjectServer.Certificates {
        let interval = Duration.seconds(try arguments.integer("every-seconds", in: 1...86_400) ?? 30)
        switch (arguments.text("cert"), arguments.text("key")) {
        case (let certificate?, let key?):
            return .files(TLSIdentityFiles(certificateFile: certificate, privateKeyFile: key), every: interval)
        case (nil, nil): break
        default: throw UsageError("--cert and --key: both, or neither")
        }
        let access = try access(arguments)
        let service = try name(arguments, "service", "sluice-injector")
        let host = "\(service).\(access.namespace).svc"
        var policy = CertificatePolicy(hosts: [host, "\(host).cluster.local", "\(service).\(access.namespace)"])
        if let seconds = try arguments.integer("certificate-seconds", in: 3...315_360_000) {
            policy.servingLifetime = .seconds(seconds)
        }
        if let seconds = try arguments.integer("authority-seconds", in: 6...315_360_000) {
            policy.authorityLifetime = .seconds(seconds)
        }
        if let seconds = try arguments.integer("overlap-seconds", in: 0...86_400) { policy.overlap = .seconds(seconds) }
        if policy.servingLifetime > policy.authorityLifetime {
            throw UsageError("--certificate-seconds: not more than --authority-seconds")
        }
        return .cluster(
            access, secret: try name(arguments, "cert-secret", "sluice-injector-certificates"),
            webhook: try name(arguments, "webhook", "sluice-injector"), policy, every: interval)
    }

    private static func name(
        _ arguments: Arguments, _ option: String, _ fallback: String
    ) throws(UsageError) -> String {
        try arguments.value(option, allowed: "a name") { ObjectName.isSubdomain($0) ? $0 : nil } ?? fallback
    }

    private static func access(_ arguments: Arguments) throws(UsageError) -> ClusterAccess {
        let environment = ConfigEnvironment.process
        var url = arguments.text("api-server")
        if url == nil, let host = environment.nonEmptyVariable("KUBERNETES_SERVICE_HOST") {
            let port = environment.nonEmptyVariable("KUBERNETES_SERVICE_PORT") ?? "443"
            url = "https://\(host.contains(":") ? "[\(host)]" : host):\(port)"
        }
        guard let url else {
            throw UsageError("there is no cluster here (KUBERNETES_SERVICE_HOST): --api-server URL, or --cert and --key")
        }
        var namespace = arguments.text("namespace")
        if namespace == nil, let text = try? environment.file("\(ClusterAccess.folder)/namespace", 1024) {
            namespace = String(decoding: text, as: UTF8.self).filter { !$0.isWhitespace }
        }
        guard let namespace, ObjectName.isLabel(namespace) else {
            throw UsageError("--namespace NAME: that of the Service and the Secret")
        }
        return ClusterAccess(
            url: url, authoritiesFile: arguments.text("api-ca") ?? "\(ClusterAccess.folder)/ca.crt",
            tokenFile: arguments.text("token-file") ?? "\(ClusterAccess.folder)/token", namespace: namespace)
    }
}
