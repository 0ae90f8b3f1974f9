internal import CNghttp2

/// A request's header fields in memory that stays put, as nghttp2 wants them.
@safe final class HTTP2Headers {
    let count: Int
    private let bytes: UnsafeMutableBufferPointer<UInt8>
    private let list: UnsafeMutablePointer<nghttp2_nv>

    init(_ headers: [(name: String, value: String)]) {
        count = headers.count
        let byteCount = headers.reduce(0) { $0 + $1.name.utf8.count + $1.value.utf8.count }
        unsafe bytes = .allocate(capacity: byteCount)
        unsafe list = .allocate(capacity: headers.count)
        unsafe _ = bytes.initialize(from: headers.flatMap { Array($0.name.utf8) + Array($0.value.utf8) })
        var position = unsafe bytes.baseAddress
        for (index, header) in headers.enumerated() {
            let name = unsafe position
            let value = unsafe position.map { unsafe $0 + header.name.utf8.count }
            unsafe position = value.map { unsafe $0 + header.value.utf8.count }
            unsafe (list + index).initialize(
                to: nghttp2_nv(
                    name: name, value: value, namelen: header.name.utf8.count, valuelen: header.value.utf8.count,
                    flags: UInt8(NGHTTP2_NV_FLAG_NONE.rawValue)))
        }
    }

    deinit {
        unsafe list.deallocate()
        unsafe bytes.deallocate()
    }

    @unsafe var fields: UnsafePointer<nghttp2_nv> { unsafe UnsafePointer(list) }
}
