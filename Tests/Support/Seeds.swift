package import SluiceCore

extension SplitMix64 {
    /// `count` seeds that are the same in every run: a failure names its seed and can be run again.
    package static func seeds(_ count: Int) -> Range<UInt64> { 1..<UInt64(count + 1) }
}
