internal import SluiceCore
package import SluiceNet
internal import Synchronization

/// Puts the records of this node into a Redis stream, in order, for whoever collects them.
///
/// The file is where they wait: a mark in it says how far the stream has them, and moves when Redis has said so. When
/// Redis is gone, or the process ends between the two, some go twice, with the same id; none is left out.
///
/// Confined to its loop.
package final class RecordShipper {
    private let store: RecordStore
    private let client: RedisClient
    private let settings: RecordStreamSettings
    private let rounds: RecordRounds

    /// Begins at once.
    package init(
        _ store: RecordStore, _ client: RedisClient, _ settings: RecordStreamSettings, on loop: EventLoop
    ) {
        self.store = store
        self.client = client
        self.settings = settings
        rounds = RecordRounds(on: loop)
        rounds.begin { [weak self] in
            guard let self else { return }
            while !rounds.isClosed, await shipSome() {}
        }
    }

    package func close() { rounds.close() }

    /// - Returns: whether there may be more.
    private func shipSome() async -> Bool {
        guard client.isAvailable,
            let batch = await store.unshipped(atMost: RecordRounds.batchMax, node: settings.node)
        else { return false }
        if !batch.texts.isEmpty, !(await send(batch.texts)) { return false }
        if batch.texts.isEmpty, batch.mark == shipped { return false }
        await store.noteShipped(batch.mark)
        shipped = batch.mark
        store.counters.shipped.add(batch.texts.count, ordering: .relaxed)
        return batch.isFull
    }

    private var shipped = -1

    /// Sends them together, and waits until Redis has taken each.
    private func send(_ texts: [[UInt8]]) async -> Bool {
        let count = Count(texts.count)
        for text in texts {
            rounds.loop.spawn { [self] in
                var command = RedisCommand("XADD", key: client.key(settings.key))
                command.append("MAXLEN" as StaticString)
                command.append("~" as StaticString)
                command.append(settings.lengthMax)
                command.append("*" as StaticString)
                command.append("record" as StaticString)
                command.append(text.span)
                let reply = try? await client.call(command, within: RecordRounds.patience)
                count.isComplete = count.isComplete && reply?.bytes != nil
                count.left -= 1
                if count.left == 0 { count.done.fulfil(count.isComplete) }
            }
        }
        return await count.done.wait()
    }

    private final class Count {
        var left: Int
        var isComplete = true
        let done = Waiter<Bool>()

        init(_ left: Int) { self.left = left }
    }
}
