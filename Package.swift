// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(), .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("MemberImportVisibility"), .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
    // Release builds trust the checks that debug builds and tests make: a dynamic exclusivity check on every access to a
    // class's property costs more than the access.
    .unsafeFlags(["-enforce-exclusivity=unchecked", "-cross-module-optimization"], .when(configuration: .release)),
]

/// A target of the proxy: named in the order in which targets may import one another.
func target(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(
        name: name, dependencies: dependencies + ["TestSupport"], exclude: [], swiftSettings: strict)
}

let package = Package(
    name: "sluice",
    products: [.executable(name: "sluice", targets: ["sluice"])],
    targets: [
        .target(name: "CLinux"),
        .systemLibrary(name: "CNghttp2", pkgConfig: "libnghttp2", providers: [.apt(["libnghttp2-dev"])]),
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        target("SluiceCore", []),
        target("SluiceJSON", ["SluiceCore"]),
        target("SluiceHTTP", ["SluiceCore", "CNghttp2"]),
        target("SluiceTLS", ["SluiceCore", "COpenSSL"]),
        target("SluiceNet", ["SluiceCore", "SluiceTLS", "CLinux"]),
        target("SluiceConfig", ["SluiceCore"]),
        .executableTarget(name: "sluice", dependencies: ["SluiceCore"], swiftSettings: strict),
        .systemLibrary(name: "CBench", path: "Benchmarks/CBench"),
        .executableTarget(
            name: "sluice-bench", dependencies: ["CBench", "CLinux", "CNghttp2", "COpenSSL"],
            path: "Benchmarks/EndToEnd", swiftSettings: strict),
        .target(name: "TestSupport", dependencies: ["SluiceCore"], path: "Tests/Support", swiftSettings: strict),
        tests("SluiceCoreTests", ["SluiceCore"]),
        tests("SluiceJSONTests", ["SluiceJSON", "SluiceCore"]),
        tests("SluiceHTTPTests", ["SluiceHTTP", "SluiceCore"]),
        tests("SluiceTLSTests", ["SluiceTLS", "SluiceCore"]),
        tests("SluiceConfigTests", ["SluiceConfig", "SluiceCore"]),
        tests("BenchmarkTests", ["sluice-bench", "SluiceCore"]),
    ]
)
