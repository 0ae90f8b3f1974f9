internal import SluiceCore
internal import SluiceTLS

/// The providers that need no configuration: their keys are in variables that everybody names alike.
package enum EnvironmentProviders {
    package struct Discovery: Sendable, Equatable {
        /// In the order of the catalogue.
        package var providers: [ProviderConfiguration] = []
        /// For the log: a variable that was passed over, and why.
        package var notes: [String] = []
        /// A variable that holds what it must not.
        package var mistakes: [ConfigMistake] = []
        package init() {}
    }

    /// - Parameter listeners: a base URL that leads back to one of them is passed over. Applications are told by
    ///   `OPENAI_BASE_URL` where Sluice is, and it may be started from the same environment.
    /// - Parameter library: whose variables are looked at.
    package static func discover(
        _ environment: ConfigEnvironment, listeners: [ListenAddress] = [], library: AdapterLibrary = .builtIn
    ) -> Discovery {
        var discovery = Discovery()
        for entry in library.adapters(with: environment) {
            guard let provider = provider(entry, environment, listeners, &discovery) else { continue }
            discovery.providers.append(provider)
        }
        return discovery
    }

    private static func provider(
        _ entry: Adapter, _ environment: ConfigEnvironment, _ listeners: [ListenAddress],
        _ discovery: inout Discovery
    ) -> ProviderConfiguration? {
        let keyVariable = entry.keyVariables.first { environment.nonEmptyVariable($0) != nil }
        let url = baseURL(entry, environment, listeners, &discovery)
        if keyVariable == nil, url == nil || !entry.isUsableWithoutKey { return nil }
        guard let baseURL = url ?? entry.baseURL else { return nil }
        var provider = ProviderConfiguration(name: entry.name, baseURL: baseURL)
        provider.adapter = entry
        provider.dialect = entry.dialect
        provider.query = entry.query
        provider.headers = entry.headers
        if let keyVariable, var text = environment.nonEmptyVariable(keyVariable) {
            while text.last?.isNewline == true { text.removeLast() }
            let key = Secret(text)
            if SecretVault.isSealed(text) {
                discovery.mistakes.append(
                    ConfigMistake(
                        path: "$" + keyVariable, location: nil,
                        message: "a key that is not sealed; a sealed one is named in the configuration: "
                            + "providers.\(entry.name).api_key: \"env:\(keyVariable)\""))
            } else if !key.withExposed(HeaderRules.isValue) {
                discovery.mistakes.append(
                    ConfigMistake(
                        path: "$" + keyVariable, location: nil, message: "a key of visible ASCII characters"))
            }
            provider.apiKeys = [key]
        }
        provider.auth = entry.auth
        // Another server than the one in the catalogue has other models.
        provider.models = baseURL == entry.baseURL ? entry.models : []
        return provider
    }

    private static func baseURL(
        _ entry: Adapter, _ environment: ConfigEnvironment, _ listeners: [ListenAddress],
        _ discovery: inout Discovery
    ) -> BaseURL? {
        for name in entry.baseURLVariables {
            guard let text = environment.nonEmptyVariable(name) else { continue }
            do throws(BaseURL.Malformed) {
                let url = try BaseURL(text)
                if url.scheme != .http, url.scheme != .https {
                    throw BaseURL.Malformed(message: "an http or https URL")
                }
                // Only a server of one's own needs no key.
                if url == entry.baseURL, !entry.keyVariables.isEmpty { return nil }
                if !listeners.contains(where: { $0.isReached(by: url) }) { return url }
                discovery.notes.append("\(name) leads to Sluice itself and was passed over")
            } catch {
                discovery.mistakes.append(ConfigMistake(path: "$" + name, location: nil, message: error.message))
            }
        }
        return nil
    }
}
