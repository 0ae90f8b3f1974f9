// swift-tools-version: 6.2
import PackageDescription

/// With SLUICE_FUZZ set, everything is built for the fuzzer (Tests/Fuzz/run), and its programs with it.
let isFuzzing = Context.environment["SLUICE_FUZZ"] != nil

let strict: [SwiftSetting] = [
    .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    // Release builds trust the checks that debug builds and tests make: a dynamic exclusivity check on every access to a
    // class's property costs more than the access.
    .unsafeFlags(
        isFuzzing ? [] : ["-enforce-exclusivity=unchecked", "-cross-module-optimization"],
        .when(configuration: .release)),
    .unsafeFlags(isFuzzing ? ["-sanitize=fuzzer,address", "-assert-config", "Debug"] : []),
]

/// A target of the proxy: named in the order in which targets may import one another.
func target(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], exclude: exclude, swiftSettings: strict)
}

let package = Package(
    name: "sluice",
    products: [.executable(name: "sluice", targets: ["sluice"])],
    targets: [
        .target(name: "CLinux"),
        // The built-in adapters, embedded: real files, so that they can be read, compared and checked as such.
        .target(name: "CAdapters", exclude: ["Adapters"]),
        .systemLibrary(name: "CSIMD"),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
        .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
        target("SluiceCore", []),
        target("SluiceJSON", ["SluiceCore", "CSIMD"]),
        target("SluiceHTTP", ["SluiceCore", "CNghttp2", "CSIMD"]),
        target("SluiceTLS", ["SluiceCore", "COpenSSL"]),
        target("SluiceNet", ["SluiceCore", "SluiceTLS", "CLinux"]),
        target("SluicePolicy", ["SluiceCore", "SluiceTLS"]),
        target("SluiceConfig", ["SluiceCore", "SluiceTLS", "SluicePolicy", "CAdapters", "CLinux"]),
        target("SluiceDownstream", ["SluiceCore", "SluiceHTTP", "SluiceTLS", "SluiceNet"]),
        target("SluiceUpstream", ["SluiceCore", "SluiceHTTP", "SluiceTLS", "SluiceNet"]),
        target(
            "SluiceIdentity",
            [
                "SluiceCore", "SluiceJSON", "SluiceHTTP", "SluiceTLS", "SluiceNet", "SluiceUpstream", "SluicePolicy",
            ]),
        target(
            "SluiceStorage",
            ["SluiceCore", "SluiceJSON", "SluiceTLS", "SluiceNet", "SluicePolicy", "CHiredis", "CSQLite", "CLinux"]),
        target(
            "SluiceProviders",
            ["SluiceCore", "SluiceJSON", "SluiceHTTP", "SluiceTLS", "SluiceConfig", "SluiceUpstream"]),
        target(
            "SluicePipeline",
            [
                "SluiceCore", "SluiceJSON", "SluiceHTTP", "SluiceTLS", "SluiceNet", "SluiceConfig", "SluiceDownstream",
                "SluiceUpstream", "SluicePolicy", "SluiceIdentity", "SluiceStorage", "SluiceProviders",
            ]),
        target(
            "SluiceMock",
            ["SluiceCore", "SluiceJSON", "SluiceHTTP", "SluiceTLS", "SluiceNet", "SluiceDownstream"]),
        target(
            "SluiceInject",
            [
                "SluiceCore", "SluiceJSON", "SluiceHTTP", "SluiceTLS", "SluiceNet", "SluicePolicy", "SluiceConfig",
                "SluiceDownstream", "SluiceIdentity",
            ]),
        target(
            "SluiceServer",
            [
                "SluiceCore", "SluiceJSON", "SluiceHTTP", "SluiceTLS", "SluiceNet", "SluiceConfig", "SluiceDownstream",
                "SluiceUpstream", "SluicePolicy", "SluiceIdentity", "SluiceStorage", "SluiceProviders",
                "SluicePipeline", "SluiceMock", "SluiceInject", "CLinux",
            ]),
        .executableTarget(name: "sluice", dependencies: ["SluiceServer"], swiftSettings: strict),
        .target(name: "CAllocations", path: "Benchmarks/CAllocations"),
        .executableTarget(
            name: "sluice-micro",
            dependencies: [
                "SluiceCore", "SluiceJSON", "SluiceHTTP", "SluiceTLS", "SluicePolicy", "SluiceIdentity", "SluiceStorage",
                "SluiceProviders", "SluiceUpstream", "SluiceDownstream", "SluiceNet", "SluicePipeline", "SluiceConfig",
                "SluiceInject", "CAllocations",
            ],
            path: "Benchmarks/Micro", swiftSettings: strict),
        .systemLibrary(name: "CBench", path: "Benchmarks/CBench"),
        .executableTarget(
            name: "sluice-bench", dependencies: ["CBench", "CLinux", "CNghttp2", "COpenSSL"],
            path: "Benchmarks/EndToEnd", swiftSettings: strict),
        .target(name: "TestSupport", dependencies: ["SluiceCore"], path: "Tests/Support", swiftSettings: strict),
        tests("SluiceCoreTests", ["SluiceCore"]),
        tests("SluiceJSONTests", ["SluiceJSON", "SluiceCore"], exclude: ["Corpus"]),
        tests("SluiceHTTPTests", ["SluiceHTTP", "SluiceCore"]),
        tests("SluiceTLSTests", ["SluiceTLS", "SluiceCore"]),
        .target(
            name: "NetTestSupport", dependencies: ["SluiceCore", "SluiceNet"], path: "Tests/NetSupport",
            swiftSettings: strict),
        tests("SluiceNetTests", ["SluiceNet", "SluiceTLS", "SluiceCore", "NetTestSupport"]),
        tests("SluiceUpstreamTests", ["SluiceUpstream", "SluiceNet", "SluiceHTTP", "SluiceCore", "NetTestSupport"]),
        tests("SluicePolicyTests", ["SluicePolicy", "SluiceTLS", "SluiceCore", "CSystem"]),
        tests(
            "SluiceIdentityTests",
            [
                "SluiceIdentity", "SluicePolicy", "SluiceTLS", "SluiceNet", "SluiceUpstream", "SluiceJSON", "SluiceCore",
                "NetTestSupport",
            ]),
        tests(
            "SluiceStorageTests",
            ["SluiceStorage", "SluiceJSON", "SluicePolicy", "SluiceTLS", "SluiceNet", "SluiceCore", "NetTestSupport"]),
        tests(
            "SluicePipelineTests",
            [
                "SluicePipeline", "SluiceProviders", "SluiceUpstream", "SluiceDownstream", "SluiceNet", "SluiceHTTP",
                "SluiceJSON", "SluiceConfig", "SluicePolicy",
                "SluiceCore",
            ]),
        tests("SluiceConfigTests", ["SluiceConfig", "SluiceCore"], exclude: ["Golden"]),
        tests(
            "SluiceProvidersTests",
            ["SluiceProviders", "SluiceConfig", "SluiceJSON", "SluiceHTTP", "SluiceTLS", "SluiceCore"],
            exclude: ["Golden"]),
        tests(
            "SluiceServerTests",
            [
                "SluiceServer", "SluiceConfig", "SluiceCore", "SluiceDownstream", "SluiceNet", "SluicePipeline", "SluiceStorage",
                "SluiceTLS",
            ]),
        tests("DocumentationTests", ["SluiceConfig", "SluiceProviders", "SluiceServer"]),
        .systemLibrary(name: "CSystem", path: "Tests/CSystem"),
        tests("IntegrationTests", ["sluice", "CSystem", "SluicePolicy", "SluiceCore"]),
        tests(
            "SluiceMockTests", ["SluiceMock", "SluiceCore", "SluiceJSON", "SluiceHTTP", "SluiceNet"],
            exclude: ["Golden"]),
        tests(
            "SluiceInjectTests",
            ["SluiceInject", "SluiceTLS", "SluiceJSON", "SluiceCore"], exclude: ["Golden"]),
        tests("BenchmarkTests", ["sluice-bench", "SluiceCore"]),
    ]
)

