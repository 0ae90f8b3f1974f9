/// What stands before a response's body, whichever version of HTTP carries it.
package struct ResponseHead {
    package var status: Status
    package var fields: HeaderFields

    package init(_ status: Status, fields: HeaderFields = HeaderFields()) {
        self.status = status
        self.fields = fields
    }
}
