internal import Synchronization

/// The counts of one worker. Only the worker adds to them, so that adding is a load and a store; everybody may read them.
///
/// A slot that was never counted in costs nothing: pages of slots are made when they are first needed.
@safe package final class MetricShard: @unchecked Sendable {
    private typealias Page = UnsafeMutablePointer<Atomic<Int>>

    /// The counts of one series are on one page.
    static let pageSlots = 1024
    private static let pageCountMax = 1024
    /// So many slots there can be at most.
    package static let slotCountMax = pageSlots * pageCountMax

    /// Addresses of pages; zero: there is none yet.
    private let pages: UnsafeMutablePointer<Atomic<UInt>>

    init() {
        unsafe pages = .allocate(capacity: Self.pageCountMax)
        for index in 0..<Self.pageCountMax { unsafe (pages + index).initialize(to: Atomic(0)) }
    }

    deinit {
        for index in 0..<Self.pageCountMax { if let page = unsafe page(index) { unsafe page.deallocate() } }
        unsafe pages.deallocate()
    }

    /// To be called by the worker alone.
    @inline(__always)
    package func add(_ count: Int, to slot: Int) {
        let cell = unsafe cell(of: slot)
        unsafe cell.pointee.store(cell.pointee.load(ordering: .relaxed) &+ count, ordering: .relaxed)
    }

    /// To be called by the worker alone. Valid as long as the shard.
    @inline(__always)
    func cell(of slot: Int) -> UnsafeMutablePointer<Atomic<Int>> {
        unsafe (page(slot / Self.pageSlots) ?? makePage(slot / Self.pageSlots)) + slot % Self.pageSlots
    }

    package func count(in slot: Int) -> Int {
        guard let page = unsafe page(slot / Self.pageSlots) else { return 0 }
        return unsafe page[slot % Self.pageSlots].load(ordering: .relaxed)
    }

    @inline(__always)
    private func page(_ index: Int) -> Page? {
        precondition(index < Self.pageCountMax, "a slot that no registry has given out")
        return unsafe Page(bitPattern: pages[index].load(ordering: .acquiring))
    }

    private func makePage(_ index: Int) -> Page {
        let page = Page.allocate(capacity: Self.pageSlots)
        for slot in 0..<Self.pageSlots { unsafe (page + slot).initialize(to: Atomic(0)) }
        unsafe pages[index].store(UInt(bitPattern: page), ordering: .releasing)
        return unsafe page
    }
}