if isFuzzing {
    /// One program a parser. The system's linker does not get along with it.
    func fuzz(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
        .executableTarget(
            name: "Fuzz\(name)", dependencies: dependencies + ["FuzzSupport", "SluiceCore"], path: "Tests/Fuzz/\(name)",
            swiftSettings: strict,
            linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
    }
    package.targets += [
        .systemLibrary(name: "CFuzzer", path: "Tests/Fuzz/CFuzzer"),
        .target(
            name: "FuzzSupport", dependencies: ["SluiceCore", "SluiceHTTP", "CFuzzer"], path: "Tests/Fuzz/Support",
            swiftSettings: strict),
        fuzz("RequestHead", ["SluiceHTTP"]), fuzz("ResponseHead", ["SluiceHTTP"]), fuzz("Chunks", ["SluiceHTTP"]),
        fuzz("HTTP2", ["SluiceHTTP"]), fuzz("Events", ["SluiceHTTP"]), fuzz("Multipart", ["SluiceHTTP"]),
        fuzz("URLEncoded", ["SluiceHTTP"]), fuzz("JSON", ["SluiceJSON"]), fuzz("ConfigText", ["SluiceConfig"]),
        fuzz("WebSocket", ["SluiceHTTP"]), fuzz("EventStream", ["SluiceHTTP"]),
        fuzz("Replies", ["SluiceProviders", "SluiceHTTP", "SluiceJSON"]),
        fuzz("Requests", ["SluiceProviders", "SluiceHTTP", "SluiceJSON"]),
        fuzz("RedisReplies", ["SluiceStorage"]),
        fuzz("AdapterText", ["SluiceProviders", "SluiceConfig", "SluiceJSON"]),
        fuzz("WebTokens", ["SluiceIdentity", "SluiceJSON", "SluiceTLS"]), fuzz("SealedText", ["SluiceTLS"]),
        fuzz("StoredRecords", ["SluiceStorage", "SluiceJSON"]),
        fuzz("AdmissionReviews", ["SluiceInject", "SluiceJSON", "SluiceHTTP"]),
    ]
}
