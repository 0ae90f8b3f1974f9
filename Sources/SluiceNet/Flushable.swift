/// What wants to write once at the end of a turn, however often it was written to.
package protocol Flushable: AnyObject {
    func flush()
}
