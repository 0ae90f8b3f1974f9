/// How a configuration is put together of a file and of what the management API keeps.
///
/// Every unit has one owner. What the file says belongs to the file, and the API cannot change it; everything else may be set through
/// the API. Where the file comes to say what the API has set already, the file holds and the API's is set aside, not lost.
package enum ConfigOverlay {
    /// Takes a document apart.
    ///
    /// - Throws: what is not as it has to be for that: an entry without a name, an object that is none.
    package static func units(of document: ConfigValue) throws(ConfigErrors) -> ConfigUnits {
        var units: ConfigUnits = [:]
        var mistakes: [ConfigMistake] = []
        guard case .object(let members) = document.kind else {
            throw ConfigErrors([mistake("", document, "an object, found \(document.kind.name)")])
        }
        for member in members {
            if member.key == "access", case .object(let parts) = member.value.kind {
                var rest: [ConfigMember] = []
                for part in parts {
                    let section = "access.\(part.key)"
                    if ConfigUnit.isCollection(section) {
                        add(part.value, section, to: &units, &mistakes)
                    } else {
                        rest.append(part)
                    }
                }
                if !rest.isEmpty || parts.isEmpty {
                    units[ConfigUnit(section: "access")] = ConfigValue(.object(rest), at: member.value.location)
                }
            } else if ConfigUnit.isCollection(member.key) {
                add(member.value, member.key, to: &units, &mistakes)
            } else {
                units[ConfigUnit(section: member.key)] = member.value
            }
        }
        if !mistakes.isEmpty { throw ConfigErrors(mistakes) }
        return units
    }

    private static func add(
        _ value: ConfigValue, _ section: String, to units: inout ConfigUnits, _ mistakes: inout [ConfigMistake]
    ) {
        if ConfigUnit.dictionaries.contains(section) {
            guard case .object(let members) = value.kind else {
                return mistakes.append(mistake(section, value, "an object, found \(value.kind.name)"))
            }
            for member in members { units[ConfigUnit(section: section, name: member.key)] = member.value }
            return
        }
        var elements = [value]
        if case .list(let all) = value.kind { elements = all }
        for (index, element) in elements.enumerated() {
            let path = ConfigPath.element(of: section, index)
            guard let name = element["name"]?.text, !name.isEmpty else {
                mistakes.append(mistake(ConfigPath.child(of: path, "name"), element, "required: a name"))
                continue
            }
            let unit = ConfigUnit(section: section, name: name)
            if units.updateValue(element, forKey: unit) != nil {
                mistakes.append(
                    mistake(path, element, "a name that no other entry has, found \(ConfigPath.quoted(name)) again"))
            }
        }
    }

    private static func mistake(_ path: String, _ value: ConfigValue, _ message: String) -> ConfigMistake {
        ConfigMistake(path: path, location: value.location, message: message)
    }

    /// Puts units together to a document, sections and entries in order of their names.
    package static func document(of units: ConfigUnits) -> ConfigValue {
        var document = ConfigValue(.object([]))
        for unit in units.keys.sorted() { if let value = units[unit] { document = inserting(value, unit, into: document) } }
        return document
    }

    /// A configuration of the file and what the API keeps.
    package struct Composition: Sendable {
        package var document: ConfigValue
        /// Units of the API that hold.
        package var api: Set<ConfigUnit> = []
        /// Units of the API that the file has taken.
        package var shadowed: [ConfigUnit] = []
    }

    package static func compose(file: ConfigValue, _ units: ConfigUnits) -> Composition {
        var result = Composition(document: file)
        for unit in units.keys.sorted() {
            guard let value = units[unit] else { continue }
            if owns(file, unit) || unit.section.hasPrefix("access.") && !hasAccess(file) {
                result.shadowed.append(unit)
            } else {
                result.document = inserting(value, unit, into: result.document)
                result.api.insert(unit)
            }
        }
        return result
    }

    /// Whether the file tells who may come in at all: the API adds to that, and does not begin it.
    private static func hasAccess(_ file: ConfigValue) -> Bool {
        if case .object? = file["access"]?.kind { return true }
        return false
    }

    /// Whether the file says something about a unit.
    package static func owns(_ file: ConfigValue, _ unit: ConfigUnit) -> Bool {
        var value = file
        for part in unit.section.split(separator: ".") {
            guard let inner = value[String(part)] else { return false }
            value = inner
        }
        guard let name = unit.name else { return true }
        switch value.kind {
        case .object(let members):
            // One limit alone may stand without a list around it.
            return ConfigUnit.lists.contains(unit.section)
                ? value["name"]?.text == name : members.contains { $0.key == name }
        case .list(let elements): return elements.contains { $0["name"]?.text == name }
        // `models: null` and the like: the file's word on the whole section.
        default: return true
        }
    }

    /// What a document says of a unit.
    package static func value(of unit: ConfigUnit, in document: ConfigValue) -> ConfigValue? {
        var value = document
        for part in unit.section.split(separator: ".") {
            guard let inner = value[String(part)] else { return nil }
            value = inner
        }
        guard let name = unit.name else { return value }
        switch value.kind {
        case .list(let elements): return elements.first { $0["name"]?.text == name }
        case .object: return ConfigUnit.lists.contains(unit.section) ? value : value[name]
        default: return nil
        }
    }

    private static func inserting(_ value: ConfigValue, _ unit: ConfigUnit, into document: ConfigValue) -> ConfigValue {
        let parts = unit.section.split(separator: ".").map(String.init)
        if parts.count == 2 {
            let outer = document[parts[0]] ?? ConfigValue(.object([]))
            let inner = inserting(value, ConfigUnit(section: parts[1], name: unit.name), into: outer)
            return document.setting(parts[0], to: inner)
        }
        guard let name = unit.name else { return document.setting(unit.section, to: value) }
        let present = document[unit.section]
        if !ConfigUnit.lists.contains(unit.section) {
            return document.setting(
                unit.section, to: (present ?? ConfigValue(.object([]))).setting(name, to: value))
        }
        var elements: [ConfigValue] = []
        if let present { if case .list(let all) = present.kind { elements = all } else { elements = [present] } }
        return document.setting(unit.section, to: ConfigValue(.list(elements + [value])))
    }
}
