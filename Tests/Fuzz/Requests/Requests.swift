import FuzzSupport
import SluiceCore
import SluiceHTTP
import SluiceJSON
import SluiceProviders

/// What an application asks for, in every dialect that it may speak, put into the words of every provider.
func check(_ input: Input) {
    var input = input
    let tape = JSONTape()
    let body = ByteBuffer(copying: input.bytes.span)
    if (try? tape.scan(body.span)) == nil { return }
    if !tape.root(over: body.span).isObject { return }
    let capabilities = capabilities(&input.random)
    encode(body, capabilities)
    for isOpenAI in [true, false] {
        let target = ChatTarget(isOpenAI: isOpenAI, takesMaxCompletionTokens: input.random.next() & 1 == 0)
        var report = FieldReport()
        let fromMessages = ByteBuffer()
        if (try? MessagesRequest.write(tape.root(over: body.span), for: target, into: fromMessages, &report)) != nil {
            checkJSON(fromMessages.span)
            encode(fromMessages, capabilities)
        }
        let fromResponses = ByteBuffer()
        if (try? ResponsesRequest.write(tape.root(over: body.span), for: target, into: fromResponses, &report)) != nil {
            checkJSON(fromResponses.span)
            encode(fromResponses, capabilities)
        }
        checkReport(report)
    }
    _ = ResponsesEcho(of: tape.root(over: body.span))
}

private func capabilities(_ random: inout SplitMix64) -> Capabilities {
    var capabilities = Capabilities()
    if random.next() & 3 == 0 { return capabilities }
    for flag in [
        \.systemRole, \.tools, \.parallelTools, \.forcedTools, \.jsonObject, \.jsonSchema, \.images, \.imageURLs, \.audio, \.files,
        \.sampling, \.prefill, \.streamUsage,
    ] as [WritableKeyPath<Capabilities, Bool>] {
        capabilities[keyPath: flag] = random.next() & 3 != 0
    }
    let kinds = Capabilities.Reasoning.allCases
    capabilities.reasoning = kinds[Int(random.next() % UInt64(kinds.count))]
    if random.next() & 1 == 0 { capabilities.outputTokensMax = 8192 }
    return capabilities
}

private func encode(_ body: ByteBuffer, _ capabilities: Capabilities) {
    let tape = JSONTape()
    if (try? tape.scan(body.span)) == nil { return }
    var report = FieldReport()
    var adaptation = ChatAdaptation(capabilities, takesChoices: false)
    var adapted = body
    do throws(EncodingRefusal) {
        adapted = try adaptation.adapt(tape.root(over: body.span), &report) ?? body
    } catch {
        return
    }
    do { try tape.scan(adapted.span) } catch {
        if error.kind != .tooDeep { fatalError("adapted, and no JSON: \(error): \(adapted.text)") }
        return
    }
    let root = tape.root(over: adapted.span)
    for dialect in ProviderDialect.allCases {
        let chat = dialect.chat
        for isStream in [false, true] {
            let request = ChatRequest(root, model: root["model"]?.string ?? "m", isStream: isStream, applicationID: "app")
            let encoded = ByteBuffer()
            do throws(EncodingRefusal) {
                try chat.encode(request, capabilities, into: encoded, &report)
            } catch {
                continue
            }
            checkJSON(encoded.span)
            let target = chat.chatTarget(request)
            expect(target.utf8.allSatisfy { 0x21...0x7E ~= $0 }, "target \(target)")
            var fields = HeaderFields()
            chat.addFields(request, to: &fields)
        }
        if let embeddings = chat.embeddings {
            let encoded = ByteBuffer()
            if (try? embeddings.encode(root, model: "m", applicationID: "app", into: encoded, &report)) != nil {
                checkJSON(encoded.span)
            }
        }
    }
    checkReport(report)
}

private func checkReport(_ report: FieldReport) {
    for name in report.lost + report.adapted {
        expect(name.utf8.allSatisfy { 0x20...0x7E ~= $0 }, "reported \(name)")
    }
}

private func checkJSON(_ text: Span<UInt8>) {
    do { try JSONTape().scan(text) } catch {
        if error.kind != .tooDeep { fatalError("no JSON: \(error): \(String(decoding: text))") }
    }
}
