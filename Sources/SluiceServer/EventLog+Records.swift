internal import SluiceCore
internal import SluiceStorage

extension EventLog {
    func records(_ event: RecordStore.Event) {
        switch event {
        case .opened(let path): self.event(.info, "records are kept") { $0.field("file.path", path) }
        case .stopped(let error):
            self.event(.error, "records are not kept") { line in
                line.field("error.code", error.kind.rawValue)
                line.field("error.message", error.description)
            }
        case .resumed(let dropped):
            self.event(.warn, "records are kept again") { $0.field("sluice.records.dropped", dropped) }
        case .lost(let count, let error):
            self.event(.error, "records were lost") { line in
                line.field("sluice.records.dropped", count)
                line.field("error.message", error.description)
            }
        }
    }
}
