import FuzzSupport
import Glibc

unsafe exit(
    Fuzzer.run { start, count in
        unsafe check(Input(start, count))
        return 0
    })
