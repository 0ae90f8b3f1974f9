import SluicePolicy
import Testing

@Suite struct `Priority classes` {
    private static var classes: PriorityClasses {
        var high = PriorityClasses.Class(name: "high")
        high.users = ["ada"]
        high.keys = ["0123456789abcdef"]
        var low = PriorityClasses.Class(name: "low", inFlightPercent: 50)
        low.roles = ["batch"]
        let normal = PriorityClasses.Class(name: "normal", inFlightPercent: 80)
        return PriorityClasses([high, normal, low], usual: 1, header: "x-priority")
    }

    private static func caller(user: String? = nil, role: String? = nil, key: String? = nil) -> Caller {
        var caller = Caller()
        caller.user = user
        caller.role = role
        caller.key = key
        return caller
    }

    @Test func `a caller's class is the first that names it`() {
        let classes = Self.classes
        #expect(classes.rank(of: Self.caller(user: "ada", role: "batch"), named: nil) == 0)
        #expect(classes.rank(of: Self.caller(key: "0123456789abcdef"), named: nil) == 0)
        #expect(classes.rank(of: Self.caller(user: "bob", role: "batch"), named: nil) == 2)
        #expect(classes.rank(of: Self.caller(user: "bob"), named: nil) == 1)
        #expect(classes.asksWhoCalls)
    }

    @Test func `the field chooses among all classes, but lifts nobody above the class that names them`() {
        let classes = Self.classes
        #expect(classes.rank(of: Self.caller(user: "bob"), named: "high") == 0)
        #expect(classes.rank(of: Self.caller(user: "bob"), named: "low") == 2)
        #expect(classes.rank(of: Self.caller(role: "batch"), named: "high") == 2)
        #expect(classes.rank(of: Self.caller(user: "ada"), named: "low") == 2)
        #expect(classes.rank(of: Self.caller(user: "bob"), named: "urgent") == 1)
    }

    @Test func `lower classes have less room in the process`() {
        let classes = Self.classes
        #expect((0..<3).map { classes.inFlightMax(rank: $0, of: 200) } == [200, 160, 100])
        #expect(classes.inFlightPercentMin == 50)
        #expect(PriorityClasses().inFlightMax(rank: 0, of: 200) == 200 && !PriorityClasses().asksWhoCalls)
    }
}
