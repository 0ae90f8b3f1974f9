import SluiceConfig
import SluiceCore
import Testing

@Suite struct `What OpenTelemetry's variables say` {
    private static func load(_ telemetry: String, _ variables: [String: String]) throws -> TelemetryConfiguration? {
        let text = #"{environment_providers: "never", \#(telemetry)}"#
        return try ServerConfiguration.load(text: Array(text.utf8), environment: .fixed(variables: variables)).value.telemetry
    }

    private static let variables = [
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/", "OTEL_EXPORTER_OTLP_TIMEOUT": "1500",
        "OTEL_EXPORTER_OTLP_HEADERS": "X-A=one%20two, authorization=Bearer%20t", "OTEL_SERVICE_NAME": "named",
        "OTEL_RESOURCE_ATTRIBUTES": "service.name=other,region=eu%2Dwest,service.instance.id=i7,broken",
    ]

    @Test func `counts where the sections are and say nothing`() throws {
        let telemetry = try #require(try Self.load("telemetry: {otlp: {}}", Self.variables))
        let otlp = try #require(telemetry.otlp)
        #expect(otlp.receiver.url.description == "http://collector:4318")
        #expect(otlp.receiver.timeout == .milliseconds(1500))
        #expect(otlp.receiver.headers.map(\.name) == ["x-a", "authorization"])
        #expect(otlp.receiver.headers.map(\.value.exposedText) == ["one two", "Bearer t"])
        #expect(telemetry.serviceName == "named")
        #expect(telemetry.instanceID == "i7")
        #expect(telemetry.attributes == [Named("region", "eu-west")])
        #expect(telemetry.traces == TracesConfiguration())
    }

    @Test func `turns nothing on by itself`() throws {
        #expect(try Self.load("", Self.variables) == nil)
        let telemetry = try #require(try Self.load("telemetry: {}", Self.variables))
        #expect(telemetry.otlp == nil)
        #expect(telemetry.traces == nil)
    }

    @Test func `gives way to what is written`() throws {
        let written = """
            telemetry: {service_name: "mine", instance_id: "me", attributes: {region: "here"},
              otlp: {url: "https://other", timeout_ms: 700, headers: {x: "y"}, traces: false}}
            """
        let telemetry = try #require(try Self.load(written, Self.variables))
        let otlp = try #require(telemetry.otlp)
        #expect(otlp.receiver.url.description == "https://other")
        #expect(otlp.receiver.timeout == .milliseconds(700))
        #expect(otlp.receiver.headers.map(\.name) == ["x"])
        #expect(telemetry.serviceName == "mine")
        #expect(telemetry.instanceID == "me")
        #expect(telemetry.attributes == [Named("region", "here")])
        // Nobody gets spans, and nobody has asked for ids.
        #expect(telemetry.traces == nil)
    }

    @Test func `is no reason to send somebody's headers with other credentials`() throws {
        let telemetry = try Self.load(#"telemetry: {otlp: {bearer_token: "b"}}"#, Self.variables)
        #expect(telemetry?.otlp?.receiver.headers.isEmpty == true)
    }

    @Test(arguments: [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "grpc://collector:4317"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"), ("OTEL_EXPORTER_OTLP_HEADERS", "host=x"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x=a%0Ab"),
    ])
    func `is refused where it makes no sense`(variable: String, value: String) {
        var variables = Self.variables
        variables[variable] = value
        #expect(throws: ConfigErrors.self) { try Self.load("telemetry: {otlp: {}}", variables) }
        #expect(throws: Never.self) { try Self.load("telemetry: {}", variables) }
    }

    @Test func `needs an endpoint somewhere`() {
        #expect(throws: ConfigErrors.self) { try Self.load("telemetry: {otlp: {}}", [:]) }
    }
}
