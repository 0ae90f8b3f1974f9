internal import SluiceConfig
internal import SluiceCore
internal import SluiceStorage
internal import SluiceTLS

/// Finds out what the process begins with: the file, and what the API kept before.
///
/// A file that is wrong ends the process; what was kept never does: as much of it as can be is put in force, and the
/// rest is said to be left out.
struct ControlStart {
    let clerk = Clerk("control")
    let settings: ControlConfiguration
    let store: ControlStore?
    let state: ControlState
    /// What seals what is shared with other nodes; `nil`: nothing can be.
    let fleetSeal: ControlSeal?
    let node: String
    let layered: LayeredConfiguration
    /// What could not be had, for the log and for health.
    let troubles: [String]

    /// - Parameter vault: is given its keys here, as what is kept may be sealed with them.
    init(_ options: Server.Options, _ environment: ConfigEnvironment, _ vault: SecretVault) throws {
        let file = try LayeredConfiguration.tree(
            ofFile: options.configFile, overrides: options.overrides, environment: environment)
        let preface = try ControlPreface.read(file, environment: environment)
        vault.adopt(preface.secrets?.keys ?? .none)
        settings = preface.control
        let secret = preface.control.sharedSecret
        fleetSeal = ControlSeal(vault, sharedSecret: secret, prefersVault: false)
        node = Self.nodeName()
        var troubles: [String] = []
        var store: ControlStore?
        var state = ControlState()
        if let directory = preface.storage?.directory, settings.source == .layered {
            do {
                let opened = try ControlStore(
                    directory: directory, seal: ControlSeal(vault, sharedSecret: secret, prefersVault: true))
                state = try opened.state()
                store = opened
            } catch {
                // Nothing may be written over what cannot be read.
                store = nil
                troubles.append("what the management API has kept cannot be read: \(error)")
            }
        }
        let (layered, dropped) = try Self.load(file, options.configFile, environment, state.units)
        for unit in dropped {
            troubles.append("\(unit.path), set through the API, is left out: it does not fit the file")
        }
        self.store = store
        self.state = state
        self.layered = layered
        self.troubles = troubles
    }

    /// Reads the file with as many units as it can be read with.
    private static func load(
        _ file: ConfigValue, _ path: String?, _ environment: ConfigEnvironment, _ units: ConfigUnits
    ) throws -> (LayeredConfiguration, dropped: [ConfigUnit]) {
        var kept = units
        while true {
            do throws(ConfigErrors) {
                let layered = try LayeredConfiguration.load(
                    file: file, at: path, environment: environment, units: kept)
                return (layered, units.keys.filter { kept[$0] == nil }.sorted())
            } catch {
                if kept.isEmpty { throw error }
                let wrong = kept.keys.filter { unit in error.mistakes.contains { Self.concerns($0, unit) } }
                // A mistake that belongs to nobody: the file alone has to do.
                kept = wrong.isEmpty ? [:] : kept.filter { !wrong.contains($0.key) }
            }
        }
    }

    private static func concerns(_ mistake: ConfigMistake, _ unit: ConfigUnit) -> Bool {
        // In lists a mistake stands at a number.
        let path = ConfigUnit.lists.contains(unit.section) ? unit.section : unit.path
        return mistake.path == path || mistake.path.hasPrefix(path + ".") || mistake.path.hasPrefix(path + "[")
    }

    /// Tells processes apart in the history.
    private static func nodeName() -> String {
        let host = ConfigEnvironment.process.nonEmptyVariable("HOSTNAME") ?? "sluice"
        let number = SecureRandom.bytes(3).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        return "\(host)/\(number)"
    }
}
