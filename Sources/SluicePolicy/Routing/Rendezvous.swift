internal import Glibc
internal import SluiceCore

/// Highest random weight hashing (Thaler, Ravishankar 1998): every key has its own order of the targets, so one that leaves or
/// comes moves only the keys that it had or gets. All processes agree: nothing of it depends on a seed.
package enum Rendezvous {
    /// A stable hash of text (FNV-1a, and a finaliser: its upper bits alone are poor).
    package static func hash(_ text: String) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
        return mixed(hash)
    }

    /// How far down a target is in a key's order: the smallest comes first. A target with twice the weight comes first twice as
    /// often.
    static func distance(key: UInt64, target: UInt64, weight: Int) -> Double {
        let bits = mixed(key ^ target &* 0x9E37_79B9_7F4A_7C15) >> 11
        // In (0, 1]: the logarithm of zero is no distance.
        let uniform = (Double(bits) + 1) / Double(1 << 53 as UInt64)
        return -log(uniform) / Double(max(1, weight))
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var random = SplitMix64(value)
        return random.next()
    }
}
