package import SluiceCore
package import SluiceTLS

/// Where a Redis server listens.
package enum RedisAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name or an address, an IPv6 address without brackets.
    case host(String, UInt16)
    /// A path; one that starts with `@` is in the abstract name space.
    case unix(String)

    package var description: String {
        switch self {
        case .host(let host, let port): host.utf8.contains(UInt8(ascii: ":")) ? "[\(host)]:\(port)" : "\(host):\(port)"
        case .unix(let path): "unix:\(path)"
        }
    }
}

/// How Redis is used, as the configuration says.
package struct RedisSettings: Sendable, Equatable {
    package enum Topology: Sendable, Equatable {
        case single(RedisAddress)
        /// Sentinels know which server is the master of this name.
        case sentinel([RedisAddress], master: String)
        /// Some nodes of the cluster, which tell of the others.
        case cluster([RedisAddress])
    }

    package struct Credentials: Sendable, Equatable {
        /// `nil`: the default user.
        package var username: String?
        package var password: Secret

        package init(username: String? = nil, password: Secret) {
            self.username = username
            self.password = password
        }
    }

    package struct TLS: Sendable, Equatable {
        package let context: TLSContext
        /// The name to ask for and to verify; `nil`: the host that is connected to.
        package let serverName: String?

        package init(context: TLSContext, serverName: String? = nil) {
            self.context = context
            self.serverName = serverName
        }

        package static func == (one: Self, other: Self) -> Bool {
            one.context.hasSameFiles(as: other.context) && one.serverName == other.serverName
        }
    }

    package var topology: Topology
    package var credentials: Credentials?
    package var sentinelCredentials: Credentials?
    /// Not in a cluster, which has one only.
    package var database = 0
    package var tls: TLS?
    /// What every key begins with.
    package var prefix = "sluice:"
    /// How long a command may take, counted from when it is written.
    package var timeout = Duration.milliseconds(5)
    /// How long a connection may take to be made and set up.
    package var connect = Duration.milliseconds(500)
    /// Commands of one connection whose replies have not come.
    package var inFlightMax = 1024
    package var breaker = RedisBreaker.Settings()

    package init(topology: Topology) { self.topology = topology }

    /// A connection whose oldest reply is so late is given up: what it still holds would be of no use to anyone.
    var lagMax: Duration { max(.seconds(1), timeout * 20) }
}
