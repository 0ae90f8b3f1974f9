internal import SluiceCore
internal import SluiceJSON
internal import SluiceStorage

/// Records as a table (RFC 4180), for spreadsheets.
enum RecordCSV {
    static let header: StaticString =
        "id,request_id,start_time,end_time,duration_us,first_byte_us,user_id,principal_id,team,business_line,scene,model_id,provider,upstream_model,route,status,http_status,error_code,error_owner,error_message,input_tokens,output_tokens,cached_tokens,reasoning_tokens,total_tokens,usage_source,cost_micros,cache,stream,attempts,request_params,origin\r\n"

    static func write(_ entry: HistoryEntry, to buffer: ByteBuffer) {
        let record = entry.record
        var row = Row(buffer: buffer)
        row.text("\(entry.id)")
        row.text(record.requestID)
        row.number(record.startTime)
        row.number(record.endTime)
        row.number(record.durationMicros)
        row.number(record.firstByteMicros)
        for text in [
            record.userID, record.principalID, record.team, record.businessLine, record.scene, record.modelID,
            record.provider, record.upstreamModel, record.route, "\(record.outcome.name)",
        ] { row.text(text) }
        row.number(record.httpStatus)
        for text in [record.errorCode, record.errorOwner, record.errorMessage] { row.text(text) }
        for number in [
            record.inputTokens, record.outputTokens, record.cachedTokens, record.reasoningTokens, record.totalTokens,
        ] { row.number(number) }
        row.text("\(record.usageSource.name)")
        row.number(record.costMicros)
        row.text(record.cacheState)
        row.text(record.isStream ? "true" : "false")
        let attempts = entry.attempts
        row.cell(attempts.span)
        if let parameters = entry.parameters { row.cell(parameters.span) } else { row.text("") }
        row.text(entry.origin)
        buffer.append("\r\n" as StaticString)
    }

    struct Row {
        let buffer: ByteBuffer
        private var isFirst = true

        init(buffer: ByteBuffer) { self.buffer = buffer }

        /// Negative: an empty cell.
        mutating func number(_ number: Int) {
            separate()
            if number >= 0 { buffer.append(decimal: number) }
        }

        mutating func text(_ text: String) { cell(text.utf8Span.span) }

        /// A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection).
        mutating func cell(_ text: Span<UInt8>) {
            separate()
            let isFormula = text.count > 0 && Self.beginsFormula(text[0])
            if !isFormula, !Self.needsQuotes(text) { return buffer.append(text) }
            buffer.append(UInt8(ascii: "\""))
            if isFormula { buffer.append(UInt8(ascii: "'")) }
            for index in text.indices {
                if text[index] == UInt8(ascii: "\"") { buffer.append(UInt8(ascii: "\"")) }
                buffer.append(text[index])
            }
            buffer.append(UInt8(ascii: "\""))
        }

        private mutating func separate() {
            if !isFirst { buffer.append(UInt8(ascii: ",")) }
            isFirst = false
        }

        private static func beginsFormula(_ byte: UInt8) -> Bool {
            switch byte {
            case UInt8(ascii: "="), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "@"), 0x09, 0x0D: true
            default: false
            }
        }

        private static func needsQuotes(_ text: Span<UInt8>) -> Bool {
            for index in text.indices {
                switch text[index] {
                case UInt8(ascii: ","), UInt8(ascii: "\""), 0x0A, 0x0D: return true
                default: break
                }
            }
            return false
        }
    }
}
