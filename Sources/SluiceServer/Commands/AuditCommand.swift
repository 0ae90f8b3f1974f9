internal import SluiceConfig
internal import SluiceCore
internal import SluiceNet
internal import SluiceStorage
internal import SluiceTLS

/// `sluice audit verify [DIR]`: whether an audit log is whole, and if not where it was changed.
enum AuditCommand {
    static let command = ArgumentParser.Command(
        "audit", summary: "Checks an audit log: changed, removed, inserted and reordered lines show.",
        options: [
            .init(
                "config", "FILE",
                doc: "The configuration whose `audit` section names the directory, and whose keys check the lines' MACs."),
            .init("key-file", "FILE", doc: "A file of master keys, in place of those of the configuration."),
            .init(
                "head", "NUMBER:HASH",
                doc: "Where the log ended once, as Sluice's own log has told (sluice.audit.head): it must go on from there."),
        ], operands: ["verify"], optionalOperands: ["DIR"])

    static func run(_ arguments: Arguments) throws(UsageError) -> Int32 {
        guard arguments.operands.first == "verify" else { throw UsageError("actions: verify") }
        let anchor = try arguments.value("head", allowed: "NUMBER:HASH, as sluice.audit.head in the log", AuditHead.init)
        do throws(ConfigErrors) {
            guard let directory = try directory(arguments) else {
                throw ConfigErrors([ConfigMistake(path: "", location: nil, message: "DIR is missing, or --config FILE")])
            }
            let keys = try keys(arguments)
            return verify(directory, keys, anchor)
        } catch {
            FileHandleOutput.standardError("\(error)\n")
            return CommandLineTool.configurationStatus
        }
    }

    private static func directory(_ arguments: Arguments) throws(ConfigErrors) -> String? {
        if arguments.operands.count > 1 { return arguments.operands[1] }
        guard let config = arguments.text("config") else { return nil }
        return try AuditConfiguration.directory(ofFile: config)
    }

    private static func keys(_ arguments: Arguments) throws(ConfigErrors) -> MasterKeys {
        if let file = arguments.text("key-file") { return try SecretsConfiguration.keys(ofFile: file) }
        guard let config = arguments.text("config") else { return .none }
        return try SecretsConfiguration.load(file: config)?.keys ?? .none
    }

    private static func verify(_ directory: String, _ keys: MasterKeys, _ anchor: AuditHead?) -> Int32 {
        do {
            let key = keys.currentID == nil ? nil : try AuditKey.existing(directory, SecretVault(keys))
            let report = try AuditVerifier.verify(directory, key: key, anchor: anchor)
            FileHandleOutput.standardOutput(text(report, directory, isChecked: key != nil))
            return report.isSound ? 0 : 1
        } catch {
            FileHandleOutput.standardError("sluice audit: \(directory): \(error)\n")
            return SecretCommand.dataStatus
        }
    }

    private static func text(_ report: AuditVerifier.Report, _ directory: String, isChecked: Bool) -> String {
        var text = ""
        for finding in report.breaks { text += "BROKEN \(finding)\n" }
        if report.breaksOmitted > 0 { text += "BROKEN and \(report.breaksOmitted) more\n" }
        for note in report.notes { text += "note: \(note)\n" }
        if !isChecked {
            text += "note: MACs were not checked (no key): who can write the files could have made all of this\n"
        }
        text += "\(directory): \(report.lineCount) lines, \(report.authenticated) authenticated, "
        text += report.isSound ? "whole" : "NOT whole"
        if let end = report.end { text += ", up to \(end)" }
        return text + "\n"
    }
}

extension AuditConfiguration {
    /// Reads nothing but this section of a configuration file.
    fileprivate static func directory(ofFile path: String) throws(ConfigErrors) -> String? {
        let root = try ConfigReader.parse(try ConfigReader.text(ofFile: path, environment: .process))
        let members = ["audit", "storage"].compactMap { name in root[name].map { ConfigMember(name, $0) } }
        return try ConfigReader.read(ConfigValue(.object(members)), environment: .process) { root in
            let audit = root.section("audit", doc: "", AuditConfiguration.read)
            let storage = root.optionalSection("storage", doc: "", StorageConfiguration.read)
            return audit.directory ?? storage?.directory
        }.value
    }
}
