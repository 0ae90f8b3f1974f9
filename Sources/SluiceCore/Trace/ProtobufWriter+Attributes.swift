/// Attributes of OpenTelemetry (opentelemetry/proto/common/v1/common.proto): `KeyValue` is a key (1) and an `AnyValue` (2).
extension ProtobufWriter {
    package func attribute(_ field: Int, _ key: StaticString, _ value: String) {
        attribute(field, key) { $0.string(1, value) }
    }

    package func attribute(_ field: Int, _ key: StaticString, constant value: StaticString) {
        attribute(field, key) { $0.string(1, value) }
    }

    package func attribute(_ field: Int, _ key: StaticString, _ value: Int) { attribute(field, key) { $0.int(3, value) } }

    package func attribute(_ field: Int, _ key: StaticString, _ value: Bool) { attribute(field, key) { $0.bool(2, value) } }

    package func attribute(_ field: Int, _ key: StaticString, seconds: Duration) {
        attribute(field, key) { $0.double(4, Double(seconds.nanoseconds) / 1e9) }
    }

    package func attribute(_ field: Int, _ key: StaticString, _ values: [String]) {
        attribute(field, key) { any in
            any.message(5) { array in
                for value in values { array.message(1) { $0.string(1, value) } }
            }
        }
    }

    /// For names that are no constants: labels of metrics, fields of log lines, what the configuration says of the resource.
    package func attribute(_ field: Int, named key: String, _ value: String) {
        message(field) { pair in
            pair.string(1, key)
            pair.message(2) { $0.string(1, value) }
        }
    }

    private func attribute(_ field: Int, _ key: StaticString, any write: (ProtobufWriter) -> Void) {
        message(field) { pair in
            pair.string(1, key)
            pair.message(2, write)
        }
    }
}

extension TraceID {
    /// As OTLP has it: 16 bytes.
    package var bytes: InlineArray<16, UInt8> {
        InlineArray { UInt8(truncatingIfNeeded: ($0 < 8 ? high : low) >> (56 - 8 * UInt64($0 & 7))) }
    }
}

extension SpanID {
    package var bytes: InlineArray<8, UInt8> { InlineArray { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) } }
}
