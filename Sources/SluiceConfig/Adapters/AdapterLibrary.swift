internal import SluiceCore

/// The adapters that configurations can name: those that are built in, and a folder's, which add to them or replace them.
///
/// One that is built in is read when it is asked for: to read all of them takes longer than the rest of a start.
package struct AdapterLibrary: Sendable, Equatable {
    private enum Entry: Sendable, Equatable {
        case builtIn(BuiltInAdapter)
        case file(Adapter)
    }

    /// Those that are built in first, in the order in which keys are looked for.
    private var entries: [Entry]

    package subscript(_ name: String) -> Adapter? { entries.first { Self.name($0) == name }.map(Self.adapter) }

    package var names: [String] { entries.map(Self.name) }

    /// All of them, read.
    package var adapters: [Adapter] { entries.map(Self.adapter) }

    package func has(_ name: String) -> Bool { entries.contains { Self.name($0) == name } }

    /// Those for which the environment has one of their variables, in the order in which keys are looked for.
    func adapters(with environment: ConfigEnvironment) -> [Adapter] {
        entries.compactMap { entry in
            let isNamed =
                switch entry {
                case .builtIn(let one): one.variables.contains { environment.nonEmptyVariable($0) != nil }
                case .file: true
                }
            return isNamed ? Self.adapter(entry) : nil
        }
    }

    private static func name(_ entry: Entry) -> String {
        switch entry {
        case .builtIn(let one): one.name
        case .file(let adapter): adapter.name
        }
    }

    private static func adapter(_ entry: Entry) -> Adapter {
        switch entry {
        case .builtIn(let one): one.read()
        case .file(let adapter): adapter
        }
    }

    /// What the binary brings along: `Sources/CAdapters/Adapters`.
    package static let builtIn = AdapterLibrary(entries: BuiltInAdapter.all.map(Entry.builtIn))

    /// A folder's files as they were found.
    package struct Reading: Sendable {
        package var library = AdapterLibrary.builtIn
        /// The folder and its files: when one changes, read again.
        package var files: [String] = []
        package var mistakes: [ConfigMistake] = []
    }

    private static let filesMax = 1000

    /// Reads the files of a folder whose names end in `.json5` or `.json`, in the order of their names.
    ///
    /// - Parameter isRequired: whether it is a mistake if there is no such folder.
    package static func read(
        directory: String, isRequired: Bool, environment: ConfigEnvironment
    ) -> Reading {
        var reading = Reading()
        reading.files = [directory]
        var names: [String] = []
        do throws(ConfigFileError) {
            names = try environment.directory(directory)
        } catch {
            if error != .missing || isRequired {
                reading.mistakes.append(
                    ConfigMistake(
                        path: "adapters_directory", location: nil, message: "\(ConfigPath.quoted(directory)): \(error)")
                )
            }
            return reading
        }
        // Hidden files are an editor's, or the links of a mounted ConfigMap.
        names = names.filter { !$0.hasPrefix(".") && ($0.hasSuffix(".json5") || $0.hasSuffix(".json")) }.sorted()
        if names.count > filesMax {
            reading.mistakes.append(
                ConfigMistake(
                    path: "adapters_directory", location: nil,
                    message: "at most \(filesMax) files, found \(names.count)"))
            names = Array(names.prefix(filesMax))
        }
        for name in names { reading.add(file: directory + "/" + name, environment) }
        return reading
    }
}

extension AdapterLibrary.Reading {
    fileprivate mutating func add(file: String, _ environment: ConfigEnvironment) {
        files.append(file)
        do {
            let text = try environment.file(file, Adapter.fileByteCountMax)
            let adapter = try Adapter.read(text: text, file: file, environment: environment)
            if let other = library[adapter.name], let taken = other.file {
                mistakes.append(
                    ConfigMistake(
                        path: "name", location: nil, message: "a name that no other file has, found that of \(taken)",
                        file: file))
            }
            library.put(adapter)
        } catch let errors as ConfigErrors {
            mistakes += errors.mistakes
        } catch let error as ConfigFileError {
            mistakes.append(ConfigMistake(path: "", location: nil, message: "\(error)", file: file))
        } catch {
            mistakes.append(ConfigMistake(path: "", location: nil, message: "cannot be read", file: file))
        }
    }
}

extension AdapterLibrary {
    /// Adds an adapter, in the place of one of the same name.
    package mutating func put(_ adapter: Adapter) {
        if let index = entries.firstIndex(where: { Self.name($0) == adapter.name }) {
            entries[index] = .file(adapter)
        } else {
            entries.append(.file(adapter))
        }
    }
}
